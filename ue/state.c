// The stored state: a blob of version 1, network byte order.
//
//	"AKPU" | version 1 | flags 1 | AFs 2 | generation 4 | ms until the previous key is erased 4
//| 	the same in Unix seconds or 0, 4 | K_AKMA current 32 | K_AKMA previous 32 	per AF: tag
// 16 | floor
// current 16 | floor previous 16 | ordered 16 | clock 8 | usable 1 | 	        entries current 1 |
// entries
// previous 1 | 	        per entry: push_id 16 | ref 4 | bits 1 | acks 1 [ | expiry 4 |
// length 2 | reply ] 	check 16
//
// The tag names an AF whatever its place in the configuration. The check finds damage; it keeps out
// nobody who can write to the storage.

#include "ue/ue.h"

enum {
	VERSION = 1,
	HAS_CURRENT = 1,
	HAS_PREVIOUS = 2,
	MET = 4,
	TAG = 16,
	CHECK = 16,
	HEAD = 84,
	AF_HEAD = 75,
	ENTRY = 22,
	ENTRY_REPLIED = 4, // bits: status 0..1, then these
	ENTRY_SUITE2 = 8,
	ENTRY_PREVIOUS = 16, // opened under the previous key
	ENTRY_WANTED = 32,
	ENTRY_BITS = 64,
};

static const uint8_t magic[4] = {'A', 'K', 'P', 'U'};
static const uint8_t no_key[32];

// Octets being written or read. Past the end a writer only counts; a reader gives zeros, and is
// `cut` from then on.
struct cursor {
	uint8_t *out;
	const uint8_t *in;
	size_t at;
	size_t end;
	bool cut;
};

static void put(struct cursor *c, const void *octets, size_t n)
{
	if (c->at <= c->end && n <= c->end - c->at)
		memcpy(c->out + c->at, octets, n);
	c->at += n;
}

static void put_int(struct cursor *c, unsigned n, uint32_t value)
{
	uint8_t octets[4];

	apue_store_be(octets, n, value);
	put(c, octets, n);
}

static bool get(struct cursor *c, void *octets, size_t n)
{
	if (n > c->end - c->at) {
		c->at = c->end;
		c->cut = true;
		memset(octets, 0, n);
		return false;
	}
	memcpy(octets, c->in + c->at, n);
	c->at += n;
	return true;
}

static uint32_t get_int(struct cursor *c, unsigned n)
{
	uint8_t octets[4];

	get(c, octets, n);
	return apue_load_be(octets, n);
}

// The first 16 octets of an HMAC under a key that everyone knows.
static bool digest(const struct akmapush_ue *ue, const struct akmapush_ue_octets *parts,
		   size_t n_parts, uint8_t out[CHECK])
{
	const struct akmapush_ue_crypto *crypto = ue->config->crypto;
	uint8_t mac[32];
	bool ok = crypto->hmac_sha256(crypto->arg, no_key, parts, n_parts, mac);

	if (ok)
		memcpy(out, mac, CHECK);
	return ok;
}

static bool af_tag(const struct akmapush_ue *ue, unsigned i, uint8_t tag[TAG])
{
	struct akmapush_ue_octets af_id[2];

	apue_af_id(&ue->config->afs[i], af_id);
	return digest(ue, af_id, 2, tag);
}

static bool check_make(const struct akmapush_ue *ue, const uint8_t *blob, size_t n,
		       uint8_t check[CHECK])
{
	struct akmapush_ue_octets all = {blob, n};

	return digest(ue, &all, 1, check);
}

size_t akmapush_ue_state_max(const struct akmapush_ue_config *config)
{
	size_t list_max = config->list_max ? config->list_max : AKMAPUSH_UE_LIST_MAX;

	return HEAD + config->n_afs * (AF_HEAD + 2 * list_max * ENTRY) +
	       config->n_replies * ((size_t)6 + config->reply_max) + CHECK;
}

static void put_entry(struct cursor *c, const struct akmapush_ue *ue, unsigned af,
		      const struct apue_entry *entry)
{
	const struct apue_reply *reply;

	put(c, entry->push_id, sizeof(entry->push_id));
	put(c, entry->ref, sizeof(entry->ref));
	put_int(c, 1,
		entry->status | (entry->replied ? ENTRY_REPLIED : 0u) |
			(entry->suite2 ? ENTRY_SUITE2 : 0u) |
			(entry->slot != ue->current ? ENTRY_PREVIOUS : 0u) |
			(entry->wanted ? ENTRY_WANTED : 0u));
	put_int(c, 1, entry->acks);
	if (!entry->replied)
		return;
	reply = apue_reply_find(ue, af, entry->push_id);
	put_int(c, 4, reply->expiry);
	put_int(c, 2, reply->len);
	put(c, reply->octets, reply->len);
}

static void put_af(struct cursor *c, const struct akmapush_ue *ue, unsigned i,
		   const uint8_t tag[TAG])
{
	struct apue_af *af = apue_af(ue, i);
	unsigned slots[2] = {ue->current, !ue->current};

	put(c, tag, TAG);
	put(c, af->floor[slots[0]], AKMAPUSH_UE_PUSH_ID);
	put(c, af->floor[slots[1]], AKMAPUSH_UE_PUSH_ID);
	put(c, af->ordered, AKMAPUSH_UE_PUSH_ID);
	put_int(c, 4, (uint32_t)(af->clock_ms >> 32));
	put_int(c, 4, (uint32_t)af->clock_ms);
	put_int(c, 1, (af->usable[slots[0]] ? 1u : 0u) | (af->usable[slots[1]] ? 2u : 0u));
	put_int(c, 1, af->n[slots[0]]);
	put_int(c, 1, af->n[slots[1]]);
	for (unsigned k = 0; k < 2; k++)
		for (unsigned e = 0; e < af->n[slots[k]]; e++)
			put_entry(c, ue, i, apue_list(ue, af, slots[k]) + e);
}

static void put_head(struct cursor *c, const struct akmapush_ue *ue,
		     const struct akmapush_ue_now *now)
{
	unsigned previous = !ue->current;
	uint64_t left = ue->erase_ms > now->ms ? ue->erase_ms - now->ms : 0;
	uint32_t erase_s = ue->erase_s;

	// The clock may have become trusted since; it counts while the UE is off.
	if (erase_s == 0 && now->trusted)
		erase_s = apue_later_s(now->unix_s, (uint32_t)(left / 1000));

	put(c, magic, sizeof(magic));
	put_int(c, 1, VERSION);
	put_int(c, 1,
		(ue->has[ue->current] ? HAS_CURRENT : 0u) |
			(ue->has[previous] ? HAS_PREVIOUS : 0u) | (ue->met ? MET : 0u));
	put_int(c, 2, ue->config->n_afs);
	put_int(c, 4, ue->generation);
	put_int(c, 4, ue->has[previous] ? (uint32_t)left : 0);
	put_int(c, 4, ue->has[previous] ? erase_s : 0);
	put(c, ue->kakma[ue->current], APUE_KEY);
	put(c, ue->kakma[previous], APUE_KEY);
}

int32_t akmapush_ue_save(const struct akmapush_ue *ue, const struct akmapush_ue_now *now,
			 uint8_t *out, size_t size)
{
	struct cursor c = {.out = out, .end = size};
	uint8_t tag[TAG], check[CHECK];

	put_head(&c, ue, now);
	for (unsigned i = 0; i < ue->config->n_afs; i++) {
		if (!af_tag(ue, i, tag))
			return AKMAPUSH_UE_ECRYPTO;
		put_af(&c, ue, i, tag);
	}
	if (c.at + CHECK > size)
		return AKMAPUSH_UE_ENOROOM;
	if (!check_make(ue, out, c.at, check))
		return AKMAPUSH_UE_ECRYPTO;
	put(&c, check, CHECK);
	return (int32_t)c.at;
}

static int get_reply(struct cursor *c, struct akmapush_ue *ue, unsigned af, const uint8_t *push_id)
{
	uint32_t expiry = get_int(c, 4), len = get_int(c, 2);
	struct apue_reply *reply = NULL;

	if (len == 0 || len > c->end - c->at)
		return AKMAPUSH_UE_EDAMAGED;
	for (unsigned i = 0; i < ue->config->n_replies && !reply; i++)
		if (!apue_reply(ue, i)->used)
			reply = apue_reply(ue, i);
	if (!reply || len > ue->config->reply_max)
		return AKMAPUSH_UE_ENOROOM;
	get(c, reply->octets, len);
	memcpy(reply->push_id, push_id, sizeof(reply->push_id));
	reply->expiry = expiry;
	reply->len = (uint16_t)len;
	reply->af = (uint8_t)af;
	reply->used = true;
	return 0;
}

static int get_entry(struct cursor *c, struct akmapush_ue *ue, unsigned af,
		     struct apue_entry *entry, uint64_t now_ms)
{
	uint32_t bits, acks;

	get(c, entry->push_id, sizeof(entry->push_id));
	get(c, entry->ref, sizeof(entry->ref));
	bits = get_int(c, 1);
	acks = get_int(c, 1);
	if (bits >= ENTRY_BITS || (bits & 3) == 3 || acks > APUE_QUICK_ACKS ||
	    (bits & ENTRY_REPLIED && (bits & 3) == 0))
		return AKMAPUSH_UE_EDAMAGED;
	entry->status = bits & 3;
	entry->suite2 = (bits & ENTRY_SUITE2) != 0;
	entry->slot = (ue->current ^ bits / ENTRY_PREVIOUS) & 1u;
	entry->wanted = (bits & ENTRY_WANTED) != 0;
	entry->replied = (bits & ENTRY_REPLIED) != 0;
	// When the last ACK left is not known any more: perhaps just now.
	entry->acks = (acks > 0 ? acks - 1 : 0) & 7u;
	apue_entry_acked(entry, now_ms);
	return entry->replied ? get_reply(c, ue, af, entry->push_id) : 0;
}

static int get_list(struct cursor *c, struct akmapush_ue *ue, unsigned i, unsigned slot, unsigned n,
		    uint64_t now_ms)
{
	struct apue_af *af = apue_af(ue, i);
	struct apue_entry *list = apue_list(ue, af, slot);
	const uint8_t *before = no_key; // below every push_id
	int error;

	if (n > AKMAPUSH_UE_LIST_MAX)
		return AKMAPUSH_UE_EDAMAGED;
	if (n > ue->list_max)
		return AKMAPUSH_UE_ENOROOM;
	for (unsigned k = 0; k < n; k++) {
		error = get_entry(c, ue, i, &list[k], now_ms);
		if (error)
			return error;
		if (memcmp(list[k].push_id, before, AKMAPUSH_UE_PUSH_ID) <= 0 ||
		    apue_find(ue, af, list[k].push_id))
			return AKMAPUSH_UE_EDAMAGED;
		before = list[k].push_id;
		af->n[slot]++;
	}
	return 0;
}

static int get_af(struct cursor *c, struct akmapush_ue *ue, unsigned i,
		  const struct akmapush_ue_now *now)
{
	struct apue_af *af = apue_af(ue, i);
	unsigned slots[2] = {ue->current, !ue->current};
	uint32_t usable, n[2];
	int error;

	get(c, af->floor[slots[0]], AKMAPUSH_UE_PUSH_ID);
	get(c, af->floor[slots[1]], AKMAPUSH_UE_PUSH_ID);
	get(c, af->ordered, AKMAPUSH_UE_PUSH_ID);
	af->clock_ms = (uint64_t)get_int(c, 4) << 32;
	af->clock_ms |= get_int(c, 4);
	usable = get_int(c, 1);
	n[0] = get_int(c, 1);
	n[1] = get_int(c, 1);
	if (usable > 3 || af->clock_ms >> 48)
		return AKMAPUSH_UE_EDAMAGED;
	for (unsigned k = 0; k < 2; k++) {
		af->usable[slots[k]] = ue->has[slots[k]] && (usable >> k & 1);
		error = get_list(c, ue, i, slots[k], n[k], now->ms);
		if (error)
			return error;
	}
	return 0;
}

// Passes over the record of an AF that is not provisioned any more.
static int skip_af(struct cursor *c)
{
	uint8_t head[AF_HEAD - TAG], entry[ENTRY];
	unsigned n;

	get(c, head, sizeof(head));
	n = (unsigned)head[sizeof(head) - 1] + head[sizeof(head) - 2];
	while (n--) {
		uint32_t len = 0;

		if (!get(c, entry, sizeof(entry)))
			return AKMAPUSH_UE_EDAMAGED;
		if (entry[20] & ENTRY_REPLIED) {
			get_int(c, 4);
			len = get_int(c, 2);
		}
		if (len > c->end - c->at)
			return AKMAPUSH_UE_EDAMAGED;
		c->at += len;
	}
	return 0;
}

// The AF of a tag, n_afs if it is not provisioned, or an error.
static int af_find(const struct akmapush_ue *ue, const uint8_t tag[TAG])
{
	uint8_t own[TAG];
	int i = 0;

	for (; i < ue->config->n_afs; i++) {
		if (!af_tag(ue, (unsigned)i, own))
			return AKMAPUSH_UE_ECRYPTO;
		if (!memcmp(own, tag, TAG))
			break;
	}
	return i;
}

// Rule 7 for an AF of which nothing was stored. Without a key there is nothing to refuse.
static void lists_lost(struct akmapush_ue *ue, unsigned i, const struct akmapush_ue_now *now)
{
	struct apue_af *af = apue_af(ue, i);

	if (!ue->has[ue->current])
		return;
	if (now->trusted) {
		apue_floor_set(af, ue->current, (uint64_t)now->unix_s + APUE_LOST_LISTS_S);
		return;
	}
	af->usable[0] = false;
	af->usable[1] = false;
}

static int get_afs(struct cursor *c, struct akmapush_ue *ue, unsigned n,
		   const struct akmapush_ue_now *now)
{
	uint32_t seen = 0;
	int error = 0;

	while (n-- && !error) {
		uint8_t tag[TAG];
		int i;

		if (!get(c, tag, TAG))
			return AKMAPUSH_UE_EDAMAGED;
		i = af_find(ue, tag);
		if (i < 0)
			return i;
		if (i < ue->config->n_afs && (seen >> i & 1))
			return AKMAPUSH_UE_EDAMAGED;
		if (i < ue->config->n_afs)
			seen |= UINT32_C(1) << i;
		error = i < ue->config->n_afs ? get_af(c, ue, (unsigned)i, now) : skip_af(c);
	}
	for (unsigned i = 0; i < ue->config->n_afs; i++)
		if (!(seen >> i & 1))
			lists_lost(ue, i, now);
	return error;
}

// Keys are taken before the lists, whose entries refer to them.
static int get_keys(struct cursor *c, struct akmapush_ue *ue, unsigned flags)
{
	uint8_t kakma[2][APUE_KEY];
	bool ok;

	get(c, kakma, sizeof(kakma));
	ok = (!(flags & HAS_CURRENT) || apue_take_key(ue, ue->current, kakma[0])) &&
	     (!(flags & HAS_PREVIOUS) || apue_take_key(ue, !ue->current, kakma[1]));
	apue_wipe(kakma, sizeof(kakma));
	return ok ? 0 : AKMAPUSH_UE_ECRYPTO;
}

// What is left of the time of the previous key; a trusted clock knows how long the UE was off.
static void deadline_restore(struct akmapush_ue *ue, uint32_t left_ms, uint32_t erase_s,
			     const struct akmapush_ue_now *now)
{
	if (now->trusted && erase_s) {
		uint32_t left_s = erase_s > now->unix_s ? erase_s - now->unix_s : 0;

		if (left_s < left_ms / 1000)
			left_ms = left_s * 1000;
	}
	ue->erase_ms = now->ms + left_ms;
	ue->erase_s = erase_s;
}

static int parse(struct cursor *c, struct akmapush_ue *ue, const struct akmapush_ue_now *now)
{
	uint32_t flags, n_afs, left_ms, erase_s;
	int error;

	c->at = sizeof(magic) + 1;
	flags = get_int(c, 1);
	n_afs = get_int(c, 2);
	ue->generation = get_int(c, 4);
	left_ms = get_int(c, 4);
	erase_s = get_int(c, 4);
	if (flags > (HAS_CURRENT | HAS_PREVIOUS | MET) || left_ms > APUE_PREVIOUS_KEPT_MS ||
	    (flags & (HAS_CURRENT | HAS_PREVIOUS)) == HAS_PREVIOUS)
		return AKMAPUSH_UE_EDAMAGED;
	ue->met = (flags & MET) != 0;
	deadline_restore(ue, left_ms, erase_s, now);
	error = get_keys(c, ue, flags);
	if (!error)
		error = get_afs(c, ue, n_afs, now);
	return !error && (c->cut || c->at != c->end) ? AKMAPUSH_UE_EDAMAGED : error;
}

int akmapush_ue_load(struct akmapush_ue *ue, const struct akmapush_ue_now *now, const uint8_t *blob,
		     size_t len)
{
	struct cursor c = {.in = blob, .end = len - CHECK};
	uint8_t check[CHECK];
	int error;

	AKMAPUSH_UE_ASSERT(!ue->has[0] && !ue->has[1]);
	if (len < HEAD + CHECK || memcmp(blob, magic, sizeof(magic)) || blob[4] != VERSION)
		return AKMAPUSH_UE_EDAMAGED;
	if (!check_make(ue, blob, c.end, check))
		return AKMAPUSH_UE_ECRYPTO;
	if (memcmp(check, blob + c.end, CHECK))
		return AKMAPUSH_UE_EDAMAGED;
	error = parse(&c, ue, now);
	if (error)
		apue_clear(ue);
	return error;
}
