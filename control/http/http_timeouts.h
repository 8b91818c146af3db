#pragma once
// Peers that are too slow to send a request or to take an answer, and the clock of the door. Inside
// of the HTTP module; control thread only.

#include <stdint.h>

struct door;

// Once a second: time-outs and the date.
void timeouts_tick(struct door *door, uint64_t now_s, int64_t unix_s);
