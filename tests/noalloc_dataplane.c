// No allocation after start: the linker puts a gate before malloc and its kin; a round of a worker
// must never pass it, whatever it does (commands, laps, acknowledgements, replies, sweeps).

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "world.h"

static volatile bool closed; // the compiler knows malloc not to look at it
static unsigned passed;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t align, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_aligned_alloc(size_t align, size_t n);
bool __real_dp_turn(struct dp *dp, unsigned worker);
bool __wrap_dp_turn(struct dp *dp, unsigned worker);

void *__wrap_malloc(size_t n)
{
	passed += closed;
	return __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	passed += closed;
	return __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	passed += closed;
	return __real_realloc(p, n);
}

void *__wrap_aligned_alloc(size_t align, size_t n)
{
	passed += closed;
	return __real_aligned_alloc(align, n);
}

bool __wrap_dp_turn(struct dp *dp, unsigned worker)
{
	bool busy;

	closed = true;
	busy = __real_dp_turn(dp, worker);
	closed = false;
	return busy;
}

// The gate works: an allocation behind it is counted.
static bool gate_works(void)
{
	void *volatile p;

	closed = true;
	p = malloc(1);
	closed = false;
	free(p);
	return passed == 1;
}

int main(void)
{
	struct world_config config = {.seed = 1, .n_devices = 90, .n_workers = 2, .lost = 100000};
	struct world *world = malloc(sizeof(*world));
	bool done;

	if (!gate_works())
		return fprintf(stderr, "the gate is not in the link\n"), 1;
	passed = 0;
	world_open(world, &config);
	world_push_start(world, world_push_new(world, 0, 90, 600, true, 3000, 1184));
	world_push_start(world, world_push_new(world, 5, 1, 600, true, 64, 1184));
	for (unsigned i = 0; i < 90; i++)
		world_register(world, i);
	world_push_start(world, world_push_new(world, 0, 90, 20, true, 64, 1184));
	world_push_stop(world, 2, DP_RECALLED);
	done = world_run(world, 50, 10000);
	world_close(world);
	free(world);
	printf("%u allocations in the rounds of the workers\n", passed);
	return !done || passed;
}
