// Pushes behind dp.h, and the events that workers send back.

#include <assert.h>
#include <errno.h>

#include "base/bytes.h"
#include "dataplane/plane.h"

// ---- Pushes

const char *dp_state_name(enum dp_state state)
{
	static const char *const names[] = {
#define X(name) #name,
		DP_STATES(X)
#undef X
	};

	assert(state < DP_STATE_COUNT);
	return names[state];
}

struct dp_push *dp_push_new(struct dp *dp, const struct dp_push_spec *spec, int *error)
{
	if (spec->n_handles && spec->handles[spec->n_handles - 1] >= dp->directory.n) {
		*error = -EINVAL;
		return NULL;
	}
	return push_new(dp->sha, dp->config.n_workers, spec, error);
}

void dp_push_free(struct dp_push *push)
{
	push_free(push);
}

// A command for the workers that have targets of the push: for all of them or for none.
static bool give_parts(struct dp *dp, struct dp_push *push, const struct command *command)
{
	for (unsigned i = 0; i < push->n_workers; i++) {
		if (push_part(push, i) && dp->started && !ring_room(&dp->workers[i].commands))
			return false;
	}
	for (unsigned i = 0; i < push->n_workers; i++) {
		struct command copy = *command;

		if (push_part(push, i))
			plane_give(dp, &dp->workers[i], &copy);
	}
	return true;
}

bool dp_push_start(struct dp *dp, struct dp_push *push)
{
	struct command command = {COMMAND_START, .push = push};

	push->n_parts_open = 0;
	for (unsigned i = 0; i < push->n_workers; i++)
		push->n_parts_open += push_part(push, i) != NULL;
	return give_parts(dp, push, &command);
}

bool dp_push_stop(struct dp *dp, struct dp_push *push, enum dp_state state)
{
	struct command command = {COMMAND_STOP, .stop.state = state};

	memcpy(command.stop.push_id, push->push_id, sizeof(push->push_id));
	return give_parts(dp, push, &command);
}

uint32_t dp_places(const uint32_t *handles, uint32_t n_handles)
{
	return push_places(handles, n_handles);
}

uint32_t dp_push_places(const struct dp_push *push)
{
	return push->n_places;
}

uint32_t dp_push_handle(const struct dp_push *push, uint32_t place)
{
	assert(place < push->n_places);
	return push->handles[place];
}

uint32_t dp_push_place(const struct dp_push *push, uint32_t handle)
{
	return push_place_of(push, handle);
}

enum dp_state dp_push_state(const struct dp_push *push, uint32_t place)
{
	assert(place < push->n_places);
	return push_public_state(push_state(push, place));
}

void dp_push_counts(const struct dp_push *push, uint64_t counts[DP_STATE_COUNT])
{
	memset(counts, 0, DP_STATE_COUNT * sizeof(counts[0]));
	for (unsigned i = 0; i < push->n_parts; i++) {
		for (unsigned state = 0; state < PUSH_STATES; state++)
			counts[push_public_state(state)] += atomic_load_explicit(
				&push->parts[i].counts[state], memory_order_relaxed);
	}
}

uint64_t dp_push_sent(const struct dp_push *push)
{
	uint64_t sent = 0;

	for (unsigned i = 0; i < push->n_parts; i++)
		sent += atomic_load_explicit(&push->parts[i].sent, memory_order_relaxed);
	return sent;
}

// The targets of whose replies control knows nothing yet are SENT.
static void hide_untold(const struct ring *replies, const struct dp_push *push, uint8_t *states)
{
	const struct worker_reply *reply;

	for (uint32_t i = 0; (reply = ring_peek(replies, i)); i++) {
		unsigned shift = reply->place % 2 * 4;
		uint8_t *both;

		if (reply->push != push)
			continue; // its places are others'
		both = &states[reply->place / 2];
		*both = (uint8_t)((*both & ~(15u << shift)) | (unsigned)DP_SENT << shift);
	}
}

void dp_push_states(const struct dp *dp, const struct dp_push *push, uint8_t *states)
{
	for (uint32_t i = 0; i < (push->n_places + 1) / 2; i++) {
		// Acquired: who sees a final state also sees the reply that came before it.
		unsigned both = atomic_load_explicit(&push->states[i], memory_order_acquire);

		states[i] =
			(uint8_t)(push_public_state(both & 15) | push_public_state(both >> 4) << 4);
	}
	for (unsigned i = 0; i < dp->config.n_workers; i++)
		hide_untold(&dp->workers[i].replies, push, states);
}

bool dp_fence(struct dp *dp, uint64_t token)
{
	struct command command = {COMMAND_FENCE, .token = token};

	return plane_give_all(dp, &command);
}

// ---- Events

// A fence is passed when every worker has passed it. Tokens under way are told apart by their
// lowest bits: control has far fewer fences out than there are counters.
static bool fence_passed(struct dp *dp, uint64_t token)
{
	unsigned *n = &dp->fences[token % PLANE_FENCES];

	if (++*n < dp->config.n_workers)
		return false;
	*n = 0;
	return true;
}

static bool poll_reply(struct dp *dp, struct worker *worker, struct dp_event *event)
{
	const struct worker_reply *reply = ring_front(&worker->replies);

	if (!reply)
		return false;
	*event = (struct dp_event){
		.kind = DP_EVENT_REPLY,
		.push = reply->push,
		.place = reply->place,
		.status = reply->status,
		.reply_len = reply->len,
		.reply = reply->octets,
	};
	dp->reply_held = &worker->replies;
	return true;
}

// An event of one worker. What a worker told of a push before it was done is delivered before that:
// the reply ring is looked at after the event was seen.
static bool poll_worker(struct dp *dp, struct worker *worker, struct dp_event *event)
{
	const struct worker_event *front;

	while ((front = ring_front(&worker->events))) {
		struct worker_event told = *front;

		if (poll_reply(dp, worker, event))
			return true;
		ring_pop(&worker->events);
		if (told.kind == DP_EVENT_DONE ? --told.push->n_parts_open == 0
					       : fence_passed(dp, told.token)) {
			*event = (struct dp_event){
				.kind = told.kind, .token = told.token, .push = told.push};
			return true;
		}
	}
	return poll_reply(dp, worker, event);
}

bool dp_poll(struct dp *dp, struct dp_event *event)
{
	if (dp->reply_held) {
		ring_pop(dp->reply_held);
		dp->reply_held = NULL;
	}
	for (unsigned i = 0; i < dp->config.n_workers; i++) {
		struct worker *worker = &dp->workers[dp->next_worker];

		dp->next_worker = (dp->next_worker + 1) % dp->config.n_workers;
		if (poll_worker(dp, worker, event))
			return true;
	}
	return false;
}
