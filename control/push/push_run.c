// Pushes on their way through the data plane: when they start, how they stop, what it tells.

#include "control/push/push_run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "control/app.h"
#include "control/config/config.h"
#include "control/loop.h"
#include "control/push/push_end.h"
#include "control/push/push_material.h"
#include "control/push/push_progress.h"
#include "control/push/push_registry.h"
#include "control/push/push_reply.h"
#include "control/push/push_retention.h"
#include "control/registry/af.h"
#include "control/store/store.h"

enum { RETRY_MS = 2 }; // until a full queue of the data plane is tried again

// ---- Starts

static bool is_next(const struct push_registry *pushes, const struct push *push)
{
	const struct push_queue *queue = push->queue;

	return push == TAILQ_FIRST(&queue->waiting) &&
	       (push_is_single(push) || queue->n_lists < PUSH_LISTS_PER_AF) &&
	       pushes->n_running < pushes->running_max;
}

static void note_trouble(struct push *push, int error)
{
	char id[PUSH_ID_TEXT + 1];

	if (push->is_troubled)
		return;
	push->is_troubled = true;
	push_id_write(id, push->facts.id);
	log_error("push", "push %s of %s can't be read or started (%s): trying again", id,
		  push->facts.fqdn, strerror(-error));
}

static int ensure_dp(struct app *app, struct push *push, const struct push_material *given)
{
	struct push_material *loaded = NULL;
	int error;

	if (push->dp)
		return 0;
	if (!given) {
		loaded = push_material_load(app, &push->facts, &error);
		if (!loaded)
			return error;
	}
	error = push_make_dp(app, push, given ? given : loaded);
	push_material_free(loaded);
	return error;
}

// 0; -EBUSY when the data plane's queue is full; another -errno: later.
static int start(struct app *app, struct push *push, const struct push_material *material)
{
	int error = ensure_dp(app, push, material);

	if (error) {
		note_trouble(push, error);
		return error;
	}
	if (!dp_push_start(app->dp, push->dp))
		return -EBUSY;
	push->was_run = true;
	push_set_phase(app, push, PUSH_RUNNING);
	return 0;
}

void push_try_start(struct app *app, struct push *push, const struct push_material *material)
{
	struct push_registry *pushes = app->pushes;

	if (pushes->starts && push->phase == PUSH_WAITING && is_next(pushes, push))
		start(app, push, material);
}

static void retry_later(struct push_registry *pushes)
{
	if (pushes->timer)
		loop_timer_start(pushes->timer, RETRY_MS);
}

// Starts one push of each AF that has one ready, as long as there is room for any. True when some
// may follow at once.
static bool start_some(struct app *app)
{
	struct push_registry *pushes = app->pushes;
	struct push_queue *queue;

	for (unsigned i = 0; i < PUSH_WORK_MAX && (queue = TAILQ_FIRST(&pushes->ready)); i++) {
		struct push *push = TAILQ_FIRST(&queue->waiting);

		if (push && is_next(pushes, push)) {
			if (start(app, push, NULL) == -EBUSY) {
				retry_later(pushes);
				return false;
			}
		} else if (push && pushes->n_running == pushes->running_max) {
			return false; // the end of any push makes room
		}
		TAILQ_REMOVE(&pushes->ready, queue, ready);
		queue->is_ready = false;
		if (push && push->phase == PUSH_RUNNING)
			push_queue_ready(app, queue); // behind the others
	}
	return !TAILQ_EMPTY(&pushes->ready);
}

// ---- Stops

void push_put_stop(struct store_batch *batch, const uint8_t id[PUSH_ID], enum dp_state state)
{
	uint8_t key[PUSH_KEY_MAX], value = (uint8_t)state;

	store_put(batch, STORE_PROGRESS, key, push_key_progress(key, id, 'S'), &value, 1);
}

int push_stop(struct app *app, struct push *push, enum dp_state state)
{
	if (push->stop || push->phase == PUSH_ENDING)
		return 0;
	if (push->phase == PUSH_RUNNING && !dp_push_stop(app->dp, push->dp, state))
		return -EAGAIN;
	push->stop = (uint8_t)state;
	if (push->phase == PUSH_WAITING)
		push_set_phase(app, push, PUSH_ENDING);
	return 0;
}

static void stops_stored(void *ctx, int status)
{
	const struct app *app = ctx;

	if (status && app->pushes)
		log_error("push", "stops of a suspended AF are not in the store: %s",
			  strerror(-status));
}

bool push_store_stop(struct app *app, const uint8_t id[PUSH_ID], enum dp_state state)
{
	struct store_batch *batch = store_begin(app->store);

	if (!batch)
		return false;
	push_put_stop(batch, id, state);
	store_commit(batch, stops_stored, app);
	return true;
}

// The AF's decision is durable, but it may be taken back before the pushes have ended: each is
// marked for itself. Also one of which a stop is on its way to the store: that may fail.
static bool store_stops(struct app *app, struct push_queue *queue)
{
	struct store_batch *batch = NULL;
	struct push *push;

	TAILQ_FOREACH(push, &queue->pushes, of_af)
	{
		if (push->stop || push->stop_stored || push->phase == PUSH_ENDING)
			continue;
		if (!batch)
			batch = store_begin(app->store);
		if (!batch)
			return false;
		push_put_stop(batch, push->facts.id, DP_NOT_ALLOWED);
		push->stop_stored = push->stop_asked = true;
	}
	if (batch)
		store_commit(batch, stops_stored, queue->app);
	return true;
}

int push_suspend_af(struct app *app, const struct af *af)
{
	struct push_queue *queue = push_queue_find(app, af->fqdn);
	struct push *push;

	if (!queue)
		return 0;
	if (!store_stops(app, queue))
		return -EAGAIN;
	TAILQ_FOREACH(push, &queue->pushes, of_af)
	{
		if (push_stop(app, push, DP_NOT_ALLOWED))
			return -EAGAIN;
	}
	return 0;
}

// ---- The loop

// Starts and ends what can be started and ended; true when there is more to do at once.
static bool work(struct app *app)
{
	struct push_registry *pushes = app->pushes;
	bool more = false;

	if (!pushes->starts)
		return false;
	for (unsigned i = 0; i < PUSH_WORK_MAX && !TAILQ_EMPTY(&pushes->ending); i++) {
		more = push_end_step(app);
		if (!more)
			break;
	}
	more &= !TAILQ_EMPTY(&pushes->ending);
	more |= pushes->checkpoint_goes_on && push_checkpoint_step(app);
	return start_some(app) | more;
}

void push_event(struct app *app, const struct dp_event *event)
{
	struct push *push = push_of_dp(app, event->push);

	if (!push)
		return; // stored and forgotten: nothing more comes of it but by mistake
	if (event->kind == DP_EVENT_REPLY)
		push_replies_add(app, push, event);
	else if (event->kind == DP_EVENT_DONE && push->phase == PUSH_RUNNING)
		push_set_phase(app, push, PUSH_ENDING);
	if (!app->loop) // else the turn of the loop does it
		work(app);
}

void push_tick(struct app *app)
{
	if (!app->pushes->starts)
		return;
	push_replies_flush(app);
	push_checkpoint_tick(app);
	push_expire(app);
	push_retention_tick(app);
	work(app);
}

static bool before_sleep(void *ctx)
{
	return work(ctx);
}

static void retry(void *ctx)
{
	work(ctx);
}

// On the dot, however its interval and the seconds of push_tick lie.
static void checkpoint_due(void *ctx)
{
	struct app *app = ctx;

	app->pushes->checkpoint_at_ns = 0;
	push_replies_flush(app);
	push_checkpoint_tick(app);
	work(app);
}

static int loop_join(struct push_registry *pushes)
{
	struct app *app = pushes->app;

	if (!app->loop)
		return 0;
	pushes->hook = calloc(1, sizeof(*pushes->hook));
	pushes->timer = loop_timer_new(app->loop, retry, app);
	pushes->checkpoint_timer = loop_timer_new(app->loop, checkpoint_due, app);
	if (!pushes->hook || !pushes->timer || !pushes->checkpoint_timer)
		return -ENOMEM;
	loop_timer_repeat(pushes->checkpoint_timer, app->config->push.checkpoint_interval_ms);
	*pushes->hook = (struct loop_hook){.before = before_sleep, .ctx = app};
	loop_hook_add(app->loop, pushes->hook);
	return 0;
}

void push_loop_leave(struct push_registry *pushes)
{
	if (pushes->hook && pushes->hook->before)
		loop_hook_del(pushes->app->loop, pushes->hook);
	free(pushes->hook);
	loop_timer_free(pushes->checkpoint_timer);
	loop_timer_free(pushes->timer);
}

void push_resume(struct app *app)
{
	app->pushes->starts = true;
	if (loop_join(app->pushes))
		log_error("push", "no memory for the loop: pushes go on once a second only");
	push_expire(app);
	work(app);
}
