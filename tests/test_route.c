// Ways of several ports: networks before gateways, long prefixes before short ones, links that are
// down. What one port's networks
// match bit by bit is tested with its host (test_host.c).

#include <criterion/criterion.h>

#include "dataplane/net/route.h"

#define IPV4(a, b, c, d)                                                                           \
	{                                                                                          \
		[10] = 0xff, [11] = 0xff, a, b, c, d                                               \
	}
#define IPV6(net, host)                                                                            \
	{                                                                                          \
		0xfd, [7] = net, [15] = host                                                       \
	}

typedef const uint8_t ip_t[16];

enum { ALL_UP = 7 };

// Port 0: 10.0.0.1/24 and a gateway; port 1: 10.0.1.1/24 and a gateway; port 2: IPv6 alone.
static struct routes three_ports(void)
{
	static const struct host_config host[3] = {
		{.address = {{IPV4(10, 0, 0, 1), 120}},
		 .n_addresses = 1,
		 .gateway = {IPV4(10, 0, 0, 2)},
		 .has_gateway = {true}},
		{.address = {{IPV4(10, 0, 1, 1), 120}},
		 .n_addresses = 1,
		 .gateway = {IPV4(10, 0, 1, 2)},
		 .has_gateway = {true}},
		{.address = {{IPV6(1, 1), 64}},
		 .n_addresses = 1,
		 .gateway = {{0}, IPV6(1, 2)},
		 .has_gateway = {false, true}},
	};
	struct routes routes = {0};

	for (unsigned p = 0; p < 3; p++)
		routes_add(&routes, p, &host[p]);
	return routes;
}

static void goes(const struct routes *routes, ip_t ip, uint32_t up, unsigned port, ip_t hop)
{
	struct route route;

	cr_assert(routes_find(&route, routes, ip, up, 0));
	cr_assert_eq(route.port, port);
	cr_assert_arr_eq(route.hop, hop, 16);
}

static void goes_nowhere(const struct routes *routes, ip_t ip, uint32_t up)
{
	struct route route;

	cr_assert_not(routes_find(&route, routes, ip, up, 0));
}

Test(route, networks_before_gateways)
{
	const struct routes routes = three_ports();
	ip_t near = IPV4(10, 0, 1, 77), far = IPV4(8, 8, 8, 8), near6 = IPV6(1, 9),
	     far6 = IPV6(9, 9);

	goes(&routes, near, ALL_UP, 1, near); // though port 0 has a gateway
	goes(&routes, far, ALL_UP, 0, (ip_t)IPV4(10, 0, 0, 2));
	goes(&routes, near6, ALL_UP, 2, near6);
	goes(&routes, far6, ALL_UP, 2, (ip_t)IPV6(1, 2));
}

Test(route, links_that_are_down)
{
	const struct routes routes = three_ports();
	ip_t near = IPV4(10, 0, 0, 77), far = IPV4(8, 8, 8, 8);

	goes(&routes, far, 6, 1, (ip_t)IPV4(10, 0, 1, 2));
	goes(&routes, near, 6, 1, (ip_t)IPV4(10, 0, 1, 2)); // the other port's gateway may know
	goes_nowhere(&routes, far, 4);
	goes_nowhere(&routes, (ip_t)IPV6(9, 9), 3);
	goes_nowhere(&routes, far, 0);
}

Test(route, gateways_that_do_not_answer)
{
	const struct routes routes = three_ports();
	ip_t near = IPV4(10, 0, 0, 77), far = IPV4(8, 8, 8, 8);
	struct route route;

	cr_assert(routes_find(&route, &routes, far, ALL_UP, 1));
	cr_assert_eq(route.port, 1);
	cr_assert(routes_find(&route, &routes, far, ALL_UP, 3)); // both: it may come back
	cr_assert_eq(route.port, 0);
	cr_assert(routes_find(&route, &routes, far, 5, 1)); // the other one's link is down
	cr_assert_eq(route.port, 0);
	cr_assert(routes_find(&route, &routes, near, ALL_UP, 1)); // what is on the link needs none
	cr_assert_eq(route.port, 0);
	cr_assert(route.is_direct);
}

Test(route, one_pointer_for_a_gateway)
{
	const struct routes routes = three_ports();
	struct route a, b;

	cr_assert(routes_find(&a, &routes, (ip_t)IPV4(8, 8, 8, 8), ALL_UP, 0));
	cr_assert(routes_find(&b, &routes, (ip_t)IPV4(9, 9, 9, 9), ALL_UP, 0));
	cr_assert_eq(a.hop, b.hop);
}

Test(route, the_port_added_first_leads)
{
	const struct routes ports = three_ports();
	struct routes turned = {.ipv4 = {.n_gateways = 2}};

	turned.ipv4.gateway[0] = ports.ipv4.gateway[1];
	turned.ipv4.gateway[1] = ports.ipv4.gateway[0];
	goes(&turned, (ip_t)IPV4(8, 8, 8, 8), ALL_UP, 1, (ip_t)IPV4(10, 0, 1, 2));
}

// A gateway of a family that the port has no address of is no way: there is no source to send from.
Test(route, no_way_without_a_source)
{
	const struct host_config host = {.address = {{IPV4(10, 0, 0, 1), 120}},
					 .n_addresses = 1,
					 .gateway = {{0}, IPV6(1, 2)},
					 .has_gateway = {false, true}};
	struct routes routes = {0};

	routes_add(&routes, 0, &host);
	goes_nowhere(&routes, (ip_t)IPV6(9, 9), 1);
}

// 10.0.0.0/8 on port 0, 10.1.0.0/16 on port 1, 10.1.2.0/24 on port 2; fd00::/8 and fd01::/64.
static void nested(struct routes *routes, const unsigned order[3])
{
	static const struct host_config host[3] = {
		{.address = {{IPV4(10, 0, 0, 1), 104}, {{0xfd, [15] = 1}, 8}}, .n_addresses = 2},
		{.address = {{IPV4(10, 1, 0, 1), 112}, {{0xfd, 1, [15] = 1}, 64}},
		 .n_addresses = 2},
		{.address = {{IPV4(10, 1, 2, 1), 120}}, .n_addresses = 1},
	};

	*routes = (struct routes){0};
	for (unsigned i = 0; i < 3; i++)
		routes_add(routes, order[i], &host[order[i]]);
}

Test(route, the_longest_prefix_leads)
{
	static const unsigned orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
					      {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	ip_t a = IPV4(10, 9, 9, 9), b = IPV4(10, 1, 9, 9), c = IPV4(10, 1, 2, 9),
	     d = {0xfd, 2, [15] = 9}, e = {0xfd, 1, [15] = 9};
	struct routes routes;

	for (unsigned i = 0; i < 6; i++) {
		nested(&routes, orders[i]);
		goes(&routes, a, ALL_UP, 0, a);
		goes(&routes, b, ALL_UP, 1, b);
		goes(&routes, c, ALL_UP, 2, c);
		goes(&routes, d, ALL_UP, 0, d);
		goes(&routes, e, ALL_UP, 1, e);
		goes(&routes, c, 3, 1, c); // the next longest whose link is up
		goes(&routes, c, 1, 0, c);
		goes(&routes, e, 1, 0, e);
	}
}

// Workers add ports in orders of their own, so that all of them are used.
Test(route, of_one_length_the_network_added_first_leads)
{
	static const struct host_config host[2] = {
		{.address = {{IPV4(10, 0, 0, 1), 120}}, .n_addresses = 1},
		{.address = {{IPV4(10, 0, 0, 2), 120}}, .n_addresses = 1},
	};
	ip_t near = IPV4(10, 0, 0, 9);

	for (unsigned first = 0; first < 2; first++) {
		struct routes routes = {0};

		routes_add(&routes, first, &host[first]);
		routes_add(&routes, !first, &host[!first]);
		goes(&routes, near, ALL_UP, first, near);
		goes(&routes, near, 1u << !first, !first, near);
	}
}
