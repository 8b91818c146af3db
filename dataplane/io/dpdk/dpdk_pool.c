#include "dataplane/io/dpdk/dpdk_pool.h"

#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>
#include <rte_memzone.h>
#include <unistd.h>

enum { CACHE = DPDK_POOL_CACHE, PAGE = 4096 };

#define NAME "datagrams"

// Buffers never cross a page. Smaller ones than a page would leave its end unused, and the memory
// would be longer than n of them; the pool must not make them longer for its own reasons either.
static struct rte_mempool *make_empty(unsigned n)
{
	struct rte_mempool_objsz size;
	struct rte_pktmbuf_pool_private room = {0};
	struct rte_mempool *pool;

	rte_mempool_calc_obj_size(1, RTE_MEMPOOL_F_NO_SPREAD, &size);
	room.mbuf_data_room_size =
		(uint16_t)(PAGE - size.header_size - size.trailer_size - sizeof(struct rte_mbuf));
	pool = rte_mempool_create_empty(NAME, n, sizeof(struct rte_mbuf) + room.mbuf_data_room_size,
					CACHE, sizeof(room), (int)rte_socket_id(),
					RTE_MEMPOOL_F_NO_SPREAD);
	if (!pool || rte_mempool_set_ops_byname(pool, rte_mbuf_best_mempool_ops(), NULL))
		return NULL;
	rte_pktmbuf_pool_init(pool, &room);
	return pool;
}

static struct rte_mempool *make_by_pages(unsigned n)
{
	const struct rte_memzone *const memory = rte_memzone_reserve_aligned(
		NAME "_memory", (size_t)n * PAGE, (int)rte_socket_id(), 0, (unsigned)getpagesize());
	struct rte_mempool *const pool = memory ? make_empty(n) : NULL;
	size_t page;

	if (!pool || rte_mempool_get_page_size(pool, &page) ||
	    rte_mempool_populate_virt(pool, memory->addr, (size_t)n * PAGE, page, NULL, NULL) !=
		    (int)n)
		return NULL;
	rte_mempool_obj_iter(pool, rte_pktmbuf_init, NULL);
	return pool;
}

struct rte_mempool *dpdk_pool_make(unsigned n, bool by_pages)
{
	if (by_pages)
		return make_by_pages(n);
	return rte_pktmbuf_pool_create(NAME, n, CACHE, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
				       (int)rte_socket_id());
}
