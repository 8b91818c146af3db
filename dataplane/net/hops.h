#pragma once
// Next hops of an interface as the kernel knows them: it is told whom we need, and says who they
// are. For a port on an interface that the kernel goes on using: what ARP and neighbour discovery
// answer there, the kernel gets. One thread, but for open and close.

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/net/hop_message.h"

enum { HOPS_OCTETS_MAX = 8192 };

struct hops {
	int socket;
	uint32_t interface;
	unsigned at, len; // of octets: what is not read yet
	uint8_t octets[HOPS_OCTETS_MAX];
};

// interface: the kernel's index of it. 0 or -errno.
int hops_open(struct hops *hops, uint32_t interface);
void hops_close(struct hops *hops);

// The kernel resolves him, and what it knows comes by hops_poll. Needs CAP_NET_ADMIN. What is lost
// on the way (a full socket) is not noticed: whoever needs him asks again.
void hops_ask(struct hops *hops, const uint8_t ip[PACKET_IP]);

// Next news of a neighbour on the interface, asked for or not: HOP_KNOWN or HOP_LOST. False: no
// more for now. It does not wait.
bool hops_poll(struct hops *hops, struct hop_message *news);
