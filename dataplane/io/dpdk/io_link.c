// A network of devices behind a port: datagrams are read, answered and sent in the mbufs that they
// came in.

#include "dataplane/io/io_link.h"

#include <assert.h>
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
#include "dataplane/net/packet_stamp.h"

enum { SENT_MAX = IO_LINK_BURST * IO_LINK_COPIES_MAX };

#define NAP_NS      20000     // between two looks at an idle queue, or at a full one
#define PATIENCE_NS 100000000 // with a port that is full

_Static_assert(RTE_MBUF_DEFAULT_BUF_SIZE >=
		       RTE_PKTMBUF_HEADROOM + PACKET_HEADERS_MAX + IO_LINK_ANSWER_MAX,
	       "an answer fits where a datagram was");

struct io_link {
	struct dpdk_plane *plane;
	struct dpdk_port *port;
	uint16_t queue; // the thread's number
	bool is_registered;
	struct rte_mbuf *mbuf[IO_LINK_BURST]; // of what the caller has
	struct packet packet[IO_LINK_BURST];
	unsigned n;
	struct rte_mbuf *early[IO_LINK_BURST]; // came while the thread was waiting
	unsigned n_early;
	bool inbox_first;        // the last time
	_Atomic uint64_t missed; // for this thread, by any
	atomic_bool woken;
};

// ---- Open and close

int io_link_open(struct io_link **made, const struct io_dpdk_config *config,
		 char error[IO_ERROR_MAX])
{
	struct io_link *link;
	int status;

	assert(config->n_ports == 1);
	*made = NULL;
	if (dpdk_shared_is(config->port[0].device)) {
		snprintf(error, IO_ERROR_MAX,
			 "port %s: an interface shared with the kernel has its addresses alone: "
			 "take net_af_packet, or a port of its own",
			 config->port[0].device);
		return -EINVAL;
	}
	link = calloc(1, sizeof(*link));
	if (!link) {
		snprintf(error, IO_ERROR_MAX, "out of memory");
		return -ENOMEM;
	}
	link->plane = dpdk_plane_join(config, 0, &status, error);
	if (!link->plane) {
		free(link);
		return status;
	}
	link->port = &link->plane->port[0];
	link->queue = (uint16_t)link->plane->n_open++;
	*made = link;
	return 0;
}

void io_link_close(struct io_link *link)
{
	for (unsigned i = 0; i < link->n_early; i++)
		rte_pktmbuf_free(link->early[i]);
	for (unsigned i = 0; i < link->n; i++)
		rte_pktmbuf_free(link->mbuf[i]);
	dpdk_plane_leave(link->plane);
	free(link);
}

// DPDK keeps buffers near the threads that it knows.
static void register_thread(struct io_link *link)
{
	if (link->is_registered)
		return;
	link->is_registered = true;
	(void)rte_thread_register(); // without it buffers are taken from the common store
}

// ---- Receive

static unsigned take_from_port(struct io_link *link, struct rte_mbuf *mbuf[], unsigned n)
{
	unsigned taken = 0;

	if (n && link->queue < link->port->rx_queues)
		taken = rte_eth_rx_burst(link->port->id, link->queue, mbuf, (uint16_t)n);
	for (unsigned i = 0; i < taken; i++)
		mbuf[i]->port = 0; // the plane's number of it
	return taken;
}

static unsigned take_from_inbox(struct io_link *link, struct rte_mbuf *mbuf[], unsigned n)
{
	struct rte_ring *const inbox = link->plane->inbox[link->queue];

	return inbox ? rte_ring_dequeue_burst(inbox, (void **)mbuf, n, NULL) : 0;
}

// In turns first: one that always has a burst would keep the other out.
static unsigned take(struct io_link *link, struct rte_mbuf *mbuf[], unsigned n)
{
	unsigned taken;

	link->inbox_first = !link->inbox_first;
	if (link->inbox_first) {
		taken = take_from_inbox(link, mbuf, n);
		return taken + take_from_port(link, mbuf + taken, n - taken);
	}
	taken = take_from_port(link, mbuf, n);
	return taken + take_from_inbox(link, mbuf + taken, n - taken);
}

static void lose(struct io_link *link, struct rte_mbuf *m)
{
	link->missed++;
	rte_pktmbuf_free(m);
}

static void hand_over(struct io_link *link, struct rte_mbuf *m, unsigned thread)
{
	if (rte_ring_enqueue(link->plane->inbox[thread], m))
		lose(link, m);
}

static void show(struct io_link *link, struct rte_mbuf *m, const struct packet *packet,
		 struct io_datagram *datagram)
{
	link->mbuf[link->n] = m;
	link->packet[link->n++] = *packet;
	datagram->data = (uint8_t *)(uintptr_t)packet->data;
	datagram->len = packet->len;
	datagram->source_port = packet->source_port;
	datagram->destination_port = packet->destination_port;
	memcpy(datagram->source, packet->source, sizeof(datagram->source));
	memcpy(datagram->destination, packet->destination, sizeof(datagram->destination));
	datagram->copies = 0;
}

// RFC 1122 3.3.6: what came to a group's MAC is for no host alone, whatever IP says.
static bool is_for_us(const struct io_link *link, const struct packet *packet)
{
	return !memcmp(packet->destination_mac, link->port->host.config.mac, PACKET_MAC);
}

// Shows a datagram of this thread; all else goes where it belongs.
static bool sort(struct io_link *link, struct rte_mbuf *m, struct io_datagram *datagram)
{
	struct packet packet;
	const enum packet_kind kind = packet_read(&packet, rte_pktmbuf_mtod(m, const uint8_t *),
						  m->data_len, link->port->host.config.vlan);
	unsigned thread;

	if (kind == PACKET_ARP || kind == PACKET_ICMPV4 || kind == PACKET_ICMPV6) {
		if (!dpdk_plane_give(link->plane, m, packet_is_from_link(kind, &packet)))
			lose(link, m);
		return false;
	}
	if (kind != PACKET_UDP || m->nb_segs > 1 || !is_for_us(link, &packet)) {
		rte_pktmbuf_free(m);
		return false;
	}
	thread = io_link_thread(packet.destination, link->plane->n_workers);
	if (thread != link->queue)
		hand_over(link, m, thread);
	else
		show(link, m, &packet, datagram);
	return thread == link->queue;
}

unsigned io_link_receive(struct io_link *link, struct io_datagram datagram[], unsigned n)
{
	struct rte_mbuf *mbuf[IO_LINK_BURST];
	unsigned taken = 0, k = 0;

	assert(!link->n);
	register_thread(link);
	dpdk_plane_send(link->plane, link->queue);
	n = n < IO_LINK_BURST ? n : IO_LINK_BURST;
	while (taken < n && link->n_early)
		mbuf[taken++] = link->early[--link->n_early];
	if (!taken)
		taken = take(link, mbuf, n);
	for (unsigned i = 0; i < taken; i++)
		k += sort(link, mbuf[i], &datagram[k]);
	return k;
}

// ---- Answer

// Headers for the answer in mbuf i; false: it has no way there.
static bool turn(struct io_link *link, unsigned i, const struct io_datagram *datagram)
{
	struct rte_mbuf *const m = link->mbuf[i];
	unsigned headers;

	assert(datagram->len <= IO_LINK_ANSWER_MAX && datagram->copies <= IO_LINK_COPIES_MAX);
	if (host_is_ipv6(datagram->source) != host_is_ipv6(link->packet[i].destination))
		return false;
	headers = packet_reply(&link->packet[i], link->port->host.config.vlan, datagram->source,
			       datagram->source_port, datagram->data, datagram->len);
	m->data_off = (uint16_t)(datagram->data - headers - (uint8_t *)m->buf_addr);
	m->data_len = (uint16_t)(headers + datagram->len);
	m->pkt_len = m->data_len;
	m->ol_flags = 0; // those of its reception
	return true;
}

static unsigned send_burst(const struct io_link *link, struct rte_mbuf *mbuf[], unsigned n)
{
	static const struct timespec nap = {.tv_nsec = NAP_NS};
	unsigned sent = rte_eth_tx_burst(link->port->id, link->queue, mbuf, (uint16_t)n);
	uint64_t end = 0;

	while (sent < n) {
		const uint64_t now = clock_mono_ns(&clock_system);

		end = end ? end : now + PATIENCE_NS;
		if (now >= end)
			break;
		nanosleep(&nap, NULL);
		sent += rte_eth_tx_burst(link->port->id, link->queue, mbuf + sent,
					 (uint16_t)(n - sent));
	}
	rte_pktmbuf_free_bulk(mbuf + sent, n - sent);
	return sent;
}

unsigned io_link_answer(struct io_link *link, const struct io_datagram datagram[], unsigned n)
{
	struct rte_mbuf *out[SENT_MAX];
	unsigned k = 0;

	assert(n == link->n);
	for (unsigned i = 0; i < n; i++) {
		struct rte_mbuf *const m = link->mbuf[i];

		if (!datagram[i].copies || !turn(link, i, &datagram[i])) {
			rte_pktmbuf_free(m);
			continue;
		}
		out[k++] = m;
		if (datagram[i].copies > 1)
			k += (out[k] = rte_pktmbuf_copy(m, link->plane->pool, 0, m->pkt_len)) !=
			     NULL;
	}
	link->n = 0;
	return k ? send_burst(link, out, k) : 0;
}

// ---- Waiting, and what was lost

void io_link_wait(struct io_link *link, uint64_t timeout_ns)
{
	static const struct timespec nap = {.tv_nsec = NAP_NS};
	const uint64_t end = clock_mono_ns(&clock_system) + timeout_ns;

	register_thread(link);
	while (!atomic_exchange(&link->woken, false) && !link->n_early &&
	       clock_mono_ns(&clock_system) < end) {
		dpdk_plane_send(link->plane, link->queue);
		link->n_early = take(link, link->early, IO_LINK_BURST / 2);
		if (!link->n_early)
			nanosleep(&nap, NULL);
	}
}

void io_link_wake(struct io_link *link)
{
	atomic_store(&link->woken, true);
}

uint64_t io_link_missed(struct io_link *link)
{
	struct rte_eth_stats stats;

	if (link->queue || rte_eth_stats_get(link->port->id, &stats))
		return link->missed;
	return link->missed + stats.imissed;
}
