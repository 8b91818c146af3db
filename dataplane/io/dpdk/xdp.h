#pragma once
// The program in the kernel that diverts our datagrams on a shared interface (xdp_program.c): what
// the driver is given to load, and what is done with it then. Control thread only.
//
// The driver attaches it so that it would stay when the daemon dies. xdp_divert attaches it anew,
// so that it goes with the daemon, however that ends.

#include <stdbool.h>
#include <stddef.h>

#include "dataplane/io/dpdk/xdp_key.h"
#include "dataplane/io/io.h"

// The program as an ELF object; NULL: this build has none.
const void *xdp_object(size_t *len);

// Whether the interface has no program yet (of another one the driver would make an end when it
// closes) and the kernel takes ours, if it is to. 0, or -errno with what was wrong and what to do
// in error.
int xdp_check(unsigned interface, bool is_ours, char error[IO_ERROR_MAX]);

// A file without a name that holds the object: its descriptor, or -errno. /proc/self/fd/N is what
// the driver may load.
int xdp_program_open(void);

struct xdp {
	int link; // the program stays while this is open
};

// The driver has loaded and attached it: from now on datagrams with these keys are diverted, n at
// most XDP_OURS_MAX. 0, or -errno with what was wrong in error. The driver's port may close after
// xdp_end only.
int xdp_divert(struct xdp *xdp, unsigned interface, const struct xdp_key key[], unsigned n,
	       char error[IO_ERROR_MAX]);
void xdp_end(struct xdp *xdp);
