// Receive: frames are sorted into datagrams of this worker, those of another one, those for the
// port's host, and what is dropped, each counted. The frame that a worker gets shows the datagram
// where the port put it.

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <string.h>

#include "base/clock.h"
#include "dataplane/io/dpdk/dpdk_worker.h"

// ---- Frames that were held

// The next hop's MAC is all that the frame lacks.
static enum dpdk_held_fate send_held(struct io *io, const struct dpdk_held *held,
				     const uint8_t mac[PACKET_MAC])
{
	struct rte_mbuf *m = held->mbuf;

	memcpy(rte_pktmbuf_mtod(m, uint8_t *), mac, PACKET_MAC);
	if (!rte_eth_tx_burst(io->plane->port[held->port].id, io->queue, &m, 1))
		return DPDK_HELD_WAITS;
	dpdk_count(io, held->port, PORT_TX, 1);
	return DPDK_HELD_LEAVES;
}

static enum dpdk_held_fate lose_held(struct io *io, const struct dpdk_held *held)
{
	dpdk_count(io, held->port, PORT_TX_HELD_LOST, 1);
	rte_pktmbuf_free(held->mbuf);
	return DPDK_HELD_LEAVES;
}

struct look {
	struct io *io;
	uint64_t now_ns;
};

static enum dpdk_held_fate fate_of(void *ctx, const struct dpdk_held *held)
{
	const struct look *const look = ctx;
	struct io *const io = look->io;
	uint8_t mac[PACKET_MAC];
	const enum host_route state =
		host_resolve(&io->plane->port[held->port].host, held->hop, mac);

	if (state == HOST_READY && send_held(io, held, mac) == DPDK_HELD_LEAVES)
		return DPDK_HELD_LEAVES;
	if (state != HOST_GONE && look->now_ns < held->end_ns)
		return DPDK_HELD_WAITS;
	return lose_held(io, held);
}

void dpdk_housekeep(struct io *io)
{
	struct look look = {.io = io};

	dpdk_plane_send(io->plane, io->queue);
	if (!io->hold.n)
		return;
	look.now_ns = clock_mono_ns(&clock_system);
	dpdk_hold_look(&io->hold, fate_of, &look);
}

struct unwanted {
	struct io *io;
	io_is_unwanted *is_unwanted;
	const void *ctx;
};

static enum dpdk_held_fate fate_if_unwanted(void *ctx, const struct dpdk_held *held)
{
	const struct unwanted *const unwanted = ctx;
	const struct rte_mbuf *const m = held->mbuf;
	const unsigned headers = RTE_PKTMBUF_HEADROOM - m->data_off;

	if (!unwanted->is_unwanted(unwanted->ctx, rte_pktmbuf_mtod_offset(m, uint8_t *, headers),
				   m->data_len - headers))
		return DPDK_HELD_WAITS;
	return lose_held(unwanted->io, held);
}

void dpdk_drop(struct io *io, io_is_unwanted *is_unwanted, const void *ctx)
{
	struct unwanted unwanted = {io, is_unwanted, ctx};

	dpdk_hold_look(&io->hold, fate_if_unwanted, &unwanted);
}

// ---- Take

static unsigned take_from_port(struct io *io, unsigned p, struct rte_mbuf *mbuf[], unsigned n)
{
	const struct dpdk_port *const port = &io->plane->port[p];
	unsigned taken = 0;

	if (io->queue < port->rx_queues)
		taken = rte_eth_rx_burst(port->id, io->queue, mbuf, (uint16_t)n);
	for (unsigned i = 0; i < taken; i++)
		mbuf[i]->port = (uint16_t)p;
	dpdk_count(io, p, PORT_RX, taken);
	return taken;
}

static unsigned take_from_inbox(struct io *io, struct rte_mbuf *mbuf[], unsigned n)
{
	struct rte_ring *const inbox = io->plane->inbox[io->queue];

	return inbox ? rte_ring_dequeue_burst(inbox, (void **)mbuf, n, NULL) : 0;
}

// Another one is first each time: one that always has a burst would keep the others out.
unsigned dpdk_take(struct io *io, struct rte_mbuf *mbuf[], unsigned n)
{
	const unsigned n_ports = io->plane->n_ports;
	unsigned at = io->take_from, taken = 0;

	io->take_from = at < n_ports ? at + 1 : 0;
	for (unsigned i = 0; i <= n_ports && taken < n; i++) {
		taken += at < n_ports ? take_from_port(io, at, mbuf + taken, n - taken)
				      : take_from_inbox(io, mbuf + taken, n - taken);
		at = at < n_ports ? at + 1 : 0;
	}
	return taken;
}

// ---- Sort

// Why a frame is dropped, or goes to the host, by what it is.
static const uint8_t counted_as[PACKET_KIND_COUNT] = {
	[PACKET_UDP] = PORT_RX_UDP,           [PACKET_ARP] = PORT_RX_HOST,
	[PACKET_ICMPV4] = PORT_RX_HOST,       [PACKET_ICMPV6] = PORT_RX_HOST,
	[PACKET_OTHER] = PORT_RX_PROTOCOL,    [PACKET_TAGGED] = PORT_RX_VLAN,
	[PACKET_SHORT] = PORT_RX_SHORT,       [PACKET_LENGTHS] = PORT_RX_LENGTHS,
	[PACKET_FRAGMENT] = PORT_RX_FRAGMENT, [PACKET_IP_CHECKSUM] = PORT_RX_IP_CHECKSUM,
	[PACKET_CHECKSUM] = PORT_RX_CHECKSUM, [PACKET_ADDRESS] = PORT_RX_ADDRESS,
};

static void show(struct io *io, struct rte_mbuf *m, const struct packet *packet,
		 struct frame *frame)
{
	io->rx.mbuf[frame->slot] = m;
	frame->data = (uint8_t *)(uintptr_t)packet->data;
	frame->len = packet->len <= FRAME_MAX ? packet->len : FRAME_MAX + 1;
	frame->port = packet->source_port;
	memcpy(frame->ip, packet->source, sizeof(frame->ip));
}

static void drop(struct io *io, struct rte_mbuf *m, enum port_count why)
{
	dpdk_count(io, m->port, why, 1);
	rte_pktmbuf_free(m);
}

static void hand_over(struct io *io, struct rte_mbuf *m, uint16_t port)
{
	struct rte_ring *const inbox = io->plane->inbox[port - io->first_port];
	const uint16_t from = m->port;

	if (rte_ring_enqueue(inbox, m))
		drop(io, m, PORT_RX_LOST);
	else
		dpdk_count(io, from, PORT_RX_OTHER_WORKER, 1);
}

static void give_to_host(struct io *io, struct rte_mbuf *m, bool is_from_link)
{
	const uint16_t from = m->port;

	if (dpdk_plane_give(io->plane, m, is_from_link))
		dpdk_count(io, from, PORT_RX_HOST, 1);
	else
		drop(io, m, PORT_RX_LOST);
}

static bool is_workers(const struct io *io, uint16_t port)
{
	return port >= io->first_port && port <= io->last_port;
}

// A datagram: whether the frame shows it now.
static bool sort_udp(struct io *io, struct rte_mbuf *m, const struct packet *packet,
		     struct frame *frame)
{
	const bool is_for_us = host_has(&io->plane->port[m->port].host, packet->destination) &&
			       is_workers(io, packet->destination_port);

	if (!is_for_us) {
		drop(io, m, PORT_RX_STRANGER);
	} else if (packet->destination_port == io->port) {
		dpdk_count(io, m->port, PORT_RX_UDP, 1);
		show(io, m, packet, frame);
		return true;
	} else {
		hand_over(io, m, packet->destination_port);
	}
	return false;
}

// Whether it is a datagram of this worker, which the frame shows then.
static bool sort(struct io *io, struct rte_mbuf *m, struct frame *frame)
{
	struct packet packet;
	const enum packet_kind kind =
		packet_read(&packet, rte_pktmbuf_mtod(m, const uint8_t *), m->data_len,
			    io->plane->port[m->port].host.config.vlan);

	if (kind == PACKET_UDP)
		return sort_udp(io, m, &packet, frame);
	if (counted_as[kind] == PORT_RX_HOST)
		give_to_host(io, m, packet_is_from_link(kind, &packet));
	else
		drop(io, m, (enum port_count)counted_as[kind]);
	return false;
}

unsigned dpdk_receive(struct io *io, struct frame *frame[], unsigned n)
{
	struct rte_mbuf *mbuf[DPDK_BURST];
	unsigned taken = 0, k = 0;

	dpdk_register_thread(io);
	dpdk_housekeep(io);
	n = n < DPDK_BURST ? n : DPDK_BURST;
	while (taken < n && io->n_early)
		mbuf[taken++] = io->early[--io->n_early];
	if (!taken)
		taken = dpdk_take(io, mbuf, n);
	for (unsigned i = 0; i < taken; i++) {
		if (sort(io, mbuf[i], &io->rx.frame[k])) {
			frame[k] = &io->rx.frame[k];
			k++;
		}
	}
	return k;
}

void dpdk_release(struct io *io, struct frame *frame[], unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		rte_pktmbuf_free(io->rx.mbuf[frame[i]->slot]);
}
