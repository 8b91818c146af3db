#pragma once
// DPDK's environment abstraction layer. Control thread only.

#include "dataplane/io/io.h"
#include "dataplane/io/io_dpdk.h"

// Starts it with what the configuration says and what that leaves open: memory without files in
// huge pages if there are any, else in small ones, which is logged; PCI only for ports on it; one
// lcore; the program's file for shared interfaces that name none. 0, or -errno with what was wrong
// and what to do in error.
int dpdk_eal_start(const struct io_dpdk_config *config, int xdp_program, char error[IO_ERROR_MAX]);
void dpdk_eal_stop(void);
