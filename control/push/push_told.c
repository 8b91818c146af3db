#include "control/push/push_told.h"

static bool is_open(const struct push *push, enum dp_state state)
{
	switch (state) {
	case DP_SENT:
		return push->facts.ack_wanted;
	case DP_PENDING:
	case DP_RECEIVED:
	case DP_NO_CONTEXT:
	case DP_NO_ADDRESS:
	case DP_KEY_EXPIRED:
		return true;
	default:
		return false;
	}
}

enum dp_state push_told_state(const struct push *push, enum dp_state state)
{
	if (!is_open(push, state))
		return state;
	if (push->stop)
		return push->stop;
	if (push->phase != PUSH_ENDING)
		return state;
	return state == DP_SENT ? DP_UNCONFIRMED : state == DP_PENDING ? DP_EXPIRED : state;
}

void push_told_counts(const struct push *push, struct push_counts *counts)
{
	uint64_t of[DP_STATE_COUNT];

	*counts = (struct push_counts){.sent = push->sent_before};
	for (unsigned state = 0; state < DP_STATE_COUNT; state++)
		of[state] = push->noted.of[state];
	if (push->dp) {
		dp_push_counts(push->dp, of);
		counts->sent += dp_push_sent(push->dp);
	}
	for (unsigned state = 0; state < DP_STATE_COUNT; state++)
		counts->of[push_told_state(push, state)] += (uint32_t)of[state];
}

// The data plane tells the end of a push some time after its last target is final.
static bool is_all_final(const struct push *push)
{
	struct push_counts counts;

	push_told_counts(push, &counts);
	for (unsigned state = 0; state < DP_STATE_COUNT; state++) {
		if (counts.of[state] && is_open(push, (enum dp_state)state))
			return false;
	}
	return true;
}

const char *push_told_phase(const struct push *push)
{
	// A stop is durable. An end is told when it is, by the record that is left then: after a
	// crash the push would run again, and its targets might end otherwise.
	if (push->stop)
		return "FINISHED";
	return push->phase == PUSH_RUNNING || push->phase == PUSH_ENDING ? "RUNNING" : "WAITING";
}

bool push_may_stop(const struct push *push)
{
	return push && !push->stop && !push->stop_asked && push->phase != PUSH_ENDING &&
	       !is_all_final(push);
}
