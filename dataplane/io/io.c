#include "dataplane/io/io.h"

#include <string.h>

#include "dataplane/io/io_list.h"

const struct io_ops *const io_back_ends[] = {
	&io_kernel,         &io_sendmmsg,
#ifdef HAVE_URING
	&io_uring_back_end,
#endif
#ifdef HAVE_DPDK
	&io_dpdk,
#endif
	&io_mem_back_end,   NULL,
};

const struct io_ops *io_find(const char *name)
{
	for (const struct io_ops *const *ops = io_back_ends; *ops; ops++) {
		if (!strcmp((*ops)->name, name))
			return *ops;
	}
	return NULL;
}
