#include "dataplane/io/io_pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 64, STRIDE = (FRAME_MAX + LINE - 1) / LINE * LINE };

int io_pool_init(struct io_pool *pool, unsigned n)
{
	*pool = (struct io_pool){
		.frames = calloc(n, sizeof(pool->frames[0])),
		.octets = aligned_alloc(LINE, (size_t)n * STRIDE),
		.free = calloc(n, sizeof(pool->free[0])),
		.n = n,
		.n_free = n,
	};
	if (!pool->frames || !pool->octets || !pool->free) {
		io_pool_fini(pool);
		return -ENOMEM;
	}
	memset(pool->octets, 0, (size_t)n * STRIDE);
	for (unsigned i = 0; i < n; i++) {
		pool->frames[i].data = pool->octets + (size_t)i * STRIDE;
		pool->frames[i].slot = i;
		pool->free[n - 1 - i] = &pool->frames[i];
	}
	return 0;
}

void io_pool_fini(struct io_pool *pool)
{
	free(pool->free);
	free(pool->octets);
	free(pool->frames);
	*pool = (struct io_pool){0};
}
