#pragma once
// The back end `dpdk`: what it is given (io_config.arg, so dp_config.io_arg). Datagrams leave and
// arrive through ports of DPDK, past the kernel; each port is a host of its own, with addresses,
// next hops and answers (net/host.h). All workers share the ports, each has a queue pair of every
// port.
//
// The environment abstraction layer (EAL) starts once in a process: the first open starts it, the
// last close ends it, and after that no other open succeeds.

#include "dataplane/net/host.h"

enum { IO_DPDK_PORTS_MAX = 8, IO_DPDK_ARGS_MAX = 64, IO_DPDK_ARG_MAX = 255 };

struct io_dpdk_port {
	const char *device;      // "0000:01:00.0", or a virtual one: "net_af_packet0,iface=eth1"
	struct host_config host; // its MAC is the port's own
	bool udp_checksum;       // over IPv4
};

struct io_dpdk_config {
	const char *arg[IO_DPDK_ARGS_MAX]; // of EAL, beside those that the ports need;
					   // IO_DPDK_ARG_MAX characters at most
	unsigned n_args;
	struct io_dpdk_port port[IO_DPDK_PORTS_MAX];
	unsigned n_ports;
	unsigned n_workers; // that will open
};
