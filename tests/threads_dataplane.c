// The data plane with its workers as threads, under load of commands, pushes and acknowledgements
// from a control thread: a plain program, so that ThreadSanitizer can watch it.

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/kit/world.h"

// The clock of a world goes on however little its workers come to run: nothing may expire.
enum { ROUNDS = 6, SECONDS_MAX = 120, VALIDITY_S = 1000000000 };

static int fail(const struct world *world, const char *what)
{
	fprintf(stderr, "%s (%s), seed %#" PRIx64 "\n", what, world->failure, world->random.seed);
	return 1;
}

static void some_command(struct world *world)
{
	unsigned d = (unsigned)(random_next(&world->random) % world->n_devices);
	struct dp_context context;
	struct dp_tuning tuning;
	uint8_t kaf[32];
	uint32_t expiry;

	switch (random_next(&world->random) % 6) {
	case 0:
		world_register(world, d);
		break;
	case 1:
		dp_context(world->dp, world->devices[d].handle, &context);
		break;
	case 2:
		dp_kaf(world->dp, world->devices[d].handle, "af.example12345", 15, kaf, &expiry);
		break;
	case 3:
		dp_tuning(world->dp, &tuning);
		tuning.burst = 1 + (unsigned)(random_next(&world->random) % 64);
		dp_tune(world->dp, &tuning);
		break;
	case 4:
		world_checkpoint(world);
		break;
	default:
		world_fence(world);
	}
}

static int check(struct world *world)
{
	if (world->failure[0])
		return fail(world, "the tap found something wrong");
	for (unsigned p = 0; p < world->n_pushes; p++) {
		for (unsigned d = 0; d < world->n_devices; d++) {
			if (world->devices[d].delivered[p] > 1)
				return fail(world, "delivered twice");
			if (!world->pushes[p].stopped && world_state(world, p, d) != DP_DELIVERED)
				return fail(world, "a device was not reached");
		}
	}
	return 0;
}

static int round_of(struct random *random, unsigned n_workers)
{
	struct world *world = malloc(sizeof(*world));
	struct world_config config = {.seed = random_next(random),
				      .n_devices = 60,
				      .n_workers = n_workers,
				      .lost = 200000,
				      .twice = 100000,
				      .delayed = 200000,
				      .threads = true};
	time_t end = time(NULL) + SECONDS_MAX;
	int status;

	world_open(world, &config);
	for (unsigned p = 0; p < 4; p++)
		world_push_start(world,
				 world_push_new(world, 0, 60, VALIDITY_S, true, p * 700, 1184));
	world_push_stop(world, 3, DP_RECALLED);
	while (!world_run(world, 20, 50)) {
		some_command(world);
		usleep(100);
		if (time(NULL) > end)
			return fail(world, "not done in time");
	}
	status = check(world);
	world_close(world);
	free(world);
	return status;
}

int main(void)
{
	struct random random = random_start();

	for (unsigned i = 0; i < ROUNDS; i++) {
		if (round_of(&random, 1 + i % 3))
			return 1;
	}
	printf("%u rounds of 1 to 3 workers, 4 pushes to 60 devices each\n", ROUNDS);
	return 0;
}
