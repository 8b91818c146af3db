// Downlink: the part whose turn it is (turns.c) sends one burst.
//
//   take → lookup → protect (derive, seal, frame) → transmit
//
// Targets that fall out on the way are counted and their state says why. What the back end does not
// take is walked again: the datagram is the same octets, whenever it is built.

#include "dataplane/downlink.h"

// ---- Stages

static bool is_unsent(unsigned state)
{
	return state == DP_PENDING || state == DP_NO_CONTEXT || state == DP_NO_ADDRESS ||
	       state == DP_KEY_EXPIRED;
}

static bool is_ready(const struct context *context, uint32_t now_s)
{
	const unsigned all = CONTEXT_HAS_KEY | CONTEXT_HAS_ADDRESS;

	return (context->has & all) == all && context->expiry > now_s;
}

// Why nothing can be sent to a UE that is not ready.
static enum dp_state obstacle(const struct context *context)
{
	if (!(context->has & CONTEXT_HAS_KEY))
		return DP_NO_CONTEXT;
	return context->has & CONTEXT_HAS_ADDRESS ? DP_KEY_EXPIRED : DP_NO_ADDRESS;
}

static void pass_over(struct worker *w, struct part *part, const struct target *target)
{
	static const enum reason reasons[DP_STATE_COUNT] = {
		[DP_NO_CONTEXT] = REASON_TX_NO_CONTEXT,
		[DP_NO_ADDRESS] = REASON_TX_NO_ADDRESS,
		[DP_KEY_EXPIRED] = REASON_TX_KEY_EXPIRED,
	};
	const enum dp_state why = obstacle(target->context);

	worker_count(w, reasons[why], 1);
	if (is_unsent(push_state(part->push, target->place)))
		part_set_state(part, target->place, why);
	else
		lap_not_sent(part, target->place);
	protect_prefetch(&w->protect, part->push, target->next_handle, target->next);
}

// The next burst mostly goes on where this one ends; if not, nothing is lost. Behind the end it is
// this burst's own.
static uint32_t handle_ahead(const struct part *part, uint32_t place, unsigned n)
{
	const uint32_t *const handles = part->push->handles;
	const uint32_t ahead = place + n < part->end ? handles[place + n] : DP_NONE;

	return ahead == DP_NONE ? handles[place] : ahead;
}

static unsigned lookup(struct worker *w, struct part *part, const uint32_t place[], unsigned n,
		       struct target *target)
{
	const struct context *const contexts = w->contexts;
	const uint32_t *const handles = part->push->handles, now_s = w->now_s;
	struct target *next = target;

	for (unsigned i = 0; i < n; i++) {
		const uint32_t handle = handles[place[i]], ahead = handle_ahead(part, place[i], n);

		next->place = place[i];
		next->handle = handle;
		next->context = &contexts[handle];
		next->next_handle = ahead;
		next->next = &contexts[ahead];
		if (is_ready(next->context, now_s))
			next++;
		else
			pass_over(w, part, next);
	}
	return (unsigned)(next - target);
}

// ---- A burst

// Whether the network refused a part of a message.
static bool has_failed(struct frame *const frame[], unsigned segments)
{
	for (unsigned i = 0; i < segments; i++) {
		if (!frame[i]->len)
			return true;
	}
	return false;
}

// A target whose message did not leave. One that nothing leads to has no address that is of use.
static void refused(struct worker *w, struct part *part, uint32_t place,
		    struct frame *const frame[])
{
	const bool no_route = !frame[0]->len && frame[0]->no_route;

	worker_count(w, REASON_TX_NO_ROUTE, no_route ? part->push->n_segments : 0);
	if (no_route && is_unsent(push_state(part->push, place)))
		part_set_state(part, place, DP_NO_ADDRESS);
	else
		lap_not_sent(part, place);
}

// Whether the targets from the first on are a run that was sent to as a whole.
static bool is_sent_run(struct part *part, const struct target *target, unsigned n)
{
	return n >= PUSH_RUN && target[PUSH_RUN - 1].place - target[0].place == PUSH_RUN - 1 &&
	       lap_sent_run(part, target[0].place);
}

// What became of the targets whose datagrams the back end is done with. Returns how many of them
// had been sent to before.
static unsigned set_states(struct worker *w, struct part *part, const struct target *target,
			   unsigned targets, struct frame *const frame[], bool any_failed)
{
	const unsigned segments = part->push->n_segments;
	unsigned again = 0;

	for (unsigned i = 0; i < targets; i++) {
		if (!any_failed && is_sent_run(part, target + i, targets - i)) {
			i += PUSH_RUN - 1;
			continue;
		}
		again += !is_unsent(push_state(part->push, target[i].place));
		if (any_failed && has_failed(frame + i * segments, segments))
			refused(w, part, target[i].place, frame + i * segments);
		else
			lap_sent(part, target[i].place);
	}
	return again;
}

static void count_sent(struct worker *w, struct part *part, unsigned datagrams, unsigned again)
{
	const uint64_t sent = atomic_load_explicit(&part->sent, memory_order_relaxed);

	atomic_store_explicit(&part->sent, sent + datagrams, memory_order_relaxed);
	worker_count(w, REASON_SENT, datagrams);
	worker_count(w, REASON_SENT_AGAIN, again);
	pace_take(&w->pace, datagrams);
	pace_take(&w->pace_af[part->push->af], datagrams);
}

// Gives back lent buffers that are not used.
static void give_back(struct worker *w, struct frame *frame[], unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		frame[i]->len = 0;
	if (n)
		w->io_ops->transmit(w->io, frame, n);
}

// Whether any datagram failed for good since the last time.
static bool count_io(struct worker *w)
{
	struct io_counts *const before = &w->io_counted;
	struct io_counts now;
	bool failed;

	w->io_ops->counts(w->io, &now);
	failed = now.tx_failed != before->tx_failed;
	worker_count(w, REASON_TX_FAILED, now.tx_failed - before->tx_failed);
	worker_count(w, REASON_TX_NO_BUFFER, now.no_buffer - before->no_buffer);
	*before = now;
	return failed;
}

// ---- Traces

// Before the back end has them: a buffer that was sent is another's.
static void copy_traced(struct worker *w, unsigned segments, const struct target *target,
			unsigned n, struct frame *const frame[])
{
	const uint64_t now_ns = clock_mono_ns(w->clock);

	for (unsigned i = 0; i < n; i++) {
		for (unsigned s = 0; trace_has(&w->trace, target[i].handle) && s < segments; s++)
			worker_hold_copy(w, frame[i * segments + s], target[i].handle,
					 REASON_TX_HELD, now_ns);
	}
}

static void give_sent(struct worker *w, struct frame *const frame[], unsigned sent)
{
	for (unsigned i = 0; i < sent; i++) {
		if (frame[i]->len)
			trace_settle(&w->trace, frame[i]->data, REASON_SENT);
	}
	trace_keep(&w->trace, REASON_SENT);
	worker_give_copies(w);
}

// ---- A burst goes

// Seals and sends to n targets, whose frames are lent. Whether the back end took all of them.
static bool transmit(struct worker *w, struct part *part, const struct target *target, unsigned n,
		     struct frame *frame[])
{
	const unsigned segments = part->push->n_segments;
	unsigned sent, whole, again;

	protect_seal(&w->protect, part->push, target, n, frame);
	worker_count_kafs(w);
	if (w->trace.n)
		copy_traced(w, segments, target, n, frame);
	sent = w->io_ops->transmit(w->io, frame, n * segments);
	if (w->trace.n_held)
		give_sent(w, frame, sent);
	whole = sent / segments;
	again = set_states(w, part, target, whole, frame, count_io(w));
	count_sent(w, part, sent, again * segments);
	if (whole == n)
		return true;
	worker_count(w, REASON_TX_HELD, n * segments - sent);
	lap_rewind(part, target[whole].place);
	return false;
}

// Targets that tuning, paces and the size of a target's message let into one burst; 0: none now.
static unsigned allowance(struct worker *w, const struct dp_push *push)
{
	unsigned segments = push->n_segments;
	unsigned burst = w->tuning.burst > segments ? w->tuning.burst / segments : 1;
	unsigned n = burst * segments;

	n = pace_allow(&w->pace, n, w->now_ns);
	n = pace_allow(&w->pace_af[push->af], n, w->now_ns);
	return n / segments;
}

bool downlink_send(struct worker *w, struct part *part)
{
	const unsigned segments = part->push->n_segments;
	unsigned n = allowance(w, part->push);
	struct target target[DP_BURST_MAX];
	struct frame *frame[DP_BURST_MAX];
	uint32_t place[DP_BURST_MAX];
	unsigned lent, found;

	if (!n)
		return true;
	lent = w->io_ops->lend(w->io, frame, n * segments);
	if (lent < segments) {
		give_back(w, frame, lent);
		count_io(w);
		return false;
	}
	n = lap_take(part, place, lent / segments);
	found = lookup(w, part, place, n, target);
	give_back(w, frame + found * segments, lent - found * segments);
	return !found || transmit(w, part, target, found, frame);
}
