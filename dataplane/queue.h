#pragma once
// A worker's parts in order: lines (first in, first out, but any part may leave) and a heap of
// those that wait for a time. A part is in one line at most, and once in the heap; the links are in
// the part, the heap's memory is the caller's. Worker thread only.

#include <stdint.h>

#include "dataplane/push.h"

struct line {
	struct part *first, **last;
};

void line_init(struct line *line);
void line_put(struct line *line, struct part *part); // it is in none
void line_del(struct part *part);                    // it may be in none

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
