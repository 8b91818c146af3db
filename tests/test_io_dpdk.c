// The back end dpdk under floods: whoever shouts on one port, or pings, nobody else goes unheard.
// And with a gateway that is not there. Frames come from files of pcap, and without end from the
// driver net_null.
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "dataplane/io/io.h"
#include "dataplane/io/io_dpdk.h"
#include "tests/kit/packet_twin.h"

enum { FRAME = 128, WORKERS = 2, PORT = 48471, PINGS = 20000, TARGET_PORT = 48470 };

#define PATIENCE_NS 10000000000

#define IPV4(a, b, c, d)                                                                           \
	{                                                                                          \
		[10] = 0xff, [11] = 0xff, a, b, c, d                                               \
	}

// What the driver calls its first device.
static const uint8_t port_mac[6] = {0x02, 'p', 'c', 'a', 'p', 0};
static const uint8_t peer_mac[6] = {2, 0, 0, 0, 0, 2};
static const uint8_t own_ip[16] = IPV4(10, 0, 0, 1), peer_ip[16] = IPV4(10, 0, 0, 2),
		     far_ip[16] = IPV4(192, 0, 2, 7);

// ---- A file of pcap

struct world {
	char path[64], device[256];
	FILE *file;
	struct io_dpdk_config dpdk;
	const struct io_ops *ops;
	struct io *io[WORKERS];
	unsigned n_workers;
};

static void begin_file(struct world *w)
{
	static const uint32_t header[6] = {0xa1b2c3d4, 4 << 16 | 2, 0, 0, 65535, 1};
	int fd;

	*w = (struct world){.path = "/tmp/akmapush-io-XXXXXX", .ops = io_find("dpdk")};
	fd = mkstemp(w->path);
	w->file = fd < 0 ? NULL : fdopen(fd, "wb");
	cr_assert(w->ops && w->file);
	fwrite(header, sizeof(header), 1, w->file);
}

static void add_frame(struct world *w, const uint8_t *frame, unsigned len)
{
	const uint32_t record[4] = {0, 0, len, len};

	fwrite(record, sizeof(record), 1, w->file);
	fwrite(frame, len, 1, w->file);
}

static struct packet_source peer_source(void)
{
	struct packet_source source = {.port = TARGET_PORT, .udp_checksum = true};

	memcpy(source.mac, peer_mac, 6);
	memcpy(source.ip, peer_ip, 16);
	return source;
}

static void add_datagram(struct world *w, uint16_t port)
{
	const struct packet_source source = peer_source();
	uint8_t frame[FRAME], payload[50] = {1};

	add_frame(w, frame,
		  twin_write(frame, &source, port_mac, own_ip, port, payload, sizeof(payload)));
}

static void add_ping(struct world *w)
{
	static const uint8_t ping[64] = {8};
	const struct packet_source source = peer_source();
	uint8_t frame[FRAME];

	add_frame(w, frame, twin_frame(frame, &source, port_mac, own_ip, 1, ping, sizeof(ping)));
}

static void add_arp_reply(struct world *w)
{
	static const uint8_t head[] = {0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 2};
	uint8_t frame[60] = {0};

	memcpy(frame, port_mac, 6);
	memcpy(frame + 6, peer_mac, 6);
	memcpy(frame + 12, head, sizeof(head));
	memcpy(frame + 22, peer_mac, 6);
	memcpy(frame + 28, peer_ip + 12, 4);
	memcpy(frame + 32, port_mac, 6);
	memcpy(frame + 38, own_ip + 12, 4);
	add_frame(w, frame, sizeof(frame));
}

// ---- The back end

static void add_port(struct world *w, const char *device, const uint8_t ip[16])
{
	struct io_dpdk_port *const port = &w->dpdk.port[w->dpdk.n_ports++];

	port->device = device;
	port->host.n_addresses = 1;
	memcpy(port->host.address[0].ip, ip, 16);
	port->host.address[0].prefix = 120;
}

static void add_file_port(struct world *w)
{
	const char *const tx = ",tx_pcap=/dev/null";

	cr_assert_eq(fclose(w->file), 0);
	snprintf(w->device, sizeof(w->device), "net_pcap0,rx_pcap=%s%s%s", w->path, tx,
		 w->n_workers > 1 ? tx : "");
	add_port(w, w->device, own_ip);
}

static void open_workers(struct world *w)
{
	static const char *const eal[] = {"--no-huge", "-m", "64", "--no-shconf", "--no-telemetry"};
	char error[IO_ERROR_MAX] = "";

	w->dpdk.n_args = sizeof(eal) / sizeof(eal[0]);
	memcpy(w->dpdk.arg, eal, sizeof(eal));
	w->dpdk.n_workers = w->n_workers;
	for (unsigned i = 0; i < w->n_workers; i++) {
		const struct io_config config = {
			.port = (uint16_t)(PORT + i), .burst_max = 64, .arg = &w->dpdk};

		cr_assert_eq(w->ops->open(&w->io[i], &config, error), 0, "%s", error);
	}
}

static void close_workers(struct world *w)
{
	for (unsigned i = 0; i < w->n_workers; i++)
		w->ops->close(w->io[i]);
	unlink(w->path);
}

// What a worker gets in one call.
static unsigned receive(struct world *w, unsigned worker)
{
	struct frame *frame[64];
	const unsigned n = w->ops->receive(w->io[worker], frame, 64);

	if (n)
		w->ops->release(w->io[worker], frame, n);
	return n;
}

static uint64_t count_of(const struct world *w, unsigned port, enum port_count what)
{
	uint64_t counts[PORT_COUNT_COUNT];

	w->ops->port_counts(w->io[0], port, counts);
	return counts[what];
}

// ---- Floods

// Port 0 always has a whole burst of what is nothing to anybody; datagrams for both workers are in
// the only queue of port 1.
Test(io_dpdk, a_flood_on_one_port_keeps_no_other_out)
{
	static const uint8_t elsewhere[16] = IPV4(10, 9, 0, 1);
	const uint64_t end = clock_mono_ns(&clock_system) + PATIENCE_NS;
	unsigned got[WORKERS] = {0};
	struct world w;

	begin_file(&w);
	for (unsigned i = 0; i < 100; i++)
		add_datagram(&w, (uint16_t)(PORT + i % 2));
	w.n_workers = WORKERS;
	add_port(&w, "net_null0", elsewhere);
	add_file_port(&w);
	open_workers(&w);
	while ((got[0] < 50 || got[1] < 50) && clock_mono_ns(&clock_system) < end) {
		for (unsigned i = 0; i < WORKERS; i++)
			got[i] += receive(&w, i);
	}
	cr_expect_eq(got[0], 50, "%u of 50 came to worker 0", got[0]);
	cr_expect_eq(got[1], 50, "%u of 50 came to worker 1", got[1]);
	close_workers(&w);
}

static void set_gateway(struct host_config *host, const uint8_t ip[16])
{
	host->has_gateway[0] = true;
	memcpy(host->gateway[0], ip, 16);
}

// Sends a datagram over a gateway. Whether it left by that port at once.
static bool leaves_by(struct world *w, unsigned port)
{
	const uint64_t before = count_of(w, port, PORT_TX);
	struct frame *frame[1];

	cr_assert_eq(w->ops->lend(w->io[0], frame, 1), 1);
	memset(frame[0]->data, 0, 64);
	frame[0]->len = 64;
	frame[0]->port = TARGET_PORT;
	memcpy(frame[0]->ip, far_ip, 16);
	cr_assert_eq(w->ops->transmit(w->io[0], frame, 1), 1);
	return count_of(w, port, PORT_TX) > before;
}

// Anybody may ping, as fast as he can, and faster than the hosts' thread answers.
Test(io_dpdk, pings_keep_no_next_hop_out)
{
	static const struct timespec nap = {.tv_nsec = 20000000};
	struct world w;

	begin_file(&w);
	for (unsigned i = 0; i < PINGS; i++)
		add_ping(&w);
	add_arp_reply(&w);
	w.n_workers = 1;
	add_file_port(&w);
	set_gateway(&w.dpdk.port[0].host, peer_ip);
	open_workers(&w);
	while (count_of(&w, 0, PORT_RX) < PINGS + 1)
		cr_assert_eq(receive(&w, 0), 0);
	cr_expect_gt(count_of(&w, 0, PORT_RX_LOST), 0, "it was no flood");
	nanosleep(&nap, NULL);
	cr_expect(leaves_by(&w, 0));
	close_workers(&w);
}

// ---- Gateways

// The first port's link is up and its gateway silent; that of the second is known.
Test(io_dpdk, a_gateway_that_is_not_there)
{
	static const uint8_t own[16] = IPV4(10, 9, 0, 1), gateway[16] = IPV4(10, 9, 0, 2);
	struct host_config *host;
	struct world w;

	begin_file(&w);
	w.n_workers = 1;
	add_file_port(&w);
	set_gateway(&w.dpdk.port[0].host, peer_ip);
	add_port(&w, "net_null0", own);
	host = &w.dpdk.port[1].host;
	set_gateway(host, gateway);
	host->n_neighbours = 1;
	memcpy(host->neighbour[0].ip, gateway, 16);
	memcpy(host->neighbour[0].mac, peer_mac, 6);
	open_workers(&w);
	cr_expect(leaves_by(&w, 1)); // while the first is still asked for
	for (unsigned i = 0; i < 50; i++) {
		const struct timespec nap = {.tv_nsec = 100000000};

		receive(&w, 0);
		nanosleep(&nap, NULL);
	}
	cr_expect(leaves_by(&w, 1)); // and when it is gone
	cr_expect_eq(count_of(&w, 0, PORT_TX_HELD) + count_of(&w, 0, PORT_TX_NO_HOP), 0);
	close_workers(&w);
}
