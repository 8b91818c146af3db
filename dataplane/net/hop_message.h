#pragma once
// Messages to and from the kernel about its neighbour table, over rtnetlink (RFC 3549 3.2.4,
// rtnetlink(7)): octets only, for hops.c. No octet of an answer is believed before its length has
// been checked, though it is the kernel's. Any thread.

#include <stdint.h>

#include "dataplane/net/packet.h"

enum {
	HOP_REQUEST_MAX = 96, // octets of what hop_message_ask writes
};

enum hop_news {
	HOP_NONE,  // nothing about a neighbour, or nothing new: the kernel is still asking
	HOP_KNOWN, // he has this MAC
	HOP_LOST,  // he did not answer the kernel, or was taken out of its table
};

struct hop_message {
	enum hop_news news;
	uint32_t interface;    // of the kernel's; HOP_NONE: 0
	uint8_t ip[PACKET_IP]; // IPv4 as ::ffff:a.b.c.d
	uint8_t mac[PACKET_MAC];
};

// Reads the first message of len octets: how many it takes, 0 when no whole one is there. *message
// is always set. Neighbours of other families than IP, with addresses of other lengths than
// Ethernet's, and those of proxies are HOP_NONE.
unsigned hop_message_read(struct hop_message *message, const uint8_t *octets, unsigned len);

// Two requests: the kernel resolves him, or makes sure of him; and says what it knows now. Octets
// written.
unsigned hop_message_ask(uint8_t request[HOP_REQUEST_MAX], uint32_t interface,
			 const uint8_t ip[PACKET_IP]);
