#pragma once
// A worker's sleep: until one of its descriptors is readable, it is woken, or time is up.

#include <stdint.h>

#include "base/wake.h"

enum { IO_WAIT_MAX = 2 };

// Ends what wake_arm began. fd [n], n <= IO_WAIT_MAX; -1: none. timeout_ns 0: does not sleep.
// Worker thread only.
void io_wait(struct wake *wake, const int fd[], unsigned n, uint64_t timeout_ns);
