#pragma once
// A port of DPDK, and the way through it, for the benches dpdk and workers.

#include "bench/io.h"
#include "dataplane/io/io_dpdk.h"

// 10.0.0.1/24 behind a gateway whose MAC is known, on the device; NULL: a port that takes all and
// does nothing. So many queues, one for each worker.
void io_port_init(struct io_dpdk_config *config, const char *device, unsigned queues);
// Rounds of at most IO_ROUND datagrams through such ports.
void io_port_sink(struct io_sink *sink, const struct bench_options *options,
		  struct io_dpdk_config *ports);
