#pragma once
// Items that wait for their time: a heap, the earliest first. Grows as needed. One thread.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct waiting_item {
	uint64_t due_ns;
	uint64_t item;
	uint64_t intended_ns; // when it was to be asked at first
	unsigned tries;
};

struct waiting {
	struct waiting_item *items;
	size_t n, capacity;
};

bool waiting_put(struct waiting *w, const struct waiting_item *item); // false without memory
// The earliest, which stays; NULL when nothing waits.
const struct waiting_item *waiting_first(const struct waiting *w);
struct waiting_item waiting_take(struct waiting *w);
void waiting_fini(struct waiting *w);
