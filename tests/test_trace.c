// Traces of single UEs: their datagrams and no others', sealed as they are on the wire, with what
// became of each; and that nothing waits for a trace.

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "dataplane/push.h"
#include "dataplane/trace.h"
#include "tests/kit/world.h"

enum { DEVICES = 20, COPIES_MAX = 512, PORT = 48470 };

struct copy {
	struct dp_datagram told;
	uint8_t octets[FRAME_MAX];
};

// A world and all that was traced in it.
struct traced {
	struct world world;
	struct copy copy[COPIES_MAX];
	unsigned n;
};

static struct traced *open_traced(unsigned n_workers)
{
	struct world_config config = {.seed = 78, .n_devices = DEVICES, .n_workers = n_workers};
	struct traced *t = calloc(1, sizeof(*t));

	world_open(&t->world, &config);
	return t;
}

static void close_traced(struct traced *t)
{
	cr_assert_str_empty(t->world.failure);
	world_close(&t->world);
	free(t);
}

static void trace(struct traced *t, unsigned device, bool on)
{
	cr_assert(dp_trace(t->world.dp, t->world.devices[device].handle, on));
	world_fence(&t->world);
}

static void push(struct traced *t, size_t payload_len, uint16_t segment_size)
{
	world_push_start(&t->world, world_push_new(&t->world, 0, DEVICES, 3600, true, payload_len,
						   segment_size));
}

static void set_deaf(struct traced *t)
{
	for (unsigned d = 0; d < DEVICES; d++)
		t->world.devices[d].deaf = true;
}

static void poll_copies(struct traced *t)
{
	struct dp_datagram datagram;

	while (dp_poll_trace(t->world.dp, &datagram)) {
		struct copy *copy = &t->copy[t->n++];

		cr_assert_leq(t->n, COPIES_MAX);
		copy->told = datagram;
		memcpy(copy->octets, datagram.octets, datagram.len);
		copy->told.octets = copy->octets;
	}
}

static void steps(struct traced *t, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		world_step(&t->world, 10);
		poll_copies(t);
	}
}

static uint64_t count(struct traced *t, enum reason reason)
{
	uint64_t counts[REASON_COUNT];

	dp_counters(t->world.dp, DP_NONE, counts);
	return counts[reason];
}

static unsigned worker_of(const struct traced *t, unsigned device)
{
	return context_slot(t->world.devices[device].handle) % t->world.config.n_workers;
}

// What is told of a datagram is what is true of it.
static void check_copy(const struct traced *t, unsigned i, unsigned device, unsigned worker,
		       enum reason reason)
{
	const struct dp_datagram *d = &t->copy[i].told;

	cr_assert_lt(i, t->n, "%u came", t->n);
	cr_assert_eq(d->handle, t->world.devices[device].handle);
	cr_assert_eq(d->reason, reason, "%s", reason_texts[d->reason].metric);
	cr_assert_eq(d->own_port, dp_port(t->world.dp, worker));
	cr_assert_arr_eq(d->peer.ip, t->world.devices[device].ip, 16);
	cr_assert_eq(d->peer.port, PORT);
	cr_assert_leq(d->time_ns, t->world.clock.mono_ns);
	cr_assert_geq(d->len, FRAME_MIN);
}

static void give(struct traced *t, unsigned worker, unsigned device, const uint8_t *octets,
		 size_t len)
{
	struct io_mem_datagram datagram = {.data = octets,
					   .len = len,
					   .port = PORT,
					   .worker_port = dp_port(t->world.dp, worker)};

	memcpy(datagram.ip, t->world.devices[device].ip, 16);
	cr_assert(io_mem_inject(t->world.net, &datagram));
}

// The device takes a copied PUSH as if it had come over the net, and its acknowledgement is made.
static size_t answer(struct traced *t, unsigned device, const struct copy *copy,
		     uint8_t ack[AKMAPUSH_UE_DATAGRAM_MAX])
{
	struct akmapush_ue_address source = {.port = copy->told.own_port}, to;
	struct akmapush_ue_now now = {.ms = t->world.clock.mono_ns / 1000000,
				      .unix_s = (uint32_t)(t->world.clock.unix_ms / 1000),
				      .trusted = true};
	struct akmapush_ue *ue = t->world.devices[device].ue;
	uint8_t scratch[AKMAPUSH_UE_SEGMENT_MAX];
	struct akmapush_ue_push push;
	int32_t n;

	cr_assert_eq(
		akmapush_ue_input(ue, copy->octets, copy->told.len, &source, &now, scratch, &push),
		AKMAPUSH_UE_DELIVERED);
	akmapush_ue_answer(ue, &push.id, 1, "done", 4, &now);
	n = akmapush_ue_ack(ue, &push.id, &now, ack, AKMAPUSH_UE_DATAGRAM_MAX, &to);
	cr_assert_gt(n, 0);
	return (size_t)n;
}

Test(trace, none_without_being_asked)
{
	struct traced *t = open_traced(2);

	push(t, 64, 1184);
	cr_assert(world_run(&t->world, 100, 2000));
	poll_copies(t);
	cr_assert_eq(t->n, 0);
	cr_assert_eq(count(t, REASON_TRACE_LOST), 0);
	close_traced(t);
}

Test(trace, its_push_and_acknowledgement_and_no_other)
{
	struct traced *t = open_traced(2);

	trace(t, 7, true);
	push(t, 64, 1184);
	cr_assert(world_run(&t->world, 100, 2000));
	poll_copies(t);
	cr_assert_eq(t->n, 2);
	check_copy(t, 0, 7, worker_of(t, 7), REASON_SENT);
	check_copy(t, 1, 7, worker_of(t, 7), REASON_RX);
	cr_assert_lt(t->copy[0].told.time_ns, t->copy[1].told.time_ns);
	cr_assert_eq(t->copy[0].octets[0], 0x11);
	cr_assert_eq(t->copy[1].octets[0], 0x12);
	cr_assert_eq(t->copy[1].told.len, FRAME_MIN + 4);
	cr_assert_arr_neq(t->copy[1].octets + FRAME_HEADER, "done", 4, "it was opened");
	cr_assert_arr_eq(t->copy[0].octets + 24, t->copy[1].octets + 24, 4, "one ref");
	close_traced(t);
}

Test(trace, a_copy_is_what_the_device_would_get)
{
	struct traced *t = open_traced(1);
	uint8_t ack[AKMAPUSH_UE_DATAGRAM_MAX];
	size_t len;

	set_deaf(t);
	trace(t, 3, true);
	push(t, 1184, 1184);
	steps(t, 5);
	cr_assert_eq(t->n, 1);
	cr_assert_eq(t->copy[0].told.len, FRAME_MAX);
	len = answer(t, 3, &t->copy[0], ack);
	give(t, 0, 3, ack, len);
	steps(t, 1);
	check_copy(t, 1, 3, 0, REASON_RX);
	cr_assert_eq(t->copy[1].told.len, len);
	cr_assert_arr_eq(t->copy[1].octets, ack, len);
	cr_assert_eq(world_state(&t->world, 0, 3), DP_DELIVERED);
	close_traced(t);
}

Test(trace, every_segment_and_every_lap)
{
	struct traced *t = open_traced(1);

	set_deaf(t);
	trace(t, 0, true);
	trace(t, 19, true);
	push(t, 40, 16);
	steps(t, 300); // the second lap begins after 2.5 s
	cr_assert_eq(t->n, 2 * 2 * 3);
	for (unsigned i = 0; i < 12; i++) {
		check_copy(t, i, i % 6 < 3 ? 0 : 19, 0, REASON_SENT);
		cr_assert_eq(t->copy[i].octets[FRAME_AT_SEGMENT], (i % 3) << 4 | 2);
	}
	for (unsigned i = 0; i < 6; i++)
		cr_assert_arr_eq(t->copy[i].octets, t->copy[i + 6].octets, t->copy[i].told.len);
	close_traced(t);
}

// Whatever becomes of an acknowledgement that claims to be the UE's; one that cannot be the UE's is
// not shown.
Test(trace, what_became_of_each)
{
	struct traced *t = open_traced(3);
	uint8_t ack[AKMAPUSH_UE_DATAGRAM_MAX], bad[AKMAPUSH_UE_DATAGRAM_MAX];
	unsigned mine = worker_of(t, 4);
	size_t len;

	set_deaf(t);
	trace(t, 4, true);
	push(t, 64, 1184);
	steps(t, 5);
	len = answer(t, 4, &t->copy[0], ack);

#define GIVE(worker, change)                                                                       \
	(memcpy(bad, ack, len), change, give(t, worker, 4, bad, len), steps(t, 1))

	GIVE(mine, bad[len - 1] ^= 1);
	check_copy(t, 1, 4, mine, REASON_RX_TAG);
	cr_assert_arr_eq(t->copy[1].octets, bad, len);
	GIVE((mine + 1) % 3, (void)0);
	check_copy(t, 2, 4, (mine + 1) % 3, REASON_RX_OTHER_WORKER);
	GIVE(mine, bad[1] ^= 3);     // another suite
	GIVE(mine, bad[23] ^= 1);    // another push
	GIVE(mine, bad[24] ^= 0x80); // another's ref, or nobody's
	GIVE(mine, bad[0] = 0x11);   // not an ACK
	cr_assert_eq(t->n, 3);
	cr_assert(dp_del_key(t->world.dp, t->world.devices[4].handle));
	GIVE(mine, (void)0);
	check_copy(t, 3, 4, mine, REASON_RX_NO_CONTEXT);
	world_register(&t->world, 4);
	GIVE(mine, (void)0);
	check_copy(t, t->n - 1, 4, mine, REASON_RX);
	GIVE(mine, (void)0);
	check_copy(t, t->n - 1, 4, mine, REASON_RX_FINAL);
	cr_assert_eq(count(t, REASON_TRACE_LOST), 0);
	close_traced(t);
}

// In one burst, between others' and twice: each is told of for itself.
Test(trace, a_burst_of_all_kinds)
{
	struct traced *t = open_traced(1);
	uint8_t ack[DEVICES][AKMAPUSH_UE_DATAGRAM_MAX];
	size_t len[DEVICES];

	set_deaf(t);
	for (unsigned d = 0; d < 16; d++)
		trace(t, d, true);
	push(t, 64, 1184);
	steps(t, 40);
	cr_assert_eq(t->n, 16);
	for (unsigned d = 0; d < 16; d++) {
		len[d] = answer(t, d, &t->copy[d], ack[d]);
		ack[d][len[d] - 1] ^= d & 1;
	}
	trace(t, 2, false);
	trace(t, 3, false);
	for (unsigned i = 0; i < 32; i++)
		give(t, 0, i % 16, ack[i % 16], len[i % 16]);
	t->n = 0;
	steps(t, 1);
	cr_assert_eq(t->n, 28);
	for (unsigned i = 0, d = 0; i < 28; i++, d = (d + 1) % 16) {
		d += d == 2 ? 2 : 0;
		check_copy(t, i, d, 0, d & 1 ? REASON_RX_TAG : REASON_RX);
		cr_assert_arr_eq(t->copy[i].octets, ack[d], len[d]);
	}
	close_traced(t);
}

Test(trace, what_did_not_leave_is_not_shown)
{
	struct traced *t = open_traced(1);

	set_deaf(t);
	for (unsigned d = 0; d < 16; d++)
		trace(t, d, true);
	io_mem_set_room(t->world.net, 0);
	push(t, 40, 16);
	steps(t, 20);
	cr_assert_gt(count(t, REASON_TX_HELD), 0);
	cr_assert_eq(t->n, 0);
	io_mem_set_room(t->world.net, 5); // a target and a part of the next
	steps(t, 20);
	cr_assert_eq(t->n, 5);
	t->n = 0;
	io_mem_set_dice(t->world.net, 0, 0, 0, IO_MEM_CERTAIN / 2);
	io_mem_set_room(t->world.net, UINT32_MAX);
	steps(t, 20);
	cr_assert_gt(count(t, REASON_TX_FAILED), 0);
	cr_assert_gt(t->n, 0);
	for (unsigned i = 0; i < t->n; i++) {
		cr_assert_eq(t->copy[i].told.reason, REASON_SENT);
		cr_assert_eq(t->copy[i].octets[0], 0x11);
	}
	close_traced(t);
}

// With all datagrams of the world traced, those shown are those that the net saw.
Test(trace, shows_as_many_as_left)
{
	struct traced *t = open_traced(1);
	struct io_mem_counts counts;

	set_deaf(t);
	for (unsigned d = 0; d < 16; d++)
		trace(t, d, true);
	io_mem_set_dice(t->world.net, 0, 0, 0, IO_MEM_CERTAIN / 3);
	world_push_start(&t->world, world_push_new(&t->world, 0, 16, 3600, true, 40, 16));
	for (unsigned i = 0; i < 3; i++) {
		steps(t, 100);
		io_mem_set_room(t->world.net, 7);
		steps(t, 200);
		io_mem_set_room(t->world.net, UINT32_MAX);
	}
	cr_assert_gt(count(t, REASON_TX_FAILED), 0);
	cr_assert_gt(count(t, REASON_TX_HELD), 0);
	io_mem_counts(t->world.net, &counts);
	cr_assert_eq(t->n, counts.sent - counts.refused);
	for (unsigned i = 0; i + 1 < t->n; i++)
		cr_assert_leq(t->copy[i].told.time_ns, t->copy[i + 1].told.time_ns);
	close_traced(t);
}

Test(trace, a_full_ring_is_counted_and_nothing_waits)
{
	struct traced *t = open_traced(1);
	uint8_t ack[AKMAPUSH_UE_DATAGRAM_MAX];
	size_t len;

	set_deaf(t);
	trace(t, 5, true);
	push(t, 64, 1184);
	steps(t, 5);
	len = answer(t, 5, &t->copy[0], ack);
	ack[len - 1] ^= 1;
	for (unsigned i = 0; i < TRACE_COPIES + 9; i++) {
		give(t, 0, 5, ack, len);
		world_step(&t->world, 0);
	}
	cr_assert_eq(count(t, REASON_TRACE_LOST), 9);
	cr_assert_eq(count(t, REASON_RX_TAG), TRACE_COPIES + 9);
	ack[len - 1] ^= 1;
	give(t, 0, 5, ack, len);
	world_step(&t->world, 0);
	cr_assert_eq(world_state(&t->world, 0, 5), DP_DELIVERED);
	cr_assert_eq(count(t, REASON_TRACE_LOST), 10);
	poll_copies(t);
	cr_assert_eq(t->n, 1 + TRACE_COPIES);
	give(t, 0, 5, ack, len);
	steps(t, 1);
	check_copy(t, t->n - 1, 5, 0, REASON_RX_FINAL);
	close_traced(t);
}

Test(trace, ends_when_told)
{
	struct traced *t = open_traced(2);

	trace(t, 7, true);
	trace(t, 8, true);
	push(t, 64, 1184);
	cr_assert(world_run(&t->world, 100, 2000));
	trace(t, 7, false);
	poll_copies(t);
	cr_assert_eq(t->n, 4);
	push(t, 64, 1184);
	cr_assert(world_run(&t->world, 100, 2000));
	poll_copies(t);
	cr_assert_eq(t->n, 6);
	check_copy(t, 4, 8, worker_of(t, 8), REASON_SENT);
	check_copy(t, 5, 8, worker_of(t, 8), REASON_RX);
	close_traced(t);
}

Test(trace, the_set_holds_each_once)
{
	struct trace *trace = calloc(1, sizeof(*trace));

	for (uint32_t i = 0; i < DP_TRACED_MAX; i++) {
		trace_put(trace, 7 * i);
		trace_put(trace, 7 * i);
		cr_assert_eq(trace->n, i + 1);
	}
	cr_assert_not(trace_has(trace, 1));
	trace_del(trace, 1);
	cr_assert_eq(trace->n, DP_TRACED_MAX);
	for (uint32_t i = 0; i < DP_TRACED_MAX; i++) {
		cr_assert(trace_has(trace, 7 * i));
		trace_del(trace, 7 * i);
		cr_assert_not(trace_has(trace, 7 * i));
	}
	cr_assert_eq(trace->n, 0);
	free(trace);
}
