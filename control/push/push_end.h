#pragma once
// The end of pushes, from the loop. Control thread only.

#include <stdbool.h>

struct app;

// One step of the front of those that end; false when nothing can be done now.
bool push_end_step(struct app *app);
// What waits past its expiry ends.
void push_expire(struct app *app);
