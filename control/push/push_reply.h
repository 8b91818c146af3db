#pragma once
// Replies of devices on their way to the store; push_is_full of push.h is here too. Control thread
// only.

#include <stdbool.h>

struct app;
struct dp_event;
struct push;
struct push_registry;

int push_replies_init(struct push_registry *pushes); // 0, -ENOMEM
void push_replies_free(struct push_registry *pushes);
void push_replies_add(struct app *app, struct push *push, const struct dp_event *event);
// Hands what waits to the store; false when the store took not all of it now.
bool push_replies_flush(struct app *app);
