#include "dataplane/net/host.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/net/host_message.h"

enum { MAPPED_BITS = 96 };

bool host_is_ipv6(const uint8_t ip[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(ip, mapped, sizeof(mapped)) != 0;
}

// ---- Addresses and routes

static bool same_prefix(const uint8_t a[16], const uint8_t b[16], unsigned bits)
{
	const unsigned whole = bits / 8, rest = bits % 8;

	return !memcmp(a, b, whole) && (!rest || (a[whole] ^ b[whole]) >> (8 - rest) == 0);
}

static bool on_link(const struct host_config *config, const uint8_t ip[16])
{
	for (unsigned i = 0; i < config->n_addresses; i++) {
		if (same_prefix(config->address[i].ip, ip, config->address[i].prefix))
			return true;
	}
	return false;
}

const uint8_t *host_source(const struct host *host, bool is_ipv6)
{
	for (unsigned i = 0; i < host->config.n_addresses; i++) {
		if (host_is_ipv6(host->config.address[i].ip) == is_ipv6)
			return host->config.address[i].ip;
	}
	return NULL;
}

bool host_has(const struct host *host, const uint8_t ip[16])
{
	for (unsigned i = 0; i < host->config.n_addresses; i++) {
		if (!memcmp(host->config.address[i].ip, ip, 16))
			return true;
	}
	return false;
}

const uint8_t *host_hop(const struct host *host, const uint8_t ip[16])
{
	const bool is_ipv6 = host_is_ipv6(ip);

	if (on_link(&host->config, ip))
		return ip;
	return host->config.has_gateway[is_ipv6] ? host->config.gateway[is_ipv6] : NULL;
}

enum host_route host_resolve(const struct host *host, const uint8_t hop[16],
			     uint8_t mac[PACKET_MAC])
{
	switch (neighbour_find(&host->neighbours, hop, mac)) {
	case NEIGHBOUR_KNOWN:
		return HOST_READY;
	case NEIGHBOUR_GONE:
		return HOST_GONE;
	default:
		return HOST_UNRESOLVED;
	}
}

enum host_route host_next_hop(const struct host *host, const uint8_t ip[16],
			      uint8_t mac[PACKET_MAC], const uint8_t **hop)
{
	*hop = host_hop(host, ip);
	return *hop ? host_resolve(host, *hop, mac) : HOST_NO_ROUTE;
}

// ---- Start

static bool is_unicast(const uint8_t ip[16])
{
	static const uint8_t zeros[16];

	if (host_is_ipv6(ip))
		return ip[0] != 0xff && memcmp(ip, zeros, 16) != 0;
	return ip[12] != 0 && ip[12] != 127 && ip[12] < 224;
}

static int check_address(const struct host_config *config, unsigned i, char error[HOST_ERROR_MAX])
{
	const struct host_address *const a = &config->address[i];
	const unsigned least = host_is_ipv6(a->ip) ? 1 : MAPPED_BITS + 1;

	if (!is_unicast(a->ip)) {
		snprintf(error, HOST_ERROR_MAX, "address %u is not one of a host", i + 1);
		return -EINVAL;
	}
	if (a->prefix < least || a->prefix > 128) {
		snprintf(error, HOST_ERROR_MAX, "the prefix of address %u has no length from 1 on",
			 i + 1);
		return -EINVAL;
	}
	for (unsigned k = 0; k < i; k++) {
		if (!memcmp(config->address[k].ip, a->ip, 16)) {
			snprintf(error, HOST_ERROR_MAX, "addresses %u and %u are the same", k + 1,
				 i + 1);
			return -EINVAL;
		}
	}
	return 0;
}

static int check(const struct host_config *config, char error[HOST_ERROR_MAX])
{
	int status = config->n_addresses ? 0 : -EINVAL;

	if (status)
		snprintf(error, HOST_ERROR_MAX, "there is no address");
	for (unsigned i = 0; !status && i < config->n_addresses; i++)
		status = check_address(config, i, error);
	for (unsigned f = 0; !status && f < 2; f++) {
		if (!config->has_gateway[f] || on_link(config, config->gateway[f]))
			continue;
		snprintf(error, HOST_ERROR_MAX, "the gateway of %s is on no address's network",
			 f ? "IPv6" : "IPv4");
		status = -EINVAL;
	}
	return status;
}

int host_init(struct host *host, const struct host_config *config, char error[HOST_ERROR_MAX])
{
	const int status = check(config, error);

	if (status)
		return status;
	memset(host, 0, sizeof(*host));
	host->config = *config;
	for (unsigned i = 0; i < config->n_neighbours; i++)
		neighbour_add_static(&host->neighbours, config->neighbour[i].ip,
				     config->neighbour[i].mac);
	for (unsigned f = 0; f < 2; f++) {
		if (config->has_gateway[f])
			host_want(host, config->gateway[f], 0);
	}
	return 0;
}

bool host_want(struct host *host, const uint8_t hop[16], uint64_t now_ns)
{
	return neighbour_want(&host->neighbours, hop, now_ns);
}

// ---- Messages

static unsigned input_arp(struct host *host, const struct packet *packet,
			  uint8_t answer[HOST_FRAME_MAX], uint64_t now_ns)
{
	struct host_arp arp;

	if (!host_arp_read(&arp, packet))
		return 0;
	neighbour_learn(&host->neighbours, arp.sender, arp.mac, now_ns);
	if (!arp.is_request || !host_has(host, arp.target))
		return 0;
	return host_arp_answer(answer, &host->config, &arp);
}

static unsigned input_nd(struct host *host, const struct packet *packet,
			 uint8_t answer[HOST_FRAME_MAX], uint64_t now_ns)
{
	struct host_nd nd;

	if (!host_nd_read(&nd, packet))
		return 0;
	if (nd.has_mac)
		neighbour_learn(&host->neighbours, nd.is_solicitation ? packet->source : nd.target,
				nd.mac, now_ns);
	if (!nd.is_solicitation || !host_has(host, nd.target))
		return 0;
	return host_nd_answer(answer, &host->config, &nd, packet);
}

unsigned host_input(struct host *host, enum packet_kind kind, const struct packet *packet,
		    uint8_t answer[HOST_FRAME_MAX], uint64_t now_ns)
{
	if (kind == PACKET_ARP)
		return input_arp(host, packet, answer, now_ns);
	if (kind == PACKET_ICMPV6) {
		const unsigned n = input_nd(host, packet, answer, now_ns);

		if (n)
			return n;
	}
	if ((kind == PACKET_ICMPV4 || kind == PACKET_ICMPV6) && host_has(host, packet->destination))
		return host_echo_answer(answer, &host->config, packet);
	return 0;
}

unsigned host_poll(struct host *host, uint8_t frame[HOST_FRAME_MAX], uint64_t now_ns)
{
	const struct neighbour *const n = neighbour_due(&host->neighbours, &host->due_at, now_ns);
	const uint8_t *source;
	uint8_t ip[16];

	if (!n) {
		host->due_at = 0;
		return 0;
	}
	neighbour_ip(n, ip);
	source = host_source(host, host_is_ipv6(ip));
	if (!source)
		return host_poll(host, frame, now_ns);
	return host_is_ipv6(ip) ? host_nd_ask(frame, &host->config, source, ip)
				: host_arp_ask(frame, &host->config, source, ip);
}
