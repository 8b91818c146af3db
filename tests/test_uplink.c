// Acknowledgements, genuine and not, straight into a worker: each datagram is counted for one
// reason, none is answered, and only a genuine one of an open target changes anything.

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "dataplane/push.h"
#include "tests/kit/world.h"
#include "ue/protocol.h"

static const struct akmapush_ue_af af = {.fqdn = "meters.example.com",
					 .ua_star_id = {0xff, 0x41, 0x4b, 0x50, 0x01}};

// Deaf devices in two slots, all sent to.
static struct world *open_world(unsigned n_workers)
{
	struct world_config config = {.seed = 77, .n_devices = 20, .n_workers = n_workers};
	struct world *world = malloc(sizeof(*world));

	world_open(world, &config);
	for (unsigned d = 0; d < 20; d++)
		world->devices[d].deaf = true;
	world_push_start(world, world_push_new(world, 0, 20, 3600, true, 64, 1184));
	for (unsigned i = 0; i < 40; i++)
		world_step(world, 10);
	cr_assert_eq(world->taps, 20);
	return world;
}

static void close_world(struct world *world)
{
	cr_assert_eq(world->taps, 20, "something was answered");
	world_close(world);
	free(world);
}

static size_t ack_seal(const struct world *world, unsigned number, unsigned device, uint8_t status,
		       const char *reply, uint8_t *out)
{
	const struct world_push *push = &world->pushes[number];
	struct apue_ack_fields fields = {.suite = push->spec.suite,
					 .status = status,
					 .reply = (const uint8_t *)reply,
					 .reply_len = strlen(reply)};
	uint8_t kaf[32];

	memcpy(fields.push_id, push->spec.push_id, 16);
	store32_be(fields.ref,
		   ref_of_place(&push->push->ref_key,
				dp_push_place(push->push, world->devices[device].handle)));
	apue_kaf(&akmapush_ue_crypto_openssl, world->devices[device].kakma[0], &af, kaf);
	return apue_ack_seal(&akmapush_ue_crypto_openssl, kaf, &fields, out);
}

static unsigned worker_of(const struct world *world, unsigned device)
{
	return context_slot(world->devices[device].handle) % world->config.n_workers;
}

static void give(struct world *world, unsigned worker, const uint8_t *octets, size_t len)
{
	struct io_mem_datagram datagram = {
		.data = octets, .len = len, .port = 1, .worker_port = dp_port(world->dp, worker)};

	cr_assert(io_mem_inject(world->net, &datagram));
}

// Gives the datagram to a worker; it is counted once, for this reason.
static void expect(struct world *world, unsigned worker, const uint8_t *octets, size_t len,
		   enum reason wanted)
{
	uint64_t before[REASON_COUNT], after[REASON_COUNT];

	dp_counters(world->dp, worker, before);
	give(world, worker, octets, len);
	world_step(world, 0);
	dp_counters(world->dp, worker, after);
	for (int r = REASON_RX_SHORT; r <= REASON_ACK_TOO_OLD; r++)
		cr_assert_eq(after[r] - before[r], r == (int)wanted, "%s", reason_texts[r].metric);
}

Test(uplink, states_follow_acknowledgements)
{
	static const struct {
		uint8_t status;
		enum reason reason;
		enum dp_state state;
	} steps[] = {
		{0, REASON_ACK_RECEIVED, DP_RECEIVED},   {0, REASON_ACK_RECEIVED, DP_RECEIVED},
		{1, REASON_ACK_DELIVERED, DP_DELIVERED}, {2, REASON_RX_FINAL, DP_DELIVERED},
		{0, REASON_RX_FINAL, DP_DELIVERED},
	};
	struct world *world = open_world(1);
	uint8_t ack[FRAME_MAX];

	for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		expect(world, 0, ack, ack_seal(world, 0, 3, steps[i].status, "", ack),
		       steps[i].reason);
		cr_assert_eq(world_state(world, 0, 3), steps[i].state);
	}
	expect(world, 0, ack, ack_seal(world, 0, 6, 0, "", ack), REASON_ACK_RECEIVED);
	expect(world, 0, ack, ack_seal(world, 0, 6, 3, "", ack), REASON_RX_FINAL);
	cr_assert_eq(world_state(world, 0, 6), DP_RECEIVED, "1 or 2 may follow");
	expect(world, 0, ack, ack_seal(world, 0, 6, 2, "", ack), REASON_ACK_REFUSED);
	expect(world, 0, ack, ack_seal(world, 0, 4, 2, "", ack), REASON_ACK_REFUSED);
	cr_assert_eq(world_state(world, 0, 4), DP_REFUSED);
	expect(world, 0, ack, ack_seal(world, 0, 5, 3, "", ack), REASON_ACK_TOO_OLD);
	cr_assert_eq(world_state(world, 0, 5), DP_TOO_OLD);
	close_world(world);
}

Test(uplink, a_flipped_bit_is_never_taken)
{
	struct world *world = open_world(1);
	uint8_t ack[FRAME_MAX];
	size_t len = ack_seal(world, 0, 7, 1, "done", ack);
	uint64_t before[REASON_COUNT], after[REASON_COUNT];

	dp_counters(world->dp, 0, before);
	for (size_t bit = 0; bit < 8 * len; bit++) {
		ack[bit / 8] ^= (uint8_t)(1 << bit % 8);
		give(world, 0, ack, len);
		world_step(world, 0);
		ack[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	dp_counters(world->dp, 0, after);
	for (unsigned d = 0; d < 20; d++)
		cr_assert_eq(world_state(world, 0, d), DP_SENT);
	cr_assert_eq(after[REASON_RX] - before[REASON_RX], 8 * len);
	cr_assert_geq(after[REASON_RX_TAG] - before[REASON_RX_TAG], 8 * (4 + 3 + 4 + 16),
		      "salt, reply and tag");
	expect(world, 0, ack, len, REASON_ACK_DELIVERED);
	close_world(world);
}

Test(uplink, each_reason_to_drop)
{
	struct world *world = open_world(3);
	const struct ref_key *key = &world->pushes[0].push->ref_key;
	uint8_t ack[FRAME_MAX], bad[FRAME_MAX];
	size_t len = ack_seal(world, 0, 0, 1, "", ack);
	unsigned mine = worker_of(world, 0);

#define CHANGED(change) (memcpy(bad, ack, len), change, bad)

	expect(world, mine, ack, 47, REASON_RX_SHORT);
	expect(world, mine, CHANGED(bad[1] ^= 3), len, REASON_RX_SUITE);
	expect(world, mine, CHANGED(bad[23] ^= 1), len, REASON_RX_UNKNOWN_PUSH);
	expect(world, mine, CHANGED(bad[28] = 0), len, REASON_RX_TAG);
	expect(world, mine,
	       CHANGED(store32_be(bad + 24,
				  ref_of_place(key, dp_push_places(world->pushes[0].push)))),
	       len, REASON_RX_REF);
	expect(world, mine, CHANGED(store32_be(bad + 24, ref_of_place(key, UINT32_MAX))), len,
	       REASON_RX_REF);
	expect(world, (mine + 1) % 3, ack, len, REASON_RX_OTHER_WORKER);
	expect(world, (mine + 2) % 3, ack, len, REASON_RX_OTHER_WORKER);
	cr_assert(dp_del_key(world->dp, world->devices[0].handle));
	expect(world, mine, ack, len, REASON_RX_NO_CONTEXT);
	world_authenticate(world, 0);
	world_register(world, 0);
	expect(world, mine, ack, len, REASON_RX_TAG);
	cr_assert_eq(world_state(world, 0, 0), DP_SENT);
	close_world(world);
}

// Places between two slots belong to nobody.
Test(uplink, an_empty_place_is_nobody)
{
	struct world *world = open_world(1);
	const struct dp_push *push = world->pushes[0].push;
	uint8_t ack[FRAME_MAX];
	size_t len = ack_seal(world, 0, 0, 1, "", ack);
	unsigned empty = 0;

	for (uint32_t place = 0; place < dp_push_places(push); place++) {
		if (dp_push_handle(push, place) != DP_NONE)
			continue;
		store32_be(ack + 24, ref_of_place(&push->ref_key, place));
		expect(world, 0, ack, len, REASON_RX_REF);
		empty++;
	}
	cr_assert_gt(empty, 0);
	close_world(world);
}

// One burst of three pushes' acknowledgements in turn, with all else between them, counts as the
// same datagrams one by one do.
Test(uplink, a_mixed_burst_is_as_one_by_one)
{
	enum { DATAGRAMS = 60 };
	static uint8_t datagram[DATAGRAMS][FRAME_MAX];
	size_t len[DATAGRAMS];
	uint64_t counts[2][REASON_COUNT];

	for (int at_once = 0; at_once < 2; at_once++) {
		struct world *world = open_world(1);

		for (unsigned p = 1; p < 3; p++)
			world_push_start(world, world_push_new(world, 0, 20, 3600, true, 8, 1184));
		for (unsigned i = 0; i < DATAGRAMS; i++) {
			uint8_t *const d = datagram[i];

			len[i] = ack_seal(world, i % 3, i / 3, i % 4, "", d);
			if (i % 7 == 3)
				store32_be(d + 24, UINT32_MAX - i); // another's, or nobody's
			if (i % 7 == 4)
				d[1] ^= 3;
			if (i % 7 == 5)
				d[len[i] - 1] ^= 1;
			if (i % 11 == 6)
				d[23] ^= 1;
			give(world, 0, d, i % 13 == 7 ? 40 : len[i]);
			if (!at_once)
				dp_turn(world->dp, 0);
		}
		dp_turn(world->dp, 0);
		dp_counters(world->dp, 0, counts[at_once]);
		world_close(world);
		free(world);
	}
	for (int r = REASON_RX; r <= REASON_ACK_TOO_OLD; r++)
		cr_assert_eq(counts[0][r], counts[1][r], "%s: %" PRIu64 " one by one, %" PRIu64,
			     reason_texts[r].metric, counts[0][r], counts[1][r]);
	cr_assert(counts[1][REASON_RX] == DATAGRAMS && counts[1][REASON_RX_SUITE] &&
		  counts[1][REASON_RX_SHORT] && counts[1][REASON_RX_UNKNOWN_PUSH] &&
		  counts[1][REASON_RX_TAG] && counts[1][REASON_ACK_DELIVERED]);
}

Test(uplink, twice_in_a_burst_is_one_reply)
{
	struct world *world = open_world(1);
	uint8_t ack[FRAME_MAX];
	size_t len = ack_seal(world, 0, 2, 2, "done", ack);

	give(world, 0, ack, len);
	give(world, 0, ack, len);
	world_step(world, 0);
	cr_assert_eq(world->pushes[0].replies[2], 1);
	cr_assert_eq(world_state(world, 0, 2), DP_REFUSED);
	close_world(world);
}

// Control is behind: what finds no room for its reply is not final, and comes again.
Test(uplink, no_state_without_room_for_its_reply)
{
	struct world *world = open_world(1);
	unsigned delivered = 0, told = 0;
	uint64_t counts[REASON_COUNT];
	uint8_t ack[FRAME_MAX];
	struct dp_event event;

	for (unsigned p = 1; p < 60; p++)
		world_push_start(world, world_push_new(world, 0, 20, 3600, true, 8, 1184));
	for (unsigned i = 0; i < 1200; i++) {
		give(world, 0, ack, ack_seal(world, i / 20, i % 20, 1, "done", ack));
		dp_turn(world->dp, 0);
	}
	for (unsigned i = 0; i < 1200; i++)
		delivered += world_state(world, i / 20, i % 20) == DP_DELIVERED;
	dp_counters(world->dp, 0, counts);
	cr_assert_gt(counts[REASON_RX_REPLY_HELD], 0);
	cr_assert_eq(counts[REASON_RX_REPLY_HELD] + delivered, 1200);
	while (dp_poll(world->dp, &event))
		told += event.kind == DP_EVENT_REPLY;
	cr_assert_eq(told, delivered);
	world_close(world);
	free(world);
}

// A push that stands in line for its AF's pace is over with its last acknowledgement, not when its
// turn comes.
Test(uplink, the_last_one_ends_a_push_in_line)
{
	struct world *world = open_world(1);
	uint8_t ack[FRAME_MAX];

	cr_assert(dp_af_rate(world->dp, 0, 1));
	for (unsigned p = 1; p < 6; p++)
		world_push_start(world, world_push_new(world, 0, 20, 3600, true, 8, 1184));
	for (unsigned i = 0; i < 50; i++)
		world_step(world, 100); // its second lap has begun
	for (unsigned d = 0; d < 20; d++) {
		give(world, 0, ack, ack_seal(world, 0, d, 1, "", ack));
		world_step(world, 0);
	}
	world_step(world, 0);
	cr_assert(world->pushes[0].done);
	cr_assert_not(world->pushes[1].done);
	world_close(world);
	free(world);
}
