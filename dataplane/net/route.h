#pragma once
// Which port and which next hop lead to an address: the networks of the ports' hosts first, the one
// with the longest prefix before others (RFC 1812 5.2.4.3), then their gateways. Networks are
// looked through in order: there are at most a few. Made once, read in the fast path. Any thread
// reads.

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/net/host_config.h"

enum { ROUTE_PORTS_MAX = 32 };

// A network that a port is in, in the octets' own order.
struct route_link {
	uint64_t mask[2], prefix[2];
	uint8_t port;
};

struct route_gateway {
	uint8_t port;
	uint8_t ip[PACKET_IP];
};

// Of one family.
struct routes_ip {
	unsigned n_links, n_gateways;
	// The longest prefix first; of one length in the order added.
	struct route_link link[ROUTE_PORTS_MAX * HOST_ADDRESSES_MAX];
	struct route_gateway gateway[ROUTE_PORTS_MAX];
};

struct routes {
	struct routes_ip ipv4, ipv6;
};

struct route {
	uint8_t port;
	bool is_ipv6, is_direct;
	// The address asked for, where it is on the link; else the gateway's, one pointer for all
	// that go that way.
	const uint8_t *hop;
};

// Adds the networks and gateways of a port; all zero is empty. Where several ports have a network,
// or a gateway, the one added first is used while its link is up; a gateway that does not answer
// only when there is no other.
void routes_add(struct routes *routes, unsigned port, const struct host_config *host);

static inline const struct routes_ip *routes_of(const struct routes *routes, bool is_ipv6)
{
	return is_ipv6 ? &routes->ipv6 : &routes->ipv4;
}

// Whether the network has an address of its family. Those of IPv4 differ in their second half only.
static inline bool route_link_has(const struct route_link *link, const uint8_t ip[PACKET_IP],
				  bool is_ipv6)
{
	uint64_t half[2];

	__builtin_memcpy(half, ip, sizeof(half));
	if (is_ipv6 && (half[0] ^ link->prefix[0]) & link->mask[0])
		return false;
	return !((half[1] ^ link->prefix[1]) & link->mask[1]);
}

// The way to ip over a port whose bit is set in `up`, not by the gateways of the ports in `silent`
// if there is another; false: there is none.
bool routes_find(struct route *route, const struct routes *routes, const uint8_t ip[PACKET_IP],
		 uint32_t up, uint32_t silent);
