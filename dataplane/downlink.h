#pragma once
// Downlink: datagrams to targets, a burst at a time. Worker thread only.

#include "dataplane/worker.h"

// One burst of the part's walk under way; false when the back end is full or has no buffers.
bool downlink_send(struct worker *worker, struct part *part);
