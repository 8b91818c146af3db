#pragma once
// A worker's end of the back end: its queue of every port, its buffers, what it counts. The
// worker's alone, but for `woken` and the counters, which others read.

#include <stdatomic.h>

#include "dataplane/io/dpdk/dpdk_hold.h"
#include "dataplane/io/dpdk/dpdk_plane.h"
#include "dataplane/io/port.h"
#include "dataplane/net/route.h"

enum { DPDK_BURST = 64 };

// Buffers and the frames that show them, slot by slot.
struct dpdk_slots {
	struct rte_mbuf *mbuf[DPDK_BURST];
	struct frame frame[DPDK_BURST];
};

struct dpdk_counts {
	_Atomic uint64_t n[PORT_COUNT_COUNT];
};

struct io {
	_Alignas(64) struct dpdk_plane *plane;
	uint16_t queue;                 // of every port; the worker's number
	uint16_t port;                  // of UDP
	uint16_t first_port, last_port; // of all workers
	bool is_registered;
	struct routes routes;
	struct packet_path path[IO_DPDK_PORTS_MAX][2]; // by family
	struct dpdk_slots tx, rx;
	struct dpdk_hold hold;
	struct rte_mbuf *early[DPDK_BURST]; // came while the worker was waiting
	unsigned n_early;
	unsigned take_from; // first, next time: a port, or the inbox behind them
	uint64_t tx_failed, no_buffer;
	unsigned datagram_max; // of all ports
	struct dpdk_counts counts[IO_DPDK_PORTS_MAX];
	atomic_bool woken;
};

static inline void dpdk_count(struct io *io, unsigned port, enum port_count what, uint64_t n)
{
	_Atomic uint64_t *const count = &io->counts[port].n[what];

	atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + n,
			      memory_order_relaxed);
}

// DPDK keeps buffers near the threads that it knows: called by the worker before it takes any.
void dpdk_register_thread(struct io *io);

// ---- io_ops: see io.h

unsigned dpdk_lend(struct io *io, struct frame *frame[], unsigned n);
unsigned dpdk_transmit(struct io *io, struct frame *frame[], unsigned n);
void dpdk_drop(struct io *io, io_is_unwanted *is_unwanted, const void *ctx);
unsigned dpdk_receive(struct io *io, struct frame *frame[], unsigned n);
void dpdk_release(struct io *io, struct frame *frame[], unsigned n);

// ---- For the worker while it waits

// What is due beside datagrams: frames of the ports' hosts, frames held. Cheap when there is
// nothing.
void dpdk_housekeep(struct io *io);
// Frames from the ports' queues and from other workers; their port is the number of ours.
unsigned dpdk_take(struct io *io, struct rte_mbuf *mbuf[], unsigned n);
