#pragma once
// A push that an AF asked for, on its way to the store; and those that came with an Idempotency-Key
// found by it, so that the same request again shares the outcome. Control thread only.

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "control/apply.h"
#include "control/push/idempotency.h"
#include "control/push/push_material.h"
#include "control/push/push_registry.h"

struct http_request;
struct push_asks;

struct waiter {
	SLIST_ENTRY(waiter) next;
	struct http_request *request;
};
SLIST_HEAD(waiters, waiter);

// A push on its way.
struct push_ask {
	struct change change;
	struct http_request *request;
	struct push *push; // reserved; the registry's once applied
	uint8_t id[PUSH_ID];
	struct push_material *material;
	bool replaces;
	uint8_t old_id[PUSH_ID];
	bool has_key;
	struct idempotency idempotency;
	LIST_ENTRY(push_ask) same_head;
	struct waiters waiters; // who asked for the same under the same key meanwhile
};
LIST_HEAD(push_ask_head, push_ask);

struct push_asks *push_asks_new(void); // app->asks; NULL without memory
void push_asks_free(struct push_asks *asks);

// Whether the request has been answered, or will be: the same was asked for before under its key.
bool push_asked_before(struct http_request *request, struct app *app,
		       const struct idempotency *idempotency);
// The push is on its way, with its key if it has one; and it has arrived, or not.
void push_ask_enter(struct app *app, struct push_ask *ask);
void push_ask_leave(struct app *app, struct push_ask *ask);
// Answers the request and all that wait for the same.
void push_ask_answer(struct app *app, struct push_ask *ask, int status);
