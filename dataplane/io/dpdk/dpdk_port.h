#pragma once
// A port of DPDK, and the host on it. Open and close: control thread only.

#include "dataplane/io/dpdk/dpdk_flow.h"
#include "dataplane/io/dpdk/dpdk_shared.h"
#include "dataplane/io/io.h"
#include "dataplane/io/io_dpdk.h"
#include "dataplane/io/port.h"

struct rte_mempool;

enum { DPDK_DEVICE_MAX = 127 };

struct dpdk_port {
	uint16_t id;
	uint16_t rx_queues; // 1 to the number of workers; worker i polls queue i, if there is one
	bool udp_checksum;
	bool sums;    // it computes UDP's checksums itself
	uint16_t mtu; // octets of IP in a frame, as it was at open
	char device[DPDK_DEVICE_MAX + 1];
	struct host host;
	bool is_shared; // with the kernel, which has the next hops then
	struct dpdk_shared shared;
	enum port_steering steering;
	struct dpdk_flow flow;
};

// Configures and starts it with a transmit queue for each worker, as many receive queues as it has
// up to that. Worker i has UDP port first_port + i, to which the device steers if it can; 0: no
// worker has one of its own. 0, or -errno with what was wrong in error.
int dpdk_port_open(struct dpdk_port *port, const struct io_dpdk_port *config, unsigned n_workers,
		   uint16_t first_port, struct rte_mempool *pool, char error[IO_ERROR_MAX]);
// Octets of the longest UDP payload that fits its MTU behind the headers of the families that it
// has addresses of; FRAME_MAX at most. Any thread.
unsigned dpdk_port_datagram_max(const struct dpdk_port *port);
// Nothing leaves or arrives any more; then it is gone.
void dpdk_port_stop(struct dpdk_port *port);
void dpdk_port_close(struct dpdk_port *port);

// Any thread.
bool dpdk_port_is_up(const struct dpdk_port *port);
void dpdk_port_status(const struct dpdk_port *port, struct port_status *status);
