#include "control/push/push_registry.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "control/app.h"
#include "control/config/config.h"

// ---- Tables

static struct push_list_head *id_head(const struct push_registry *pushes, const uint8_t id[PUSH_ID])
{
	return &pushes->by_id[load64_be(id + 8) & pushes->mask]; // random octets
}

static struct push_list_head *dp_head(const struct push_registry *pushes, const struct dp_push *dp)
{
	return &pushes->by_dp[hash64(&dp, sizeof(const void *), 0) & pushes->mask];
}

static struct push_list_head *handle_head(const struct push_registry *pushes, uint32_t handle)
{
	return &pushes->by_handle[handle * 0x9e3779b1u & pushes->mask];
}

static struct push_queue_head *fqdn_head(const struct push_registry *pushes, const char *fqdn)
{
	return &pushes->by_fqdn[hash64(fqdn, strlen(fqdn), 0) % PUSH_FQDN_HEADS];
}

struct push *push_find(const struct app *app, const uint8_t id[PUSH_ID])
{
	struct push *push;

	LIST_FOREACH(push, id_head(app->pushes, id), by_id)
	{
		if (!memcmp(push->facts.id, id, PUSH_ID))
			return push;
	}
	return NULL;
}

struct push *push_of_dp(const struct app *app, const struct dp_push *dp)
{
	struct push *push;

	LIST_FOREACH(push, dp_head(app->pushes, dp), by_dp)
	{
		if (push->dp == dp)
			return push;
	}
	return NULL;
}

unsigned push_singles(const struct app *app, uint32_t handle)
{
	const struct push *push;
	unsigned n = 0;

	LIST_FOREACH(push, handle_head(app->pushes, handle), by_handle)
	n += push->handle == handle;
	return n;
}

// ---- Queues

struct push_queue *push_queue_find(const struct app *app, const char *fqdn)
{
	struct push_queue *queue;

	LIST_FOREACH(queue, fqdn_head(app->pushes, fqdn), by_fqdn)
	{
		if (!strcmp(queue->fqdn, fqdn))
			return queue;
	}
	return NULL;
}

static struct push_queue *queue_of(struct app *app, const char *fqdn)
{
	struct push_queue *queue = push_queue_find(app, fqdn);

	if (queue)
		return queue;
	queue = calloc(1, sizeof(*queue));
	if (!queue)
		return NULL;
	queue->app = app;
	memcpy(queue->fqdn, fqdn, strlen(fqdn) + 1);
	TAILQ_INIT(&queue->pushes);
	TAILQ_INIT(&queue->waiting);
	LIST_INSERT_HEAD(fqdn_head(app->pushes, fqdn), queue, by_fqdn);
	return queue;
}

static void release_queue(struct app *app, struct push_queue *queue)
{
	if (--queue->n_users)
		return;
	if (queue->is_ready)
		TAILQ_REMOVE(&app->pushes->ready, queue, ready);
	LIST_REMOVE(queue, by_fqdn);
	free(queue);
}

void push_queue_ready(struct app *app, struct push_queue *queue)
{
	if (queue->is_ready || TAILQ_EMPTY(&queue->waiting))
		return;
	queue->is_ready = true;
	TAILQ_INSERT_TAIL(&app->pushes->ready, queue, ready);
}

// ---- Life of a push

struct push *push_reserve(struct app *app, const struct push_facts *facts, uint32_t handle)
{
	struct push *push = calloc(1, sizeof(*push));

	if (!push)
		return NULL;
	push->queue = queue_of(app, facts->fqdn);
	if (!push->queue) {
		free(push);
		return NULL;
	}
	push->queue->n_users++;
	push->facts = *facts;
	push->handle = handle;
	push->noted.of[DP_NOT_ALLOWED] = facts->n_barred;
	push->noted.of[DP_PENDING] = facts->n_targets - facts->n_barred;
	if (push_is_single(push))
		LIST_INSERT_HEAD(handle_head(app->pushes, handle), push, by_handle);
	app->pushes->n_live++;
	return push;
}

// Into a list that is ordered by push_id; it nearly always goes to the end.
#define INSERT_BY_ID(list, push, field)                                                            \
	do {                                                                                       \
		struct push *before_ = TAILQ_LAST(list, push_tailq);                               \
		while (before_ && memcmp(before_->facts.id, (push)->facts.id, PUSH_ID) > 0)        \
			before_ = TAILQ_PREV(before_, push_tailq, field);                          \
		if (before_)                                                                       \
			TAILQ_INSERT_AFTER(list, before_, push, field);                            \
		else                                                                               \
			TAILQ_INSERT_HEAD(list, push, field);                                      \
	} while (0)

void push_enter(struct app *app, struct push *push)
{
	assert(push->phase == PUSH_RESERVED);
	LIST_INSERT_HEAD(id_head(app->pushes, push->facts.id), push, by_id);
	INSERT_BY_ID(&push->queue->pushes, push, of_af);
	push_set_phase(app, push, PUSH_WAITING);
}

static void leave_phase(struct app *app, struct push *push)
{
	struct push_registry *pushes = app->pushes;

	switch (push->phase) {
	case PUSH_RESERVED:
		return;
	case PUSH_WAITING:
		TAILQ_REMOVE(&push->queue->waiting, push, turn);
		pushes->n_waiting--;
		return;
	case PUSH_RUNNING:
		TAILQ_REMOVE(&pushes->running, push, turn);
		pushes->n_running--;
		push->queue->n_lists -= !push_is_single(push);
		push_queue_ready(app, push->queue);
		return;
	case PUSH_ENDING:
		if (!push->end_parked)
			TAILQ_REMOVE(&pushes->ending, push, turn);
		return;
	}
}

void push_set_phase(struct app *app, struct push *push, enum push_phase phase)
{
	struct push_registry *pushes = app->pushes;

	leave_phase(app, push);
	push->phase = phase;
	switch (phase) {
	case PUSH_RESERVED:
		return;
	case PUSH_WAITING:
		INSERT_BY_ID(&push->queue->waiting, push, turn);
		pushes->n_waiting++;
		push_queue_ready(app, push->queue);
		return;
	case PUSH_RUNNING:
		TAILQ_INSERT_TAIL(&pushes->running, push, turn);
		pushes->n_running++;
		push->queue->n_lists += !push_is_single(push);
		return;
	case PUSH_ENDING:
		TAILQ_INSERT_TAIL(&pushes->ending, push, turn);
		push_queue_ready(app, push->queue); // the next one may be at the front now
		return;
	}
}

void push_set_dp(struct app *app, struct push *push, struct dp_push *dp)
{
	assert(!push->dp && dp);
	push->dp = dp;
	LIST_INSERT_HEAD(dp_head(app->pushes, dp), push, by_dp);
}

void push_forget(struct app *app, struct push *push)
{
	struct push_queue *queue = push->queue;

	if (push->phase != PUSH_RESERVED) {
		LIST_REMOVE(push, by_id);
		TAILQ_REMOVE(&queue->pushes, push, of_af);
	}
	leave_phase(app, push);
	if (push_is_single(push))
		LIST_REMOVE(push, by_handle);
	if (push->dp) {
		LIST_REMOVE(push, by_dp);
		dp_push_free(push->dp);
	}
	free(push->hashes);
	free(push);
	app->pushes->n_live--;
	release_queue(app, queue);
}

// ---- The registry

void push_stats(const struct app *app, struct push_stats *stats)
{
	const struct push_registry *pushes = app->pushes;

	*stats = (struct push_stats){
		.accepted = pushes->n_accepted,
		.refused = pushes->n_refused,
		.strangers_refused = pushes->n_strangers_refused,
		.finished = pushes->n_over,
		.waiting = pushes->n_waiting,
		.running = pushes->n_running,
	};
}

static bool take_tables(struct push_registry *pushes)
{
	uint32_t heads = 64;

	while (heads < pushes->live_max)
		heads *= 2;
	pushes->mask = heads - 1;
	pushes->by_id = calloc(heads, sizeof(*pushes->by_id));
	pushes->by_dp = calloc(heads, sizeof(*pushes->by_dp));
	pushes->by_handle = calloc(heads, sizeof(*pushes->by_handle));
	pushes->by_fqdn = calloc(PUSH_FQDN_HEADS, sizeof(*pushes->by_fqdn));
	return pushes->by_id && pushes->by_dp && pushes->by_handle && pushes->by_fqdn;
}

struct push_registry *push_registry_new(struct app *app)
{
	struct push_registry *pushes = calloc(1, sizeof(*pushes));

	if (!pushes)
		return NULL;
	pushes->app = app;
	pushes->running_max = app->config->dataplane.pushes;
	pushes->live_max = pushes->running_max * PUSH_LIVE_PER_RUNNING;
	TAILQ_INIT(&pushes->ready);
	TAILQ_INIT(&pushes->running);
	TAILQ_INIT(&pushes->ending);
	if (!take_tables(pushes)) {
		push_registry_free(pushes);
		return NULL;
	}
	return pushes;
}

static void forget_all(struct push_registry *pushes)
{
	for (uint32_t i = 0; pushes->by_id && i <= pushes->mask; i++) {
		while (!LIST_EMPTY(&pushes->by_id[i]))
			push_forget(pushes->app, LIST_FIRST(&pushes->by_id[i]));
	}
}

void push_registry_free(struct push_registry *pushes)
{
	if (!pushes)
		return;
	forget_all(pushes);
	free(pushes->by_id);
	free(pushes->by_dp);
	free(pushes->by_handle);
	free(pushes->by_fqdn);
	free(pushes);
}
