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

// Devices whose datagrams are traced: the first ones, off and on.
static bool traced[DP_TRACED_MAX];

static void trace_another_or_none(struct world *world)
{
	unsigned d = (unsigned)(random_next(&world->random) % DP_TRACED_MAX);

	if (dp_trace(world->dp, world->devices[d].handle, !traced[d]))
		traced[d] = !traced[d];
}

static bool has_good_copies(struct world *world, uint64_t *n)
{
	struct dp_datagram copy;

	for (; dp_poll_trace(world->dp, &copy); ++*n) {
		const uint8_t type = copy.reason == REASON_SENT ? 0x11 : 0x12;
		unsigned d = 0;

		while (d < DP_TRACED_MAX && world->devices[d].handle != copy.handle)
			d++;
		if (d == DP_TRACED_MAX || copy.len < 48 || copy.octets[0] != type ||
		    memcmp(copy.peer.ip, world->devices[d].ip, 16) != 0)
			return false;
	}
	return true;
}

static void some_command(struct world *world)
{
	unsigned d = (unsigned)(random_next(&world->random) % world->n_devices);
	struct dp_context context;
	struct dp_tuning tuning;
	uint8_t kaf[32];
	uint32_t expiry;

	switch (random_next(&world->random) % 7) {
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
	case 5:
		trace_another_or_none(world);
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

static int round_of(struct random *random, unsigned n_workers, uint64_t *n_copies)
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
	memset(traced, 0, sizeof(traced));
	trace_another_or_none(world);
	for (unsigned p = 0; p < 4; p++)
		world_push_start(world,
				 world_push_new(world, 0, 60, VALIDITY_S, true, p * 700, 1184));
	world_push_stop(world, 3, DP_RECALLED);
	while (!world_run(world, 20, 50)) {
		some_command(world);
		if (!has_good_copies(world, n_copies))
			return fail(world, "a copy is not what was on the net");
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
	uint64_t n_copies = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		if (round_of(&random, 1 + i % 3, &n_copies))
			return 1;
	}
	printf("%u rounds of 1 to 3 workers, 4 pushes to 60 devices each; %" PRIu64
	       " datagrams traced\n",
	       ROUNDS, n_copies);
	if (!n_copies)
		return 1;
	return 0;
}
