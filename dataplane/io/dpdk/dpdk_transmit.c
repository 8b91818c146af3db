// Transmit: an mbuf that is lent has room for any headers in front of its payload; they are written
// when the peer is known. Of an mbuf's own fields nothing is written before that.

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <string.h>

#include "base/clock.h"
#include "dataplane/io/dpdk/dpdk_worker.h"
#include "dataplane/net/packet_stamp.h"

_Static_assert(RTE_PKTMBUF_HEADROOM >= PACKET_HEADERS_MAX, "headers go in front");
_Static_assert(RTE_MBUF_DEFAULT_DATAROOM >= FRAME_MAX, "a datagram fits behind them");

// ---- Lend

// Ports give back what has left only when they are spoken to.
static void reclaim_buffers(const struct io *io)
{
	struct rte_mbuf *nothing = NULL;

	for (unsigned p = 0; p < io->plane->n_ports; p++) {
		const uint16_t id = io->plane->port[p].id;

		(void)rte_eth_tx_burst(id, io->queue, &nothing, 0);
		(void)rte_eth_tx_done_cleanup(id, io->queue, 0); // not all can
	}
}

// Only whole bursts: the pool's store of this thread serves them without a look at the buffers.
static bool take_buffers(struct io *io, unsigned n)
{
	if (!rte_mempool_get_bulk(io->plane->pool, (void **)io->tx.mbuf, n))
		return true;
	io->no_buffer++;
	reclaim_buffers(io);
	return false;
}

static bool is_any_link_up(struct io *io)
{
	if (dpdk_plane_up(io->plane))
		return true;
	for (unsigned p = 0; p < io->plane->n_ports; p++)
		dpdk_count(io, p, PORT_TX_NO_LINK, 1);
	return false;
}

unsigned dpdk_lend(struct io *io, struct frame *frame[], unsigned n)
{
	dpdk_register_thread(io);
	n = n < DPDK_BURST ? n : DPDK_BURST;
	if (!is_any_link_up(io) || !take_buffers(io, n))
		return 0;
	for (unsigned i = 0; i < n; i++) {
		char *const buffer = rte_mbuf_buf_addr(io->tx.mbuf[i], io->plane->pool);

		frame[i] = &io->tx.frame[i];
		frame[i]->data = (uint8_t *)buffer + RTE_PKTMBUF_HEADROOM;
		frame[i]->len = 0;
	}
	return n;
}

// ---- The way to a peer

// A next hop as it was found for the last frame of a burst: most have the same one.
struct hop {
	struct route route;
	enum host_route state;
	const struct packet_path *path;
	uint8_t mac[PACKET_MAC];
	struct packet_template template; // of the last length
};

static bool is_at(const struct hop *hop, const struct route *route)
{
	return hop->route.hop == route->hop && hop->route.port == route->port;
}

// Who is not known is asked for, once a burst.
static void resolve(struct io *io, struct hop *hop, const struct route *route)
{
	hop->route = *route;
	hop->state = host_resolve(&io->plane->port[route->port].host, route->hop, hop->mac);
	hop->path = &io->path[route->port][host_is_ipv6(route->hop)];
	if (hop->state != HOST_READY) {
		memset(hop->mac, 0, sizeof(hop->mac));
		dpdk_plane_ask(io->plane, route->port, route->hop);
	}
	packet_template_init(&hop->template, hop->path, hop->mac, 0);
}

// ---- Frames

static struct rte_mbuf *buffer_of(const struct io *io, const struct frame *frame)
{
	return io->tx.mbuf[frame->slot];
}

// As the pool gave it: nothing of it was changed that the pool's next user relies on.
static void give_back(const struct io *io, struct frame *const frame[], unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		rte_mbuf_raw_free(buffer_of(io, frame[i]));
}

// Not sent, and will not be.
static void fail(struct io *io, struct frame *frame, bool no_route)
{
	io->tx_failed++;
	give_back(io, &frame, 1);
	frame->len = 0;
	frame->no_route = no_route;
}

// The peer has a way to it, but for the link: that is no fault of its address.
static void fail_without_route(struct io *io, struct frame *frame)
{
	struct route route;
	const bool has_route = routes_find(&route, &io->routes, frame->ip, UINT32_MAX, 0);

	if (has_route)
		dpdk_count(io, route.port, PORT_TX_NO_LINK, 1);
	fail(io, frame, !has_route);
}

// What a port that computes checksums has to know.
static void describe(struct rte_mbuf *m, const struct packet_template *template)
{
	const unsigned l3 = template->is_ipv6 ? PACKET_IPV6_HEADER : PACKET_IPV4_HEADER;

	m->ol_flags = RTE_MBUF_F_TX_UDP_CKSUM |
		      (template->is_ipv6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4);
	m->tx_offload = 0;
	m->l2_len = template->len - PACKET_UDP_HEADER - l3;
	m->l3_len = l3;
}

// Headers in front of n payloads. The template is a copy that nobody else knows of, so that it
// stays in registers.
static void stamp(const struct io *io, const struct packet_template *shared,
		  struct frame *const frame[], unsigned n, struct rte_mbuf *mbuf[])
{
	const struct packet_template template = *shared;
	const uint16_t at = (uint16_t)(RTE_PKTMBUF_HEADROOM - template.len);
	const uint16_t len = (uint16_t)(template.len + template.payload_len);

	for (unsigned i = 0; i < n; i++) {
		struct rte_mbuf *const m = mbuf[i] = buffer_of(io, frame[i]);

		packet_stamp(&template, frame[i]->ip, frame[i]->port, frame[i]->data);
		m->data_off = at;
		m->ol_flags = 0;
		m->pkt_len = len;
		m->data_len = len;
	}
}

static void stamp_checksums(const struct packet_template *template, struct frame *const frame[],
			    unsigned n, struct rte_mbuf *const mbuf[])
{
	for (unsigned i = 0; i < n; i++) {
		packet_stamp_checksum(template, frame[i]->ip, frame[i]->port, frame[i]->data);
		if (template->checksum == PACKET_CHECKSUM_PORT)
			describe(mbuf[i], template);
	}
}

// n frames of one length towards one next hop.
static void make_packets(struct io *io, struct hop *hop, struct frame *const frame[], unsigned n,
			 struct rte_mbuf *mbuf[])
{
	struct packet_template *const template = &hop->template;

	if (template->payload_len != frame[0]->len)
		packet_template_init(template, hop->path, hop->mac, frame[0]->len);
	stamp(io, template, frame, n, mbuf);
	if (template->checksum)
		stamp_checksums(template, frame, n, mbuf);
}

// One whose next hop is not known.
static void hold_or_fail(struct io *io, struct hop *hop, struct frame *frame)
{
	const unsigned port = hop->route.port;
	struct rte_mbuf *m;

	if (hop->state == HOST_UNRESOLVED && io->hold.n < DPDK_HOLD) {
		make_packets(io, hop, &frame, 1, &m);
		dpdk_hold_put(&io->hold, m, port, hop->route.hop, clock_mono_ns(&clock_system));
		dpdk_count(io, port, PORT_TX_HELD, 1);
		return;
	}
	dpdk_count(io, port, PORT_TX_NO_HOP, 1);
	fail(io, frame, false);
}

// ---- Frames alike

// How many from the first on are as long and of the same family.
static unsigned count_like(struct frame *const frame[], unsigned n, bool is_ipv6)
{
	unsigned k = 1;

	while (k < n && frame[k]->len == frame[0]->len && host_is_ipv6(frame[k]->ip) == is_ipv6)
		k++;
	return k;
}

static unsigned count_same_peer(struct frame *const frame[], unsigned n)
{
	unsigned k = 1;

	while (k < n && !memcmp(frame[k]->ip, frame[0]->ip, PACKET_IP))
		k++;
	return k;
}

static unsigned count_outside(struct frame *const frame[], unsigned n,
			      const struct route_link *link, bool is_ipv6)
{
	unsigned k = 1;

	while (k < n && !route_link_has(link, frame[k]->ip, is_ipv6))
		k++;
	return k;
}

// How many from the first on go its way and are as long. Network by network, so that each loop is
// a few instructions.
static unsigned count_alike(const struct io *io, struct frame *const frame[], unsigned n,
			    const struct route *route, uint32_t up)
{
	const struct routes_ip *const family = routes_of(&io->routes, route->is_ipv6);

	n = count_like(frame, n, route->is_ipv6);
	if (route->is_direct)
		return count_same_peer(frame, n);
	for (unsigned i = 0; i < family->n_links; i++) {
		if (up >> family->link[i].port & 1)
			n = count_outside(frame, n, &family->link[i], route->is_ipv6);
	}
	return n;
}

// ---- A burst

// Packets that are ready, for one port, and which frames they are of.
struct ready {
	unsigned port, n;
	struct rte_mbuf *mbuf[DPDK_BURST];
	uint8_t at[DPDK_BURST];
};

struct burst {
	struct io *io;
	struct frame *const *frame; // [n]
	unsigned n;
	uint32_t up;        // ports whose links are
	uint32_t silent[2]; // by family: ports whose gateways do not answer, or not yet
	struct hop hop;
	struct ready ready;
	unsigned done; // frames, when a port's ring was full
};

// Sends what is ready. False when the port's ring is full: the first frame unsent is b->done.
static bool flush(struct burst *b)
{
	struct io *const io = b->io;
	struct ready *const ready = &b->ready;
	const uint16_t id = io->plane->port[ready->port].id;
	const unsigned n = ready->n,
		       sent = n ? rte_eth_tx_burst(id, io->queue, ready->mbuf, (uint16_t)n) : 0;

	dpdk_count(io, ready->port, PORT_TX, sent);
	ready->n = 0;
	if (sent == n)
		return true;
	dpdk_count(io, ready->port, PORT_TX_FULL, n - sent);
	b->done = ready->at[sent];
	for (unsigned i = sent; i < n; i++)
		rte_mbuf_raw_free(ready->mbuf[i]);
	return false;
}

// False: nothing leads to it. Gateways are tried once a burst, until one is there.
static bool find_hop(struct burst *b, const struct frame *frame)
{
	uint32_t *const silent = &b->silent[host_is_ipv6(frame->ip)];
	struct hop *const hop = &b->hop;
	struct route route;

	while (routes_find(&route, &b->io->routes, frame->ip, b->up, *silent)) {
		if (!is_at(hop, &route))
			resolve(b->io, hop, &route);
		if (route.is_direct || hop->state == HOST_READY || *silent >> route.port & 1)
			return true;
		*silent |= 1u << route.port;
	}
	return false;
}

#define EIGHT(n) (n), (n) + 1, (n) + 2, (n) + 3, (n) + 4, (n) + 5, (n) + 6, (n) + 7

static const uint8_t places[] = {EIGHT(0),  EIGHT(8),  EIGHT(16), EIGHT(24),
				 EIGHT(32), EIGHT(40), EIGHT(48), EIGHT(56)};

_Static_assert(sizeof(places) == DPDK_BURST, "a place for each frame of a burst");

// Frames from i on that can leave. Returns how many; 0 as flush.
static unsigned send_alike(struct burst *b, unsigned i)
{
	const unsigned port = b->hop.route.port;
	struct ready *const ready = &b->ready;
	unsigned k;

	if (ready->port != port && !flush(b))
		return 0;
	ready->port = port;
	k = count_alike(b->io, b->frame + i, b->n - i, &b->hop.route, b->up);
	make_packets(b->io, &b->hop, b->frame + i, k, ready->mbuf + ready->n);
	memcpy(ready->at + ready->n, places + i, k);
	ready->n += k;
	return k;
}

// The frames from i on that share what becomes of them. Returns how many; 0 as flush. Before one is
// held or fails, those ready leave: behind a frame that does not, nothing may be done with.
static unsigned send_some(struct burst *b, unsigned i)
{
	struct io *const io = b->io;
	struct frame *const frame = b->frame[i];
	const bool fits = frame->len <= io->datagram_max;
	bool has_route;

	if (!frame->len) {
		give_back(io, &b->frame[i], 1);
		return 1;
	}
	has_route = find_hop(b, frame);
	if (fits && has_route && b->hop.state == HOST_READY)
		return send_alike(b, i);
	if (!flush(b))
		return 0;
	if (!fits)
		fail(io, frame, false); // accepted when a port's MTU was larger
	else if (has_route)
		hold_or_fail(io, &b->hop, frame);
	else
		fail_without_route(io, frame);
	return 1;
}

unsigned dpdk_transmit(struct io *io, struct frame *frame[], unsigned n)
{
	struct burst burst;

	burst.io = io;
	burst.frame = frame;
	burst.n = burst.done = n;
	burst.up = dpdk_plane_up(io->plane);
	burst.silent[0] = burst.silent[1] = 0;
	burst.hop.route = (struct route){0};
	burst.ready.port = burst.ready.n = 0;
	for (unsigned i = 0, k; i < n; i += k) {
		k = send_some(&burst, i);
		if (!k) {
			give_back(io, frame + i, n - i);
			return burst.done;
		}
	}
	flush(&burst);
	return burst.done;
}
