#include "control/operations/trace_own.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "control/config/config.h"

enum { MAPPED = 12, DISCARD = 9 };

static const uint8_t mapped[MAPPED] = {[10] = 0xff, [11] = 0xff};

static bool is_ipv6(const uint8_t ip[16])
{
	return memcmp(ip, mapped, MAPPED) != 0;
}

// ---- A port of DPDK

// Its first address of the peer's family, one of the link alone only if there is no other; NULL: it
// has none.
static const uint8_t *source_of(const struct config_port *port, const uint8_t peer[16])
{
	const uint8_t *source = NULL;

	for (unsigned i = 0; i < port->n_addresses; i++) {
		const uint8_t *const ip = port->address[i].ip;

		if (is_ipv6(ip) == is_ipv6(peer) &&
		    (!source || (address_is_link_local(source) && !address_is_link_local(ip))))
			source = ip;
	}
	return source;
}

// Of the longest of its networks that has the peer; 0: none has.
static unsigned prefix_to(const struct config_port *port, const uint8_t peer[16])
{
	unsigned longest = 0;

	for (unsigned i = 0; i < port->n_addresses; i++) {
		const unsigned prefix = port->address[i].prefix;

		if (prefix > longest && is_ipv6(port->address[i].ip) == is_ipv6(peer) &&
		    address_is_same_network(port->address[i].ip, peer, prefix))
			longest = prefix;
	}
	return longest;
}

// As the back end chooses while all links are up: the port with the longest network, else the first
// with a gateway; each worker begins with a port of its own.
static void of_ports(const struct config *config, const uint8_t peer[16], unsigned worker,
		     uint8_t own[16])
{
	const unsigned n = config->dpdk.n_ports;
	const uint8_t *on_link = NULL, *by_gateway = NULL;
	unsigned longest = 0;

	for (unsigned i = 0; i < n; i++) {
		const struct config_port *const port = &config->dpdk.ports[(worker + i) % n];
		const unsigned prefix = prefix_to(port, peer);

		if (prefix > longest) {
			longest = prefix;
			on_link = source_of(port, peer);
		}
		if (!by_gateway && port->has_gateway[is_ipv6(peer)])
			by_gateway = source_of(port, peer);
	}
	if (on_link || by_gateway)
		memcpy(own, on_link ? on_link : by_gateway, 16);
}

// ---- A socket

// What the host would take: a socket that is connected, over which nothing is sent.
static void of_host_ipv4(const uint8_t peer[16], uint8_t own[16])
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(DISCARD)};
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(&in.sin_addr, peer + MAPPED, 4);
	if (fd >= 0 && !connect(fd, (struct sockaddr *)&in, len) &&
	    !getsockname(fd, (struct sockaddr *)&in, &len))
		memcpy(own + MAPPED, &in.sin_addr, 4);
	if (fd >= 0)
		close(fd);
}

static void of_host_ipv6(const uint8_t peer[16], uint8_t own[16])
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(DISCARD)};
	socklen_t len = sizeof(in6);
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(&in6.sin6_addr, peer, 16);
	if (fd >= 0 && !connect(fd, (struct sockaddr *)&in6, len) &&
	    !getsockname(fd, (struct sockaddr *)&in6, &len))
		memcpy(own, &in6.sin6_addr, 16);
	if (fd >= 0)
		close(fd);
}

void trace_own(const struct config *config, const char *io, const uint8_t peer[16], unsigned worker,
	       uint8_t own[16])
{
	const char *ipv4 = config->dataplane.source_ipv4, *ipv6 = config->dataplane.source_ipv6;

	memset(own, 0, 16);
	if (!is_ipv6(peer))
		memcpy(own, mapped, MAPPED);
	if (!strcmp(io, "dpdk"))
		of_ports(config, peer, worker, own);
	else if (is_ipv6(peer) && ipv6)
		inet_pton(AF_INET6, ipv6, own);
	else if (is_ipv6(peer))
		of_host_ipv6(peer, own);
	else if (ipv4)
		inet_pton(AF_INET, ipv4, own + MAPPED);
	else
		of_host_ipv4(peer, own);
}
