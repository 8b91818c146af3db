#pragma once
// Whether there is room for a push, and its push_id. Control thread only.

#include <stdint.h>

struct af;
struct app;
struct push_ask;
struct problem;

// Takes the AF's next push_id (into af->last_push_id), rate and quota for the push. The problem
// says what is in the way.
void push_limits_take(struct app *app, struct af *af, const struct push_ask *ask, uint64_t now_ms,
		      struct problem *problem);
