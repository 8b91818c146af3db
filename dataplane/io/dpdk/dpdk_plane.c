#include "dataplane/io/dpdk/dpdk_plane.h"

#include <errno.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "dataplane/io/dpdk/dpdk_eal.h"
#include "dataplane/io/dpdk/dpdk_hold.h"
#include "dataplane/io/dpdk/dpdk_pool.h"

enum {
	SHARED = 3, // times as many: its rings with the kernel are longer, and two more
	RING = 1024,
	BUFFERS_OF_PORT = 2048, // in the rings of a queue pair
	// Of a worker: held, in its inbox, near its thread.
	BUFFERS_OF_WORKER = DPDK_HOLD + RING + DPDK_POOL_CACHE + DPDK_POOL_CACHE / 2,
	BUFFERS = 2 * RING, // on their way to and from the hosts
	BURST = 32,
};

#define NAP_NS  2000000
#define LOOK_NS 100000000 // at the links

static struct dpdk_plane *the_plane; // one EAL, one plane; control thread only

// ---- The hosts' thread

static void send_frame(struct dpdk_plane *plane, unsigned port, const uint8_t *octets, unsigned len)
{
	struct rte_mbuf *const m = rte_pktmbuf_alloc(plane->pool);
	char *place;

	if (!m)
		return;
	place = rte_pktmbuf_append(m, (uint16_t)len);
	m->port = (uint16_t)port;
	if (place)
		memcpy(place, octets, len);
	if (!place || rte_ring_enqueue(plane->from_hosts, m))
		rte_pktmbuf_free(m);
}

static void take_asks(struct dpdk_plane *plane, uint64_t now_ns)
{
	struct dpdk_ask ask;

	for (unsigned i = 0; i < RING; i++) {
		if (rte_ring_dequeue_elem(plane->asks, &ask, sizeof(ask)))
			return;
		host_want(&plane->port[ask.port].host, ask.hop, now_ns);
	}
}

static void input(struct dpdk_plane *plane, struct rte_mbuf *m, uint64_t now_ns)
{
	struct host *const host = &plane->port[m->port].host;
	uint8_t answer[HOST_FRAME_MAX];
	struct packet packet;
	const enum packet_kind kind = packet_read(&packet, rte_pktmbuf_mtod(m, const uint8_t *),
						  m->data_len, host->config.vlan);
	// A shared interface's answers are the kernel's, whatever an operator's own program
	// diverts.
	const unsigned len = plane->port[m->port].is_shared
				     ? 0
				     : host_input(host, kind, &packet, answer, now_ns);

	if (len)
		send_frame(plane, m->port, answer, len);
	rte_pktmbuf_free(m);
}

// All that is there: what waits longer is lost when others shout.
static void take_frames(struct dpdk_plane *plane, uint64_t now_ns)
{
	void *frame[BURST];
	unsigned n;

	for (unsigned taken = 0; taken < RING; taken += n) {
		n = rte_ring_dequeue_burst(plane->to_hosts, frame, BURST, NULL);
		for (unsigned i = 0; i < n; i++)
			input(plane, frame[i], now_ns);
		if (!n)
			return;
	}
}

static void poll_hosts(struct dpdk_plane *plane, uint64_t now_ns)
{
	uint8_t frame[HOST_FRAME_MAX];

	for (unsigned p = 0; p < plane->n_ports; p++) {
		unsigned len;

		if (plane->port[p].is_shared) {
			dpdk_shared_poll(&plane->port[p].shared, &plane->port[p].host, now_ns);
			continue;
		}
		while ((len = host_poll(&plane->port[p].host, frame, now_ns)))
			send_frame(plane, p, frame, len);
	}
}

static void look_at_links(struct dpdk_plane *plane, uint64_t now_ns)
{
	uint32_t up = 0;

	if (now_ns < plane->look_ns)
		return;
	plane->look_ns = now_ns + LOOK_NS;
	for (unsigned p = 0; p < plane->n_ports; p++)
		up |= (uint32_t)dpdk_port_is_up(&plane->port[p]) << p;
	for (uint32_t changed = up ^ dpdk_plane_up(plane); changed; changed &= changed - 1) {
		const unsigned p = (unsigned)__builtin_ctz(changed);

		log_info("dpdk", "port %s: link %s", plane->port[p].device,
			 up >> p & 1 ? "up" : "down");
		if (up >> p & 1)
			host_link_up(&plane->port[p].host, now_ns);
	}
	atomic_store(&plane->up, up);
}

static void *run(void *arg)
{
	static const struct timespec nap = {.tv_nsec = NAP_NS};
	struct dpdk_plane *const plane = arg;

	while (!atomic_load(&plane->stop)) {
		const uint64_t now_ns = clock_mono_ns(&clock_system);

		look_at_links(plane, now_ns);
		take_asks(plane, now_ns);
		take_frames(plane, now_ns);
		poll_hosts(plane, now_ns);
		nanosleep(&nap, NULL);
	}
	return NULL;
}

void dpdk_plane_ask(struct dpdk_plane *plane, unsigned port, const uint8_t hop[16])
{
	struct dpdk_ask ask = {.port = port};

	memcpy(ask.hop, hop, sizeof(ask.hop));
	(void)rte_ring_enqueue_elem(plane->asks, &ask, sizeof(ask)); // full: asked again
}

bool dpdk_plane_give(struct dpdk_plane *plane, struct rte_mbuf *frame, bool is_from_link)
{
	if (!is_from_link && rte_ring_count(plane->to_hosts) >= RING / 2)
		return false;
	return !rte_ring_enqueue(plane->to_hosts, frame);
}

void dpdk_plane_send(struct dpdk_plane *plane, unsigned worker)
{
	struct rte_mbuf *m;

	while (!worker && !rte_ring_dequeue(plane->from_hosts, (void **)&m)) {
		if (!rte_eth_tx_burst(plane->port[m->port].id, 0, &m, 1))
			rte_pktmbuf_free(m);
	}
}

// ---- Open and close

static int port_of(const struct dpdk_plane *plane, uint16_t id)
{
	for (unsigned p = 0; p < plane->n_ports; p++) {
		if (plane->port[p].id == id)
			return (int)p;
	}
	return -1;
}

static bool wants_program(const struct io_dpdk_config *config)
{
	bool wants = false;

	for (unsigned p = 0; p < config->n_ports; p++)
		wants |= dpdk_shared_wants_program(config->port[p].device);
	return wants;
}

static unsigned count_shared(const struct io_dpdk_config *config)
{
	unsigned n = 0;

	for (unsigned p = 0; p < config->n_ports; p++)
		n += dpdk_shared_is(config->port[p].device);
	return n;
}

static int make_rings(struct dpdk_plane *plane)
{
	char name[RTE_RING_NAMESIZE];

	plane->to_hosts = rte_ring_create("to_hosts", RING, SOCKET_ID_ANY, RING_F_SC_DEQ);
	plane->from_hosts =
		rte_ring_create("from_hosts", RING, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	plane->asks = rte_ring_create_elem("asks", sizeof(struct dpdk_ask), RING, SOCKET_ID_ANY,
					   RING_F_SC_DEQ);
	for (unsigned i = 0; plane->n_workers > 1 && i < plane->n_workers; i++) {
		snprintf(name, sizeof(name), "inbox_%u", i);
		plane->inbox[i] = rte_ring_create(name, RING, SOCKET_ID_ANY, RING_F_SC_DEQ);
		if (!plane->inbox[i])
			return -ENOMEM;
	}
	return plane->to_hosts && plane->from_hosts && plane->asks ? 0 : -ENOMEM;
}

static int make_memory(struct dpdk_plane *plane, unsigned n_shared, char error[IO_ERROR_MAX])
{
	const unsigned n =
		(BUFFERS_OF_PORT * (plane->n_ports + (SHARED - 1) * n_shared) + BUFFERS_OF_WORKER) *
			plane->n_workers +
		BUFFERS;

	plane->pool = dpdk_pool_make(n, n_shared);
	if (plane->pool && !make_rings(plane))
		return 0;
	snprintf(error, IO_ERROR_MAX,
		 "no memory for %u buffers of DPDK: reserve more huge pages, or give EAL a larger "
		 "-m",
		 n);
	return -ENOMEM;
}

static int open_ports(struct dpdk_plane *plane, const struct io_dpdk_config *config,
		      char error[IO_ERROR_MAX])
{
	int status = 0;

	for (unsigned i = 0; !status && i < config->n_ports; i++) {
		status = dpdk_port_open(&plane->port[i], &config->port[i], plane->n_workers,
					plane->first_port, plane->pool, error);
		if (!status && port_of(plane, plane->port[i].id) >= 0) {
			snprintf(error, IO_ERROR_MAX, "port %s is there twice",
				 config->port[i].device);
			status = -EINVAL;
		}
		plane->n_ports += !status;
	}
	return status;
}

// Drivers whose peers are other processes (memif) end connections in DPDK's own thread, with what
// closing frees: it gets time for that. Without it one server in five died at its end.
static void close_ports(struct dpdk_plane *plane)
{
	static const struct timespec nap = {.tv_nsec = 50000000};

	for (unsigned p = 0; p < plane->n_ports; p++)
		dpdk_port_stop(&plane->port[p]);
	nanosleep(&nap, NULL);
	while (plane->n_ports)
		dpdk_port_close(&plane->port[--plane->n_ports]);
}

static void end(struct dpdk_plane *plane)
{
	atomic_store(&plane->stop, true);
	if (plane->has_thread)
		pthread_join(plane->thread, NULL);
	close_ports(plane);
	dpdk_eal_stop();
	if (plane->xdp_program >= 0)
		close(plane->xdp_program);
	free(plane);
	the_plane = NULL;
}

static int begin(struct dpdk_plane *plane, const struct io_dpdk_config *config,
		 char error[IO_ERROR_MAX])
{
	int status;

	plane->n_workers = config->n_workers;
	plane->n_ports = config->n_ports; // for the memory's size
	status = make_memory(plane, count_shared(config), error);
	plane->n_ports = 0;
	if (!status)
		status = open_ports(plane, config, error);
	if (!status) {
		look_at_links(plane, clock_mono_ns(&clock_system));
		status = -pthread_create(&plane->thread, NULL, run, plane);
		if (status)
			snprintf(error, IO_ERROR_MAX, "no thread for the ports' hosts");
	}
	plane->has_thread = !status;
	return status;
}

// What shared interfaces need before DPDK starts.
static int prepare(struct dpdk_plane *plane, const struct io_dpdk_config *config,
		   char error[IO_ERROR_MAX])
{
	int status = dpdk_shared_check(config, error);

	plane->xdp_program = -1;
	if (status || !wants_program(config))
		return status;
	plane->xdp_program = xdp_program_open();
	if (plane->xdp_program >= 0)
		return 0;
	snprintf(error, IO_ERROR_MAX, "no file in memory for the XDP program");
	return plane->xdp_program;
}

static int start(struct dpdk_plane *plane, const struct io_dpdk_config *config,
		 char error[IO_ERROR_MAX])
{
	int status = prepare(plane, config, error);

	if (!status)
		status = dpdk_eal_start(config, plane->xdp_program, error);
	if (!status) {
		status = begin(plane, config, error);
		if (status)
			end(plane);
		return status;
	}
	if (plane->xdp_program >= 0)
		close(plane->xdp_program);
	free(plane);
	return status;
}

struct dpdk_plane *dpdk_plane_join(const struct io_dpdk_config *config, uint16_t first_port,
				   int *status, char error[IO_ERROR_MAX])
{
	if (!the_plane) {
		struct dpdk_plane *const plane = calloc(1, sizeof(*plane));

		*status = -ENOMEM;
		if (!plane)
			return NULL;
		plane->first_port = first_port;
		*status = start(plane, config, error);
		if (*status)
			return NULL;
		the_plane = plane;
		pthread_setname_np(plane->thread, "ports");
	}
	the_plane->users++;
	return the_plane;
}

void dpdk_plane_leave(struct dpdk_plane *plane)
{
	if (!--plane->users)
		end(plane);
}
