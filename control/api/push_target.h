#pragma once
// Targets of a push as the AF names them, made into a list of handles. Control thread only.

#include <stdbool.h>
#include <stdint.h>

#include "control/push/push_list.h"

struct af;
struct app;
struct json;
struct problem;
struct store_batch;

// Resolves the target: each UE once, those that the AF may not reach marked. Identities that were
// not known are named, in the batch too, within what the AF may name in a day. `sees_supi`: SUPIs
// may be named. What is wrong is noted in the problem, the list is to be freed all the same.
void push_target_resolve(struct app *app, struct store_batch *batch, struct af *af,
			 const struct json *target, bool sees_supi, struct push_list *list,
			 struct problem *problem);

// The same for a list that was resolved before: what the AF may reach now.
void push_target_again(struct app *app, struct af *af, struct push_list *list,
		       struct problem *problem);

// The batch with the names is durable.
void push_target_saved(struct app *app, const struct push_list *list);

uint32_t push_target_max(const struct app *app, const struct af *af);
