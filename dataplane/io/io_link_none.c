// Links where DPDK is not built in.
#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "dataplane/io/io_link.h"

int io_link_open(struct io_link **link, const struct io_dpdk_config *config,
		 char error[IO_ERROR_MAX])
{
	(void)config;
	*link = NULL;
	snprintf(error, IO_ERROR_MAX, "this program was built without DPDK (meson -Ddpdk=enabled)");
	return -ENOTSUP;
}

// Nobody has a link to call these with.

void io_link_close(struct io_link *link)
{
	assert(!link);
}

unsigned io_link_receive(struct io_link *link, struct io_datagram datagram[], unsigned n)
{
	(void)datagram, (void)n;
	assert(!link);
	return 0;
}

unsigned io_link_answer(struct io_link *link, const struct io_datagram datagram[], unsigned n)
{
	(void)datagram, (void)n;
	assert(!link);
	return 0;
}

void io_link_wait(struct io_link *link, uint64_t timeout_ns)
{
	(void)timeout_ns;
	assert(!link);
}

void io_link_wake(struct io_link *link)
{
	assert(!link);
}

uint64_t io_link_missed(struct io_link *link)
{
	assert(!link);
	return 0;
}
