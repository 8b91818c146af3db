#pragma once
// Which port and which next hop lead to an address: the networks of the ports' hosts first, then
// their gateways. A host's networks are looked through in order: there are at most a few. Made
// once, read in the fast path. Any thread reads.

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "dataplane/net/host_config.h"

enum { ROUTE_PORTS_MAX = 32 };

// A network that a port is in, in the octets' own order.
struct route_link {
	uint64_t mask[2], prefix[2];
	uint8_t port;
	bool is_ipv6;
};

struct route_gateway {
	uint8_t port;
	uint8_t ip[PACKET_IP];
};

struct routes {
	unsigned n_links;
	struct route_link link[ROUTE_PORTS_MAX * HOST_ADDRESSES_MAX];
	unsigned n_gateways[2]; // by family
	struct route_gateway gateway[2][ROUTE_PORTS_MAX];
};

struct route {
	uint8_t port;
	// The address asked for, where it is on the link; else the gateway's, one pointer for all
	// that go that way.
	const uint8_t *hop;
};

// Adds the networks and gateways of a port; all zero is empty. Where several ports have a gateway,
// the one added first is used while its link is up.
void routes_add(struct routes *routes, unsigned port, const struct host_config *host);

// The gateway of that family; NULL: none on a port whose bit is set in `up`.
static inline const struct route_gateway *route_gateway(const struct routes *routes, bool is_ipv6,
							uint32_t up)
{
	for (unsigned i = 0; i < routes->n_gateways[is_ipv6]; i++) {
		if (up >> routes->gateway[is_ipv6][i].port & 1)
			return &routes->gateway[is_ipv6][i];
	}
	return NULL;
}

// The way to ip over a port whose bit is set in `up`; false: there is none.
static inline bool route_find(struct route *route, const struct routes *routes,
			      const uint8_t ip[PACKET_IP], uint32_t up)
{
	const bool is_ipv6 = host_is_ipv6(ip);
	const struct route_gateway *gateway;
	uint64_t half[2];

	memcpy(half, ip, sizeof(half));
	for (const struct route_link *l = routes->link; l < routes->link + routes->n_links; l++) {
		const uint64_t differs = ((half[0] ^ l->prefix[0]) & l->mask[0]) |
					 ((half[1] ^ l->prefix[1]) & l->mask[1]);

		if (differs || l->is_ipv6 != is_ipv6 || !(up >> l->port & 1))
			continue;
		*route = (struct route){l->port, ip};
		return true;
	}
	gateway = route_gateway(routes, is_ipv6, up);
	if (gateway)
		*route = (struct route){gateway->port, gateway->ip};
	return gateway;
}
