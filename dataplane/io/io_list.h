#pragma once
// The back ends by symbol, for the list in io.c and for kernel, which chooses among them.

#include "dataplane/io/io.h"

extern const struct io_ops io_kernel;
extern const struct io_ops io_sendmmsg;
extern const struct io_ops io_uring_back_end; // where built: HAVE_URING
extern const struct io_ops io_mem_back_end;
extern const struct io_ops io_dpdk; // where built: HAVE_DPDK
