#include "dataplane/io/dpdk/dpdk_shared.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/log.h"

enum { NEWS_MAX = 256 }; // in a round

#define DRIVER "net_af_xdp"

__attribute__((format(printf, 4, 5))) static int wrong(char error[IO_ERROR_MAX], int status,
						       const char *device, const char *format, ...)
{
	const int n = snprintf(error, IO_ERROR_MAX, "port %.60s: ", device);
	va_list args;

	va_start(args, format);
	vsnprintf(error + n, (size_t)(IO_ERROR_MAX - n), format, args);
	va_end(args);
	return status;
}

// ---- The device

bool dpdk_shared_is(const char *device)
{
	return !strncmp(device, DRIVER, strlen(DRIVER));
}

bool dpdk_shared_wants_program(const char *device)
{
	return dpdk_shared_is(device) && !strstr(device, ",xdp_prog=");
}

static void get_interface(const char *device, char name[IF_NAMESIZE])
{
	const char *at = strstr(device, ",iface=");

	at = at ? at + strlen(",iface=") : "";
	snprintf(name, IF_NAMESIZE, "%.*s", (int)strcspn(at, ","), at);
}

// ---- Its addresses are the interface's

static bool is_address(const struct sockaddr *address, const uint8_t ip[16])
{
	const void *octets;

	if (!address || address->sa_family != (host_is_ipv6(ip) ? AF_INET6 : AF_INET))
		return false;
	if (address->sa_family == AF_INET6)
		octets = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
	else
		octets = &((const struct sockaddr_in *)(const void *)address)->sin_addr;
	return address->sa_family == AF_INET6 ? !memcmp(octets, ip, 16)
					      : !memcmp(octets, ip + 12, 4);
}

static bool has_address(const struct ifaddrs *all, const char *name, const uint8_t ip[16])
{
	for (const struct ifaddrs *a = all; a; a = a->ifa_next) {
		if (!strcmp(a->ifa_name, name) && is_address(a->ifa_addr, ip))
			return true;
	}
	return false;
}

static int check_addresses(const struct io_dpdk_port *port, const char *name,
			   char error[IO_ERROR_MAX])
{
	struct ifaddrs *all = NULL;
	char text[INET6_ADDRSTRLEN] = "";
	int status = 0;

	if (getifaddrs(&all))
		return wrong(error, -errno, port->device, "its addresses: %s", strerror(errno));
	for (unsigned i = 0; !status && i < port->host.n_addresses; i++) {
		const uint8_t *const ip = port->host.address[i].ip;

		if (has_address(all, name, ip))
			continue;
		inet_ntop(host_is_ipv6(ip) ? AF_INET6 : AF_INET, host_is_ipv6(ip) ? ip : ip + 12,
			  text, sizeof(text));
		status = wrong(error, -EADDRNOTAVAIL, port->device,
			       "%s is not an address of %s, whose addresses the port shares", text,
			       name);
	}
	freeifaddrs(all);
	return status;
}

static int check_port(const struct io_dpdk_port *port, char error[IO_ERROR_MAX])
{
	char name[IF_NAMESIZE], why[IO_ERROR_MAX];
	unsigned interface;
	int status;

	get_interface(port->device, name);
	interface = if_nametoindex(name);
	if (!interface)
		return wrong(error, -ENODEV, port->device, "there is no interface '%s' (iface=)",
			     name);
	if (port->host.vlan != PACKET_NO_VLAN)
		return wrong(error, -EINVAL, port->device,
			     "a VLAN of a shared interface is a port on the VLAN's own interface, "
			     "without vlan: iface=%s.%u",
			     name, port->host.vlan);
	status = check_addresses(port, name, error);
	if (!status && dpdk_shared_wants_program(port->device)) {
		status = xdp_check(interface, why);
		if (status)
			wrong(error, status, port->device, "%.180s", why);
	}
	return status;
}

int dpdk_shared_check(const struct io_dpdk_config *config, char error[IO_ERROR_MAX])
{
	int status = 0;

	for (unsigned i = 0; !status && i < config->n_ports; i++) {
		if (dpdk_shared_is(config->port[i].device))
			status = check_port(&config->port[i], error);
	}
	return status;
}

// ---- UDP ports

// They are nobody else's then, and the kernel does not tell devices that they are closed when a
// datagram comes to it all the same.
static int reserve(struct dpdk_shared *shared, const uint8_t ip[16], uint16_t port)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
				  .sin6_port = htons(port),
				  .sin6_scope_id = shared->hops.interface};
	const bool is_ipv6 = host_is_ipv6(ip);
	const int least = 1, yes = 1;
	const int s = socket(is_ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (s < 0)
		return -errno;
	memcpy(&v4.sin_addr, ip + 12, 4);
	memcpy(&v6.sin6_addr, ip, 16);
	shared->reserved[shared->n_reserved++] = s;
	(void)setsockopt(s, SOL_SOCKET, SO_RCVBUF, &least, sizeof(least));
	if (is_ipv6)
		(void)setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes));
	return bind(s, is_ipv6 ? (const void *)&v6 : (const void *)&v4,
		    is_ipv6 ? sizeof(v6) : sizeof(v4))
		       ? -errno
		       : 0;
}

static void release(struct dpdk_shared *shared)
{
	while (shared->n_reserved)
		close(shared->reserved[--shared->n_reserved]);
}

static int reserve_all(struct dpdk_shared *shared, const struct io_dpdk_port *config,
		       uint16_t first_port, unsigned n_workers, char error[IO_ERROR_MAX])
{
	int status = 0;

	for (unsigned a = 0; a < config->host.n_addresses; a++) {
		for (unsigned w = 0; !status && w < n_workers; w++)
			status = reserve(shared, config->host.address[a].ip,
					 (uint16_t)(first_port + w));
	}
	return status ? wrong(error, status, config->device, "UDP ports from %u on: %s", first_port,
			      strerror(-status))
		      : 0;
}

// ---- Diverting

static int divert(struct dpdk_shared *shared, const struct io_dpdk_port *config,
		  uint16_t first_port, unsigned n_workers, char error[IO_ERROR_MAX])
{
	struct xdp_key key[DPDK_RESERVED_MAX] = {0};
	char why[IO_ERROR_MAX];
	unsigned n = 0;
	int status;

	shared->xdp.link = -1;
	if (!dpdk_shared_wants_program(config->device))
		return 0;
	for (unsigned a = 0; a < config->host.n_addresses; a++) {
		for (unsigned w = 0; w < n_workers; w++, n++) {
			memcpy(key[n].ip, config->host.address[a].ip, sizeof(key[n].ip));
			store16_be(key[n].port, (uint16_t)(first_port + w));
		}
	}
	status = xdp_divert(&shared->xdp, shared->hops.interface, key, n, why);
	return status ? wrong(error, status, config->device, "%.180s", why) : 0;
}

_Static_assert((int)DPDK_RESERVED_MAX <= (int)XDP_OURS_MAX, "the program's map has room");

int dpdk_shared_open(struct dpdk_shared *shared, const struct io_dpdk_port *config,
		     uint16_t first_port, unsigned n_workers, char error[IO_ERROR_MAX])
{
	char name[IF_NAMESIZE];
	int status;

	assert(config->host.n_addresses <= HOST_ADDRESSES_MAX && n_workers <= DPDK_WORKERS_MAX);
	get_interface(config->device, name);
	shared->n_reserved = 0;
	status = hops_open(&shared->hops, if_nametoindex(name));
	if (status)
		return wrong(error, status, config->device, "the kernel's neighbours: %s",
			     strerror(-status));
	status = reserve_all(shared, config, first_port, n_workers, error);
	if (!status)
		status = divert(shared, config, first_port, n_workers, error);
	if (!status)
		return 0;
	release(shared);
	hops_close(&shared->hops);
	return status;
}

void dpdk_shared_close(struct dpdk_shared *shared)
{
	xdp_end(&shared->xdp);
	release(shared);
	hops_close(&shared->hops);
}

// ---- Next hops

void dpdk_shared_poll(struct dpdk_shared *shared, struct host *host, uint64_t now_ns)
{
	struct hop_message news;
	uint8_t ip[16];

	for (unsigned i = 0; i < NEWS_MAX && hops_poll(&shared->hops, &news); i++) {
		if (news.news == HOP_KNOWN)
			host_learn(host, news.ip, news.mac, now_ns);
		else
			host_doubt(host, news.ip, now_ns);
	}
	while (host_due(host, ip, now_ns))
		hops_ask(&shared->hops, ip);
}
