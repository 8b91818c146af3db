// One datagram through the rules, in their order.

#include "ue/ue.h"

enum { AHEAD_MAX_S = 24 * 3600 };

const char *akmapush_ue_outcome_text(enum akmapush_ue_outcome outcome)
{
	static const char *const texts[] = {
#define TEXT(name, text) text,
		AKMAPUSH_UE_OUTCOMES(TEXT)
#undef TEXT
	};

	return (unsigned)outcome < AKMAPUSH_UE_OUTCOME_CNT ? texts[outcome] : "?";
}

// What is known of a datagram once a key has opened it.
struct opened {
	struct apue_push push;
	unsigned af;
	unsigned slot;
};

// Rule 2: each AF with the current, then the previous key.
static bool candidate_open(const struct akmapush_ue *ue, struct opened *opened, uint8_t *payload)
{
	for (unsigned i = 0; i < ue->config->n_afs; i++) {
		const struct apue_af *af = apue_af(ue, i);

		for (unsigned k = 0; k < 2; k++) {
			unsigned slot = ue->current ^ k;

			if (!af->usable[slot] || !apue_push_open(ue->config->crypto, af->kaf[slot],
								 &opened->push, payload))
				continue;
			opened->af = i;
			opened->slot = slot;
			return true;
		}
	}
	return false;
}

static uint64_t push_id_ms(const uint8_t *push_id)
{
	return (uint64_t)apue_load_be(push_id, 2) << 32 | apue_load_be(push_id + 2, 4);
}

// Rule 3. The push itself moves the clock of a UE that has none; `changed` if it did.
static enum akmapush_ue_outcome time_check(struct apue_af *af, const struct apue_push *push,
					   const struct akmapush_ue_now *now, bool *changed)
{
	uint64_t ms = push_id_ms(push->push_id);

	if (now->trusted && ms / 1000 > (uint64_t)now->unix_s + AHEAD_MAX_S)
		return AKMAPUSH_UE_AHEAD;
	if (ms > af->clock_ms) {
		af->clock_ms = ms;
		*changed = true;
	}
	return push->expiry < apue_clock_s(af, now) ? AKMAPUSH_UE_EXPIRED : AKMAPUSH_UE_DELIVERED;
}

// What an ACK for this copy needs to know of it; without an entry there is none.
static void copy_note(struct apue_entry *entry, const struct opened *opened)
{
	if (!entry)
		return;
	memcpy(entry->ref, opened->push.ref, sizeof(entry->ref));
	entry->suite2 = opened->push.suite == 2;
	entry->slot = opened->slot & 1u;
	entry->wanted = (opened->push.flags & APUE_FLAG_ACK_WANTED) != 0;
}

// Rule 5.
static enum akmapush_ue_outcome replay_check(struct akmapush_ue *ue, const struct opened *opened,
					     uint64_t now_ms)
{
	struct apue_af *af = apue_af(ue, opened->af);
	const uint8_t *push_id = opened->push.push_id;
	bool ordered = opened->push.flags & APUE_FLAG_ORDERED;
	struct apue_entry *entry = apue_find(ue, af, push_id);

	if (entry) {
		copy_note(entry, opened);
		return AKMAPUSH_UE_DUPLICATE;
	}
	if (apue_is_below_floor(af, push_id)) {
		copy_note(apue_late(af, push_id, now_ms), opened);
		return AKMAPUSH_UE_TOO_OLD;
	}
	if (ordered && memcmp(push_id, af->ordered, sizeof(af->ordered)) <= 0) {
		copy_note(apue_late(af, push_id, now_ms), opened);
		return AKMAPUSH_UE_OUT_OF_ORDER;
	}
	if (ordered)
		memcpy(af->ordered, push_id, sizeof(af->ordered));
	copy_note(apue_accept(ue, opened->af, opened->slot, push_id, now_ms), opened);
	return AKMAPUSH_UE_DELIVERED;
}

// Rule 6: remembers the source if it is one to which ACKs may go.
static void source_note(const struct akmapush_ue_af *provisioned, struct apue_af *af,
			const struct akmapush_ue_address *source)
{
	af->address = APUE_NO_ADDRESS;
	for (unsigned k = 0; source && k < provisioned->n_push_functions; k++) {
		const struct akmapush_ue_address *known = &provisioned->push_functions[k];

		if (memcmp(known->octets, source->octets, sizeof(known->octets)) ||
		    (known->port && known->port != source->port))
			continue;
		af->address = (uint8_t)k;
		af->port = source->port;
		return;
	}
}

static enum akmapush_ue_outcome run(struct akmapush_ue *ue, struct opened *opened,
				    const struct akmapush_ue_now *now, uint8_t *scratch,
				    struct akmapush_ue_push *out)
{
	struct apue_push *push = &opened->push;
	enum akmapush_ue_outcome outcome;
	struct apue_af *af;

	if (now->trusted && push->expiry < now->unix_s)
		return AKMAPUSH_UE_EXPIRED;
	if (!candidate_open(ue, opened, scratch))
		return AKMAPUSH_UE_NO_KEY;
	af = apue_af(ue, opened->af);
	outcome = time_check(af, push, now, &out->persist);
	if (outcome != AKMAPUSH_UE_DELIVERED)
		return outcome;
	if (opened->slot == ue->current && apue_current_met(ue, now))
		out->persist = true;
	out->payload = scratch;
	out->payload_len = push->n;
	if (push->segment_cnt > 1) {
		outcome = apue_reassemble(ue, opened->af, opened->slot, push, scratch,
					  apue_clock_s(af, now), &out->payload, &out->payload_len);
		if (outcome != AKMAPUSH_UE_DELIVERED)
			return outcome;
	}
	return replay_check(ue, opened, now->ms);
}

enum akmapush_ue_outcome akmapush_ue_input(struct akmapush_ue *ue, const void *datagram, size_t len,
					   const struct akmapush_ue_address *source,
					   const struct akmapush_ue_now *now,
					   uint8_t scratch[AKMAPUSH_UE_SEGMENT_MAX],
					   struct akmapush_ue_push *push)
{
	enum akmapush_ue_outcome outcome;
	struct opened opened;

	memset(push, 0, sizeof(*push));
	apue_spent_wipe(ue, false);
	push->persist = akmapush_ue_poll(ue, now);
	outcome = apue_push_parse(datagram, len, &opened.push);
	if (outcome == AKMAPUSH_UE_DELIVERED)
		outcome = run(ue, &opened, now, scratch, push);
	if (outcome != AKMAPUSH_UE_DELIVERED) {
		push->payload = NULL;
		push->payload_len = 0;
	}
	if (outcome > AKMAPUSH_UE_ANSWERED_LAST)
		return outcome;
	push->persist |= outcome == AKMAPUSH_UE_DELIVERED;
	push->ordered = opened.push.flags & APUE_FLAG_ORDERED;
	push->ack_wanted = opened.push.flags & APUE_FLAG_ACK_WANTED;
	push->id.af = (uint16_t)opened.af;
	push->id.expiry = opened.push.expiry;
	memcpy(push->id.octets, opened.push.push_id, sizeof(push->id.octets));
	source_note(&ue->config->afs[opened.af], apue_af(ue, opened.af), source);
	return outcome;
}

void akmapush_ue_withdraw(struct akmapush_ue *ue, const struct akmapush_ue_push_id *id)
{
	AKMAPUSH_UE_ASSERT(id->af < ue->config->n_afs);
	apue_forget(ue, id->af, id->octets);
}
