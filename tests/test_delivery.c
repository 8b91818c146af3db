// Delivery from list to device and back, over a network that loses, repeats and reorders: the data
// plane against the UE library, on a clock that the test turns, over many seeds. AKMAPUSH_SEEDS
// sets how many, AKMAPUSH_SEED the first.

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "tests/kit/world.h"

enum { SEEDS = 2000, STEPS_MAX = 60000 };

static unsigned seeds(void)
{
	const char *given = getenv("AKMAPUSH_SEEDS");

	return given ? (unsigned)strtoul(given, NULL, 0) : SEEDS;
}

static uint32_t dice(struct random *random, uint32_t max)
{
	return random_next(random) % 3 ? (uint32_t)(random_next(random) % (max + 1)) : 0;
}

static struct world *some_world(struct random *random)
{
	struct world *world = malloc(sizeof(*world));
	struct world_config config = {
		.seed = random_next(random),
		.n_devices = 1 + (unsigned)(random_next(random) % 60),
		.n_workers = 1 + (unsigned)(random_next(random) % 3),
		.lost = dice(random, 400000),
		.twice = dice(random, 300000),
		.delayed = dice(random, 500000),
	};

	world_open(world, &config);
	return world;
}

static unsigned some_push(struct world *world, uint32_t validity_s, bool ack_wanted)
{
	struct random *random = &world->random;
	unsigned first = (unsigned)(random_next(random) % world->n_devices);
	unsigned n = 1 + (unsigned)(random_next(random) % (world->n_devices - first));
	size_t len =
		random_next(random) % 4 ? random_next(random) % 200 : random_next(random) % 3000;
	uint16_t segment = (uint16_t)(len < 200 ? 1184 : 200 + random_next(random) % 985);

	return world_push_new(world, first, n, validity_s, ack_wanted, len, segment);
}

static void end_world(struct world *world)
{
	world_close(world);
	free(world);
}

#define EXPECT(condition, seed) cr_assert(condition, "seed %#" PRIx64 ": %s", seed, world->failure)

// What holds of every push that is over: one final state each; what a device's application got, it
// got once; DELIVERED and REFUSED are the truth.
static void check_push(struct world *world, unsigned number)
{
	struct world_push *push = &world->pushes[number];
	uint64_t counts[DP_STATE_COUNT], sum = 0;

	dp_push_counts(push->push, counts);
	for (int s = 0; s < DP_STATE_COUNT; s++)
		sum += counts[s];
	EXPECT(sum == push->spec.n_handles, world->random.seed);
	EXPECT(counts[DP_PENDING] == 0, world->random.seed);
	EXPECT(counts[DP_SENT] == 0 || !push->spec.ack_wanted, world->random.seed);
	if (push->stopped && push->spec.expiry > world->clock.unix_ms / 1000)
		EXPECT(counts[DP_RECEIVED] + counts[DP_NO_CONTEXT] + counts[DP_NO_ADDRESS] +
				       counts[DP_EXPIRED] + counts[DP_UNCONFIRMED] ==
			       0,
		       world->random.seed);
	for (unsigned i = 0; i < world->n_devices; i++) {
		unsigned delivered = world->devices[i].delivered[number];
		enum dp_state state;

		EXPECT(delivered <= 1, world->random.seed);
		if (dp_push_place(push->push, world->devices[i].handle) == DP_NONE) {
			EXPECT(!delivered, world->random.seed);
			continue;
		}
		state = world_state(world, number, i);
		if (state == DP_DELIVERED || state == DP_REFUSED)
			EXPECT(delivered == 1, world->random.seed);
	}
	for (unsigned i = 0; i < push->spec.n_handles; i++)
		EXPECT(push->replies[i] <= 1, world->random.seed);
}

static void check_world(struct world *world)
{
	EXPECT(!world->failure[0], world->random.seed);
	EXPECT(!world->other_replies, world->random.seed);
	for (unsigned i = 0; i < world->n_pushes; i++)
		check_push(world, i);
}

Test(delivery, all_reached_in_spite_of_the_network, .timeout = 600)
{
	struct random random = random_start();

	for (unsigned i = 0; i < seeds() / 4; i++) {
		struct world *world = some_world(&random);
		unsigned number = some_push(world, 3600, true);

		world_push_start(world, number);
		EXPECT(world_run(world, 200, STEPS_MAX), world->random.seed);
		check_world(world);
		for (unsigned d = 0; d < world->n_devices; d++) {
			struct world_push *push = &world->pushes[number];

			if (dp_push_place(push->push, world->devices[d].handle) == DP_NONE)
				continue;
			EXPECT(world_state(world, number, d) == DP_DELIVERED, world->random.seed);
		}
		for (unsigned r = 0; r < world->pushes[number].spec.n_handles; r++)
			EXPECT(world->pushes[number].replies[r] == 1, world->random.seed);
		end_world(world);
	}
}

static void random_event(struct world *world)
{
	struct random *random = &world->random;
	unsigned d = (unsigned)(random_next(random) % world->n_devices);
	struct world_device *device = &world->devices[d];

	switch (random_next(random) % 40) {
	case 0:
		if (device->n_keys < WORLD_KEYS_MAX)
			world_authenticate(world, d);
		break;
	case 1:
		world_register(world, d);
		break;
	case 2:
		dp_del_key(world->dp, device->handle);
		break;
	case 3:
		dp_del_address(world->dp, device->handle);
		break;
	case 4:
		world_checkpoint(world);
		break;
	case 5:
		device->deaf = !device->deaf;
		break;
	case 6:
		device->status = (uint8_t)(random_next(random) % 3);
		break;
	case 7:
		io_mem_set_room(world->net, (uint32_t)(random_next(random) % 100));
		break;
	case 8:
		io_mem_set_room(world->net, UINT32_MAX);
		break;
	case 9:
		if (random_next(random) % 4 == 0)
			world_restart(world);
		break;
	case 10:
		dp_af_hot(world->dp, 0, random_next(random) % 2);
		break;
	default:
		break;
	}
}

static void random_stop(struct world *world, unsigned number)
{
	static const enum dp_state states[] = {DP_RECALLED, DP_REPLACED, DP_NOT_ALLOWED};
	struct world_push *push = &world->pushes[number];

	if (!push->push || push->done || push->stopped || random_next(&world->random) % 60)
		return;
	world_push_stop(world, number, states[random_next(&world->random) % 3]);
}

// Everything at once: keys change, come and go, devices fall silent, rings fill up, pushes are
// stopped, the process dies and goes on from old checkpoints.
Test(delivery, every_target_ends_once_whatever_happens, .timeout = 900)
{
	struct random random = random_start();

	for (unsigned i = 0; i < seeds(); i++) {
		struct world *world = some_world(&random);
		unsigned n = 1 + (unsigned)(random_next(&random) % 4);

		for (unsigned k = 0; k < n; k++)
			world_push_start(
				world, some_push(world, 5 + (uint32_t)(random_next(&random) % 200),
						 random_next(&random) % 4 != 0));
		for (unsigned step = 0; step < 600; step++) {
			random_event(world);
			random_stop(world, (unsigned)(random_next(&world->random) % n));
			world_step(world, random_next(&world->random) % 300);
		}
		io_mem_set_room(world->net, UINT32_MAX);
		EXPECT(world_run(world, 500, STEPS_MAX), world->random.seed);
		check_world(world);
		end_world(world);
	}
}

Test(delivery, a_new_key_between_two_laps_is_followed)
{
	struct world_config config = {.seed = 1, .n_devices = 10, .n_workers = 1};
	struct world *world = malloc(sizeof(*world));
	unsigned number;

	world_open(world, &config);
	for (unsigned d = 0; d < 10; d++)
		world->devices[d].deaf = true;
	number = world_push_new(world, 0, 10, 600, true, 64, 1184);
	world_push_start(world, number);
	for (unsigned i = 0; i < 20; i++)
		world_step(world, 10);
	cr_assert_eq(world->taps, 10, "the first lap");
	for (unsigned d = 0; d < 10; d++) {
		world->devices[d].deaf = false;
		// The old keys are forgotten on both sides: only the new ones can work.
		world_authenticate(world, d);
		world_authenticate(world, d);
		world_register(world, d);
	}
	cr_assert(world_run(world, 50, 1000));
	for (unsigned d = 0; d < 10; d++)
		cr_assert_eq(world_state(world, number, d), DP_DELIVERED);
	check_world(world);
	end_world(world);
}

// The first lap fills the cache of a hot AF, the second and all acknowledgements are served from
// it, but for those whose key is another since.
Test(delivery, a_hot_af_is_served_from_its_cache)
{
	struct world_config config = {.seed = 2, .n_devices = 40, .n_workers = 2};
	struct world *world = malloc(sizeof(*world));
	uint64_t counts[REASON_COUNT];

	world_open(world, &config);
	for (unsigned d = 0; d < 40; d++)
		world->devices[d].deaf = true;
	world_push_start(world, world_push_new(world, 0, 40, 600, true, 64, 1184));
	for (unsigned i = 0; i < 20; i++)
		world_step(world, 10);
	dp_counters(world->dp, DP_NONE, counts);
	cr_assert_eq(counts[REASON_KAF_MISSED], 40);
	cr_assert_eq(counts[REASON_KAF_CACHED], 0);
	for (unsigned d = 0; d < 40; d++)
		world->devices[d].deaf = false;
	world_authenticate(world, 7);
	world_authenticate(world, 7);
	world_register(world, 7);
	cr_assert(world_run(world, 50, 1000));
	dp_counters(world->dp, DP_NONE, counts);
	cr_assert_eq(counts[REASON_KAF_MISSED], 41, "the new key alone: %" PRIu64,
		     counts[REASON_KAF_MISSED]);
	cr_assert_eq(counts[REASON_KAF_CACHED], 79);
	for (unsigned d = 0; d < 40; d++)
		cr_assert_eq(world_state(world, 0, d), DP_DELIVERED);
	check_world(world);
	end_world(world);
}

Test(delivery, a_sleepy_device_is_due_when_it_registers)
{
	struct world_config config = {.seed = 2, .n_devices = 1, .n_workers = 1};
	struct world *world = malloc(sizeof(*world));
	unsigned number;

	world_open(world, &config);
	world->devices[0].deaf = true;
	number = world_push_new(world, 0, 1, 3600, true, 64, 1184);
	world_push_start(world, number);
	for (unsigned i = 0; i < 1000; i++)
		world_step(world, 100); // 100 s: pauses are 20 s by now
	world->devices[0].deaf = false;
	world_register(world, 0);
	for (unsigned i = 0; i < 60; i++)
		world_step(world, 50); // 3 s
	cr_assert_eq(world_state(world, number, 0), DP_DELIVERED);
	end_world(world);
}

Test(delivery, nothing_is_sent_past_expiry_or_key_lifetime)
{
	struct world_config config = {.seed = 3, .n_devices = 2, .n_workers = 1};
	struct world *world = malloc(sizeof(*world));
	uint32_t now_s;
	unsigned number;

	world_open(world, &config);
	now_s = (uint32_t)(world->clock.unix_ms / 1000);
	cr_assert(
		dp_put_key(world->dp, world->devices[0].handle, world->devices[0].kakma[0], now_s));
	world->devices[1].deaf = true;
	number = world_push_new(world, 0, 2, 20, true, 64, 1184);
	world_push_start(world, number);
	cr_assert(world_run(world, 100, 1000));
	cr_assert_eq(world_state(world, number, 0), DP_KEY_EXPIRED);
	cr_assert_eq(world_state(world, number, 1), DP_UNCONFIRMED);
	cr_assert_leq(world->clock.unix_ms, (now_s + 21) * 1000ull + 999);
	check_world(world);
	end_world(world);
}

Test(delivery, rates_are_kept)
{
	struct world_config config = {.seed = 4, .n_devices = 90, .n_workers = 1};
	struct world *world = malloc(sizeof(*world));
	struct dp_tuning tuning;
	uint64_t before;
	unsigned number;

	world_open(world, &config);
	dp_tuning(world->dp, &tuning);
	tuning.rate = 30;
	cr_assert(dp_tune(world->dp, &tuning));
	number = world_push_new(world, 0, 90, 600, true, 64, 1184);
	world_push_start(world, number);
	for (unsigned i = 0; i < 100; i++)
		world_step(world, 10); // 1 s
	cr_assert(world->taps >= 28 && world->taps <= 31, "%" PRIu64 " in a second", world->taps);
	before = world->taps;
	tuning.rate = 0;
	cr_assert(dp_tune(world->dp, &tuning));
	cr_assert(dp_af_rate(world->dp, 0, 20));
	for (unsigned i = 0; i < 100; i++)
		world_step(world, 10);
	cr_assert(world->taps - before >= 18 && world->taps - before <= 21, "%" PRIu64,
		  world->taps);
	end_world(world);
}

// A push is over with its last acknowledgement, not with the next lap.
Test(delivery, done_comes_with_the_last_acknowledgement)
{
	struct world_config config = {.seed = 5, .n_devices = 20, .n_workers = 2};
	struct world *world = malloc(sizeof(*world));
	unsigned number;

	world_open(world, &config);
	number = world_push_new(world, 0, 20, 600, true, 64, 1184);
	world_push_start(world, number);
	for (unsigned i = 0; i < 100; i++)
		world_step(world, 1); // 0.1 s: the next lap is 2.5 s away
	cr_assert(world->pushes[number].done);
	check_world(world);
	end_world(world);
}

// A rate so low that everything waits: what is recalled or has expired ends all the same.
Test(delivery, ends_do_not_wait_for_a_pace)
{
	struct world_config config = {.seed = 6, .n_devices = 20, .n_workers = 1};

	for (int of_af = 0; of_af < 2; of_af++) {
		struct world *world = malloc(sizeof(*world));
		struct dp_tuning tuning;

		world_open(world, &config);
		dp_tuning(world->dp, &tuning);
		tuning.rate = !of_af;
		cr_assert(dp_tune(world->dp, &tuning));
		cr_assert(dp_af_rate(world->dp, 0, (uint64_t)of_af));
		for (unsigned p = 0; p < 6; p++)
			world_push_start(world, world_push_new(world, p, 10, p == 2 ? 5 : 3600,
							       true, 64, 1184));
		for (unsigned i = 0; i < 30; i++)
			world_step(world, 100); // 3 s
		world_push_stop(world, 4, DP_RECALLED);
		world_push_stop(world, 0, DP_RECALLED);
		for (unsigned i = 0; i < 5; i++)
			world_step(world, 1);
		cr_assert(world->pushes[4].done && world->pushes[0].done);
		for (unsigned i = 0; i < 30; i++)
			world_step(world, 100);
		cr_assert(!of_af || world->pushes[2].done, "it has expired");
		cr_assert(!world->pushes[1].done && !world->pushes[3].done);
		cr_assert_leq(world->taps, 7);
		end_world(world);
	}
}

static unsigned busy_turns(struct world *world, unsigned steps, uint64_t ms)
{
	unsigned busy = 0;

	for (unsigned i = 0; i < steps; i++) {
		while (dp_turn(world->dp, 0))
			busy++;
		world_step(world, ms);
	}
	return busy;
}

// Many pushes of an AF with a low rate: each datagram wakes the one whose turn it is.
Test(delivery, those_who_wait_for_a_pace_take_turns)
{
	struct world_config config = {.seed = 7, .n_devices = 60, .n_workers = 1};
	struct world *world = malloc(sizeof(*world));
	unsigned busy;

	world_open(world, &config);
	cr_assert(dp_af_rate(world->dp, 0, 10));
	for (unsigned d = 0; d < 60; d++)
		world_push_start(world, world_push_new(world, d, 1, 3600, true, 64, 1184));
	busy = busy_turns(world, 310, 10); // 3.1 s
	cr_assert(world->taps >= 29 && world->taps <= 31, "%" PRIu64, world->taps);
	for (unsigned p = 0; p < 60; p++)
		cr_assert_eq(world->pushes[p].done, p < 30, "first come, first served: %u", p);
	busy += busy_turns(world, 320, 10);
	for (unsigned p = 0; p < 60; p++)
		cr_assert(world->pushes[p].done);
	cr_assert_lt(busy, 60 * 8, "%u turns for 60 datagrams", busy);
	check_world(world);
	end_world(world);
}

// What goes to the store must not say DELIVERED while the reply is still with the worker: who dies
// in between would never ask for it again.
Test(delivery, a_state_to_be_stored_is_behind_its_reply)
{
	struct world_config config = {.seed = 8, .n_devices = 3, .n_workers = 1};
	struct world *world = malloc(sizeof(*world));
	struct world_push *push;
	struct dp_event event;
	uint32_t place;

	world_open(world, &config);
	world->devices[1].status = 0; // no reply
	push = &world->pushes[world_push_new(world, 0, 3, 3600, true, 64, 1184)];
	world_push_start(world, 0);
	for (unsigned i = 0; i < 10; i++) {
		dp_turn(world->dp, 0);
		io_mem_step(world->net);
	}
	place = dp_push_place(push->push, world->devices[2].handle);
	cr_assert_eq(dp_push_state(push->push, place), DP_DELIVERED);
	world_checkpoint(world);
	cr_assert_eq(push->checkpoint[place / 2] >> (place % 2 * 4) & 15, DP_SENT);
	place = dp_push_place(push->push, world->devices[1].handle);
	cr_assert_eq(push->checkpoint[place / 2] >> (place % 2 * 4) & 15, DP_RECEIVED);
	while (dp_poll(world->dp, &event))
		place = event.place;
	world_checkpoint(world);
	cr_assert_eq(push->checkpoint[place / 2] >> (place % 2 * 4) & 15, DP_DELIVERED);
	end_world(world);
}

Test(delivery, a_storm_of_registrations_is_bounded)
{
	struct world_config config = {.seed = 9, .n_devices = 2, .n_workers = 1};
	struct world *world = malloc(sizeof(*world));
	uint64_t counts[REASON_COUNT];

	world_open(world, &config);
	world->devices[0].deaf = world->devices[1].deaf = true;
	for (unsigned p = 0; p < 60; p++)
		world_push_start(world, world_push_new(world, 0, 2, 3600, true, 64, 1184));
	for (unsigned i = 0; i < 300; i++)
		world_step(world, 10);
	for (unsigned i = 0; i < 60; i++)
		world_register(world, 0);
	world_step(world, 1);
	dp_counters(world->dp, DP_NONE, counts);
	cr_assert_eq(counts[REASON_DUE_AT_ONCE], 60, "each list was reached");
	cr_assert_eq(counts[REASON_DUE_HELD], 0);
	for (unsigned i = 0; i < 200; i++)
		world_register(world, 0);
	world_step(world, 1);
	dp_counters(world->dp, DP_NONE, counts);
	cr_assert(counts[REASON_DUE_HELD] > 100 && counts[REASON_DUE_HELD] < 200);
	end_world(world);
}

// What the network refuses never left: without ACKs it would be told as sent for good.
Test(delivery, what_is_refused_is_not_sent)
{
	struct world_config config = {.seed = 11, .n_devices = 20, .n_workers = 1};
	struct world *world = malloc(sizeof(*world));

	world_open(world, &config);
	world_push_start(world, world_push_new(world, 0, 20, 3600, false, 3000, 1184));
	world_push_start(world, world_push_new(world, 0, 20, 3600, true, 64, 1184));
	world_push_start(world, world_push_new(world, 0, 20, 10, true, 64, 1184));
	io_mem_set_dice(world->net, 0, 0, 0, IO_MEM_CERTAIN);
	for (unsigned i = 0; i < 200; i++)
		world_step(world, 100); // 20 s
	for (unsigned d = 0; d < 20; d++) {
		cr_assert_eq(world_state(world, 0, d), DP_PENDING);
		cr_assert_eq(world_state(world, 1, d), DP_PENDING);
		cr_assert_eq(world_state(world, 2, d), DP_EXPIRED);
	}
	io_mem_set_dice(world->net, 0, 0, 0, 0);
	world_register(world, 3);
	for (unsigned i = 0; i < 20; i++)
		world_step(world, 1);
	cr_assert_eq(world_state(world, 0, 3), DP_SENT, "a new key makes it due at once");
	cr_assert_eq(world_state(world, 1, 3), DP_DELIVERED);
	cr_assert(world_run(world, 100, 1000));
	for (unsigned d = 0; d < 20; d++) {
		cr_assert_eq(world_state(world, 0, d), DP_SENT);
		cr_assert_eq(world_state(world, 1, d), DP_DELIVERED);
	}
	end_world(world);
}

// A mark finds no address; the address that comes then is a mark of its own.
Test(delivery, a_mark_that_finds_nothing_is_spent)
{
	struct world_config config = {.seed = 12, .n_devices = 1, .n_workers = 1};
	struct world *world = malloc(sizeof(*world));
	struct dp_address address = {.port = 48470};

	world_open(world, &config);
	world->devices[0].deaf = true;
	world_push_start(world, world_push_new(world, 0, 1, 3600, true, 64, 1184));
	for (unsigned i = 0; i < 1000; i++)
		world_step(world, 100); // 100 s: pauses are 20 s by now
	world->devices[0].deaf = false;
	cr_assert(dp_del_address(world->dp, world->devices[0].handle));
	world_register(world, 0);
	for (unsigned i = 0; i < 60; i++)
		world_step(world, 50); // the hurry walk comes and goes
	memcpy(address.ip, world->devices[0].ip, 16);
	cr_assert(dp_put_address(world->dp, world->devices[0].handle, &address));
	for (unsigned i = 0; i < 10; i++)
		world_step(world, 50);
	cr_assert_eq(world_state(world, 0, 0), DP_DELIVERED);
	end_world(world);
}

// The ring of the back end is full in the middle of a burst, and of a message: the walk goes on
// from the first target that did not get all of it.
Test(delivery, a_full_ring_holds_a_walk_and_loses_nothing)
{
	struct world_config config = {.seed = 10, .n_devices = 20, .n_workers = 1};
	struct world *world = malloc(sizeof(*world));
	uint64_t counts[DP_STATE_COUNT];

	world_open(world, &config);
	world_push_start(world, world_push_new(world, 0, 20, 3600, false, 3000, 1184));
	for (unsigned round = 1; round <= 5; round++) {
		io_mem_set_room(world->net, 4); // a message and a third
		world_step(world, 1);
		dp_push_counts(world->pushes[0].push, counts);
		cr_assert_eq(counts[DP_SENT], round);
	}
	io_mem_set_room(world->net, UINT32_MAX);
	cr_assert(world_run(world, 1, 100), "without a further lap");
	for (unsigned i = 0; i < 40; i++)
		world_step(world, 1);
	for (unsigned d = 0; d < 20; d++)
		cr_assert_eq(world->devices[d].delivered[0], 1);
	check_world(world);
	end_world(world);
}

Test(delivery, what_was_sent_is_never_without_context_again)
{
	struct world_config config = {.seed = 11, .n_devices = 2, .n_workers = 1};
	struct world *world = malloc(sizeof(*world));

	world_open(world, &config);
	world->devices[0].deaf = world->devices[1].deaf = true;
	world_push_start(world, world_push_new(world, 0, 2, 60, true, 64, 1184));
	for (unsigned i = 0; i < 10; i++)
		world_step(world, 10);
	cr_assert(dp_del_key(world->dp, world->devices[0].handle));
	cr_assert(dp_del_address(world->dp, world->devices[1].handle));
	for (unsigned i = 0; i < 100; i++)
		world_step(world, 100); // two more laps
	cr_assert_eq(world_state(world, 0, 0), DP_SENT);
	cr_assert_eq(world_state(world, 0, 1), DP_SENT);
	cr_assert_eq(world->taps, 2, "nowhere to send to");
	cr_assert(world_run(world, 100, 10000));
	cr_assert_eq(world_state(world, 0, 0), DP_UNCONFIRMED);
	end_world(world);
}

// A clock that is set: forwards ends a push at its next lap at the latest, backwards stops nothing.
Test(delivery, a_clock_that_jumps)
{
	struct world_config config = {.seed = 12, .n_devices = 4, .n_workers = 1};
	struct world *world = malloc(sizeof(*world));

	world_open(world, &config);
	for (unsigned d = 0; d < 4; d++)
		world->devices[d].deaf = true;
	world_push_start(world, world_push_new(world, 0, 4, 600, true, 64, 1184));
	for (unsigned i = 0; i < 10; i++)
		world_step(world, 10);
	world->clock.unix_ms -= 3600 * 1000;
	for (unsigned i = 0; i < 30; i++)
		world_step(world, 100);
	cr_assert_eq(world->taps, 8, "the second lap came");
	world->clock.unix_ms += 2 * 3600 * 1000;
	for (unsigned i = 0; i < 60; i++)
		world_step(world, 100);
	cr_assert(world->pushes[0].done);
	cr_assert_eq(world->taps, 8, "nothing was sent past the expiry");
	cr_assert_eq(world_state(world, 0, 0), DP_UNCONFIRMED);
	end_world(world);
}

// Who comes later is served later, though there may be tokens enough for it
// and not for one that waits for many.
Test(delivery, nobody_passes_the_line)
{
	struct world_config config = {.seed = 16, .n_devices = 60, .n_workers = 1};
	struct world *world = malloc(sizeof(*world));
	unsigned n = 30;

	world_open(world, &config);
	cr_assert(dp_af_rate(world->dp, 0, 100));
	for (unsigned d = 0; d < 60; d++)
		world_push_new(world, d, 1, 3600, true, 160, d % 5 ? 160 : 10);
	for (unsigned p = 0; p < n; p++)
		world_push_start(world, p);
	for (unsigned step = 0; step < 400; step++) {
		bool is_behind = false;

		world_step(world, 10);
		if (n < 60 && step % 7 == 0)
			world_push_start(world, n++);
		for (unsigned p = 0; p < n; p++) {
			cr_assert(!is_behind || !world->pushes[p].done, "%u, step %u", p, step);
			is_behind |= !world->pushes[p].done;
		}
	}
	cr_assert(world_run(world, 1, 100));
	end_world(world);
}

Test(delivery, a_line_goes_on_when_its_first_leaves)
{
	struct world_config config = {.seed = 19, .n_devices = 3, .n_workers = 1};
	struct world *world = malloc(sizeof(*world));

	world_open(world, &config);
	cr_assert(dp_af_rate(world->dp, 0, 1));
	for (unsigned d = 0; d < 3; d++)
		world_push_start(world, world_push_new(world, d, 1, 3600, true, 160, 10));
	for (unsigned i = 0; i < 100; i++)
		world_step(world, 10);
	world_push_stop(world, 0, DP_RECALLED);
	for (unsigned i = 0; i < 180; i++)
		world_step(world, 100);
	cr_assert_eq(world->taps, 16, "16 tokens in 19 s, for the second");
	cr_assert(world->pushes[1].done && !world->pushes[2].done);
	cr_assert(dp_af_rate(world->dp, 0, 10000));
	for (unsigned i = 0; i < 20; i++)
		world_step(world, 1);
	cr_assert(world->pushes[2].done, "it does not wait for the old rate");
	end_world(world);
}

// Nothing is derived and sealed over and over for a ring that is full.
Test(delivery, a_full_ring_is_given_time)
{
	struct world_config config = {.seed = 13, .n_devices = 20, .n_workers = 1};
	struct world *world = malloc(sizeof(*world));
	uint64_t counts[REASON_COUNT];

	world_open(world, &config);
	io_mem_set_room(world->net, 0);
	world_push_start(world, world_push_new(world, 0, 20, 3600, true, 64, 1184));
	cr_assert_lt(busy_turns(world, 1, 1), 5);
	dp_counters(world->dp, 0, counts);
	cr_assert_leq(counts[REASON_TX_HELD], 20);
	io_mem_set_room(world->net, UINT32_MAX);
	cr_assert(world_run(world, 1, 200));
	check_world(world);
	end_world(world);
}

Test(delivery, a_new_address_is_used_at_once)
{
	struct world_config config = {.seed = 14, .n_devices = 1, .n_workers = 1};
	struct world *world = malloc(sizeof(*world));
	struct dp_address address = {.port = 48470};

	world_open(world, &config);
	memcpy(address.ip, world->devices[0].ip, 16);
	cr_assert(dp_del_address(world->dp, world->devices[0].handle));
	world_push_start(world, world_push_new(world, 0, 1, 3600, true, 64, 1184));
	for (unsigned i = 0; i < 10; i++)
		world_step(world, 10);
	cr_assert_eq(world_state(world, 0, 0), DP_NO_ADDRESS);
	cr_assert(dp_put_address(world->dp, world->devices[0].handle, &address));
	for (unsigned i = 0; i < 10; i++)
		world_step(world, 10);
	cr_assert_eq(world_state(world, 0, 0), DP_DELIVERED);
	end_world(world);
}

static uint64_t counted(struct world *world, enum reason reason)
{
	uint64_t counts[REASON_COUNT];

	dp_counters(world->dp, DP_NONE, counts);
	return counts[reason];
}

// Single pushes of many UEs share chains: only its own UE makes one due.
Test(delivery, a_ue_makes_its_own_pushes_due)
{
	struct world_config config = {.seed = 17, .n_devices = 60, .n_workers = 1};
	struct world *world = malloc(sizeof(*world));

	world_open(world, &config);
	for (unsigned d = 0; d < 60; d++) {
		world->devices[d].deaf = true;
		world_push_start(world, world_push_new(world, d, 1, 3600, true, 64, 1184));
	}
	for (unsigned i = 0; i < 100; i++)
		world_step(world, 1);
	for (unsigned d = 0; d < 60; d++) {
		world_register(world, d);
		world_step(world, 1);
		cr_assert_eq(counted(world, REASON_DUE_AT_ONCE), d + 1);
	}
	end_world(world);
}

Test(delivery, what_the_network_refuses_is_counted)
{
	struct world_config config = {.seed = 18, .n_devices = 9, .n_workers = 1};
	struct world *world = malloc(sizeof(*world));

	world_open(world, &config);
	io_mem_set_dice(world->net, 0, 0, 0, IO_MEM_CERTAIN);
	world_push_start(world, world_push_new(world, 0, 9, 3600, true, 64, 1184));
	for (unsigned i = 0; i < 20; i++)
		world_step(world, 1);
	cr_assert_eq(counted(world, REASON_TX_FAILED), 9);
	io_mem_set_dice(world->net, 0, 0, 0, 0);
	cr_assert(world_run(world, 100, 1000), "the next lap repeats them");
	cr_assert_eq(counted(world, REASON_TX_FAILED), 9);
	cr_assert_eq(counted(world, REASON_SENT_AGAIN), 0, "nothing was sent before");
	check_world(world);
	end_world(world);
}

// After a restart: what was final is not sent to again, what was not goes on.
Test(delivery, goes_on_from_stored_states)
{
	static const enum dp_state states[] = {DP_PENDING,    DP_SENT,       DP_RECEIVED,
					       DP_DELIVERED,  DP_REFUSED,    DP_TOO_OLD,
					       DP_NO_ADDRESS, DP_NOT_ALLOWED};
	struct world_config config = {.seed = 15, .n_devices = 8, .n_workers = 1};
	struct world *world = malloc(sizeof(*world));
	uint8_t packed[4096] = {0};
	struct world_push *push;

	world_open(world, &config);
	push = &world->pushes[world_push_new(world, 0, 8, 3600, true, 64, 1184)];
	world_push_start(world, 0);
	for (unsigned d = 0; d < 8; d++) {
		uint32_t place = dp_push_place(push->push, world->devices[d].handle);

		world->devices[d].deaf = true;
		packed[place / 2] |= (uint8_t)((unsigned)states[d] << (place % 2 * 4));
	}
	push->checkpoint = malloc(sizeof(packed));
	memcpy(push->checkpoint, packed, sizeof(packed));
	world_restart(world);
	for (unsigned d = 0; d < 8; d++)
		cr_assert_eq(world_state(world, 0, d), states[d]);
	for (unsigned i = 0; i < 20; i++)
		world_step(world, 10);
	cr_assert_eq(world->taps, 4);
	for (unsigned d = 0; d < 8; d++)
		cr_assert_eq(world_state(world, 0, d), d == 0 || d == 6 ? DP_SENT : states[d]);
	world_push_stop(world, 0, DP_RECALLED);
	cr_assert(world_run(world, 10, 100));
	for (unsigned d = 0; d < 8; d++)
		cr_assert_eq(world_state(world, 0, d), d < 3 || d == 6 ? DP_RECALLED : states[d]);
	end_world(world);
}
