// Whose turn it is. Each part that a worker runs stands in one place of these:
//
//   ready    it has a walk to go and takes turns with the others in sending a burst
//   in line  of its AF, whose pace holds it: first come, first served
//   waiting  for its next lap or hurry walk
//   quiet    it is settled or swept, or over and to be told to control; that needs no pace
//
// The heap `due` holds those that wait for a time: all that wait, and those in line for their
// expiry, the first of a line for its AF's pace.

#include "dataplane/turns.h"

#include "dataplane/downlink.h"

enum {
	NS_PER_S = 1000000000,
	TELL_AGAIN_NS = 1000 * 1000, // when control is behind with its events
	WAKE_BURST = 32,
	SEND_AGAIN_NS = 100 * 1000, // when the back end is full: some of its ring is free by then
};

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static bool has_expired(const struct worker *w, const struct part *part)
{
	return part->push->expiry <= w->now_s;
}

static uint64_t expiry_ns(const struct worker *w, const struct part *part)
{
	if (has_expired(w, part))
		return w->now_ns;
	return w->now_ns + (uint64_t)(part->push->expiry - w->now_s) * NS_PER_S;
}

// ---- In line for an AF's pace

static struct af_line *line_of(struct worker *w, const struct part *part)
{
	return &w->line_af[part->push->af];
}

static unsigned batch_of(const struct worker *w, const struct part *part)
{
	return pace_batch(&w->pace_af[part->push->af], part->push->n_segments);
}

static uint64_t tokens_ns(const struct worker *w, const struct part *part, unsigned more)
{
	return pace_when_ns(&w->pace_af[part->push->af], batch_of(w, part) + more);
}

// The first in line comes when there are tokens for it, besides those promised to others.
static void await_tokens(struct worker *w, struct af_line *line)
{
	struct part *part = line->line.first;

	if (part)
		due_put(&w->due, part,
			earlier(tokens_ns(w, part, line->promised), expiry_ns(w, part)));
}

static void line_up(struct worker *w, struct part *part)
{
	struct af_line *line = line_of(w, part);

	line_put(&line->line, part);
	due_put(&w->due, part, expiry_ns(w, part));
	if (line->line.first == part)
		await_tokens(w, line);
}

// Out of the line, to send when its turn comes.
static void call(struct worker *w, struct part *part)
{
	struct af_line *line = line_of(w, part);

	line_del(part);
	part->promised = batch_of(w, part);
	line->promised += part->promised;
	await_tokens(w, line);
	line_put(&w->ready, part);
}

static void take_back_promise(struct worker *w, struct part *part)
{
	line_of(w, part)->promised -= part->promised;
	part->promised = 0;
}

// Takes a part out of whatever it stands in.
static void leave(struct worker *w, struct part *part)
{
	due_del(&w->due, part);
	line_del(part);
	take_back_promise(w, part);
	await_tokens(w, line_of(w, part));
}

static bool has_its_turn(struct worker *w, struct part *part)
{
	const struct af_line *line = line_of(w, part);
	bool is_called = part->promised;

	take_back_promise(w, part);
	if (line->line.first && !is_called)
		return false; // others were there before
	return tokens_ns(w, part, line->promised) <= w->now_ns;
}

void turns_set_af_rate(struct worker *w, unsigned af, uint64_t rate)
{
	pace_set(&w->pace_af[af], (rate + w->n_workers - 1) / w->n_workers, w->now_ns);
	await_tokens(w, &w->line_af[af]);
}

// ---- What a part does next

void turns_sweep(struct worker *w, struct part *part, enum dp_state state)
{
	leave(w, part);
	part->sweep_state = (uint8_t)state;
	lap_start(part, PART_SWEEP, &w->pauses, w->now_ns);
	line_put(&w->quiet, part);
}

void turns_schedule(struct worker *w, struct part *part)
{
	uint64_t next = earlier(part->next_lap_ns, part->hurry_ns);

	if (!part->n_open) {
		line_put(&w->quiet, part);
	} else if (has_expired(w, part)) {
		turns_sweep(w, part, DP_EXPIRED);
	} else if (next > w->now_ns) {
		due_put(&w->due, part, earlier(next, expiry_ns(w, part)));
	} else {
		lap_start(part, part->next_lap_ns <= w->now_ns ? PART_LAP : PART_HURRY, &w->pauses,
			  w->now_ns);
		line_put(&w->ready, part);
	}
}

// Those whose time has come, up to a bound: thousands of single pushes may be due in one moment,
// and no more than one has its turn in a round. Whether there were any.
static bool wake_due(struct worker *w)
{
	struct part *part;
	unsigned n;

	for (n = 0; n < WAKE_BURST && (part = due_take(&w->due, w->now_ns)); n++) {
		if (lap_is_over(part))
			turns_schedule(w, part);
		else
			call(w, part); // it was in line
	}
	return n > 0;
}

void turns_settled(struct worker *w, struct part *part)
{
	if (part->line == &w->quiet)
		return; // it goes on from there
	leave(w, part); // it may have waited long for its AF's pace
	lap_stop(part);
	line_put(&w->quiet, part);
}

// ---- Ends

static bool tell_done(struct worker *w, struct part *part)
{
	const struct worker_event event = {.kind = DP_EVENT_DONE, .push = part->push};

	if (!ring_room(&w->events))
		return false;
	running_del(&w->running, part); // control may free it as soon as it is told
	return worker_tell(w, &event);
}

// ---- Turns

// After a step of a quiet walk.
static void go_on(struct worker *w, struct part *part)
{
	if (lap_is_over(part) && part->mode == PART_SETTLE)
		turns_schedule(w, part);
	else
		line_put(&w->quiet, part);
}

// A step of a part that sends nothing. Whether there was any; not when control is behind with its
// events.
static bool quiet_turn(struct worker *w)
{
	struct part *part = w->quiet.first;

	if (!part)
		return false;
	line_del(part);
	if (!lap_is_over(part)) {
		lap_step_quietly(part);
		go_on(w, part);
		return true;
	}
	if (tell_done(w, part))
		return true; // control may free it from here on
	line_put(&w->quiet, part);
	return false;
}

// When the next one whose turn it is may send: the pace of all pushes, and a back end that was
// full.
static uint64_t send_ns(const struct worker *w)
{
	unsigned batch = pace_batch(&w->pace, w->ready.first->push->n_segments);
	uint64_t paced = pace_when_ns(&w->pace, batch);

	return paced > w->send_again_ns ? paced : w->send_again_ns;
}

static bool send_turn(struct worker *w)
{
	struct part *part = w->ready.first;

	if (!part || send_ns(w) > w->now_ns)
		return false;
	line_del(part);
	if (has_expired(w, part)) {
		turns_sweep(w, part, DP_EXPIRED);
		return true;
	}
	if (!has_its_turn(w, part)) {
		line_up(w, part);
		return true;
	}
	if (!downlink_send(w, part))
		w->send_again_ns = w->now_ns + SEND_AGAIN_NS;
	if (!lap_is_over(part)) {
		line_put(&w->ready, part);
		return true;
	}
	lap_end(part, &w->pauses, w->now_ns);
	if (lap_is_over(part))
		turns_schedule(w, part);
	else
		line_put(&w->quiet, part);
	return true;
}

bool turns_take(struct worker *w, unsigned sends)
{
	bool busy = wake_due(w);

	while (sends-- && send_turn(w))
		busy = true;
	busy |= quiet_turn(w);
	return busy;
}

uint64_t turns_next_ns(const struct worker *w)
{
	uint64_t next = due_first_ns(&w->due);

	if (w->quiet.first)
		next = earlier(next, w->now_ns + TELL_AGAIN_NS);
	return w->ready.first ? earlier(next, send_ns(w)) : next;
}

// ---- A UE has a new key or address

static void make_due(struct worker *w, struct part *part, uint32_t place)
{
	if (place == DP_NONE || !lap_make_due(part, place, &w->pauses, w->now_ns))
		return;
	worker_count(w, REASON_DUE_AT_ONCE, 1);
	if (part->due_index != UINT32_MAX && lap_is_over(part) && part->hurry_ns < part->due_ns)
		due_put(&w->due, part, part->hurry_ns);
}

void turns_make_due(struct worker *w, uint32_t handle)
{
	struct part *part;

	for (part = w->running.lists; part && w->looks; part = part->chain_next, w->looks--)
		make_due(w, part, push_place_of(part->push, handle));
	if (part)
		worker_count(w, REASON_DUE_HELD, 1);
	for (part = running_singles(&w->running, handle); part; part = part->chain_next) {
		if (part->push->handles[0] == handle)
			make_due(w, part, 0);
	}
}
