#pragma once
// What the workers of the back end share: the ports, the buffers, and the thread of the ports'
// hosts, which answers for them and finds their next hops.
//
//	worker → to_hosts → hosts' thread → from_hosts → worker 0 → port
//	worker → asks ────────────┘
//
// Rings that are full drop what they are given: all of it comes again by itself.

#include <pthread.h>
#include <stdatomic.h>

#include "dataplane/io/dpdk/dpdk_port.h"

struct rte_mbuf;
struct rte_ring;

// A worker needs a next hop.
struct dpdk_ask {
	uint32_t port;
	uint8_t hop[16];
};

struct dpdk_plane {
	struct rte_mempool *pool;
	struct dpdk_port port[IO_DPDK_PORTS_MAX];
	unsigned n_ports;
	unsigned n_workers;
	uint16_t first_port;                    // of UDP, worker 0's
	int xdp_program;                        // for shared interfaces, a file; -1: there are none
	unsigned n_open;                        // workers that have opened
	unsigned users;                         // of them, still open
	struct rte_ring *to_hosts, *from_hosts; // mbufs; their port says which host
	struct rte_ring *asks;                  // struct dpdk_ask
	struct rte_ring *inbox[64];             // of worker i: what came in on another's queue
	pthread_t thread;
	bool has_thread;
	atomic_uint up;   // bit p: the link of port p is up
	uint64_t look_ns; // at the links, next
	atomic_bool stop;
};

// The one of this process, with one more user. NULL with -errno in *status and what was wrong in
// error. Control thread only, as leaving.
struct dpdk_plane *dpdk_plane_join(const struct io_dpdk_config *config, uint16_t first_port,
				   int *status, char error[IO_ERROR_MAX]);
// The last one ends it all.
void dpdk_plane_leave(struct dpdk_plane *plane);

// Any thread: the ports whose links are up, a bit each. It is looked at ten times a second.
static inline uint32_t dpdk_plane_up(const struct dpdk_plane *plane)
{
	return atomic_load_explicit(&plane->up, memory_order_relaxed);
}

// Worker thread: a next hop is needed; a frame is for the host of its port, false: its ring is
// full. What may come from anywhere (pings) finds it full when half of it is: the rest is for those
// on the link, who say where next hops are.
void dpdk_plane_ask(struct dpdk_plane *plane, unsigned port, const uint8_t hop[16]);
bool dpdk_plane_give(struct dpdk_plane *plane, struct rte_mbuf *frame, bool is_from_link);
// Worker thread, often: what the hosts' thread sends leaves through the queues of worker 0.
void dpdk_plane_send(struct dpdk_plane *plane, unsigned worker);
