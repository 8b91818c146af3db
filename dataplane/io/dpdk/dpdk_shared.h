#pragma once
// A port on an interface that the kernel goes on using (the driver net_af_xdp): only datagrams to
// the workers' UDP ports at the port's addresses come to it. ARP, neighbour discovery, ping and all
// else are the kernel's, whose neighbours are the next hops here.

#include "dataplane/io/dpdk/xdp.h"
#include "dataplane/io/io_dpdk.h"
#include "dataplane/net/hops.h"

enum { DPDK_WORKERS_MAX = 64, DPDK_RESERVED_MAX = HOST_ADDRESSES_MAX * DPDK_WORKERS_MAX };

struct dpdk_shared {
	struct hops hops;
	struct xdp xdp;
	int reserved[DPDK_RESERVED_MAX]; // sockets of the kernel's with the workers' ports
	unsigned n_reserved;
};

bool dpdk_shared_is(const char *device);
// Whether its XDP program is to be ours: the device names none.
bool dpdk_shared_wants_program(const char *device);

// ---- Control thread

// Before DPDK starts, since its drivers do not tell what is wrong: the interface of each shared
// port, that it has the port's addresses, and what XDP needs. 0, or -errno with what was wrong in
// error.
int dpdk_shared_check(const struct io_dpdk_config *config, char error[IO_ERROR_MAX]);

// The device has started. The UDP ports first_port … are reserved with the kernel, so that no
// socket gets what is diverted, and from then on they are. 0, or -errno with what was wrong in
// error.
int dpdk_shared_open(struct dpdk_shared *shared, const struct io_dpdk_port *config,
		     uint16_t first_port, unsigned n_workers, char error[IO_ERROR_MAX]);
void dpdk_shared_close(struct dpdk_shared *shared); // before the device does

// ---- The hosts' thread: what host_poll is for other ports.

void dpdk_shared_poll(struct dpdk_shared *shared, struct host *host, uint64_t now_ns);
