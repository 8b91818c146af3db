#pragma once
// A port past the kernel, as command lines give it: the options that its programs have in common,
// and the configuration made of them. One thread.

#include "dataplane/io/io_dpdk.h"
#include "tools/args.h"

enum { PORT_EAL_MAX = 1024 };

struct port_options {
	const char *device, *eal;
	struct arg_texts addresses, gateways;
	char eal_text[PORT_EAL_MAX]; // what the configuration's arguments point to
};

// Entries for a table of struct arg.
#define PORT_ARG_DEVICE(o)                                                                         \
	{                                                                                          \
		ARG_TEXT, 0, "dpdk", "DEVICE",                                                     \
			"a port of DPDK: \"0000:01:00.0\", or a virtual one:\n"                    \
			"\"net_memif0,role=client,socket=/tmp/m.sock,\n"                           \
			"socket-abstract=no\"",                                                    \
			&(o)->device, 0, 0                                                         \
	}
#define PORT_ARG_ADDRESS(o)                                                                        \
	{                                                                                          \
		ARG_TEXTS, 0, "address", "ADDRESS/PREFIX",                                         \
			"of the port itself, which answers ARP, neighbour\n"                       \
			"solicitations and ping; up to 4",                                         \
			&(o)->addresses, 0, 0                                                      \
	}
#define PORT_ARG_GATEWAY(o)                                                                        \
	{                                                                                          \
		ARG_TEXTS, 0, "gateway", "ADDRESS",                                                \
			"the way to what is not on the link, one of each family", &(o)->gateways,  \
			0, 0                                                                       \
	}
#define PORT_ARG_EAL(o)                                                                            \
	{                                                                                          \
		ARG_TEXT, 0, "eal", "ARGUMENTS",                                                   \
			"for EAL, with spaces between them; without any memory\n"                  \
			"is in huge pages, if there are free ones",                                \
			&(o)->eal, 0, 0                                                            \
	}

// `threads` share the port. 0, or -EINVAL (said). The options live as long as the configuration.
int port_config(struct port_options *options, unsigned threads, struct io_dpdk_config *config);
