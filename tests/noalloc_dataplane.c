// No allocation after start: the linker puts a gate before malloc and its kin; a round of a worker
// must never pass it, whatever it does (commands, laps, acknowledgements, replies, sweeps).

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/kit/malloc_gate.h"
#include "tests/kit/world.h"

bool __real_dp_turn(struct dp *dp, unsigned worker);
bool __wrap_dp_turn(struct dp *dp, unsigned worker);

bool __wrap_dp_turn(struct dp *dp, unsigned worker)
{
	bool busy;

	malloc_gate_close();
	busy = __real_dp_turn(dp, worker);
	malloc_gate_open();
	return busy;
}

int main(void)
{
	struct world_config config = {.seed = 1, .n_devices = 90, .n_workers = 2, .lost = 100000};
	struct world *world = malloc(sizeof(*world));
	bool done;

	if (!malloc_gate_works())
		return fprintf(stderr, "the gate is not in the link\n"), 1;
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
	printf("%u allocations in the rounds of the workers\n", malloc_gate_passed());
	return !done || malloc_gate_passed();
}
