#pragma once
// What a datagram has to have to be diverted: shared by the program in the kernel (xdp_program.c),
// which looks it up, and the daemon, which puts it there. Neither has other types in common.

struct xdp_key {
	unsigned char ip[16];  // destination; IPv4 as ::ffff:a.b.c.d
	unsigned char port[2]; // destination, network order
	unsigned char vlan[2]; // of its tag, network order; 0: no tag
};

// Names of maps: the driver puts its sockets into the one, the daemon its addresses into the other.
#define XDP_SOCKETS "xsks_map"
#define XDP_OURS    "akmapush_ours"

enum { XDP_OURS_MAX = 1024, XDP_QUEUES_MAX = 256 };
