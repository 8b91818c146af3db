// Replies of devices: gathered in memory, stored some at a time, kept here until they are durable.
// When the store takes none for long, push_is_full asks the loop to leave further events with the
// data plane.

#include "control/push/push_reply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/bytes.h"
#include "base/log.h"
#include "control/app.h"
#include "control/push/push_registry.h"
#include "control/store/store.h"

enum { OCTETS_MAX = 16 << 20, BATCH_OCTETS = 64 << 10 };

struct reply {
	STAILQ_ENTRY(reply) next;
	uint8_t id[PUSH_ID];
	uint32_t handle;
	uint16_t len; // status and reply
	uint8_t octets[];
};
STAILQ_HEAD(reply_list, reply);

struct push_replies {
	struct reply_list waiting;
	size_t octets;         // of all that is here
	size_t waiting_octets; // of what waits
	bool is_failing;
};

// Replies in one batch of the store.
struct group {
	struct app *app;
	struct reply_list replies;
};

int push_replies_init(struct push_registry *pushes)
{
	pushes->replies = calloc(1, sizeof(*pushes->replies));
	if (!pushes->replies)
		return -ENOMEM;
	STAILQ_INIT(&pushes->replies->waiting);
	return 0;
}

static size_t size_of(const struct reply *reply)
{
	return sizeof(*reply) + reply->len;
}

static void free_list(struct push_replies *replies, struct reply_list *list)
{
	struct reply *reply;

	while ((reply = STAILQ_FIRST(list))) {
		STAILQ_REMOVE_HEAD(list, next);
		replies->octets -= size_of(reply);
		mem_wipe(reply->octets, reply->len);
		free(reply);
	}
}

void push_replies_free(struct push_registry *pushes)
{
	if (!pushes->replies)
		return;
	free_list(pushes->replies, &pushes->replies->waiting);
	free(pushes->replies);
}

bool push_is_full(const struct app *app)
{
	return app->pushes->replies->octets > OCTETS_MAX;
}

// ---- Into the store

static void stored(void *ctx, int status)
{
	struct group *group = ctx;
	struct push_replies *replies = group->app->pushes->replies;
	struct reply *reply;

	if (status && !replies->is_failing)
		log_warn("push", "replies are not in the store: %s: trying again",
			 strerror(-status));
	replies->is_failing = status != 0;
	if (status) {
		STAILQ_FOREACH(reply, &group->replies, next)
		replies->waiting_octets += size_of(reply);
		STAILQ_CONCAT(&group->replies, &replies->waiting);
		STAILQ_CONCAT(&replies->waiting, &group->replies);
	} else {
		free_list(replies, &group->replies);
	}
	free(group);
}

static void fill(struct group *group, struct push_replies *replies, struct store_batch *batch)
{
	struct reply *reply;
	size_t octets = 0;

	while (octets < BATCH_OCTETS && (reply = STAILQ_FIRST(&replies->waiting))) {
		uint8_t key[PUSH_KEY_MAX];

		STAILQ_REMOVE_HEAD(&replies->waiting, next);
		replies->waiting_octets -= size_of(reply);
		STAILQ_INSERT_TAIL(&group->replies, reply, next);
		store_put(batch, STORE_REPLY, key, push_key_reply(key, reply->id, reply->handle),
			  reply->octets, reply->len);
		octets += size_of(reply);
	}
}

static bool flush_some(struct app *app, struct push_replies *replies)
{
	struct store_batch *batch = store_begin(app->store);
	struct group *group = batch ? malloc(sizeof(*group)) : NULL;

	if (!group) {
		if (batch)
			store_abort(batch);
		return false;
	}
	group->app = app;
	STAILQ_INIT(&group->replies);
	fill(group, replies, batch);
	store_commit(batch, stored, group);
	return true;
}

bool push_replies_flush(struct app *app)
{
	struct push_replies *replies = app->pushes->replies;

	while (!STAILQ_EMPTY(&replies->waiting) && flush_some(app, replies))
		;
	return STAILQ_EMPTY(&replies->waiting);
}

void push_replies_add(struct app *app, struct push *push, const struct dp_event *event)
{
	struct push_replies *replies = app->pushes->replies;
	uint16_t len = (uint16_t)(1 + event->reply_len);
	struct reply *reply = malloc(sizeof(*reply) + len);

	if (!reply) {
		log_error("push", "no memory: a reply is lost");
		return;
	}
	memcpy(reply->id, push->facts.id, PUSH_ID);
	reply->handle = dp_push_handle(push->dp, event->place);
	reply->len = len;
	reply->octets[0] = event->status;
	memcpy(reply->octets + 1, event->reply, event->reply_len);
	push->may_reply = true;
	replies->octets += size_of(reply);
	replies->waiting_octets += size_of(reply);
	STAILQ_INSERT_TAIL(&replies->waiting, reply, next);
	if (replies->waiting_octets >= BATCH_OCTETS && !replies->is_failing)
		push_replies_flush(app);
}
