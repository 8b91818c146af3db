// The end of a push: its final states in the order of its list, then, in one batch, the record of
// what is left in the place of what was accepted. Long lists go chunk by chunk, so that no end
// holds the loop. Until the last batch is durable the push is as it was: after a crash it ends
// again.

#include "control/push/push_end.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/app.h"
#include "control/push/push_material.h"
#include "control/push/push_places.h"
#include "control/push/push_registry.h"
#include "control/push/push_reply.h"
#include "control/push/push_told.h"
#include "control/store/store.h"

enum { CHUNKS_A_BATCH = 4 };

// ---- Who is to be dealt with

static void park(struct app *app, struct push *push)
{
	TAILQ_REMOVE(&app->pushes->ending, push, turn);
	push->end_parked = true;
}

static void unpark(struct app *app, struct push *push)
{
	push->end_parked = false;
	TAILQ_INSERT_TAIL(&app->pushes->ending, push, turn);
}

// It is tried again, after the others, at the next tick.
static bool trouble(struct app *app, struct push *push, int error)
{
	char id[PUSH_ID_TEXT + 1];

	app->pushes->end_blocked = true;
	TAILQ_REMOVE(&app->pushes->ending, push, turn);
	TAILQ_INSERT_TAIL(&app->pushes->ending, push, turn);
	if (push->is_troubled)
		return false;
	push->is_troubled = true;
	push_id_write(id, push->facts.id);
	log_error("push", "the end of push %s of %s can't be written (%s): trying again", id,
		  push->facts.fqdn, strerror(-error));
	return false;
}

// ---- States

// Final states of the targets of a list, one an octet; their counts go into end_counts.
static void final_states(struct push *push, const struct push_list *list, uint8_t *states)
{
	for (uint32_t i = 0; i < list->n; i++) {
		enum dp_state state = push_list_is_barred(list, i) ? DP_NOT_ALLOWED : DP_PENDING;

		if (push->dp)
			state = dp_push_state(push->dp, dp_push_place(push->dp, list->handles[i]));
		states[i] = (uint8_t)push_told_state(push, state);
		push->end_counts.of[states[i]]++;
	}
}

// A push that ran before the program started has its states in the store, by places.
static int ensure_places(struct app *app, struct push *push)
{
	struct push_material *material;
	int error;

	if (push->dp || !push->was_run)
		return 0;
	material = push_material_load(app, &push->facts, &error);
	if (!material)
		return error;
	error = push_make_dp(app, push, material);
	push_material_free(material);
	return error;
}

// ---- The last batch

static void put(struct store_batch *batch, enum store_table table, const uint8_t *key,
		size_t key_len)
{
	store_put(batch, table, key, key_len, "", 0);
}

static void del_progress(struct store_batch *batch, const struct push *push)
{
	uint32_t n = push->was_run && push->dp ? push_place_chunks(dp_push_places(push->dp)) : 0;
	const uint8_t *id = push->facts.id;
	uint8_t key[PUSH_KEY_MAX];

	// Also without a stop here: one may be on its way, or have come too late.
	store_del(batch, STORE_PROGRESS, key, push_key_progress(key, id, 'S'));
	if (!push->was_run)
		return;
	store_del(batch, STORE_PROGRESS, key, push_key_progress(key, id, 'C'));
	for (uint32_t chunk = 0; chunk < n; chunk++)
		store_del(batch, STORE_PROGRESS, key, push_key_states(key, id, 'P', chunk));
}

static void last_done(void *ctx, int status)
{
	struct push *push = ctx;
	struct app *app = push->queue->app;

	if (!status) {
		app->pushes->n_over++;
		push_forget(app, push);
		return;
	}
	push->end_pending = 0;
	push->end_failed = true;
	unpark(app, push);
	trouble(app, push, status);
}

// chunk and states: those of a short list, else of no length.
static void commit_last(struct app *app, struct push *push, struct store_batch *batch,
			struct push_over *over)
{
	const struct push_facts *facts = &push->facts;
	uint8_t value[PUSH_OVER_MAX], key[PUSH_KEY_MAX];

	over->facts = *facts;
	over->counts = push->end_counts;
	over->counts.sent = push->sent_before + (push->dp ? dp_push_sent(push->dp) : 0);
	over->ended_ms = clock_unix_ms(app->clock);
	over->has_replies = push->may_reply;
	store_put(batch, STORE_PUSH, key, push_key_over(key, facts->id), value,
		  push_over_write(value, over));
	put(batch, STORE_PUSH, key, push_key_of_af(key, facts->fqdn, facts->id));
	put(batch, STORE_PUSH, key, push_key_ended(key, over->ended_ms, facts->id));
	store_del(batch, STORE_PUSH, key, push_key_live(key, facts->id));
	del_progress(batch, push);
	push->end_pending = 1;
	park(app, push);
	store_commit(batch, last_done, push);
}

// ---- Short lists: all in one batch

static int short_list(struct app *app, const struct push *push, struct push_list *list)
{
	struct push_material *material;
	int error;

	if (push_is_single(push)) {
		error = push_list_add(list, push->handle);
		return !error && push->facts.n_barred ? push_list_bar(list, 0) : error;
	}
	material = push_material_load(app, &push->facts, &error);
	if (!material)
		return error;
	*list = material->list;
	material->list = (struct push_list){0};
	push_material_free(material);
	return 0;
}

static int end_short(struct app *app, struct push *push, struct store_batch *batch)
{
	uint8_t chunk[PUSH_INLINE_OCTETS], packed[PUSH_INLINE_STATES], states[PUSH_INLINE];
	struct push_over over = {.chunk = chunk, .states = packed};
	struct push_list list = {0};
	int error = short_list(app, push, &list);

	if (!error) {
		push->end_counts = (struct push_counts){0};
		final_states(push, &list, states);
		over.chunk_len = push_chunk_write(chunk, &list, 0);
		over.states_len = push_states_write(packed, states, list.n);
		commit_last(app, push, batch, &over);
	}
	push_list_free(&list);
	return error;
}

// ---- Long lists: some chunks at a time

static void chunks_done(void *ctx, int status)
{
	struct push *push = ctx;
	struct app *app = push->queue->app;

	push->end_failed |= status != 0;
	if (--push->end_pending || !push->end_parked)
		return;
	unpark(app, push);
	if (push->end_failed)
		trouble(app, push, status ? status : -EIO);
}

static int put_chunk(struct app *app, struct push *push, struct store_batch *batch, uint8_t *value,
		     uint8_t *states)
{
	const uint8_t *id = push->facts.id;
	struct push_list list = {0};
	uint8_t key[PUSH_KEY_MAX];
	ssize_t len =
		store_get(app->store, STORE_TARGET, key, push_key_target(key, id, push->end_chunk),
			  value, PUSH_CHUNK_OCTETS);
	int error = len < 0 || len > PUSH_CHUNK_OCTETS ? -EBADMSG
						       : push_chunk_read(value, (size_t)len, &list);

	if (!error) {
		final_states(push, &list, states);
		store_put(batch, STORE_PROGRESS, key,
			  push_key_states(key, id, 'F', push->end_chunk), value,
			  push_states_write(value, states, list.n));
		push->end_chunk++;
	}
	push_list_free(&list);
	return error;
}

static int end_chunks(struct app *app, struct push *push, struct store_batch *batch)
{
	uint32_t n = push_chunks(push->facts.n_targets);
	uint8_t *value = malloc(PUSH_CHUNK_OCTETS), *states = malloc(PUSH_CHUNK);
	int error = value && states ? 0 : -ENOMEM;

	if (push->end_chunk == 0)
		push->end_counts = (struct push_counts){0};
	for (unsigned i = 0; !error && i < CHUNKS_A_BATCH && push->end_chunk < n; i++)
		error = put_chunk(app, push, batch, value, states);
	free(value);
	free(states);
	if (error) {
		push->end_chunk = 0;
		return error;
	}
	push->end_pending++;
	store_commit(batch, chunks_done, push);
	if (push->end_chunk == n)
		park(app, push); // until they are durable
	return 0;
}

static int end_long(struct app *app, struct push *push, struct store_batch *batch)
{
	struct push_over over = {0};

	if (push->end_chunk < push_chunks(push->facts.n_targets))
		return end_chunks(app, push, batch);
	commit_last(app, push, batch, &over);
	return 0;
}

// ---- Steps

bool push_end_step(struct app *app)
{
	struct push *push = TAILQ_FIRST(&app->pushes->ending);
	struct store_batch *batch;
	int error;

	if (!push || app->pushes->end_blocked)
		return false;
	if (push->end_failed) {
		push->end_failed = false;
		push->end_chunk = 0;
	}
	error = ensure_places(app, push);
	if (error)
		return trouble(app, push, error);
	if (!push_replies_flush(app))
		return false; // what the results show is durable before they are
	batch = store_begin(app->store);
	if (!batch)
		return false;
	error = push->facts.n_targets <= PUSH_INLINE ? end_short(app, push, batch)
						     : end_long(app, push, batch);
	if (!error)
		return true;
	store_abort(batch);
	return trouble(app, push, error);
}

// ---- Expiry of what waits

static void expire_queue(struct app *app, struct push_queue *queue, uint32_t now_s)
{
	struct push *push, *next;

	for (push = TAILQ_FIRST(&queue->waiting); push; push = next) {
		next = TAILQ_NEXT(push, turn);
		if (push->facts.expiry <= now_s)
			push_set_phase(app, push, PUSH_ENDING);
	}
	push_queue_ready(app, queue);
}

void push_expire(struct app *app)
{
	struct push_registry *pushes = app->pushes;
	uint32_t now_s = clock_unix_s(app->clock);
	struct push_queue *queue;

	pushes->end_blocked = false;
	for (unsigned i = 0; i < PUSH_FQDN_HEADS; i++) {
		LIST_FOREACH(queue, &pushes->by_fqdn[i], by_fqdn)
		expire_queue(app, queue, now_s);
	}
}
