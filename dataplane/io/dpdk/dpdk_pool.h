#pragma once
// Buffers for datagrams. Control thread only.

#include <stdbool.h>

enum { DPDK_POOL_CACHE = 256 }; // buffers near a thread; DPDK keeps up to half as many again

struct rte_mempool;

// So many, in memory that any device may use; by_pages: one in each page, as a shared interface
// needs it, whose driver gives the kernel the memory as n times a buffer's size. NULL: no memory.
struct rte_mempool *dpdk_pool_make(unsigned n, bool by_pages);
