#include "control/api/push_ask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "control/api/push_api.h"
#include "control/app.h"
#include "control/http/http.h"
#include "control/json/problem.h"

enum { ASK_HEADS = 256 };

// Those with a key.
struct push_asks {
	struct push_ask_head heads[ASK_HEADS];
};

struct push_asks *push_asks_new(void)
{
	return calloc(1, sizeof(struct push_asks));
}

void push_asks_free(struct push_asks *asks)
{
	free(asks);
}

static struct push_ask_head *ask_head(const struct app *app, const struct idempotency *idempotency)
{
	uint64_t hash = hash64(idempotency->key, strlen(idempotency->key), 0) ^
			hash64(idempotency->fqdn, strlen(idempotency->fqdn), 0);

	return &app->asks->heads[hash % ASK_HEADS];
}

static struct push_ask *find_ask(const struct app *app, const struct idempotency *idempotency)
{
	struct push_ask *ask;

	LIST_FOREACH(ask, ask_head(app, idempotency), same_head)
	{
		if (!strcmp(ask->idempotency.key, idempotency->key) &&
		    !strcmp(ask->idempotency.fqdn, idempotency->fqdn))
			return ask;
	}
	return NULL;
}

// ---- Asked before

static void answer_conflict(struct http_request *request)
{
	problem_answer_cause(request, PROBLEM_IDEMPOTENCY_CONFLICT,
			     "the Idempotency-Key belongs to a request with other content");
}

// The first request is on its way: its outcome will be that of this one.
static void wait_for(struct push_ask *ask, struct http_request *request)
{
	struct waiter *waiter = malloc(sizeof(*waiter));

	if (!waiter) {
		problem_answer_cause(request, PROBLEM_INSUFFICIENT_RESOURCES, "no memory");
		return;
	}
	waiter->request = request;
	SLIST_INSERT_HEAD(&ask->waiters, waiter, next);
}

static bool answer_pending(struct http_request *request, const struct app *app,
			   const struct idempotency *idempotency)
{
	struct push_ask *ask = find_ask(app, idempotency);

	if (!ask)
		return false;
	if (memcmp(ask->idempotency.digest, idempotency->digest, IDEMPOTENCY_DIGEST))
		answer_conflict(request);
	else
		wait_for(ask, request);
	return true;
}

bool push_asked_before(struct http_request *request, struct app *app,
		       const struct idempotency *idempotency)
{
	uint8_t id[PUSH_ID];
	int error;

	if (answer_pending(request, app, idempotency))
		return true;
	error = idempotency_find(app, idempotency, id);
	if (error == -ENOENT)
		return false;
	if (error == -EEXIST)
		answer_conflict(request);
	else if (error)
		problem_answer_cause(request, problem_of_errno(error), "%s", strerror(-error));
	else
		push_api_created(request, app, id);
	return true;
}

// ---- On its way

void push_ask_enter(struct app *app, struct push_ask *ask)
{
	struct push *old = ask->replaces ? push_find(app, ask->old_id) : NULL;

	if (ask->has_key)
		LIST_INSERT_HEAD(ask_head(app, &ask->idempotency), ask, same_head);
	if (old)
		old->stop_asked = true;
}

void push_ask_leave(struct app *app, struct push_ask *ask)
{
	struct push *old = ask->replaces ? push_find(app, ask->old_id) : NULL;

	if (ask->has_key)
		LIST_REMOVE(ask, same_head);
	if (old)
		old->stop_asked = false;
}

static void answer_one(struct http_request *request, struct app *app, const struct push_ask *ask,
		       int status)
{
	if (status)
		problem_answer_cause(request, problem_of_errno(status), "%s", strerror(-status));
	else
		push_api_created(request, app, ask->id);
}

void push_ask_answer(struct app *app, struct push_ask *ask, int status)
{
	struct waiter *waiter;

	answer_one(ask->request, app, ask, status);
	while ((waiter = SLIST_FIRST(&ask->waiters))) {
		SLIST_REMOVE_HEAD(&ask->waiters, next);
		answer_one(waiter->request, app, ask, status);
		free(waiter);
	}
}
