#pragma once
// Our own address on a datagram of a trace: the data plane knows its port alone. Any thread.

#include <stdint.h>

struct config;

// The address that this worker's datagrams to the peer are sent from with the back end `io`: with
// DPDK that of the port that leads to it while links are up and gateways answer; the configured
// one; else what the host would take. Unspecified (of the peer's family) when there is none. IPv4
// as ::ffff:a.b.c.d.
void trace_own(const struct config *config, const char *io, const uint8_t peer[16], unsigned worker,
	       uint8_t own[16]);
