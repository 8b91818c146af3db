#pragma once
// A worker's parts in order: those ready take turns (first in, first out), those that wait stand in
// a heap by their time. A part is in one of them at most; the links are in the part, the heap's
// memory is the caller's. Worker thread only.

#include <stdint.h>

#include "dataplane/push.h"

struct ready {
	struct part *first, **last;
};

void ready_init(struct ready *ready);
void ready_put(struct ready *ready, struct part *part);
struct part *ready_take(struct ready *ready); // NULL when none is

// The earliest first.
struct due {
	struct part **heap;
	uint32_t n;
};

void due_put(struct due *due, struct part *part, uint64_t due_ns); // it may be there already
void due_del(struct due *due, struct part *part);                  // it may be elsewhere
// The first part whose time has come, taken out; NULL when none is.
struct part *due_take(struct due *due, uint64_t now_ns);
uint64_t due_first_ns(const struct due *due); // UINT64_MAX when none waits
