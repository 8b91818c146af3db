// The reply store: a few slots for all AFs of a UE.

#include "ue/ue.h"

struct apue_reply *apue_reply_find(const struct akmapush_ue *ue, unsigned af,
				   const uint8_t *push_id)
{
	for (unsigned i = 0; i < ue->config->n_replies; i++) {
		struct apue_reply *reply = apue_reply(ue, i);

		if (reply->used && reply->af == af &&
		    !memcmp(reply->push_id, push_id, AKMAPUSH_UE_PUSH_ID))
			return reply;
	}
	return NULL;
}

static bool is_expired(const struct akmapush_ue *ue, const struct apue_reply *reply,
		       const struct akmapush_ue_now *now)
{
	return reply->expiry < apue_clock_s(apue_af(ue, reply->af), now);
}

struct apue_reply *apue_reply_take(struct akmapush_ue *ue, const struct akmapush_ue_now *now)
{
	struct apue_reply *expired = NULL;

	for (unsigned i = 0; i < ue->config->n_replies; i++) {
		struct apue_reply *reply = apue_reply(ue, i);

		if (!reply->used)
			return reply;
		if (is_expired(ue, reply, now))
			expired = reply;
	}
	if (expired)
		apue_reply_drop(ue, expired->af,
				apue_find(ue, apue_af(ue, expired->af), expired->push_id));
	return expired;
}

void apue_reply_drop(struct akmapush_ue *ue, unsigned af, struct apue_entry *entry)
{
	struct apue_reply *reply;

	if (!entry->replied)
		return;
	reply = apue_reply_find(ue, af, entry->push_id);
	apue_wipe(reply, AKMAPUSH_UE_SIZE_REPLY(ue->config->reply_max));
	entry->replied = 0;
}
