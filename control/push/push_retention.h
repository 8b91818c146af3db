#pragma once
// What is over is deleted after its time. Control thread only.

struct app;
struct push_registry;

int push_retention_init(struct push_registry *pushes); // 0, -ENOMEM
void push_retention_free(struct push_registry *pushes);
void push_retention_tick(struct app *app); // deletes what is too old, a bounded part at a time
