#pragma once
// Checkpoints of running pushes, from the loop; push_checkpoint of push.h is here too. Control
// thread only.

#include <stdbool.h>

struct app;

void push_checkpoint_tick(struct app *app); // starts a round when one is due
bool push_checkpoint_step(struct app *app); // some pushes; true when there are more to look at
