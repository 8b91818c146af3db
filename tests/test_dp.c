// What dp.h promises beside delivery (test_delivery.c): configurations, events.

#include <criterion/criterion.h>
#include <sys/resource.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/plane.h"
#include "tests/kit/world.h"

static void no_device(void *ctx, struct io_mem *net, const struct io_mem_datagram *datagram)
{
	(void)ctx;
	(void)net;
	(void)datagram;
}

Test(dp_open, says_what_is_wrong)
{
	struct io_mem_config net = {.in_flight_max = 8, .inbox_max = 8, .device = no_device};
	struct dp_config good = {
		.n_workers = 2,
		.ue_max = 100,
		.push_max = 10,
		.io = "mem",
		.port = 65534,
		.tuning = {.burst = 64, .lap_pause_ms = 2500, .lap_pause_max_ms = 2500},
		.clock = &clock_system,
		.event_fd = -1,
	};
	struct dp_config bad;
	struct dp *dp = NULL;
	char error[DP_ERROR_MAX];

#define REFUSED(change, word)                                                                      \
	bad = good;                                                                                \
	bad.change;                                                                                \
	error[0] = 0;                                                                              \
	cr_assert_eq(dp_open(&bad, &dp, error), -EINVAL, #change);                                 \
	cr_assert(strstr(error, word), "%s: %s", #change, error)

	cr_assert_eq(io_mem_open((struct io_mem **)&good.io_arg, &net), 0);
	REFUSED(n_workers = 0, "workers");
	REFUSED(n_workers = 65, "workers");
	REFUSED(ue_max = 0, "UEs");
	REFUSED(ue_max = DP_UE_MAX + 1, "UEs");
	REFUSED(push_max = 0, "pushes");
	REFUSED(port = 65535, "port");
	REFUSED(tuning.burst = 0, "burst");
	REFUSED(tuning.burst = 65, "burst");
	REFUSED(tuning.lap_pause_ms = 0, "pause");
	REFUSED(tuning.lap_pause_max_ms = 2499, "pause");
	REFUSED(io = "pigeon", "back end");
	REFUSED(cpus = "0", "a list of 2");
	REFUSED(cpus = "0-2", "a list of 2");
	REFUSED(cpus = "0,0", "a list of 2");
	REFUSED(cpus = "0,x", "a list of 2");
	REFUSED(cpus = "0,8191", "worker 1 cannot run on CPU 8191");
	REFUSED(cpus = "1023,0", "worker 0 cannot run on CPU 1023");
	REFUSED(aead = "envelope", "AEAD implementation \"envelope\"; it runs ");
	REFUSED(aead = "envelope", "openssl");
	REFUSED(sha256 = "sha512", "SHA-256 kernel \"sha512\"; it runs ");
	cr_assert_eq(dp_open(&good, &dp, error), 0);
	cr_assert_eq(dp_port(dp, 0), 65534);
	cr_assert_eq(dp_port(dp, 1), 65535);
	dp_close(dp);
	io_mem_close(good.io_arg);
}

// Of the network's datagrams, what protection leaves.
Test(dp_open, tells_the_longest_segment)
{
	static const struct {
		unsigned datagram, segment;
	} cases[] = {{49, 1}, {972, 924}, {FRAME_MAX, DP_SEGMENT_MAX}, {9000, DP_SEGMENT_MAX}};
	struct io_mem_config net = {.in_flight_max = 8, .inbox_max = 8, .device = no_device};
	struct dp_config config = {
		.n_workers = 2,
		.ue_max = 100,
		.push_max = 10,
		.io = "mem",
		.tuning = {.burst = 64, .lap_pause_ms = 2500, .lap_pause_max_ms = 2500},
		.clock = &clock_system,
		.event_fd = -1,
	};
	struct dp *dp = NULL;
	char error[DP_ERROR_MAX] = "";

	cr_assert_eq(io_mem_open((struct io_mem **)&config.io_arg, &net), 0);
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		io_mem_set_datagram_max(config.io_arg, cases[i].datagram);
		cr_assert_eq(dp_open(&config, &dp, error), 0, "%s", error);
		cr_expect_eq(dp_segment_max(dp), cases[i].segment);
		dp_close(dp);
	}
	io_mem_set_datagram_max(config.io_arg, 48);
	cr_expect_eq(dp_open(&config, &dp, error), -EMSGSIZE);
	cr_expect(strstr(error, "datagrams of 48 octets at most"), "%s", error);
	io_mem_close(config.io_arg);
}

// Memory that cannot be had: which, and what to lower.
Test(dp_open, says_what_has_no_room)
{
#ifdef __SANITIZE_ADDRESS__
	cr_skip("AddressSanitizer does not work with little address space");
#else
	const struct rlimit little = {1ull << 31, 1ull << 31};
	struct dp_config config = {
		.n_workers = 1,
		.ue_max = 1000,
		.push_max = 10,
		.kaf_cache = 1ull << 36,
		.io = "mem",
		.tuning = {.burst = 64, .lap_pause_ms = 1000, .lap_pause_max_ms = 1000},
	};
	char error[DP_ERROR_MAX];
	struct dp *dp;

	cr_assert_eq(setrlimit(RLIMIT_AS, &little), 0);
	cr_assert_eq(dp_open(&config, &dp, error), -ENOMEM);
	cr_assert(strstr(error, "dataplane.kaf_cache"), "%s", error);
	config.kaf_cache = 0;
	config.ue_max = 100000000;
	cr_assert_eq(dp_open(&config, &dp, error), -ENOMEM);
	cr_assert(strstr(error, "100000000 UEs"), "%s", error);
#endif
}

// A worker that has much to say does not keep the others waiting.
Test(dp_poll, goes_round_the_workers)
{
	struct world_config config = {.seed = 1, .n_devices = 40, .n_workers = 2};
	struct world *world = malloc(sizeof(*world));
	unsigned of[2] = {0}, left[2] = {0};
	struct dp_event event;

	world_open(world, &config);
	world_push_start(world, world_push_new(world, 0, 40, 3600, true, 8, 1184));
	for (unsigned i = 0; i < 60; i++) {
		dp_turn(world->dp, 0);
		dp_turn(world->dp, 1);
		io_mem_step(world->net);
	}
	for (unsigned d = 0; d < 40; d++)
		left[context_slot(world->devices[d].handle) % 2]++;
	while (left[0] + left[1]) {
		unsigned worker;

		cr_assert(dp_poll(world->dp, &event));
		cr_assert_eq(event.kind, DP_EVENT_REPLY);
		worker = context_slot(dp_push_handle(event.push, event.place)) % 2;
		left[worker]--;
		of[worker]++;
		cr_assert(!left[!worker] || of[worker] <= of[!worker] + 1);
	}
	cr_assert(dp_poll(world->dp, &event) && event.kind == DP_EVENT_DONE,
		  "behind the last reply");
	cr_assert_not(dp_poll(world->dp, &event));
	world_close(world);
	free(world);
}

Test(dp_fence, is_passed_by_all)
{
	struct world_config config = {.seed = 3, .n_devices = 1, .n_workers = 3};
	struct world *world = malloc(sizeof(*world));
	struct dp_event event;

	world_open(world, &config);
	dp_turn(world->dp, 0);
	for (uint64_t token = 7; token < 9; token++) {
		cr_assert(dp_fence(world->dp, token));
		for (unsigned worker = 0; worker < 3; worker++) {
			cr_assert_not(dp_poll(world->dp, &event));
			dp_turn(world->dp, worker);
		}
		cr_assert(dp_poll(world->dp, &event));
		cr_assert(event.kind == DP_EVENT_FENCE && event.token == token);
	}
	world_close(world);
	free(world);
}

// Control takes no events: nothing is lost, the worker does not spin, commands wait.
Test(dp_poll, a_full_ring_of_events_holds_the_rest)
{
	struct world_config config = {.seed = 4, .n_devices = 1, .n_workers = 1};
	struct world *world = malloc(sizeof(*world));
	struct dp_event event;
	uint64_t token = 0;

	world_open(world, &config);
	world_push_start(world, world_push_new(world, 0, 1, 3600, true, 8, 1184));
	dp_turn(world->dp, 0);
	for (unsigned i = 0; i < MAIL_EVENTS + 1; i++) {
		while (!dp_fence(world->dp, i))
			dp_turn(world->dp, 0);
	}
	while (dp_turn(world->dp, 0) || io_mem_step(world->net))
		;
	cr_assert_eq(dp_push_state(world->pushes[0].push, 0), DP_DELIVERED);
	cr_assert_not(dp_turn(world->dp, 0), "there is nothing to do but to wait");
	while (token <= MAIL_EVENTS) {
		cr_assert(dp_poll(world->dp, &event));
		if (event.kind == DP_EVENT_FENCE)
			cr_assert_eq(event.token, token++);
		else
			cr_assert_eq(event.kind, DP_EVENT_REPLY);
		dp_turn(world->dp, 0);
	}
	dp_turn(world->dp, 0);
	cr_assert(dp_poll(world->dp, &event) && event.kind == DP_EVENT_DONE);
	world_close(world);
	free(world);
}

// Replies of other pushes, at the same place, hide nothing.
Test(dp_push_states, are_behind_their_own_replies)
{
	struct world_config config = {.seed = 5, .n_devices = 2, .n_workers = 1};
	struct world *world = malloc(sizeof(*world));
	uint8_t states[4096];

	world_open(world, &config);
	world->devices[1].deaf = true;
	for (unsigned p = 0; p < 2; p++) {
		world_push_start(world, world_push_new(world, 0, 2, 3600, true, 8, 1184));
		for (unsigned i = 0; i < 20; i++) {
			dp_turn(world->dp, 0);
			io_mem_step(world->net);
		}
		dp_push_states(world->dp, world->pushes[p].push, states);
		cr_assert_eq(states[0] & 15, DP_SENT, "its reply is not told");
		dp_push_states(world->dp, world->pushes[0].push, states);
		cr_assert_eq(states[0] & 15, p ? DP_DELIVERED : DP_SENT);
		if (!p)
			world_step(world, 0);
	}
	world_close(world);
	free(world);
}

// Whether octets lie anywhere in an arena.
static bool lies_in(const struct arena *arena, const void *octets, size_t len)
{
	return memmem(arena->base, arena->used, octets, len) != NULL;
}

// A key is in the context and nowhere else; deleted or replaced, it is nowhere.
Test(keys, are_wiped)
{
	struct world_config config = {.seed = 2, .n_devices = 1, .n_workers = 1};
	struct world *world = malloc(sizeof(*world));
	uint32_t handle;
	uint8_t kakma[2][32];
	struct hmac_key state[2];

	world_open(world, &config);
	handle = world->devices[0].handle;
	random_fill(&world->random, kakma, sizeof(kakma));
	hmac_key_init(sha256_best(), kakma, 2, state);
	world_step(world, 0);
	for (unsigned i = 0; i < 2; i++) {
		cr_assert(dp_put_key(world->dp, handle, kakma[i], UINT32_MAX));
		cr_assert(lies_in(&world->dp->workers_arena, &state[i], 64), "on its way");
		world_step(world, 0);
		cr_assert(lies_in(&world->dp->contexts_arena, &state[i], 64));
		cr_assert_not(lies_in(&world->dp->workers_arena, &state[i].inner, 32));
		cr_assert_not(lies_in(&world->dp->workers_arena, &state[i].outer, 32));
	}
	cr_assert_not(lies_in(&world->dp->contexts_arena, &state[0].inner, 32));
	cr_assert(dp_del_key(world->dp, handle));
	world_step(world, 0);
	cr_assert_not(lies_in(&world->dp->contexts_arena, &state[1].inner, 32));
	cr_assert_not(lies_in(&world->dp->contexts_arena, &state[1].outer, 32));
	world_close(world);
	free(world);
}

// Many pushes whose next lap comes in one moment do not hold a round for all of them.
Test(dp_turn, wakes_a_bounded_number)
{
	struct world_config config = {.seed = 6, .n_devices = 1, .n_workers = 1};
	struct world *world = malloc(sizeof(*world));
	const struct due *due;

	world_open(world, &config);
	world->devices[0].deaf = true;
	for (unsigned p = 0; p < 60; p++)
		world_push_start(world, world_push_new(world, 0, 1, 3600, true, 8, 1184));
	for (unsigned i = 0; i < 100; i++)
		world_step(world, 1);
	due = &world->dp->workers[0].due;
	cr_assert_eq(due->n, 60);
	world_step(world, 5000);
	dp_turn(world->dp, 0);
	cr_assert(due->n >= 20 && due->n < 60, "%u of 60 still wait", due->n);
	while (dp_turn(world->dp, 0))
		;
	cr_assert_eq(world->taps, 120);
	world_close(world);
	free(world);
}
