// Past the kernel too nothing is allocated after start, and no payload is copied once it is sealed.
// A port of the driver net_ring gives back the very buffers that it was given: what a frame in it
// carries must lie where protect_seal left it, octet by octet the same. And memcpy, which the
// linker lets through here, may move nothing as long as a payload in any round of the worker.
//
// Half of the frames come back as if a device had sent them, so that the rounds have all that a
// worker does with datagrams in them; as acknowledgements they are none.

#include <rte_ethdev.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "dataplane/dp.h"
#include "dataplane/io/io_dpdk.h"
#include "dataplane/protect.h"
#include "tests/kit/malloc_gate.h"

enum {
	UES = 3000,
	PUSHES = 3,
	SEGMENT = 600,
	SEGMENTS = 3,
	COPY_MIN = SEGMENT / 2, // less than any datagram's payload
	BUFFERS = 4096,         // at least as many as there are
	HOUR_S = 3600,
};

#define PATIENCE_NS 60000000000u

// ---- The gate before memcpy

static volatile bool is_round; // of the worker; not while the test itself looks
static unsigned copies;

void *__real_memcpy(void *to, const void *from, size_t n);
void *__real_memmove(void *to, const void *from, size_t n);
void *__wrap_memcpy(void *to, const void *from, size_t n);
void *__wrap_memmove(void *to, const void *from, size_t n);
void *__wrap___memcpy_chk(void *to, const void *from, size_t n, size_t room);
void *__wrap___memmove_chk(void *to, const void *from, size_t n, size_t room);

static void count_copy(size_t n)
{
	copies += is_round && n >= COPY_MIN;
}

void *__wrap_memcpy(void *to, const void *from, size_t n)
{
	count_copy(n);
	return __real_memcpy(to, from, n);
}

void *__wrap_memmove(void *to, const void *from, size_t n)
{
	count_copy(n);
	return __real_memmove(to, from, n);
}

void *__wrap___memcpy_chk(void *to, const void *from, size_t n, size_t room)
{
	if (n > room)
		abort();
	return __wrap_memcpy(to, from, n);
}

void *__wrap___memmove_chk(void *to, const void *from, size_t n, size_t room)
{
	if (n > room)
		abort();
	return __wrap_memmove(to, from, n);
}

static bool copy_gate_works(void)
{
	static uint8_t from[COPY_MIN], to[COPY_MIN];
	volatile size_t n = sizeof(to);

	is_round = true;
	memcpy(to, from, n);
	memmove(to, from, n);
	is_round = false;
	n = copies;
	copies = 0;
	return n == 2;
}

// ---- What was sealed, by where

struct sealed {
	const uint8_t *data;
	uint16_t len; // 0: the port has had it
	uint8_t octets[FRAME_MAX];
};

static struct sealed sealed[2 * BUFFERS];
static unsigned n_sealed, n_in_place, n_elsewhere, n_turned;

static struct sealed *place_of(const uint8_t *data)
{
	unsigned at = (unsigned)((uintptr_t)data / 64 * 0x9e3779b1u);

	for (;; at++) {
		struct sealed *const s = &sealed[at % (2 * BUFFERS)];

		if (!s->data || s->data == data)
			return s;
	}
}

void __real_protect_seal(struct protect *protect, const struct dp_push *push,
			 const struct target target[], unsigned n, struct frame *const frame[]);
void __wrap_protect_seal(struct protect *protect, const struct dp_push *push,
			 const struct target target[], unsigned n, struct frame *const frame[]);

void __wrap_protect_seal(struct protect *protect, const struct dp_push *push,
			 const struct target target[], unsigned n, struct frame *const frame[])
{
	__real_protect_seal(protect, push, target, n, frame);
	is_round = false;
	for (unsigned i = 0; i < n * SEGMENTS; i++) {
		struct sealed *const s = place_of(frame[i]->data);

		s->data = frame[i]->data;
		s->len = frame[i]->len;
		memcpy(s->octets, s->data, s->len);
		n_sealed++;
	}
	is_round = true;
}

// ---- What the port has

// The payload of a frame that left.
static uint8_t *payload_of(const struct rte_mbuf *m, unsigned *len)
{
	uint8_t *const p = rte_pktmbuf_mtod(m, uint8_t *);
	const unsigned ip = load16_be(p + 12) == 0x0800 ? PACKET_IPV4_HEADER : PACKET_IPV6_HEADER;
	const unsigned headers = PACKET_ETHERNET + ip + PACKET_UDP_HEADER;

	*len = m->pkt_len - headers;
	return p + headers;
}

// It goes back to the worker: addresses and ports change places, which no checksum minds.
static void turn_round(struct rte_mbuf *m)
{
	uint8_t *const ip = rte_pktmbuf_mtod(m, uint8_t *) + PACKET_ETHERNET;
	const uint32_t from = load32_be(ip + 12);
	const uint16_t port = load16_be(ip + 20);

	if (load16_be(ip - 2) != 0x0800)
		return;
	store32_be(ip + 12, load32_be(ip + 16));
	store32_be(ip + 16, from);
	store16_be(ip + 20, load16_be(ip + 22));
	store16_be(ip + 22, port);
	n_turned++;
}

static uint16_t look(uint16_t port, uint16_t queue, struct rte_mbuf *mbuf[], uint16_t n,
		     uint16_t max, void *ctx)
{
	(void)port, (void)queue, (void)max, (void)ctx;
	is_round = false;
	for (unsigned i = 0; i < n; i++) {
		unsigned len;
		const uint8_t *const payload = payload_of(mbuf[i], &len);
		struct sealed *const s = place_of(payload);
		const bool is_there = mbuf[i]->nb_segs == 1 && s->data && s->len == len &&
				      !memcmp(s->octets, payload, len);

		n_in_place += is_there;
		n_elsewhere += !is_there;
		s->len = 0;
		turn_round(mbuf[i]);
	}
	is_round = true;
	return n;
}

// ---- The data plane

static const uint8_t own_ip[2][16] = {
	{[10] = 0xff, [11] = 0xff, 10, 0, 0, 1},
	{0xfd, [15] = 1},
};

static void port_init(struct io_dpdk_config *config)
{
	static const char *const eal[] = {"--no-huge", "-m", "64", "--no-shconf", "--no-telemetry"};
	struct host_config *const host = &config->port[0].host;

	*config = (struct io_dpdk_config){
		.n_args = sizeof(eal) / sizeof(eal[0]), .n_ports = 1, .n_workers = 1};
	memcpy(config->arg, eal, sizeof(eal));
	config->port[0].device = "net_ring0";
	host->n_addresses = host->n_neighbours = 2;
	for (unsigned f = 0; f < 2; f++) {
		memcpy(host->address[f].ip, own_ip[f], 16);
		host->address[f].prefix = f ? 64 : 120;
		memcpy(host->gateway[f], own_ip[f], 16);
		host->gateway[f][15] = 2;
		host->has_gateway[f] = true;
		memcpy(host->neighbour[f].ip, host->gateway[f], 16);
		memcpy(host->neighbour[f].mac, (const uint8_t[6]){2, [5] = 2}, 6);
	}
}

static struct dp *open_dp(struct io_dpdk_config *ports)
{
	const struct dp_config config = {
		.n_workers = 1,
		.ue_max = UES,
		.push_max = PUSHES,
		.io = "dpdk",
		.port = 7777,
		.tuning = {.burst = 64, .lap_pause_ms = 2500, .lap_pause_max_ms = 2500},
		.clock = &clock_system,
		.io_arg = ports,
		.event_fd = -1,
	};
	char error[DP_ERROR_MAX] = "";
	struct dp *dp;

	if (!dp_open(&config, &dp, error))
		return dp;
	fprintf(stderr, "dp_open: %s\n", error);
	exit(1);
}

// Of both families, in turn.
static void put_ues(struct dp *dp)
{
	bool good = !dp_set_handles(dp, UES);

	for (uint32_t i = 0; i < UES; i++) {
		struct dp_address address = {.port = 48470};
		uint8_t kakma[32] = {0};

		store32_be(kakma, i);
		memcpy(address.ip, own_ip[i % 2], 16);
		address.ip[i % 2 ? 1 : 13] = 9; // behind the gateway
		store16_be(address.ip + 14, (uint16_t)i);
		good = good && dp_put_key(dp, i, kakma, UINT32_MAX) &&
		       dp_put_address(dp, i, &address);
	}
	if (!good)
		abort();
}

static struct dp_push *start_push(struct dp *dp, uint8_t number, bool ack_wanted)
{
	static uint8_t payload[SEGMENT * SEGMENTS];
	static uint32_t handles[UES];
	const struct dp_push_spec spec = {
		.push_id = {number},
		.suite = 1,
		.ack_wanted = ack_wanted,
		.expiry = clock_unix_s(&clock_system) + HOUR_S,
		.af_id = "meters.example\xff\x41\x4b\x50\x01",
		.af_id_len = 19,
		.payload = payload,
		.payload_len = sizeof(payload),
		.segment_size = SEGMENT,
		.handles = handles,
		.n_handles = UES,
	};
	struct dp_push *push;
	int error;

	for (uint32_t i = 0; i < UES; i++)
		handles[i] = i;
	push = dp_push_new(dp, &spec, &error);
	if (!push || !dp_push_start(dp, push))
		abort();
	return push;
}

static void turn(struct dp *dp)
{
	malloc_gate_close();
	is_round = true;
	dp_turn(dp, 0);
	is_round = false;
	malloc_gate_open();
}

static size_t rte_allocations(void)
{
	struct rte_malloc_socket_stats stats;
	size_t n = 0;

	for (int i = 0; i < (int)rte_socket_count(); i++) {
		if (!rte_malloc_get_socket_stats(rte_socket_id_by_idx((unsigned)i), &stats))
			n += stats.alloc_count;
	}
	return n;
}

// Rounds until all of it has left and come back, or nobody has patience any more.
static void run(struct dp *dp)
{
	const uint64_t end = clock_mono_ns(&clock_system) + PATIENCE_NS;
	const unsigned wanted = PUSHES * UES * SEGMENTS;

	while (n_in_place + n_elsewhere < wanted && clock_mono_ns(&clock_system) < end)
		turn(dp);
	for (unsigned i = 0; i < 100; i++)
		turn(dp);
}

static bool is_good(struct dp *dp)
{
	const unsigned wanted = PUSHES * UES * SEGMENTS;
	uint64_t counts[PORT_COUNT_COUNT];

	dp_port_counters(dp, 0, DP_NONE, counts);
	printf("%u datagrams sealed, %u in the port's frames in place, %u elsewhere\n", n_sealed,
	       n_in_place, n_elsewhere);
	printf("%u came back, %llu for the worker\n", n_turned,
	       (unsigned long long)counts[PORT_RX_UDP]);
	printf("%u allocations, %u copies of a payload in the rounds\n", malloc_gate_passed(),
	       copies);
	return n_in_place == wanted && !n_elsewhere && counts[PORT_RX_UDP] == n_turned &&
	       n_turned == wanted / 2 && !malloc_gate_passed() && !copies;
}

int main(void)
{
	struct io_dpdk_config ports;
	struct dp_push *push[PUSHES];
	struct dp *dp;
	size_t before;
	bool good;

	if (!malloc_gate_works() || !copy_gate_works())
		return fprintf(stderr, "a gate is not in the link\n"), 1;
	port_init(&ports);
	dp = open_dp(&ports);
	put_ues(dp);
	if (!rte_eth_add_rx_callback(0, 0, look, NULL))
		return fprintf(stderr, "this DPDK has no callbacks\n"), 1;
	turn(dp);
	before = rte_allocations();
	for (unsigned i = 0; i < PUSHES; i++)
		push[i] = start_push(dp, (uint8_t)(i + 1), i == 1);
	run(dp);
	good = is_good(dp) && rte_allocations() == before;
	dp_stop(dp);
	for (unsigned i = 0; i < PUSHES; i++)
		dp_push_free(push[i]);
	dp_close(dp);
	return !good;
}
