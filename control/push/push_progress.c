// Checkpoints: from time to time the states of running pushes go to the store, as far as they
// changed, so that a push goes on where it was when the program ended by surprise. What was not
// noted is sent again; a UE takes it once.

#include "control/push/push_progress.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "control/app.h"
#include "control/config/config.h"
#include "control/push/push_places.h"
#include "control/push/push_registry.h"
#include "control/push/push_reply.h"
#include "control/store/store.h"

enum { PUSHES_A_STEP = 256, NS_PER_MS = 1000000 };

// ---- A step: some pushes, one batch

struct step {
	struct app *app;
	struct store_batch *batch;
	size_t octets;
};

static void step_put(struct step *step, const uint8_t *key, size_t key_len, const void *value,
		     size_t len)
{
	store_put(step->batch, STORE_PROGRESS, key, key_len, value, len);
	step->octets += key_len + len;
}

static void noted(void *ctx, int status)
{
	struct app *app = ctx;

	if (!status)
		return;
	if (!app->pushes->checkpoint_failed)
		log_warn("push", "progress of pushes is not in the store: %s", strerror(-status));
	app->pushes->checkpoint_failed = true;
}

// False when the store takes no more now.
static bool next_batch(struct step *step)
{
	if (step->batch)
		store_commit(step->batch, noted, step->app);
	step->octets = 0;
	step->batch = store_begin(step->app->store);
	return step->batch;
}

// The chunks of states that are not as the store has them. False as above; the rest comes later.
static bool put_places(struct step *step, struct push *push, const uint8_t *states,
		       uint32_t n_places)
{
	uint8_t key[PUSH_KEY_MAX];

	for (uint32_t chunk = 0; chunk < push_place_chunks(n_places); chunk++) {
		const uint8_t *at = states + (size_t)chunk * PUSH_PLACES_OCTETS;
		size_t len = push_place_octets(n_places, chunk);
		uint64_t hash = hash64(at, len, 0) | 1; // never that of nothing

		if (push->hashes[chunk] == hash)
			continue;
		if (step->octets + len > PUSH_BATCH_OCTETS && !next_batch(step))
			return false;
		step_put(step, key, push_key_states(key, push->facts.id, 'P', chunk), at, len);
		push->hashes[chunk] = hash;
	}
	return true;
}

static bool put_counts(struct step *step, struct push *push, const struct push_counts *counts)
{
	uint8_t key[PUSH_KEY_MAX], value[PUSH_COUNTS_OCTETS];

	if (step->octets > PUSH_BATCH_OCTETS && !next_batch(step))
		return false;
	step_put(step, key, push_key_progress(key, push->facts.id, 'C'), value,
		 push_counts_write(value, counts));
	push->noted = *counts;
	return true;
}

static bool put_push(struct step *step, struct push *push, const struct push_counts *counts)
{
	uint32_t n_places = dp_push_places(push->dp);
	uint8_t *states = malloc(((size_t)n_places + 1) / 2);
	bool done = false;

	if (!push->hashes)
		push->hashes = calloc(push_place_chunks(n_places), sizeof(*push->hashes));
	if (states && push->hashes) {
		dp_push_states(step->app->dp, push->dp, states);
		done = put_places(step, push, states, n_places) && put_counts(step, push, counts);
	}
	free(states);
	return done;
}

static void read_counts(const struct push *push, struct push_counts *counts)
{
	uint64_t of[DP_STATE_COUNT];

	dp_push_counts(push->dp, of);
	for (unsigned state = 0; state < DP_STATE_COUNT; state++)
		counts->of[state] = (uint32_t)of[state];
	counts->sent = push->sent_before + dp_push_sent(push->dp);
}

// False when the store takes no more now.
static bool look_at(struct step *step, struct push *push)
{
	struct push_counts counts;

	read_counts(push, &counts);
	if (!memcmp(counts.of, push->noted.of, sizeof(counts.of)))
		return true; // repetitions alone are not worth a record
	if (!step->batch && !next_batch(step))
		return false;
	return put_push(step, push, &counts);
}

// Looks at running pushes that this round has not seen yet: the list is turned under its front.
bool push_checkpoint_step(struct app *app)
{
	struct push_registry *pushes = app->pushes;
	struct step step = {.app = app};
	struct push *push = NULL;

	if (!push_replies_flush(app))
		return false; // a state is never durable before its reply
	for (unsigned i = 0; i < PUSHES_A_STEP && step.octets < PUSH_BATCH_OCTETS; i++) {
		push = TAILQ_FIRST(&pushes->running);
		pushes->checkpoint_goes_on &= push && push->checkpoint != pushes->checkpoint;
		if (!pushes->checkpoint_goes_on || !look_at(&step, push))
			break;
		push->checkpoint = pushes->checkpoint;
		TAILQ_REMOVE(&pushes->running, push, turn);
		TAILQ_INSERT_TAIL(&pushes->running, push, turn);
		push = NULL;
	}
	if (step.batch)
		store_commit(step.batch, noted, app);
	return pushes->checkpoint_goes_on && !push;
}

// ---- Rounds

// What the store refused has to be written again.
static void forget_noted(struct push_registry *pushes)
{
	struct push *push;

	pushes->checkpoint_failed = false;
	TAILQ_FOREACH(push, &pushes->running, turn)
	{
		free(push->hashes);
		push->hashes = NULL;
		memset(&push->noted, 0xff, sizeof(push->noted));
	}
}

static void start_round(struct push_registry *pushes)
{
	if (pushes->checkpoint_failed)
		forget_noted(pushes);
	pushes->checkpoint++;
	pushes->checkpoint_goes_on = true;
}

void push_checkpoint_tick(struct app *app)
{
	uint64_t now_ns = clock_mono_ns(app->clock);

	if (app->pushes->checkpoint_goes_on || now_ns < app->pushes->checkpoint_at_ns)
		return;
	app->pushes->checkpoint_at_ns =
		now_ns + (uint64_t)app->config->push.checkpoint_interval_ms * NS_PER_MS;
	start_round(app->pushes);
}

bool push_checkpoint(struct app *app)
{
	if (!app->pushes->checkpoint_goes_on)
		start_round(app->pushes);
	while (push_checkpoint_step(app))
		;
	push_replies_flush(app);
	return !app->pushes->checkpoint_goes_on;
}
