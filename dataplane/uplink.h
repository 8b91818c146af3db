#pragma once
// Uplink: acknowledgements. Worker thread only.

#include "dataplane/worker.h"

// Takes a burst of what has arrived; whether there was anything.
bool uplink_take(struct worker *worker);
