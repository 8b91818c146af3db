// The back end: datagrams are built in mbufs, in place, and leave in them.
//
// An mbuf that is lent has room for any headers in front of its payload; the headers are written
// when the peer is known, in transmit.

#include "dataplane/io/io_dpdk.h"

#include <errno.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "dataplane/io/dpdk/dpdk_plane.h"
#include "dataplane/io/io_list.h"

enum { BURST_MAX = 64, PORT_ANY = 49152 };

#define NAP_NS 20000 // between two looks at the queues of an idle worker

_Static_assert(RTE_PKTMBUF_HEADROOM >= PACKET_HEADERS_MAX, "headers go in front");
_Static_assert(RTE_MBUF_DEFAULT_DATAROOM >= FRAME_MAX, "a datagram fits behind them");

// Buffers and the frames that show them, slot by slot.
struct slots {
	struct rte_mbuf *mbuf[BURST_MAX];
	struct frame frame[BURST_MAX];
};

struct io {
	struct dpdk_plane *plane;
	uint16_t queue;                 // of every port; the worker's number
	uint16_t port;                  // of UDP
	uint16_t first_port, last_port; // of all workers
	bool is_registered;
	struct packet_path path[IO_DPDK_PORTS_MAX][2]; // by family; len 0: no address of it
	struct slots tx, rx;
	struct rte_mbuf *early[BURST_MAX]; // came while the worker was waiting
	unsigned n_early;
	uint64_t tx_failed;
	atomic_bool woken;
};

// ---- Open and close

static void make_paths(struct io *io)
{
	for (unsigned p = 0; p < io->plane->n_ports; p++) {
		const struct dpdk_port *const port = &io->plane->port[p];

		for (unsigned f = 0; f < 2; f++) {
			const uint8_t *const ip = host_source(&port->host, f);
			struct packet_source source = {
				.port = io->port,
				.vlan = port->host.config.vlan,
				.udp_checksum = port->udp_checksum,
			};

			if (!ip)
				continue;
			memcpy(source.mac, port->host.config.mac, PACKET_MAC);
			memcpy(source.ip, ip, PACKET_IP);
			packet_path_init(&io->path[p][f], &source);
		}
	}
}

static int dpdk_open(struct io **made, const struct io_config *config, char error[IO_ERROR_MAX])
{
	const struct io_dpdk_config *const dpdk = config->arg;
	struct io *io;
	int status;

	if (!dpdk || !dpdk->n_ports) {
		snprintf(error, IO_ERROR_MAX, "the back end dpdk needs a port (dpdk.ports)");
		return -EINVAL;
	}
	io = calloc(1, sizeof(*io));
	if (!io) {
		snprintf(error, IO_ERROR_MAX, "out of memory");
		return -ENOMEM;
	}
	io->plane = dpdk_plane_join(dpdk, &status, error);
	if (!io->plane) {
		free(io);
		return status;
	}
	io->queue = (uint16_t)io->plane->n_open++;
	io->port = config->port ? config->port : (uint16_t)(PORT_ANY + io->queue);
	io->first_port = (uint16_t)(io->port - io->queue);
	io->last_port = (uint16_t)(io->first_port + io->plane->n_workers - 1);
	for (unsigned i = 0; i < BURST_MAX; i++)
		io->tx.frame[i].slot = io->rx.frame[i].slot = i;
	make_paths(io);
	*made = io;
	return 0;
}

static void dpdk_close(struct io *io)
{
	for (unsigned i = 0; i < io->n_early; i++)
		rte_pktmbuf_free(io->early[i]);
	dpdk_plane_leave(io->plane);
	free(io);
}

static uint16_t dpdk_port_of(const struct io *io)
{
	return io->port;
}

static const char *dpdk_chosen(const struct io *io)
{
	(void)io;
	return "dpdk";
}

// DPDK keeps buffers near the threads that it knows.
static void register_thread(struct io *io)
{
	if (io->is_registered)
		return;
	io->is_registered = true;
	(void)rte_thread_register(); // without it buffers are taken from the common store
}

// ---- Transmit

static unsigned dpdk_lend(struct io *io, struct frame *frame[], unsigned n)
{
	register_thread(io);
	n = n < BURST_MAX ? n : BURST_MAX;
	if (rte_pktmbuf_alloc_bulk(io->plane->pool, io->tx.mbuf, n))
		return 0;
	for (unsigned i = 0; i < n; i++) {
		struct rte_mbuf *const m = io->tx.mbuf[i];

		frame[i] = &io->tx.frame[i];
		frame[i]->data = (uint8_t *)m->buf_addr + RTE_PKTMBUF_HEADROOM;
		frame[i]->len = 0;
	}
	return n;
}

static void give_back(struct io *io, struct frame *frame)
{
	rte_pktmbuf_free(io->tx.mbuf[frame->slot]);
	io->tx.mbuf[frame->slot] = NULL;
}

// A next hop as it was found for the last frame of a burst: most have the same one.
struct hop {
	const uint8_t *ip;
	enum host_route route;
	unsigned port;
	uint8_t mac[PACKET_MAC];
};

// Who is not known is asked for, once a burst.
static void resolve(struct io *io, struct hop *hop, unsigned port, const uint8_t *ip)
{
	if (hop->ip == ip && hop->port == port)
		return;
	hop->ip = ip;
	hop->port = port;
	hop->route = host_resolve(&io->plane->port[port].host, ip, hop->mac);
	if (hop->route != HOST_READY)
		dpdk_plane_ask(io->plane, port, ip);
}

// The way to a frame's peer: the first port that has one.
static bool find_way(struct io *io, const struct frame *frame, struct hop *hop)
{
	const bool is_ipv6 = host_is_ipv6(frame->ip);

	for (unsigned p = 0; p < io->plane->n_ports; p++) {
		const uint8_t *const ip = io->path[p][is_ipv6].len
						  ? host_hop(&io->plane->port[p].host, frame->ip)
						  : NULL;

		if (!ip)
			continue;
		resolve(io, hop, p, ip);
		return hop->route == HOST_READY;
	}
	return false;
}

// Headers in front of the payload; false: it cannot be sent, and has failed.
static bool make_packet(struct io *io, struct frame *frame, struct hop *hop)
{
	struct rte_mbuf *const m = io->tx.mbuf[frame->slot];
	const struct packet_path *path;

	if (!find_way(io, frame, hop)) {
		io->tx_failed++;
		frame->len = 0;
		return false;
	}
	path = &io->path[hop->port][host_is_ipv6(frame->ip)];
	packet_write(path, hop->mac, frame->ip, frame->port, frame->data, frame->len);
	m->data_off = (uint16_t)(RTE_PKTMBUF_HEADROOM - path->len);
	m->data_len = (uint16_t)(path->len + frame->len);
	m->pkt_len = m->data_len;
	return true;
}

// A run of packets for one port, and which frames they are of.
struct run {
	struct hop hop;
	unsigned port, n;
	struct rte_mbuf *mbuf[BURST_MAX];
	unsigned at[BURST_MAX];
};

// Sends what is in the run. False when the port's ring is full: *done is the first frame unsent.
static bool flush(struct io *io, struct run *run, struct frame *frame[], unsigned *done)
{
	const uint16_t id = io->plane->port[run->port].id;
	const unsigned sent =
		run->n ? rte_eth_tx_burst(id, io->queue, run->mbuf, (uint16_t)run->n) : 0;

	for (unsigned i = 0; i < sent; i++)
		io->tx.mbuf[frame[run->at[i]]->slot] = NULL;
	if (sent < run->n) {
		*done = run->at[sent];
		return false;
	}
	run->n = 0;
	return true;
}

static bool put(struct io *io, struct run *run, struct frame *frame[], unsigned i, unsigned *done)
{
	if (!frame[i]->len || !make_packet(io, frame[i], &run->hop))
		return true;
	if (run->port != run->hop.port && !flush(io, run, frame, done))
		return false;
	run->port = run->hop.port;
	run->mbuf[run->n] = io->tx.mbuf[frame[i]->slot];
	run->at[run->n++] = i;
	return true;
}

static unsigned dpdk_transmit(struct io *io, struct frame *frame[], unsigned n)
{
	struct run run = {.n = 0};
	unsigned done = n;
	bool room = true;

	for (unsigned i = 0; room && i < n; i++)
		room = put(io, &run, frame, i, &done);
	if (room)
		flush(io, &run, frame, &done);
	for (unsigned i = 0; i < n; i++) {
		if (io->tx.mbuf[frame[i]->slot])
			give_back(io, frame[i]);
	}
	return done;
}

// ---- Receive

// What the hosts' thread sends leaves through worker 0.
static void send_for_hosts(struct io *io)
{
	struct rte_mbuf *m;

	while (!io->queue && !rte_ring_dequeue(io->plane->from_hosts, (void **)&m)) {
		if (!rte_eth_tx_burst(io->plane->port[m->port].id, 0, &m, 1))
			rte_pktmbuf_free(m);
	}
}

// Frames from the ports' queues and from other workers; their port is the number of ours.
static unsigned take(struct io *io, struct rte_mbuf *mbuf[], unsigned n)
{
	unsigned taken = 0;

	for (unsigned p = 0; p < io->plane->n_ports && taken < n; p++) {
		const struct dpdk_port *const port = &io->plane->port[p];
		unsigned more = 0;

		if (io->queue < port->rx_queues)
			more = rte_eth_rx_burst(port->id, io->queue, mbuf + taken,
						(uint16_t)(n - taken));
		for (unsigned i = 0; i < more; i++)
			mbuf[taken + i]->port = (uint16_t)p;
		taken += more;
	}
	if (io->plane->inbox[io->queue])
		taken += rte_ring_dequeue_burst(io->plane->inbox[io->queue],
						(void **)(mbuf + taken), n - taken, NULL);
	return taken;
}

static void hand_over(struct io *io, struct rte_mbuf *m, uint16_t port)
{
	struct rte_ring *const inbox = io->plane->inbox[port - io->first_port];

	if (!inbox || rte_ring_enqueue(inbox, m))
		rte_pktmbuf_free(m);
}

static void show(struct io *io, struct rte_mbuf *m, const struct packet *packet,
		 struct frame *frame)
{
	io->rx.mbuf[frame->slot] = m;
	frame->data = (uint8_t *)(uintptr_t)packet->data;
	frame->len = packet->len <= FRAME_MAX ? packet->len : FRAME_MAX + 1;
	frame->port = packet->source_port;
	memcpy(frame->ip, packet->source, sizeof(frame->ip));
}

// Whether it is a datagram of this worker, which the frame shows then.
static bool sort(struct io *io, struct rte_mbuf *m, struct frame *frame)
{
	const struct host *const host = &io->plane->port[m->port].host;
	struct packet packet;
	const enum packet_kind kind = packet_read(&packet, rte_pktmbuf_mtod(m, const uint8_t *),
						  m->data_len, host->config.vlan);

	if (kind == PACKET_ARP || kind == PACKET_ICMPV4 || kind == PACKET_ICMPV6) {
		dpdk_plane_give(io->plane, m);
		return false;
	}
	if (kind == PACKET_UDP && host_has(host, packet.destination)) {
		if (packet.destination_port == io->port) {
			show(io, m, &packet, frame);
			return true;
		}
		if (packet.destination_port >= io->first_port &&
		    packet.destination_port <= io->last_port) {
			hand_over(io, m, packet.destination_port);
			return false;
		}
	}
	rte_pktmbuf_free(m);
	return false;
}

static unsigned dpdk_receive(struct io *io, struct frame *frame[], unsigned n)
{
	struct rte_mbuf *mbuf[BURST_MAX];
	unsigned taken = 0, k = 0;

	register_thread(io);
	send_for_hosts(io);
	n = n < BURST_MAX ? n : BURST_MAX;
	while (taken < n && io->n_early)
		mbuf[taken++] = io->early[--io->n_early];
	if (!taken)
		taken = take(io, mbuf, n);
	for (unsigned i = 0; i < taken; i++) {
		if (sort(io, mbuf[i], &io->rx.frame[k])) {
			frame[k] = &io->rx.frame[k];
			k++;
		}
	}
	return k;
}

static void dpdk_release(struct io *io, struct frame *frame[], unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		rte_pktmbuf_free(io->rx.mbuf[frame[i]->slot]);
}

// ---- Waiting

static void dpdk_arm(struct io *io)
{
	atomic_store(&io->woken, false);
}

static void dpdk_wait(struct io *io, uint64_t timeout_ns)
{
	static const struct timespec nap = {.tv_nsec = NAP_NS};
	const uint64_t end = clock_mono_ns(&clock_system) + timeout_ns;

	while (!atomic_load(&io->woken) && !io->n_early && clock_mono_ns(&clock_system) < end) {
		send_for_hosts(io);
		io->n_early = take(io, io->early, BURST_MAX / 2);
		if (!io->n_early)
			nanosleep(&nap, NULL);
	}
}

static void dpdk_wake(struct io *io)
{
	atomic_store(&io->woken, true);
}

static void dpdk_counts(const struct io *io, struct io_counts *counts)
{
	*counts = (struct io_counts){.tx_failed = io->tx_failed};
}

const struct io_ops io_dpdk = {
	.name = "dpdk",
	.open = dpdk_open,
	.close = dpdk_close,
	.port = dpdk_port_of,
	.chosen = dpdk_chosen,
	.lend = dpdk_lend,
	.transmit = dpdk_transmit,
	.receive = dpdk_receive,
	.release = dpdk_release,
	.arm = dpdk_arm,
	.wait = dpdk_wait,
	.wake = dpdk_wake,
	.counts = dpdk_counts,
};
