// The back end: datagrams are built in mbufs, in place, and leave in them (dpdk_transmit.c), and
// are read where ports put them (dpdk_receive.c). Here it opens, waits and tells how it is.

#include "dataplane/io/io_dpdk.h"

#include <errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "dataplane/io/dpdk/dpdk_telemetry.h"
#include "dataplane/io/dpdk/dpdk_worker.h"
#include "dataplane/io/io_list.h"

enum { PORT_ANY = 49152 };

#define NAP_NS 20000 // between two looks at the queues of an idle worker

// ---- Open and close

static void make_paths(struct io *io)
{
	io->datagram_max = FRAME_MAX;
	for (unsigned p = 0; p < io->plane->n_ports; p++) {
		const struct dpdk_port *const port = &io->plane->port[p];
		const unsigned max = dpdk_port_datagram_max(port);

		io->datagram_max = max < io->datagram_max ? max : io->datagram_max;
		for (unsigned f = 0; f < 2; f++) {
			const uint8_t *const ip = host_source(&port->host, f);
			struct packet_source source = {
				.port = io->port,
				.vlan = port->host.config.vlan,
				.udp_checksum = port->udp_checksum,
				.port_sums = port->sums,
			};

			if (!ip)
				continue;
			memcpy(source.mac, port->host.config.mac, PACKET_MAC);
			memcpy(source.ip, ip, PACKET_IP);
			packet_path_init(&io->path[p][f], &source);
		}
	}
}

// Workers begin with ports of their own, so that where several lead to a peer all are used.
static void make_routes(struct io *io)
{
	const unsigned n = io->plane->n_ports;

	for (unsigned i = 0; i < n; i++) {
		const unsigned p = (io->queue + i) % n;

		routes_add(&io->routes, p, &io->plane->port[p].host.config);
	}
}

// In cache lines of its own: another worker's counters are next to it.
static struct io *make_io(void)
{
	struct io *const io = aligned_alloc(_Alignof(struct io), sizeof(*io));

	if (io)
		memset(io, 0, sizeof(*io));
	return io;
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
	io = make_io();
	if (!io) {
		snprintf(error, IO_ERROR_MAX, "out of memory");
		return -ENOMEM;
	}
	io->plane = dpdk_plane_join(dpdk, config->port ? config->port : PORT_ANY, &status, error);
	if (!io->plane) {
		free(io);
		return status;
	}
	io->queue = (uint16_t)io->plane->n_open++;
	io->port = config->port ? config->port : (uint16_t)(PORT_ANY + io->queue);
	io->first_port = (uint16_t)(io->port - io->queue);
	io->last_port = (uint16_t)(io->first_port + io->plane->n_workers - 1);
	for (unsigned i = 0; i < DPDK_BURST; i++)
		io->tx.frame[i].slot = io->rx.frame[i].slot = i;
	make_paths(io);
	make_routes(io);
	dpdk_telemetry_join(io);
	*made = io;
	return 0;
}

static void dpdk_close(struct io *io)
{
	dpdk_telemetry_leave(io);
	for (unsigned i = 0; i < io->n_early; i++)
		rte_pktmbuf_free(io->early[i]);
	for (unsigned i = 0; i < io->hold.n; i++)
		rte_pktmbuf_free(io->hold.at[i].mbuf);
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

static unsigned dpdk_datagram_max(const struct io *io)
{
	return io->datagram_max;
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
		dpdk_housekeep(io);
		io->n_early = dpdk_take(io, io->early, DPDK_BURST / 2);
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
	*counts = (struct io_counts){.tx_failed = io->tx_failed, .no_buffer = io->no_buffer};
}

static unsigned dpdk_ports(const struct io *io)
{
	return io->plane->n_ports;
}

static void dpdk_port_counts(const struct io *io, unsigned port, uint64_t counts[PORT_COUNT_COUNT])
{
	for (unsigned i = 0; i < PORT_COUNT_COUNT; i++)
		counts[i] = atomic_load_explicit(&io->counts[port].n[i], memory_order_relaxed);
}

static void dpdk_status(const struct io *io, unsigned port, struct port_status *status)
{
	dpdk_port_status(&io->plane->port[port], status);
}

const struct io_ops io_dpdk = {
	.name = "dpdk",
	.open = dpdk_open,
	.close = dpdk_close,
	.port = dpdk_port_of,
	.chosen = dpdk_chosen,
	.datagram_max = dpdk_datagram_max,
	.lend = dpdk_lend,
	.transmit = dpdk_transmit,
	.drop = dpdk_drop,
	.receive = dpdk_receive,
	.release = dpdk_release,
	.arm = dpdk_arm,
	.wait = dpdk_wait,
	.wake = dpdk_wake,
	.counts = dpdk_counts,
	.ports = dpdk_ports,
	.port_counts = dpdk_port_counts,
	.port_status = dpdk_status,
};
