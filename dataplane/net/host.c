#include "dataplane/net/host.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "base/bytes.h"
#include "dataplane/net/host_message.h"

enum { MAPPED_BITS = 96, VLAN_MAX = 4094 };

// ---- Addresses and routes

// The host's address in the network that ip is in, or NULL. A short prefix of IPv6 is that of
// ::ffff:0:0/96 too, and no network of IPv4 for that.
static const uint8_t *on_link(const struct host_config *config, const uint8_t ip[16])
{
	for (unsigned i = 0; i < config->n_addresses; i++) {
		const struct host_address *const a = &config->address[i];

		if (host_is_ipv6(a->ip) == host_is_ipv6(ip) &&
		    address_is_same_network(a->ip, ip, a->prefix))
			return a->ip;
	}
	return NULL;
}

const uint8_t *host_source(const struct host *host, bool is_ipv6)
{
	const uint8_t *source = NULL;

	for (unsigned i = 0; i < host->config.n_addresses; i++) {
		const uint8_t *const ip = host->config.address[i].ip;

		if (host_is_ipv6(ip) == is_ipv6 &&
		    (!source || (address_is_link_local(source) && !address_is_link_local(ip))))
			source = ip;
	}
	return source;
}

bool host_has(const struct host *host, const uint8_t ip[16])
{
	for (unsigned i = 0; i < host->config.n_addresses; i++) {
		if (!memcmp(host->config.address[i].ip, ip, 16))
			return true;
	}
	return false;
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

// ---- Start

static int wrong(char error[HOST_ERROR_MAX], const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int wrong(char error[HOST_ERROR_MAX], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, HOST_ERROR_MAX, format, args);
	va_end(args);
	return -EINVAL;
}

// Of one host, and not the loopback's.
static bool is_unicast(const uint8_t ip[16])
{
	if (host_is_ipv6(ip))
		return ip[0] != 0xff && (load64_be(ip) || load64_be(ip + 8) > 1);
	return ip[12] != 0 && ip[12] != 127 && ip[12] < 224;
}

static int check_address(const struct host_config *config, unsigned i, char error[HOST_ERROR_MAX])
{
	const struct host_address *const a = &config->address[i];
	const unsigned least = host_is_ipv6(a->ip) ? 1 : MAPPED_BITS + 1;

	if (!is_unicast(a->ip))
		return wrong(error, "address %u is not one of a host", i + 1);
	if (a->prefix < least || a->prefix > 128)
		return wrong(error, "the prefix of address %u has no length from 1 on", i + 1);
	for (unsigned k = 0; k < i; k++) {
		if (!memcmp(config->address[k].ip, a->ip, 16))
			return wrong(error, "addresses %u and %u are the same", k + 1, i + 1);
	}
	return 0;
}

// A gateway's or neighbour's address.
static bool is_peer(const struct host_config *config, const uint8_t ip[16])
{
	for (unsigned i = 0; i < config->n_addresses; i++) {
		if (!memcmp(config->address[i].ip, ip, 16))
			return false;
	}
	return is_unicast(ip) && on_link(config, ip);
}

static int check_gateway(const struct host_config *config, bool is_ipv6, char error[HOST_ERROR_MAX])
{
	const uint8_t *const ip = config->gateway[is_ipv6];

	if (!config->has_gateway[is_ipv6] || (host_is_ipv6(ip) == is_ipv6 && is_peer(config, ip)))
		return 0;
	return wrong(error, "the gateway of %s is no other host on an address's network",
		     is_ipv6 ? "IPv6" : "IPv4");
}

static int check_neighbour(const struct host_config *config, unsigned i, char error[HOST_ERROR_MAX])
{
	if (!is_peer(config, config->neighbour[i].ip))
		return wrong(error, "neighbour %u is no other host on an address's network", i + 1);
	if (!host_is_mac(config->neighbour[i].mac))
		return wrong(error, "the MAC of neighbour %u is not one of a host", i + 1);
	return 0;
}

static int check(const struct host_config *config, char error[HOST_ERROR_MAX])
{
	int status = 0;

	if (!config->n_addresses)
		return wrong(error, "there is no address");
	if (config->vlan > VLAN_MAX)
		return wrong(error, "VLAN %u is beyond %u", config->vlan, VLAN_MAX);
	for (unsigned i = 0; !status && i < config->n_addresses; i++)
		status = check_address(config, i, error);
	for (unsigned f = 0; !status && f < 2; f++)
		status = check_gateway(config, f, error);
	for (unsigned i = 0; !status && i < config->n_neighbours; i++)
		status = check_neighbour(config, i, error);
	return status;
}

// Gateways first: there is room for them in an empty table.
static int add_neighbours(struct host *host, char error[HOST_ERROR_MAX])
{
	const struct host_config *const config = &host->config;
	bool has_room = true;

	for (unsigned f = 0; f < 2; f++) {
		if (config->has_gateway[f])
			neighbour_keep(&host->neighbours, config->gateway[f], 0);
	}
	for (unsigned i = 0; has_room && i < config->n_neighbours; i++)
		has_room = neighbour_add_static(&host->neighbours, config->neighbour[i].ip,
						config->neighbour[i].mac);
	return has_room ? 0 : wrong(error, "no room for so many neighbours of such addresses");
}

int host_init(struct host *host, const struct host_config *config, char error[HOST_ERROR_MAX])
{
	int status;

	assert(config->n_addresses <= HOST_ADDRESSES_MAX);
	assert(config->n_neighbours <= HOST_STATIC_MAX);
	status = check(config, error);
	if (status)
		return status;
	memset(host, 0, sizeof(*host));
	host->config = *config;
	return add_neighbours(host, error);
}

bool host_want(struct host *host, const uint8_t hop[16], uint64_t now_ns)
{
	return neighbour_want(&host->neighbours, hop, now_ns);
}

void host_link_up(struct host *host, uint64_t now_ns)
{
	neighbour_link_up(&host->neighbours, now_ns);
}

// ---- Messages

// Nobody else has the host's addresses, whatever he says.
void host_learn(struct host *host, const uint8_t ip[16], const uint8_t mac[PACKET_MAC],
		uint64_t now_ns)
{
	if (host_is_mac(mac) && !host_has(host, ip))
		neighbour_learn(&host->neighbours, ip, mac, now_ns);
}

void host_doubt(struct host *host, const uint8_t ip[16], uint64_t now_ns)
{
	neighbour_doubt(&host->neighbours, ip, now_ns);
}

static unsigned input_arp(struct host *host, const struct packet *packet,
			  uint8_t answer[HOST_FRAME_MAX], uint64_t now_ns)
{
	struct host_arp arp;

	if (!host_arp_read(&arp, packet))
		return 0;
	host_learn(host, arp.sender, arp.mac, now_ns);
	if (!arp.is_request || !host_has(host, arp.target))
		return 0;
	return host_arp_answer(answer, &host->config, &arp);
}

// RFC 4861 7.2.5: without the flag, an advertisement does not replace a MAC that is known.
static bool may_learn(const struct host *host, const struct host_nd *nd)
{
	uint8_t mac[PACKET_MAC];

	return nd->has_mac &&
	       (nd->is_solicitation || nd->overrides ||
		neighbour_find(&host->neighbours, nd->target, mac) != NEIGHBOUR_KNOWN ||
		!memcmp(mac, nd->mac, PACKET_MAC));
}

static unsigned input_nd(struct host *host, const struct packet *packet,
			 uint8_t answer[HOST_FRAME_MAX], uint64_t now_ns)
{
	struct host_nd nd;

	if (!host_nd_read(&nd, packet))
		return 0;
	if (may_learn(host, &nd))
		host_learn(host, nd.is_solicitation ? packet->source : nd.target, nd.mac, now_ns);
	if (!nd.is_solicitation || !host_has(host, nd.target))
		return 0;
	return host_nd_answer(answer, &host->config, &nd, packet);
}

// RFC 1122 3.3.6: what came to a group's MAC is for no host alone, whatever IP says; and a port
// that takes everything shows what is for others.
static bool is_for(const struct host *host, const struct packet *packet)
{
	return !memcmp(packet->destination_mac, host->config.mac, PACKET_MAC) &&
	       host_has(host, packet->destination);
}

static unsigned input(struct host *host, enum packet_kind kind, const struct packet *packet,
		      uint8_t answer[HOST_FRAME_MAX], uint64_t now_ns)
{
	unsigned n = 0;

	if (kind != PACKET_ARP && kind != PACKET_ICMPV4 && kind != PACKET_ICMPV6)
		return 0;
	if (!host_is_mac(packet->source_mac))
		return 0;
	if (kind == PACKET_ARP)
		return input_arp(host, packet, answer, now_ns);
	if (kind == PACKET_ICMPV6)
		n = input_nd(host, packet, answer, now_ns);
	return !n && is_for(host, packet) ? host_echo_answer(answer, &host->config, packet) : n;
}

static unsigned filled_up(uint8_t frame[HOST_FRAME_MAX], unsigned len)
{
	if (!len || len >= HOST_FRAME_MIN)
		return len;
	memset(frame + len, 0, HOST_FRAME_MIN - len);
	return HOST_FRAME_MIN;
}

unsigned host_input(struct host *host, enum packet_kind kind, const struct packet *packet,
		    uint8_t answer[HOST_FRAME_MAX], uint64_t now_ns)
{
	return filled_up(answer, input(host, kind, packet, answer, now_ns));
}

// From the address in the same network: others may not answer strangers.
static unsigned ask(const struct host *host, uint8_t frame[HOST_FRAME_MAX], const uint8_t ip[16])
{
	const bool is_ipv6 = host_is_ipv6(ip);
	const uint8_t *source = on_link(&host->config, ip);

	if (!source)
		source = host_source(host, is_ipv6);
	if (!source)
		return 0;
	return is_ipv6 ? host_nd_ask(frame, &host->config, source, ip)
		       : host_arp_ask(frame, &host->config, source, ip);
}

static bool next_due(struct host *host, uint8_t ip[16], uint64_t now_ns)
{
	const struct neighbour *const n =
		host->n_asks < HOST_ASKS_MAX
			? neighbour_due(&host->neighbours, &host->due_at, now_ns)
			: NULL;

	if (n)
		neighbour_ip(n, ip);
	return n;
}

static void end_round(struct host *host)
{
	host->n_asks = 0;
	if (host->due_at == NEIGHBOURS_MAX)
		host->due_at = 0;
}

unsigned host_poll(struct host *host, uint8_t frame[HOST_FRAME_MAX], uint64_t now_ns)
{
	unsigned len = 0;
	uint8_t ip[16];

	while (!len && next_due(host, ip, now_ns)) {
		len = ask(host, frame, ip);
		host->n_asks += len != 0;
	}
	if (!len)
		end_round(host);
	return filled_up(frame, len);
}

bool host_due(struct host *host, uint8_t ip[16], uint64_t now_ns)
{
	const bool is_due = next_due(host, ip, now_ns);

	host->n_asks += is_due;
	if (!is_due)
		end_round(host);
	return is_due;
}
