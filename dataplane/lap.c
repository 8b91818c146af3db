#include "dataplane/lap.h"

#include <assert.h>

static const struct places nowhere = {UINT32_MAX, 0};

static void places_add(struct places *places, uint32_t place)
{
	if (place < places->from)
		places->from = place;
	if (place >= places->to)
		places->to = place + 1;
}

// ---- The walk

// Moves to the first place of `slot` or a later slot of this worker that lies within the walk.
static void enter_slot(struct part *part, unsigned slot)
{
	const struct dp_push *push = part->push;

	for (; slot < CONTEXT_SLOTS; slot += push->n_workers) {
		const struct places places = push_slot(push, slot);

		part->place = places.from < part->walk.from ? part->walk.from : places.from;
		part->end = places.to < part->walk.to ? places.to : part->walk.to;
		if (part->place < part->end) {
			part->slot = slot;
			return;
		}
	}
	part->slot = CONTEXT_SLOTS;
}

static void walk(struct part *part, struct places places)
{
	part->walk = places;
	enter_slot(part, part->worker);
}

void lap_start(struct part *part, enum part_mode mode, const struct lap_pauses *pauses,
	       uint64_t now_ns)
{
	uint64_t other_end_ns = mode == PART_HURRY ? part->lap_end_ns : part->hurry_end_ns;

	part->mode = mode;
	part->again = !other_end_ns || now_ns - other_end_ns >= pauses->first_ns;
	if (mode != PART_HURRY) {
		walk(part, (struct places){0, part->push->n_places});
		return;
	}
	walk(part, part->hurry);
	part->hurry = nowhere;
	part->hurry_ns = UINT64_MAX;
}

bool lap_is_over(const struct part *part)
{
	return part->slot >= CONTEXT_SLOTS;
}

void lap_stop(struct part *part)
{
	part->slot = CONTEXT_SLOTS;
}

static bool is_visited(const struct part *part, unsigned state)
{
	switch (part->mode) {
	case PART_HURRY:
		return state == DP_PENDING || (state == PUSH_SENT_DUE && part->again);
	case PART_LAP:
		return !push_is_final(part->push, state) &&
		       (state != PUSH_SENT_RECENTLY || part->again);
	case PART_SETTLE:
		return state == PUSH_SENT_RECENTLY;
	case PART_SWEEP:
		return !push_is_final(part->push, state);
	}
	return false;
}

static void step(struct part *part)
{
	if (++part->place >= part->end)
		enter_slot(part, part->slot + part->push->n_workers);
}

// A run of pending targets at the place that the walk is at, and more behind it in its slot.
static bool is_pending_run(const struct part *part)
{
	return part->place % PUSH_RUN == 0 && part->end - part->place > PUSH_RUN &&
	       push_run_is(part->push, part->place, DP_PENDING);
}

static void take_run(struct part *part, uint32_t place[PUSH_RUN])
{
	for (unsigned i = 0; i < PUSH_RUN; i++)
		place[i] = part->place + i;
	part->place += PUSH_RUN;
}

// Every lap and hurry walk visits those pending: the first lap of a large push goes in runs.
unsigned lap_take(struct part *part, uint32_t place[], unsigned n)
{
	unsigned taken = 0;

	for (unsigned looked = 0; looked < LAP_SCAN_MAX && taken < n && !lap_is_over(part);
	     looked++) {
		if (n - taken >= PUSH_RUN && is_pending_run(part)) {
			take_run(part, place + taken);
			taken += PUSH_RUN;
			continue;
		}
		if (is_visited(part, push_state(part->push, part->place)))
			place[taken++] = part->place;
		step(part);
	}
	return taken;
}

// What a sweep makes of an open target.
static unsigned swept(const struct part *part, unsigned state)
{
	if (part->sweep_state != DP_EXPIRED)
		return part->sweep_state;
	if (state == DP_SENT || state == PUSH_SENT_DUE || state == PUSH_SENT_RECENTLY)
		return DP_UNCONFIRMED;
	return state == DP_PENDING ? DP_EXPIRED : state;
}

void lap_step_quietly(struct part *part)
{
	for (unsigned looked = 0; looked < LAP_SCAN_MAX && !lap_is_over(part); looked++) {
		unsigned state = push_state(part->push, part->place);

		if (is_visited(part, state))
			part_set_state(part, part->place,
				       part->mode == PART_SETTLE ? DP_SENT : swept(part, state));
		step(part);
	}
}

void lap_rewind(struct part *part, uint32_t place)
{
	enter_slot(part, context_slot(part->push->handles[place]));
	part->place = place;
}

bool lap_sent_run(struct part *part, uint32_t place)
{
	if (part->mode != PART_LAP || place % PUSH_RUN ||
	    !push_run_is(part->push, place, DP_PENDING))
		return false;
	part_set_run(part, place, DP_PENDING, DP_SENT);
	return true;
}

void lap_sent(struct part *part, uint32_t place)
{
	const struct dp_push *push = part->push;
	unsigned state = push_state(push, place);

	if (push_is_final(push, state) || state == DP_RECEIVED)
		return;
	if (part->mode != PART_HURRY || push_is_final(push, DP_SENT)) {
		part_set_state(part, place, DP_SENT);
		return;
	}
	part_set_state(part, place, PUSH_SENT_RECENTLY);
	places_add(&part->recent, place);
}

void lap_not_sent(struct part *part, uint32_t place)
{
	if (push_state(part->push, place) == PUSH_SENT_DUE)
		part_set_state(part, place, DP_SENT);
}

// ---- Between walks

// Those that hurry walks sent to become like all others.
static void settle_recent(struct part *part)
{
	if (part->recent.from >= part->recent.to)
		return;
	part->mode = PART_SETTLE;
	walk(part, part->recent);
	part->recent = nowhere;
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

// When a hurry walk may take those that the last lap sent to.
static uint64_t again_ns(const struct part *part, const struct lap_pauses *pauses)
{
	return part->lap_end_ns ? part->lap_end_ns + pauses->first_ns : 0;
}

static void end_of_lap(struct part *part, const struct lap_pauses *pauses, uint64_t now_ns)
{
	uint64_t pause = part->pause_ns ? 2 * part->pause_ns : pauses->first_ns;

	part->pause_ns = pause < pauses->max_ns ? pause : later(pauses->max_ns, pauses->first_ns);
	part->lap_end_ns = now_ns;
	part->next_lap_ns = now_ns + part->pause_ns;
	settle_recent(part);
}

static uint64_t due_count(const struct part *part)
{
	return atomic_load_explicit(&part->counts[PUSH_SENT_DUE], memory_order_relaxed);
}

void lap_end(struct part *part, const struct lap_pauses *pauses, uint64_t now_ns)
{
	assert(lap_is_over(part));
	if (part->mode == PART_LAP) {
		end_of_lap(part, pauses, now_ns);
	} else if (part->mode == PART_HURRY) {
		part->hurry_end_ns = now_ns;
		if (!part->again && due_count(part)) { // passed over: they come when they may
			places_add(&part->hurry, part->walk.from);
			places_add(&part->hurry, part->walk.to - 1);
			part->hurry_ns = later(now_ns, again_ns(part, pauses));
		}
	}
}

// ---- Due at once

static bool hurry(struct part *part, uint32_t place, uint64_t at_ns)
{
	uint64_t earliest = part->hurry_end_ns ? part->hurry_end_ns + LAP_HURRY_GAP_NS : 0;

	places_add(&part->hurry, place);
	at_ns = later(at_ns, earliest);
	if (at_ns < part->hurry_ns)
		part->hurry_ns = at_ns;
	return true;
}

// Whether those that hurry walks sent to may not be sent to yet: one under way may just have sent
// to any of them. Behind a lap they are like those that the lap sent to, settled yet or not.
static bool is_recent(const struct part *part, const struct lap_pauses *pauses, uint64_t now_ns)
{
	if (!lap_is_over(part) && part->mode == PART_SETTLE)
		return false;
	if (!lap_is_over(part) && part->mode == PART_HURRY)
		return true;
	return now_ns - part->hurry_end_ns < pauses->first_ns;
}

bool lap_make_due(struct part *part, uint32_t place, const struct lap_pauses *pauses,
		  uint64_t now_ns)
{
	if (part->mode == PART_SWEEP)
		return false; // behind it, what is left as it was is final
	switch (push_state(part->push, place)) {
	case DP_PENDING:
		if (!part->lap_end_ns)
			return false;              // the first lap takes it
		return hurry(part, place, now_ns); // the network refused what was sent to it
	case DP_NO_CONTEXT:
	case DP_NO_ADDRESS:
	case DP_KEY_EXPIRED:
		part_set_state(part, place, DP_PENDING);
		return hurry(part, place, now_ns);
	case PUSH_SENT_RECENTLY:
		if (is_recent(part, pauses, now_ns))
			return false;
		part_set_state(part, place, PUSH_SENT_DUE);
		return hurry(part, place, later(now_ns, again_ns(part, pauses)));
	case DP_SENT:
		if (push_is_final(part->push, DP_SENT))
			return false;
		part_set_state(part, place, PUSH_SENT_DUE);
		return hurry(part, place, later(now_ns, again_ns(part, pauses)));
	default:
		return false;
	}
}
