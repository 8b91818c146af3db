// Rule 5: which pushes were accepted. Lists are kept in rising order of push_id, so that a look-up
// touches few cache lines and the smallest is the first.

#include "ue/ue.h"

static int compare(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, AKMAPUSH_UE_PUSH_ID);
}

// Index of the first of n entries that is not below push_id.
static unsigned lower_bound(const struct apue_entry *list, unsigned n, const uint8_t *push_id)
{
	unsigned low = 0, high = n;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (compare(list[middle].push_id, push_id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct apue_entry *list_find(const struct akmapush_ue *ue, struct apue_af *af, unsigned slot,
				    const uint8_t *push_id)
{
	struct apue_entry *list = apue_list(ue, af, slot);
	unsigned at = lower_bound(list, af->n[slot], push_id);

	return at < af->n[slot] && !compare(list[at].push_id, push_id) ? list + at : NULL;
}

struct apue_entry *apue_find(const struct akmapush_ue *ue, struct apue_af *af,
			     const uint8_t *push_id)
{
	struct apue_entry *entry = list_find(ue, af, 0, push_id);

	return entry ? entry : list_find(ue, af, 1, push_id);
}

// Both floors count: a push may come again under a newer key than that under which it was accepted
// and pushed off the list.
bool apue_is_below_floor(const struct apue_af *af, const uint8_t *push_id)
{
	return compare(push_id, af->floor[0]) <= 0 || compare(push_id, af->floor[1]) <= 0;
}

static void floor_raise(uint8_t *floor, const uint8_t *push_id)
{
	if (compare(push_id, floor) > 0)
		memcpy(floor, push_id, AKMAPUSH_UE_PUSH_ID);
}

struct apue_entry *apue_late_find(struct apue_af *af, const uint8_t *push_id)
{
	for (unsigned i = 0; i < APUE_LATE; i++)
		if (!compare(af->late[i].push_id, push_id))
			return &af->late[i];
	return NULL;
}

// The place in `late` that has been quiet for longest; free ones first.
static struct apue_entry *late_quietest(struct apue_af *af, uint64_t now_ms)
{
	struct apue_entry *best = &af->late[0];

	for (unsigned i = 1; i < APUE_LATE; i++)
		if (apue_ticks_since(&af->late[i], now_ms) > apue_ticks_since(best, now_ms))
			best = &af->late[i];
	return best;
}

// Puts an entry into the quietest place. What was there is forgotten, and with it how often it was
// answered.
static struct apue_entry *late_put(struct apue_af *af, struct apue_entry *place,
				   const struct apue_entry *entry)
{
	if (place->acks > 0)
		af->crowded = true;
	*place = *entry;
	place->replied = 0;
	return place;
}

// A place that was quiet for so long that nobody can tell that it is forgotten, or NULL.
static struct apue_entry *late_take(struct apue_af *af, const uint8_t *push_id, uint64_t now_ms)
{
	struct apue_entry *place = late_quietest(af, now_ms), fresh = {.acks = 0};

	if (apue_ticks_since(place, now_ms) < APUE_SLOW_TICKS)
		return NULL;
	memcpy(fresh.push_id, push_id, AKMAPUSH_UE_PUSH_ID);
	return late_put(af, place, &fresh);
}

struct apue_entry *apue_late(struct apue_af *af, const uint8_t *push_id, uint64_t now_ms)
{
	struct apue_entry *entry = apue_late_find(af, push_id);

	if (!entry) {
		entry = late_take(af, push_id, now_ms);
		if (!entry)
			return NULL;
		// It may have had its quick ACKs before it was forgotten. The first is due at once.
		if (af->crowded || apue_is_below_floor(af, push_id)) {
			entry->acks = APUE_QUICK_ACKS;
			entry->acked = (now_ms / APUE_TICK_MS - APUE_SLOW_TICKS) & APUE_TICK_MASK;
		}
	}
	entry->status = APUE_STATUS_MAX;
	return entry;
}

// What leaves a list is kept until its next ACK might leave. If there are too many of those, the
// most recently answered stay: as long as they fill the places, no other is answered.
static void late_keep(struct apue_af *af, struct apue_entry *entry, uint64_t now_ms)
{
	struct apue_entry *place = late_quietest(af, now_ms);
	uint32_t since = apue_ticks_since(entry, now_ms);

	if (since >= APUE_SLOW_TICKS || since > apue_ticks_since(place, now_ms))
		return;
	place = late_put(af, place, entry);
	place->status = APUE_STATUS_MAX;
	place->acks = APUE_QUICK_ACKS;
}

static void evict(struct akmapush_ue *ue, unsigned i, unsigned slot, struct apue_entry *entry,
		  uint64_t now_ms)
{
	struct apue_af *af = apue_af(ue, i);

	floor_raise(af->floor[slot], entry->push_id);
	apue_reply_drop(ue, i, entry);
	late_keep(af, entry, now_ms);
}

// Makes room at `at`, which is among n entries; a full list loses its first. The place, or NULL if
// the new entry would be the smallest of a full list.
static struct apue_entry *list_insert(struct akmapush_ue *ue, unsigned i, unsigned slot,
				      const uint8_t *push_id, uint64_t now_ms)
{
	struct apue_af *af = apue_af(ue, i);
	struct apue_entry *list = apue_list(ue, af, slot);
	unsigned n = af->n[slot], at = lower_bound(list, n, push_id);

	if (n < ue->list_max) {
		memmove(list + at + 1, list + at, (n - at) * sizeof(*list));
		af->n[slot]++;
		return list + at;
	}
	if (at == 0)
		return NULL;
	evict(ue, i, slot, &list[0], now_ms);
	memmove(list, list + 1, (at - 1) * sizeof(*list));
	return list + at - 1;
}

// A push that was too late as an ordered one may be accepted without that flag: it has one entry all
// the same, and its ACKs keep their distance.
static void late_leave(struct apue_af *af, struct apue_entry *fresh)
{
	struct apue_entry *late = apue_late_find(af, fresh->push_id);

	if (!late)
		return;
	fresh->acks = late->acks;
	fresh->acked = late->acked;
	memset(late, 0, sizeof(*late));
}

struct apue_entry *apue_accept(struct akmapush_ue *ue, unsigned i, unsigned slot,
			       const uint8_t *push_id, uint64_t now_ms)
{
	struct apue_af *af = apue_af(ue, i);
	struct apue_entry fresh = {.acks = 0}, *place;

	memcpy(fresh.push_id, push_id, AKMAPUSH_UE_PUSH_ID);
	late_leave(af, &fresh);
	place = list_insert(ue, i, slot, push_id, now_ms);
	if (!place) {
		floor_raise(af->floor[slot], push_id);
		place = late_take(af, push_id, now_ms);
	}
	if (place)
		*place = fresh;
	return place;
}

static void list_remove(struct akmapush_ue *ue, unsigned i, struct apue_entry *entry)
{
	struct apue_af *af = apue_af(ue, i);
	unsigned slot = entry >= apue_list(ue, af, 1);
	unsigned at = (unsigned)(entry - apue_list(ue, af, slot));

	apue_reply_drop(ue, i, entry);
	memmove(entry, entry + 1, (af->n[slot] - at - 1u) * sizeof(*entry));
	af->n[slot]--;
}

// A push is accepted only if it is above `bound`. What that was before the push is not known any
// more: one less than the push is.
static void bound_lower(uint8_t *bound, const uint8_t *push_id)
{
	unsigned k = AKMAPUSH_UE_PUSH_ID;

	if (compare(push_id, bound))
		return;
	while (k > 0 && bound[--k]-- == 0)
		;
}

void apue_forget(struct akmapush_ue *ue, unsigned i, const uint8_t *push_id)
{
	struct apue_af *af = apue_af(ue, i);
	struct apue_entry *entry = apue_find(ue, af, push_id), *late;

	if (entry)
		list_remove(ue, i, entry);
	// Smaller than all of a full list: it is the floor itself, and no acceptance is below it.
	bound_lower(af->floor[0], push_id);
	bound_lower(af->floor[1], push_id);
	bound_lower(af->ordered, push_id);
	late = apue_late_find(af, push_id);
	if (late)
		memset(late, 0, sizeof(*late));
}

// An entry under the erased key goes on under the current one: another answer would not be read.
static void merge_entry(struct akmapush_ue *ue, unsigned i, unsigned to, struct apue_entry *entry,
			uint64_t now_ms)
{
	struct apue_entry *place = list_insert(ue, i, to, entry->push_id, now_ms);

	if (place)
		*place = *entry;
	else
		evict(ue, i, to, entry, now_ms);
}

void apue_merge(struct akmapush_ue *ue, unsigned i, unsigned from, uint64_t now_ms)
{
	struct apue_af *af = apue_af(ue, i);
	struct apue_entry *list = apue_list(ue, af, from);
	unsigned to = !from;

	for (unsigned k = 0; k < af->n[from]; k++)
		merge_entry(ue, i, to, &list[k], now_ms);
	floor_raise(af->floor[to], af->floor[from]);
	memset(af->floor[from], 0, AKMAPUSH_UE_PUSH_ID);
	memset(list, 0, ue->list_max * sizeof(*list));
	af->n[from] = 0;
	for (unsigned k = 0; k < af->n[to]; k++)
		apue_list(ue, af, to)[k].slot = to & 1;
	for (unsigned k = 0; k < APUE_LATE; k++)
		af->late[k].slot = to & 1;
}
