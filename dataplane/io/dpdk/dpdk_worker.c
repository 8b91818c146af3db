#include "dataplane/io/dpdk/dpdk_worker.h"

#include <rte_lcore.h>

void dpdk_register_thread(struct io *io)
{
	if (io->is_registered)
		return;
	io->is_registered = true;
	(void)rte_thread_register(); // without it buffers are taken from the common store
}
