// A build without clang or libbpf has no program for shared interfaces.

#include <errno.h>
#include <stdio.h>

#include "dataplane/io/dpdk/xdp.h"

const void *xdp_object(size_t *len)
{
	*len = 0;
	return NULL;
}

int xdp_check(unsigned interface, bool is_ours, char error[IO_ERROR_MAX])
{
	(void)interface;
	if (!is_ours)
		return 0;
	snprintf(error, IO_ERROR_MAX,
		 "this build knows no shared interfaces: they need clang and libbpf-dev (-Dxdp)");
	return -ENOTSUP;
}

int xdp_program_open(void)
{
	return -ENOTSUP;
}

int xdp_divert(struct xdp *xdp, unsigned interface, const struct xdp_key key[], unsigned n,
	       char error[IO_ERROR_MAX])
{
	(void)key;
	(void)n;
	xdp->link = -1;
	return xdp_check(interface, true, error);
}

void xdp_end(struct xdp *xdp)
{
	(void)xdp;
}
