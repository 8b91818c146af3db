#include "dataplane/net/route.h"

#include <assert.h>

static void mask_of(uint8_t mask[PACKET_IP], unsigned bits)
{
	memset(mask, 0, PACKET_IP);
	memset(mask, 0xff, bits / 8);
	if (bits % 8)
		mask[bits / 8] = (uint8_t)(0xff00 >> bits % 8);
}

static void add_link(struct routes *routes, unsigned port, const struct host_address *address)
{
	struct route_link *const link = &routes->link[routes->n_links++];
	uint8_t mask[PACKET_IP];

	mask_of(mask, address->prefix);
	memcpy(link->mask, mask, sizeof(link->mask));
	memcpy(link->prefix, address->ip, sizeof(link->prefix));
	link->prefix[0] &= link->mask[0];
	link->prefix[1] &= link->mask[1];
	link->port = (uint8_t)port;
	link->is_ipv6 = host_is_ipv6(address->ip);
}

static bool has_family(const struct host_config *host, bool is_ipv6)
{
	for (unsigned i = 0; i < host->n_addresses; i++) {
		if (host_is_ipv6(host->address[i].ip) == is_ipv6)
			return true;
	}
	return false;
}

void routes_add(struct routes *routes, unsigned port, const struct host_config *host)
{
	assert(port < ROUTE_PORTS_MAX && host->n_addresses <= HOST_ADDRESSES_MAX);
	for (unsigned i = 0; i < host->n_addresses; i++)
		add_link(routes, port, &host->address[i]);
	for (unsigned f = 0; f < 2; f++) {
		struct route_gateway *const gateway = &routes->gateway[f][routes->n_gateways[f]];

		if (!host->has_gateway[f] || !has_family(host, f))
			continue;
		gateway->port = (uint8_t)port;
		memcpy(gateway->ip, host->gateway[f], PACKET_IP);
		routes->n_gateways[f]++;
	}
}
