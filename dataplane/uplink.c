// Uplink: acknowledgements.
//
//   receive → match → verify → settle
//
// A datagram that is not what it should be is dropped for a counted reason; nothing is ever
// answered. The tag is looked at last, states only move forward, so replays change nothing.

#include "dataplane/uplink.h"

#include <string.h>

#include "dataplane/frame.h"
#include "dataplane/turns.h"

enum { UPLINK_BURST = DP_BURST_MAX, STATUS_TOO_OLD = 3 };

// ---- Match: which target it claims to be from

static bool owns(const struct worker *w, uint32_t handle)
{
	return context_slot(handle) % w->n_workers == w->index;
}

// REASON_RX when it goes on, else why it is dropped.
static enum reason match_push(const struct worker *w, struct frame *frame, struct ack *ack)
{
	const enum reason reason = frame_parse_ack(&ack->frame, frame->data, frame->len);

	if (reason != REASON_RX)
		return reason;
	ack->part = running_find(&w->running, ack->frame.push_id);
	if (!ack->part)
		return REASON_RX_UNKNOWN_PUSH;
	ack->reply = frame->data + FRAME_HEADER;
	return ack->frame.suite == ack->part->push->suite->id ? REASON_RX : REASON_RX_SUITE;
}

// The handle that the ref leads to, or DP_NONE.
static uint32_t handle_of(const struct ack *ack)
{
	const struct dp_push *push = ack->part->push;

	return ack->place < push->n_places ? push->handles[ack->place] : DP_NONE;
}

static enum reason match_handle(const struct worker *w, const struct ack *ack, uint32_t handle)
{
	const struct dp_push *push = ack->part->push;

	if (handle == DP_NONE)
		return REASON_RX_REF;
	if (!owns(w, handle))
		return REASON_RX_OTHER_WORKER;
	return push_is_final(push, push_state(push, ack->place)) ? REASON_RX_FINAL : REASON_RX;
}

static enum reason match_target(const struct worker *w, struct ack *ack)
{
	const uint32_t handle = handle_of(ack);
	const enum reason reason = match_handle(w, ack, handle);

	if (reason != REASON_RX)
		return reason;
	ack->handle = handle;
	ack->context = &w->contexts[handle];
	protect_prefetch(&w->protect, ack->part->push, handle, ack->context);
	return REASON_RX;
}

// Refs one behind the other are mostly of one push.
static void find_places(struct ack *ack, unsigned n)
{
	uint32_t place[UPLINK_BURST];
	unsigned k;

	for (; n; ack += k, n -= k) {
		for (k = 0; k < n && ack[k].part == ack->part; k++)
			place[k] = ack[k].frame.ref;
		ref_to_places(&ack->part->push->ref_key, place, k, place);
		for (unsigned i = 0; i < k; i++)
			ack[i].place = place[i];
	}
}

// Contexts have been asked for by then, all of the burst.
static unsigned keep_known(struct worker *w, struct ack *ack, unsigned n)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++) {
		if (ack[i].context->has & CONTEXT_HAS_KEY)
			ack[kept++] = ack[i];
	}
	worker_count(w, REASON_RX_NO_CONTEXT, n - kept);
	return kept;
}

// ---- Traces

static const struct frame *frame_at(struct frame *const frame[], const uint8_t *data)
{
	while ((*frame)->data != data)
		frame++;
	return *frame;
}

// Why it will be dropped; RX_TAG until its tag is looked at.
static enum reason foresee(const struct worker *w, const struct ack *ack, uint32_t handle)
{
	const enum reason reason = match_handle(w, ack, handle);

	if (reason != REASON_RX)
		return reason;
	return w->contexts[handle].has & CONTEXT_HAS_KEY ? REASON_RX_TAG : REASON_RX_NO_CONTEXT;
}

// Before they are opened, in place.
static void copy_traced(struct worker *w, struct frame *const frame[], const struct ack *ack,
			unsigned n)
{
	const uint64_t now_ns = clock_mono_ns(w->clock);

	for (unsigned i = 0; i < n; i++) {
		const uint32_t handle = handle_of(&ack[i]);

		if (trace_has(&w->trace, handle))
			worker_hold_copy(w, frame_at(frame, ack[i].frame.aad), handle,
					 foresee(w, &ack[i], handle), now_ns);
	}
}

static void tell_verified(struct worker *w, struct ack *const ack[], unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		trace_settle(&w->trace, ack[i]->frame.aad, REASON_RX);
}

// ---- Match: a burst

// Whether it does; one that is dropped is counted.
static bool goes_on(struct worker *w, enum reason reason)
{
	if (reason != REASON_RX)
		worker_count(w, reason, 1);
	return reason == REASON_RX;
}

static unsigned match_burst(struct worker *w, struct frame *frame[], unsigned n, struct ack *ack)
{
	unsigned read = 0, kept = 0;

	for (unsigned i = 0; i < n; i++)
		read += goes_on(w, match_push(w, frame[i], &ack[read]));
	find_places(ack, read);
	if (w->trace.n)
		copy_traced(w, frame, ack, read);
	for (unsigned i = 0; i < read; i++) {
		if (goes_on(w, match_target(w, &ack[i])))
			ack[kept++] = ack[i];
	}
	return keep_known(w, ack, kept);
}

// ---- Settle: what the UE said becomes the target's state

// A reply goes to control before the state is final; without room nothing happened: the UE answers
// the next lap with the same.
static bool tell_reply(struct worker *w, const struct ack *ack)
{
	struct worker_reply *reply;

	if (!ack->frame.reply_len)
		return true;
	reply = worker_reserve_reply(w);
	if (!reply)
		return false;
	reply->push = ack->part->push;
	reply->place = ack->place;
	reply->status = ack->frame.status;
	reply->len = ack->frame.reply_len;
	memcpy(reply->octets, ack->reply, reply->len);
	worker_push_reply(w);
	return true;
}

// States only move forward: nothing follows a final one, and what a UE has received it does not
// find too old later (it may have forgotten that it has it).
static bool goes_back(const struct ack *ack)
{
	unsigned state = push_state(ack->part->push, ack->place);

	return push_is_final(ack->part->push, state) ||
	       (state == DP_RECEIVED && ack->frame.status == STATUS_TOO_OLD);
}

static void settle(struct worker *w, const struct ack *ack)
{
	static const struct {
		enum reason reason;
		enum dp_state state;
	} of_status[] = {
		{REASON_ACK_RECEIVED, DP_RECEIVED},
		{REASON_ACK_DELIVERED, DP_DELIVERED},
		{REASON_ACK_REFUSED, DP_REFUSED},
		{REASON_ACK_TOO_OLD, DP_TOO_OLD},
	};

	// Also for an earlier acknowledgement of this burst, which may have settled the target.
	if (goes_back(ack)) {
		worker_count(w, REASON_RX_FINAL, 1);
		return;
	}
	if (!tell_reply(w, ack)) {
		worker_count(w, REASON_RX_REPLY_HELD, 1);
		return;
	}
	part_set_state(ack->part, ack->place, of_status[ack->frame.status].state);
	worker_count(w, of_status[ack->frame.status].reason, 1);
}

// ---- A burst

// Takes the first acknowledgement and all others of its push out of ack[0..*n), order kept.
static unsigned take_one_push(struct ack *ack[], unsigned *n, struct ack *taken[])
{
	const struct part *part = ack[0]->part;
	unsigned k = 0, rest = 0;

	for (unsigned i = 0; i < *n; i++) {
		if (ack[i]->part == part)
			taken[k++] = ack[i];
		else
			ack[rest++] = ack[i];
	}
	*n = rest;
	return k;
}

static void verify(struct worker *w, struct ack *all, unsigned n)
{
	struct ack *ack[UPLINK_BURST], *same[UPLINK_BURST];
	unsigned k, kept;

	for (unsigned i = 0; i < n; i++)
		ack[i] = &all[i];
	while (n) {
		struct part *part = ack[0]->part;

		k = take_one_push(ack, &n, same);
		kept = protect_verify(&w->protect, same, k);
		worker_count_kafs(w);
		worker_count(w, REASON_RX_TAG, k - kept);
		if (w->trace.n_held)
			tell_verified(w, same, kept);
		for (unsigned i = 0; i < kept; i++)
			settle(w, same[i]);
		if (!part->n_open)
			turns_settled(w, part);
	}
}

bool uplink_take(struct worker *w)
{
	struct frame *frame[UPLINK_BURST];
	struct ack ack[UPLINK_BURST];
	unsigned n = w->io_ops->receive(w->io, frame, UPLINK_BURST);

	if (!n)
		return false;
	verify(w, ack, match_burst(w, frame, n, ack));
	if (w->trace.n_held)
		worker_give_copies(w);
	w->io_ops->release(w->io, frame, n);
	worker_count(w, REASON_RX, n); // last: what became of each is counted by then
	return true;
}
