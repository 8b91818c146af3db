#pragma once
// Flow rules: the device puts a datagram into the receive queue of the worker whose UDP port it is
// for (DPDK 22.11, Programmer's Guide, "Generic flow API (rte_flow)"). All rules of a port are
// there or none: without them its queues get what its hash says, and workers hand datagrams over.
//
//	ingress, ETH / (VLAN) / IPV4 or IPV6 / UDP dst = first_port + i → QUEUE i
//
// Everything else, fragments too, goes where it would without rules. Control thread only.

#include <stdbool.h>
#include <stdint.h>

enum {
	DPDK_FLOW_QUEUES_MAX = 64,
	DPDK_FLOW_MAX = 2 * DPDK_FLOW_QUEUES_MAX, // by family
};

struct rte_flow;

struct dpdk_flow_plan {
	const char *device;  // for the log; it outlives the rules
	uint16_t port;       // DPDK's number of it
	uint16_t queues;     // 1 to DPDK_FLOW_QUEUES_MAX, of workers 0 …
	uint16_t first_port; // of UDP, worker 0's; all are below 65536
	bool has_vlan;       // its frames are tagged
	bool has[2];         // addresses of IPv4, of IPv6
};

struct dpdk_flow {
	const char *device;
	uint16_t port;
	unsigned n;
	struct rte_flow *rule[DPDK_FLOW_MAX];
};

// Makes the rules of a port that has started; says in the log whether it did, and if not, with
// the driver's own words why. 0, or -errno: there is none then, as where `has` has no family.
int dpdk_flow_open(struct dpdk_flow *flow, const struct dpdk_flow_plan *plan);
// Takes them back, last made first; before the device stops, since its driver does not (there,
// "When the device is stopped"). Of a zeroed one: nothing.
void dpdk_flow_close(struct dpdk_flow *flow);
