// Our own address on traced datagrams: as the back end chooses it.

#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <string.h>

#include "control/config/config.h"
#include "control/operations/trace_own.h"

static void parse(uint8_t ip[16], const char *text)
{
	memcpy(ip, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
	cr_assert(inet_pton(AF_INET, text, ip + 12) == 1 || inet_pton(AF_INET6, text, ip) == 1);
}

static void expect_of(unsigned worker, const struct config *config, const char *io,
		      const char *peer, const char *wanted)
{
	uint8_t peer_ip[16], wanted_ip[16], own[16];

	parse(peer_ip, peer);
	parse(wanted_ip, wanted);
	memset(own, 0xa5, sizeof(own));
	trace_own(config, io, peer_ip, worker, own);
	cr_assert_arr_eq(own, wanted_ip, 16, "%s to %s, worker %u", io, peer, worker);
}

static void expect(const struct config *config, const char *io, const char *peer,
		   const char *wanted)
{
	expect_of(0, config, io, peer, wanted);
}

Test(trace_own, what_the_host_takes)
{
	const struct config config = {0};

	expect(&config, "sendmmsg", "127.9.8.7", "127.0.0.1");
	expect(&config, "uring", "127.0.0.1", "127.0.0.1");
	expect(&config, "sendmmsg", "255.255.255.255", "0.0.0.0"); // not permitted: there is none
}

Test(trace_own, what_is_configured)
{
	struct config config = {0};

	config.dataplane.source_ipv4 = (char[]){"192.0.2.1"};
	config.dataplane.source_ipv6 = (char[]){"2001:db8::1"};
	expect(&config, "sendmmsg", "127.0.0.1", "192.0.2.1");
	expect(&config, "uring", "2001:db8::7", "2001:db8::1");
	config.dataplane.source_ipv6 = NULL;
	expect(&config, "sendmmsg", "10.0.0.1", "192.0.2.1");
}

static void add_address(struct config_port *port, const char *ip, unsigned prefix)
{
	parse(port->address[port->n_addresses].ip, ip);
	port->address[port->n_addresses++].prefix = prefix;
}

// A port that has a way, by its net or its gateway; of it the first address of the family.
Test(trace_own, the_port_of_dpdk)
{
	struct config_port port[3] = {0};
	struct config config = {0};

	config.dpdk.ports = port;
	config.dpdk.n_ports = 3;
	config.dataplane.source_ipv4 = (char[]){"203.0.113.1"}; // of no meaning here
	add_address(&port[0], "192.0.2.1", 96 + 26);
	add_address(&port[1], "2001:db8:1::1", 61);
	add_address(&port[1], "198.51.100.1", 96 + 24);
	add_address(&port[1], "198.51.100.2", 96 + 24);
	add_address(&port[2], "10.0.0.1", 96 + 8);
	add_address(&port[2], "2001:db8:2::1", 128);
	expect(&config, "dpdk", "192.0.2.63", "192.0.2.1");
	expect(&config, "dpdk", "192.0.2.64", "0.0.0.0"); // no way
	expect(&config, "dpdk", "198.51.100.255", "198.51.100.1");
	expect(&config, "dpdk", "10.255.0.1", "10.0.0.1");
	expect(&config, "dpdk", "2001:db8:1:7::1", "2001:db8:1::1");
	expect(&config, "dpdk", "2001:db8:1:8::1", "::");
	expect(&config, "dpdk", "2001:db8:2::1", "2001:db8:2::1");
	port[2].has_gateway[0] = true;
	expect(&config, "dpdk", "192.0.2.64", "10.0.0.1");
	expect(&config, "dpdk", "2001:db8:1:8::1", "::");
	port[1].has_gateway[1] = port[0].has_gateway[1] = true; // port 0 has no IPv6
	expect(&config, "dpdk", "2001:db8:1:8::1", "2001:db8:1::1");
}

// As host_source has it (tests/test_host.c).
Test(trace_own, addresses_of_the_link_come_last)
{
	struct config_port port = {.has_gateway = {false, true}};
	struct config config = {.dpdk = {.ports = &port, .n_ports = 1}};

	add_address(&port, "fe80::5", 64);
	expect(&config, "dpdk", "2001:db8::9", "fe80::5");
	add_address(&port, "2001:db8:1::5", 64);
	expect(&config, "dpdk", "2001:db8::9", "2001:db8:1::5");
	expect(&config, "dpdk", "fe80::9", "2001:db8:1::5");
}

// As routes are found (tests/test_route.c): networks before gateways, the longest one first, and
// each worker begins with a port of its own.
Test(trace_own, of_several_ports)
{
	struct config_port port[3] = {0};
	struct config config = {0};

	config.dpdk.ports = port;
	config.dpdk.n_ports = 3;
	add_address(&port[0], "192.0.2.1", 96 + 24);
	add_address(&port[1], "192.0.2.2", 96 + 24);
	add_address(&port[2], "10.0.0.1", 96 + 8);
	add_address(&port[0], "10.1.0.1", 96 + 16);
	port[0].has_gateway[0] = port[1].has_gateway[0] = true;
	for (unsigned worker = 0; worker < 6; worker++) {
		const char *const mine = worker % 3 == 1 ? "192.0.2.2" : "192.0.2.1";

		expect_of(worker, &config, "dpdk", "10.7.0.9", "10.0.0.1");  // no gateway's
		expect_of(worker, &config, "dpdk", "10.1.0.9", "192.0.2.1"); // the port's first
		expect_of(worker, &config, "dpdk", "192.0.2.9", mine);
		expect_of(worker, &config, "dpdk", "203.0.113.9", mine);
	}
}
