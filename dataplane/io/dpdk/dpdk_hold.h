#pragma once
// Frames that wait, built, for their next hop to be known: a bounded number, each for a bounded
// time. They count as sent: who loses some is the network. Worker thread only.

#include <stdbool.h>
#include <stdint.h>

enum { DPDK_HOLD = 256 };

#define DPDK_HOLD_NS 4000000000ull // longer than it takes to find that nobody answers

struct rte_mbuf;

struct dpdk_held {
	struct rte_mbuf *mbuf;
	uint64_t end_ns;
	uint8_t port;
	uint8_t hop[16];
};

struct dpdk_hold {
	unsigned n;
	struct dpdk_held at[DPDK_HOLD]; // the longest held first
};

// False: no room.
bool dpdk_hold_put(struct dpdk_hold *hold, struct rte_mbuf *mbuf, unsigned port,
		   const uint8_t hop[16], uint64_t now_ns);

enum dpdk_held_fate { DPDK_HELD_WAITS, DPDK_HELD_LEAVES };

// Asks `fate` of each in order; those that leave (the function has taken the buffer) make room.
void dpdk_hold_look(struct dpdk_hold *hold,
		    enum dpdk_held_fate (*fate)(void *ctx, const struct dpdk_held *held),
		    void *ctx);
