#include "dataplane/net/route.h"

#include <assert.h>
#include <string.h>

static void mask_of(uint8_t mask[PACKET_IP], unsigned bits)
{
	memset(mask, 0, PACKET_IP);
	memset(mask, 0xff, bits / 8);
	if (bits % 8)
		mask[bits / 8] = (uint8_t)(0xff00 >> bits % 8);
}

static int bits_of(const struct route_link *link)
{
	return __builtin_popcountll(link->mask[0]) + __builtin_popcountll(link->mask[1]);
}

// Behind those with as long a prefix, before those with a shorter one.
static struct route_link *make_place(struct routes_ip *routes, unsigned bits)
{
	struct route_link *link = &routes->link[routes->n_links++];

	for (; link > routes->link && bits_of(link - 1) < (int)bits; link--)
		*link = link[-1];
	return link;
}

static void add_link(struct routes_ip *routes, unsigned port, const struct host_address *address)
{
	struct route_link *const link = make_place(routes, address->prefix);
	uint8_t mask[PACKET_IP];

	mask_of(mask, address->prefix);
	memcpy(link->mask, mask, sizeof(link->mask));
	memcpy(link->prefix, address->ip, sizeof(link->prefix));
	link->prefix[0] &= link->mask[0];
	link->prefix[1] &= link->mask[1];
	link->port = (uint8_t)port;
}

static bool has_family(const struct host_config *host, bool is_ipv6)
{
	for (unsigned i = 0; i < host->n_addresses; i++) {
		if (host_is_ipv6(host->address[i].ip) == is_ipv6)
			return true;
	}
	return false;
}

static void add_gateway(struct routes_ip *routes, unsigned port, const uint8_t ip[PACKET_IP])
{
	struct route_gateway *const gateway = &routes->gateway[routes->n_gateways++];

	gateway->port = (uint8_t)port;
	memcpy(gateway->ip, ip, PACKET_IP);
}

static struct routes_ip *family_of(struct routes *routes, bool is_ipv6)
{
	return is_ipv6 ? &routes->ipv6 : &routes->ipv4;
}

void routes_add(struct routes *routes, unsigned port, const struct host_config *host)
{
	assert(port < ROUTE_PORTS_MAX && host->n_addresses <= HOST_ADDRESSES_MAX);
	for (unsigned i = 0; i < host->n_addresses; i++) {
		const struct host_address *const address = &host->address[i];

		add_link(family_of(routes, host_is_ipv6(address->ip)), port, address);
	}
	for (unsigned is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
		if (host->has_gateway[is_ipv6] && has_family(host, is_ipv6))
			add_gateway(family_of(routes, is_ipv6), port, host->gateway[is_ipv6]);
	}
}

static const struct route_link *find_link(const struct routes_ip *routes,
					  const uint8_t ip[PACKET_IP], bool is_ipv6, uint32_t up)
{
	for (unsigned i = 0; i < routes->n_links; i++) {
		const struct route_link *const link = &routes->link[i];

		if (route_link_has(link, ip, is_ipv6) && up >> link->port & 1)
			return link;
	}
	return NULL;
}

static const struct route_gateway *find_gateway(const struct routes_ip *routes, uint32_t up)
{
	for (unsigned i = 0; i < routes->n_gateways; i++) {
		if (up >> routes->gateway[i].port & 1)
			return &routes->gateway[i];
	}
	return NULL;
}

bool routes_find(struct route *route, const struct routes *routes, const uint8_t ip[PACKET_IP],
		 uint32_t up, uint32_t silent)
{
	const bool is_ipv6 = host_is_ipv6(ip);
	const struct routes_ip *const family = routes_of(routes, is_ipv6);
	const struct route_link *const link = find_link(family, ip, is_ipv6, up);
	const struct route_gateway *gateway = NULL;

	if (!link)
		gateway = find_gateway(family, up & ~silent);
	if (!link && !gateway)
		gateway = find_gateway(family, up);
	if (link)
		*route = (struct route){link->port, is_ipv6, true, ip};
	else if (gateway)
		*route = (struct route){gateway->port, is_ipv6, false, gateway->ip};
	return link || gateway;
}
