#include "dataplane/io/dpdk/dpdk_shared.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/log.h"
#include "dataplane/net/interface.h"

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

// The value of an argument, "" if there is none.
static void get_argument(const char *device, const char *name, char *value, size_t max)
{
	const char *at = strstr(device, name);

	at = at ? at + strlen(name) : "";
	snprintf(value, max, "%.*s", (int)strcspn(at, ","), at);
}

static void get_interface(const char *device, char name[IF_NAMESIZE])
{
	get_argument(device, ",iface=", name, IF_NAMESIZE);
}

static unsigned get_number(const char *device, const char *name, unsigned otherwise)
{
	char value[IF_NAMESIZE];

	get_argument(device, name, value, sizeof(value));
	return *value ? (unsigned)strtoul(value, NULL, 10) : otherwise;
}

// ---- Before the start

static int check_addresses(const struct io_dpdk_port *port, const char *name,
			   char error[IO_ERROR_MAX])
{
	char text[INET6_ADDRSTRLEN] = "";

	for (unsigned i = 0; i < port->host.n_addresses; i++) {
		const uint8_t *const ip = port->host.address[i].ip;
		const bool is_ipv6 = host_is_ipv6(ip);

		if (interface_has(name, ip) == 1)
			continue;
		inet_ntop(is_ipv6 ? AF_INET6 : AF_INET, is_ipv6 ? ip : ip + 12, text, sizeof(text));
		return wrong(error, -EADDRNOTAVAIL, port->device,
			     "%s is not an address of %s, whose addresses the port shares", text,
			     name);
	}
	return 0;
}

// A datagram on a queue that is not the port's goes to the kernel, and is lost.
static void compare_queues(const char *device, const char *name)
{
	const unsigned first = get_number(device, ",start_queue=", 0);
	const unsigned n = get_number(device, ",queue_count=", 1);
	const unsigned all = interface_queues(name);

	if (all > n)
		log_warn("dpdk",
			 "%s has %u receive queues, the port those from %u to %u: what comes in on "
			 "others is lost; ethtool -L, or rules that steer (ethtool -N)",
			 name, all, first, first + n - 1);
}

static int check_port(const struct io_dpdk_port *port, char error[IO_ERROR_MAX])
{
	char name[IF_NAMESIZE], kernels[IF_NAMESIZE], why[IO_ERROR_MAX];
	int status;

	get_interface(port->device, name);
	if (!if_nametoindex(name))
		return wrong(error, -ENODEV, port->device, "there is no interface '%s' (iface=)",
			     name);
	if (!interface_find(name, port->host.vlan, kernels))
		return wrong(error, -ENODEV, port->device,
			     "the kernel has no interface for VLAN %u over %s, to share",
			     port->host.vlan, name);
	status = check_addresses(port, kernels, error);
	if (!status) {
		status = xdp_check(if_nametoindex(name), dpdk_shared_wants_program(port->device),
				   why);
		if (status)
			wrong(error, status, port->device, "%.180s", why);
	}
	if (!status)
		compare_queues(port->device, name);
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
	if (is_ipv6) { // an address may be too new to be bound to (RFC 4862 5.4)
		(void)setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes));
		(void)setsockopt(s, IPPROTO_IPV6, IPV6_FREEBIND, &yes, sizeof(yes));
	}
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
	char name[IF_NAMESIZE], why[IO_ERROR_MAX];
	unsigned n = 0;
	int status;

	shared->xdp.link = -1;
	if (!dpdk_shared_wants_program(config->device))
		return 0;
	for (unsigned a = 0; a < config->host.n_addresses; a++) {
		for (unsigned w = 0; w < n_workers; w++, n++) {
			memcpy(key[n].ip, config->host.address[a].ip, sizeof(key[n].ip));
			store16_be(key[n].port, (uint16_t)(first_port + w));
			store16_be(key[n].vlan, config->host.vlan);
		}
	}
	get_interface(config->device, name);
	status = xdp_divert(&shared->xdp, if_nametoindex(name), key, n, why);
	return status ? wrong(error, status, config->device, "%.180s", why) : 0;
}

_Static_assert((int)DPDK_RESERVED_MAX <= (int)XDP_OURS_MAX, "the program's map has room");

int dpdk_shared_open(struct dpdk_shared *shared, const struct io_dpdk_port *config,
		     uint16_t first_port, unsigned n_workers, char error[IO_ERROR_MAX])
{
	char name[IF_NAMESIZE], kernels[IF_NAMESIZE];
	int status;

	assert(config->host.n_addresses <= HOST_ADDRESSES_MAX && n_workers <= DPDK_WORKERS_MAX);
	get_interface(config->device, name);
	shared->n_reserved = 0;
	status = hops_open(&shared->hops, interface_find(name, config->host.vlan, kernels));
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
