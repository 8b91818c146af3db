#pragma once
// Pushes started and stopped, and the loop that has them go on; push.h has what others see of it.
// Control thread only.

#include <stdbool.h>
#include <stdint.h>

#include "control/push/push_id.h"
#include "dataplane/dp.h"

struct app;
struct push;
struct push_material;
struct push_registry;
struct store_batch;

// Starts it if it is the next of its AF and there is room; else it waits for its turn.
void push_try_start(struct app *app, struct push *push, const struct push_material *material);

// A durable stop of an accepted push: 0, or -EAGAIN as in a change's apply.
int push_stop(struct app *app, struct push *push, enum dp_state state);
void push_put_stop(struct store_batch *batch, const uint8_t id[PUSH_ID], enum dp_state state);
// A batch for the stop alone, on its way; false when the store takes none now.
bool push_store_stop(struct app *app, const uint8_t id[PUSH_ID], enum dp_state state);

void push_loop_leave(struct push_registry *pushes);
