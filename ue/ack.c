// Rule 6: answers, and the ACKs that carry them.

#include "ue/ue.h"

uint32_t apue_ticks_since(const struct apue_entry *entry, uint64_t now_ms)
{
	uint32_t since = (uint32_t)(now_ms / APUE_TICK_MS - entry->acked) & APUE_TICK_MASK;

	if (entry->acks == 0)
		return APUE_TICK_MASK;
	return since == APUE_TICK_MASK ? 0 : since; // within the tick that was rounded up
}

void apue_entry_acked(struct apue_entry *entry, uint64_t now_ms)
{
	entry->acked = ((now_ms + APUE_TICK_MS - 1) / APUE_TICK_MS) & APUE_TICK_MASK;
	if (entry->acks < APUE_QUICK_ACKS)
		entry->acks++;
}

static int32_t wait_ms(const struct apue_entry *entry, uint64_t now_ms)
{
	uint32_t since = apue_ticks_since(entry, now_ms);
	uint32_t needed = entry->acks < APUE_QUICK_ACKS ? APUE_QUICK_TICKS : APUE_SLOW_TICKS;

	return since >= needed ? 0 : (int32_t)((needed - since) * APUE_TICK_MS);
}

static bool destination(const struct akmapush_ue *ue, unsigned i, struct akmapush_ue_address *to)
{
	const struct akmapush_ue_af *provisioned = &ue->config->afs[i];
	const struct apue_af *af = apue_af(ue, i);

	if (af->address < provisioned->n_push_functions) {
		*to = provisioned->push_functions[af->address];
		to->port = af->port;
		return true;
	}
	for (unsigned k = 0; k < provisioned->n_push_functions; k++) {
		*to = provisioned->push_functions[k];
		if (to->port)
			return true;
	}
	return false;
}

static struct apue_entry *entry_find(const struct akmapush_ue *ue,
				     const struct akmapush_ue_push_id *id)
{
	static const uint8_t none[AKMAPUSH_UE_PUSH_ID];
	struct apue_entry *entry;

	if (id->af >= ue->config->n_afs || !memcmp(id->octets, none, sizeof(none)))
		return NULL;
	entry = apue_find(ue, apue_af(ue, id->af), id->octets);
	return entry ? entry : apue_late_find(apue_af(ue, id->af), id->octets);
}

static size_t entry_seal(const struct akmapush_ue *ue, unsigned i, const struct apue_entry *entry,
			 uint8_t *out, size_t size)
{
	const struct apue_af *af = apue_af(ue, i);
	const struct apue_reply *reply =
		entry->replied ? apue_reply_find(ue, i, entry->push_id) : NULL;
	struct apue_ack_fields fields = {.suite = entry->suite2 ? 2 : 1,
					 .status = (uint8_t)entry->status};

	if (reply) {
		fields.reply = reply->octets;
		fields.reply_len = reply->len;
	}
	AKMAPUSH_UE_ASSERT(size >= AKMAPUSH_UE_ACK_MIN + fields.reply_len);
	memcpy(fields.push_id, entry->push_id, sizeof(fields.push_id));
	memcpy(fields.ref, entry->ref, sizeof(fields.ref));
	return apue_ack_seal(ue->config->crypto, af->kaf[entry->slot], &fields, out);
}

int32_t akmapush_ue_ack(struct akmapush_ue *ue, const struct akmapush_ue_push_id *id,
			const struct akmapush_ue_now *now, uint8_t *out, size_t size,
			struct akmapush_ue_address *to)
{
	struct apue_entry *entry = entry_find(ue, id);
	int32_t wait;
	size_t len;

	if (!entry || !entry->wanted || !apue_af(ue, id->af)->usable[entry->slot] ||
	    !destination(ue, id->af, to))
		return 0;
	wait = wait_ms(entry, now->ms);
	if (wait > 0)
		return -wait;
	len = entry_seal(ue, id->af, entry, out, size);
	if (len > 0)
		apue_entry_acked(entry, now->ms);
	return (int32_t)len;
}

static int reply_store(struct akmapush_ue *ue, const struct akmapush_ue_push_id *id,
		       const struct akmapush_ue_now *now, const void *octets, size_t len)
{
	struct apue_reply *reply = len <= ue->config->reply_max ? apue_reply_take(ue, now) : NULL;

	if (!reply)
		return AKMAPUSH_UE_ENOROOM;
	memcpy(reply->push_id, id->octets, sizeof(reply->push_id));
	memcpy(reply->octets, octets, len);
	reply->len = (uint16_t)len;
	reply->expiry = id->expiry;
	reply->af = (uint8_t)id->af;
	reply->used = true;
	return 0;
}

int akmapush_ue_answer(struct akmapush_ue *ue, const struct akmapush_ue_push_id *id, uint8_t status,
		       const void *reply, size_t reply_len, const struct akmapush_ue_now *now)
{
	struct apue_entry *entry = entry_find(ue, id);
	int error;

	if (status != 1 && status != 2)
		return AKMAPUSH_UE_EINVAL;
	if (!entry || entry->status == APUE_STATUS_MAX)
		return AKMAPUSH_UE_EUNKNOWN;
	if (entry->status != 0)
		return AKMAPUSH_UE_EFINAL;
	if (reply_len > 0) {
		// The store goes with the lists: what is on neither has no place for a reply.
		if (entry != apue_find(ue, apue_af(ue, id->af), id->octets))
			return AKMAPUSH_UE_ENOROOM;
		error = reply_store(ue, id, now, reply, reply_len);
		if (error)
			return error;
	}
	entry->status = status & 3u;
	entry->replied = reply_len > 0;
	return 0;
}
