#pragma once
// What the benches of whole chains share: a table of UEs, a push, frames to write into, and the
// walks over the table. Bench thread only.

#include <stdbool.h>
#include <stdint.h>

#include "bench/bench.h"
#include "bench/table.h"
#include "dataplane/protect.h"

enum { CHAIN_BURST = 64, CHAIN_ROUND = 2048, CHAIN_S_MAX = 64 };

struct chain {
	struct table table;
	struct protect protect;
	struct dp_push *push;
	uint8_t s[CHAIN_S_MAX]; // of K_AF
	unsigned s_len;
	uint8_t info[MESSAGE_INFO + 1]; // of T(1)
	uint8_t payload[AEAD_TEXT_MAX];
	struct frame frames[CHAIN_BURST];
	struct frame *frame[CHAIN_BURST]; // what a burst is written to
	uint8_t octets[CHAIN_BURST][FRAME_MAX];
};

// NULL without memory (said).
struct chain *chain_open(const struct bench_options *options);
void chain_close(struct chain *chain);

// A walk over the table: handles ascending, or at random.
struct chain_walk {
	bool in_order;
	unsigned at;
};

// The next n <= CHAIN_BURST handles, and the n that follow them: a pointer into the table's order,
// or `made`.
const uint32_t *chain_walk(struct chain_walk *walk, const struct table *table, unsigned n,
			   uint32_t made[2 * CHAIN_BURST]);

static inline const struct context *chain_context(const struct chain *chain, uint32_t handle)
{
	return &chain->table.contexts[handle];
}

// The contexts of n handles as targets, the place being the handle. Those of the n that follow
// are what protect_seal looks ahead to.
void chain_lookup(const struct chain *chain, const uint32_t handle[], unsigned n,
		  struct target *target);
// n datagrams into chain->frame, protected by `protect`.
void chain_protect(struct chain *chain, struct protect *protect, const uint32_t handle[],
		   unsigned n);
