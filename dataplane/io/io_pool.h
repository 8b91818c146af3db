#pragma once
// The buffers of a back end: frames of FRAME_MAX octets, allocated at open, lent and given back
// since. Worker thread only, but for init and fini.

#include <assert.h>

#include "dataplane/io/io.h"

struct io_pool {
	struct frame *frames; // [n]
	uint8_t *octets;
	struct frame **free; // a stack: what was given back last is lent first, still in the cache
	unsigned n, n_free;
};

int io_pool_init(struct io_pool *pool, unsigned n); // 0, -ENOMEM
void io_pool_fini(struct io_pool *pool);            // also after a failed init, or on zeros

// Up to n frames; how many there are. Their len, port and ip are what they were.
static inline unsigned io_pool_take(struct io_pool *pool, struct frame *frame[], unsigned n)
{
	if (n > pool->n_free)
		n = pool->n_free;
	for (unsigned i = 0; i < n; i++)
		frame[i] = pool->free[--pool->n_free];
	return n;
}

static inline void io_pool_give(struct io_pool *pool, struct frame *frame[], unsigned n)
{
	assert(n <= pool->n - pool->n_free); // else something was given back twice
	for (unsigned i = n; i--;)
		pool->free[pool->n_free++] = frame[i];
}
