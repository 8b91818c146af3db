#pragma once
// The run loop of a worker: commands, uplink, turns of downlink, and sleep when there is nothing to
// do. Control thread only, but for what runs in the loop.

#include "dataplane/worker.h"

int run_start(struct worker *worker); // its thread runs; 0 or -errno
void run_stop(struct worker *worker); // it has ended; it may never have run
// One round, by a caller that has no thread run; whether it did anything.
bool run_round(struct worker *worker);
