#pragma once
// Commands: what control asks of a worker, applied between two bursts, in the order given.
// Worker thread only; before the workers run, control's.

#include "dataplane/worker.h"

// Applies one command; false when it has to wait for room in the event ring.
bool commands_apply(struct worker *worker, struct command *command);

// Applies those that have come, up to a burst; whether there were any.
bool commands_take(struct worker *worker);
