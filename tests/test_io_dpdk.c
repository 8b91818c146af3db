// The back end dpdk under floods: whoever shouts on one port, those on others are heard.
// Frames come from files of pcap, and without end from the driver net_null.
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "dataplane/io/io.h"
#include "dataplane/io/io_dpdk.h"
#include "tests/kit/packet_twin.h"

enum { FRAME = 128, WORKERS = 2, PORT = 48471, TARGET_PORT = 48470 };

#define PATIENCE_NS 10000000000

#define IPV4(a, b, c, d)                                                                           \
	{                                                                                          \
		[10] = 0xff, [11] = 0xff, a, b, c, d                                               \
	}

// What the driver calls its first device.
static const uint8_t port_mac[6] = {0x02, 'p', 'c', 'a', 'p', 0};
static const uint8_t peer_mac[6] = {2, 0, 0, 0, 0, 2};
static const uint8_t own_ip[16] = IPV4(10, 0, 0, 1), peer_ip[16] = IPV4(10, 0, 0, 2);

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
