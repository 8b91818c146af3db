// A host's configuration, its routes, and what it asks of itself.

#include <criterion/criterion.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/net/host.h"
#include "dataplane/net/route.h"
#include "tests/kit/link.h"
#include "tests/kit/random.h"

#define S 1000000000ull

#define IPV4(a, b, c, d)                                                                           \
	{                                                                                          \
		[10] = 0xff, [11] = 0xff, [12] = (a), (b), (c), (d)                                \
	}
#define IPV6(net, d)                                                                               \
	{                                                                                          \
		0x20, 0x01, 0x0d, 0xb8, [7] = (net), [15] = (d)                                    \
	}

typedef const uint8_t ip_t[16];

static struct host host;
static char error[HOST_ERROR_MAX];

// 10.0.0.1/24, 10.1.0.1/20, 2001:db8:0:1::1/64, 2001:db8:0:2::1/61; gateways in the second ones.
static struct host_config good(void)
{
	return (struct host_config){
		.mac = {2, 0, 0, 0, 0, 1},
		.address = {{IPV4(10, 0, 0, 1), 120},
			    {IPV4(10, 1, 0, 1), 116},
			    {IPV6(1, 1), 64},
			    {IPV6(8, 1), 61}},
		.n_addresses = 4,
		.gateway = {IPV4(10, 1, 15, 254), IPV6(15, 0xfe)},
		.has_gateway = {true, true},
	};
}

static void start(const struct host_config *config)
{
	cr_assert_eq(host_init(&host, config, error), 0, "%s", error);
}

// ---- What is refused

static void refused(const struct host_config *config, const char *why)
{
	memset(error, 'x', sizeof(error));
	cr_assert_eq(host_init(&host, config, error), -EINVAL, "not refused: %s", why);
	cr_assert_str_eq(error, why);
}

static void refused_address(ip_t ip, unsigned prefix, const char *why)
{
	struct host_config config = good();

	memcpy(config.address[1].ip, ip, 16);
	config.address[1].prefix = prefix;
	config.has_gateway[0] = config.has_gateway[1] = false;
	refused(&config, why);
}

Test(host, addresses_that_are_none_of_a_host)
{
	static ip_t bad[] = {IPV4(0, 0, 0, 0),
			     IPV4(0, 1, 2, 3),
			     IPV4(127, 0, 0, 1),
			     IPV4(224, 0, 0, 1),
			     IPV4(240, 0, 0, 1),
			     IPV4(255, 255, 255, 255),
			     {0},
			     {[15] = 1},
			     {0xff, 2, [15] = 1}};
	struct host_config config = good();

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused_address(bad[i], 120, "address 2 is not one of a host");
	config.n_addresses = 0;
	refused(&config, "there is no address");
	config = good();
	config.address[3] = config.address[0];
	config.address[3].prefix = 128;
	config.has_gateway[1] = false;
	refused(&config, "addresses 1 and 4 are the same");
}

Test(host, prefixes)
{
	static const char why[] = "the prefix of address 2 has no length from 1 on";
	struct host_config config = good();

	config.has_gateway[0] = config.has_gateway[1] = false;
	refused_address((ip_t)IPV4(10, 2, 0, 1), 96, why);
	refused_address((ip_t)IPV4(10, 2, 0, 1), 24, why);
	refused_address((ip_t)IPV4(10, 2, 0, 1), 129, why);
	refused_address((ip_t)IPV6(3, 1), 0, why);
	refused_address((ip_t)IPV6(3, 1), 129, why);
	refused_address((ip_t)IPV6(3, 1), UINT32_MAX, why);
	for (unsigned prefix = 97; prefix <= 128; prefix++) {
		config.address[1].prefix = prefix;
		start(&config);
	}
	for (unsigned prefix = 1; prefix <= 128; prefix++) {
		config.address[2].prefix = prefix;
		start(&config);
	}
}

Test(host, gateways_that_are_none)
{
	static ip_t bad4[] = {IPV4(10, 0, 1, 1),  IPV4(10, 1, 16, 1), IPV4(10, 0, 0, 1),
			      IPV4(127, 0, 0, 1), IPV6(1, 2),         {0}};
	static ip_t bad6[] = {IPV6(2, 1),        IPV6(16, 1),         IPV6(8, 1),
			      IPV4(10, 0, 0, 2), {0xff, 2, [15] = 2}, {0}};
	struct host_config config;

	for (unsigned i = 0; i < 6; i++) {
		config = good();
		memcpy(config.gateway[0], bad4[i], 16);
		refused(&config, "the gateway of IPv4 is no other host on an address's network");
		config = good();
		memcpy(config.gateway[1], bad6[i], 16);
		refused(&config, "the gateway of IPv6 is no other host on an address's network");
		config.has_gateway[1] = false;
		start(&config);
	}
	config = good();
	config.n_addresses = 2;
	refused(&config, "the gateway of IPv6 is no other host on an address's network");
}

Test(host, vlans)
{
	struct host_config config = good();

	config.vlan = 4094;
	start(&config);
	config.vlan = 4095;
	refused(&config, "VLAN 4095 is beyond 4094");
}

Test(host, neighbours_that_are_none)
{
	static const struct host_static peer = {IPV4(10, 0, 0, 2), {2, 0, 0, 0, 0, 2}};
	static ip_t bad[] = {IPV4(10, 0, 0, 1), IPV4(10, 0, 1, 1), IPV6(2, 1), {0xff, 2, [15] = 1}};
	struct host_config config = good();

	config.n_neighbours = 2;
	config.neighbour[0] = config.neighbour[1] = peer;
	start(&config);
	for (unsigned i = 0; i < 4; i++) {
		memcpy(config.neighbour[1].ip, bad[i], 16);
		refused(&config, "neighbour 2 is no other host on an address's network");
	}
	config.neighbour[1] = peer;
	config.neighbour[1].mac[0] = 3;
	refused(&config, "the MAC of neighbour 2 is not one of a host");
	memset(config.neighbour[1].mac, 0, 6);
	refused(&config, "the MAC of neighbour 2 is not one of a host");
}

// As many as may be, all of them in one place of the table, with a gateway that is there too.
Test(host, neighbours_without_room)
{
	struct host_config config = {
		.mac = {2, 0, 0, 0, 0, 1},
		.address = {{{0x20, [15] = 1}, 8}},
		.n_addresses = 1,
		.gateway = {[1] = {0x20, [5] = 0xff, [13] = 0xff, [15] = 2}},
		.has_gateway = {[1] = true},
		.n_neighbours = HOST_STATIC_MAX,
	};

	for (unsigned i = 0; i < HOST_STATIC_MAX; i++) {
		config.neighbour[i] = (struct host_static){
			{0x20, [5] = (uint8_t)i, [13] = (uint8_t)i, [15] = 2}, {2, [5] = 2}};
	}
	refused(&config, "no room for so many neighbours of such addresses");
	config.n_neighbours--;
	start(&config);
}

// ---- Routes

enum { HOST_NO_ROUTE = -1 };

static int route(ip_t ip, uint8_t mac[6], const uint8_t **hop)
{
	struct routes routes = {0};
	struct route found;

	memset(mac, 0xee, 6);
	routes_add(&routes, 0, &host.config);
	*hop = NULL;
	if (!routes_find(&found, &routes, ip, 1, 0))
		return HOST_NO_ROUTE;
	*hop = memcmp(found.hop, ip, 16) ? host.config.gateway[host_is_ipv6(ip)] : ip;
	cr_assert_arr_eq(*hop, found.hop, 16);
	return (int)host_resolve(&host, found.hop, mac);
}

static void goes_to(ip_t ip, ip_t wanted)
{
	const uint8_t *hop;
	uint8_t mac[6];

	cr_assert_neq(route(ip, mac, &hop), HOST_NO_ROUTE);
	cr_assert_arr_eq(hop, wanted, 16);
}

static void goes_nowhere(ip_t ip)
{
	const uint8_t *hop;
	uint8_t mac[6];

	cr_assert_eq(route(ip, mac, &hop), HOST_NO_ROUTE);
	cr_assert_null(hop);
}

Test(host, routes)
{
	static ip_t on_link[] = {IPV4(10, 0, 0, 2),    IPV4(10, 0, 0, 255), IPV4(10, 1, 0, 0),
				 IPV4(10, 1, 15, 255), IPV6(1, 0),          IPV6(8, 0xff),
				 IPV6(15, 3)};
	static ip_t behind[] = {IPV4(10, 0, 1, 0),
				IPV4(9, 255, 255, 255),
				IPV4(10, 1, 16, 0),
				IPV4(8, 8, 8, 8),
				IPV6(0, 1),
				IPV6(2, 1),
				IPV6(7, 1),
				IPV6(16, 1),
				{0xfe, 0x80, [15] = 1}};
	const struct host_config config = good();

	start(&config);
	for (unsigned i = 0; i < sizeof(on_link) / sizeof(on_link[0]); i++)
		goes_to(on_link[i], on_link[i]);
	for (unsigned i = 0; i < sizeof(behind) / sizeof(behind[0]); i++)
		goes_to(behind[i], config.gateway[host_is_ipv6(behind[i])]);
}

// A router's address is mostly one of the link, for which the host needs one too, in any place.
Test(host, sources)
{
	static ip_t local = {0xfe, 0x80, [15] = 5}, local2 = {0xfe, 0xbf, [15] = 5};
	static ip_t global = IPV6(1, 5), global2 = IPV6(2, 5), v4 = IPV4(10, 0, 0, 5);
	struct host_config config = {.address = {{{0}, 64}, {{0}, 64}, {{0}, 64}, {{0}, 120}},
				     .n_addresses = 4};
	static const uint8_t *const orders[][3] = {{local, global, global2},
						   {global, local, global2},
						   {global, global2, local},
						   {local, local2, global}};

	memcpy(config.address[3].ip, v4, 16);
	for (unsigned i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		for (unsigned k = 0; k < 3; k++)
			memcpy(config.address[k].ip, orders[i][k], 16);
		start(&config);
		cr_expect_arr_eq(host_source(&host, true), global, 16, "%u", i);
		cr_expect_arr_eq(host_source(&host, false), v4, 16, "%u", i);
	}
	config.n_addresses = 1;
	memcpy(config.address[0].ip, local, 16);
	start(&config);
	cr_expect_arr_eq(host_source(&host, true), local, 16);
	cr_expect_null(host_source(&host, false));
}

Test(host, routes_without_a_gateway)
{
	struct host_config config = good();

	config.has_gateway[0] = false;
	start(&config);
	goes_nowhere((ip_t)IPV4(8, 8, 8, 8));
	goes_to((ip_t)IPV4(10, 0, 0, 8), (ip_t)IPV4(10, 0, 0, 8));
	goes_to((ip_t)IPV6(99, 8), config.gateway[1]);
	config.has_gateway[1] = false;
	start(&config);
	goes_nowhere((ip_t)IPV6(99, 8));
}

// ::/1 has all of ::ffff:0:0/96 in it, and 0.0.0.0/1 nothing of IPv6.
Test(host, families_are_apart)
{
	struct host_config config = {.address = {{IPV6(1, 1), 1}}, .n_addresses = 1};

	start(&config);
	goes_nowhere((ip_t)IPV4(10, 0, 0, 1));
	goes_to((ip_t)IPV6(99, 1), (ip_t)IPV6(99, 1));
	goes_nowhere((ip_t){0xfe, 0x80, [15] = 1});
	cr_assert_null(host_source(&host, false));
	cr_assert_arr_eq(host_source(&host, true), config.address[0].ip, 16);
	cr_assert(host_has(&host, config.address[0].ip));
	cr_assert_not(host_has(&host, (ip_t)IPV6(1, 2)));
}

// Every prefix, against bits one by one.
Test(host, prefixes_bit_by_bit)
{
	struct random random = random_start();
	struct host_config config = {.n_addresses = 1};

	for (unsigned i = 0; i < 20000; i++) {
		struct host_address *const a = &config.address[0];
		uint8_t ip[16], mac[6];
		const uint8_t *hop;
		unsigned same = 0;

		random_fill(&random, a->ip, 16);
		a->ip[0] = 0x20;
		a->prefix = 1 + random_next(&random) % 128;
		memcpy(ip, a->ip, 16);
		same = random_next(&random) % 128;
		ip[same / 8] ^= 0x80 >> same % 8; // the first that differs
		if (same < 120)
			ip[15] ^= (uint8_t)random_next(&random);
		start(&config);
		cr_assert_eq(route(ip, mac, &hop),
			     same >= a->prefix ? HOST_UNRESOLVED : HOST_NO_ROUTE,
			     "%u of /%u, seed %#" PRIx64, same, a->prefix, random.seed);
	}
}

// ---- Asking

static struct {
	uint8_t octets[HOST_FRAME_MAX];
	unsigned len;
	struct packet packet;
} asked;

static bool poll(uint64_t now_ns, enum packet_kind kind)
{
	asked.len = host_poll(&host, asked.octets, now_ns);
	if (!asked.len)
		return false;
	cr_assert(asked.len >= HOST_FRAME_MIN && asked.len <= HOST_FRAME_MAX);
	cr_assert_eq(packet_read(&asked.packet, asked.octets, asked.len, host.config.vlan), kind);
	return true;
}

static void check_is_frame(struct link_frame *f)
{
	while (f->len < HOST_FRAME_MIN)
		f->octets[f->len++] = 0;
	cr_assert_eq(asked.len, f->len);
	cr_assert_arr_eq(asked.octets, f->octets, f->len);
}

static void check_arp(ip_t from, ip_t target)
{
	struct link_frame f;

	link_ethernet(&f, "\xff\xff\xff\xff\xff\xff", host.config.mac, host.config.vlan, 0x0806);
	link_put(&f, "\0\1\x08\0\6\4\0\1", 8);
	link_put(&f, host.config.mac, 6);
	link_put(&f, from + 12, 4);
	link_put(&f, "\0\0\0\0\0\0", 6);
	link_put(&f, target + 12, 4);
	check_is_frame(&f);
}

static void check_solicitation(ip_t from, ip_t target)
{
	uint8_t mac[6] = {0x33, 0x33, 0xff}, to[16] = {0xff, 2, [11] = 1, [12] = 0xff};
	uint8_t message[32] = {135, [24] = 1, [25] = 1};
	struct link_frame f;

	memcpy(mac + 3, target + 13, 3);
	memcpy(to + 13, target + 13, 3);
	memcpy(message + 8, target, 16);
	memcpy(message + 26, host.config.mac, 6);
	link_ethernet(&f, mac, host.config.mac, host.config.vlan, 0x86dd);
	link_icmpv6(&f, from, to, 255, message, sizeof(message));
	check_is_frame(&f);
}

static void quiet(uint64_t now_ns)
{
	cr_assert_eq(host_poll(&host, asked.octets, now_ns), 0);
}

// With and without a tag; from the address in the same network.
Test(host, asks_for_next_hops)
{
	static ip_t peer4 = IPV4(10, 0, 0, 9),
		    peer6 = {0x20, 1, 0xd, 0xb8, [7] = 1, [12] = 1, 2, 3, 4};
	struct host_config config = good();

	config.has_gateway[0] = config.has_gateway[1] = false;
	for (unsigned v = 0; v < 2; v++) {
		config.vlan = v ? 4094 : PACKET_NO_VLAN;
		start(&config);
		quiet(S);
		cr_assert(host_want(&host, peer4, S));
		cr_assert(poll(S, PACKET_ARP));
		check_arp(config.address[0].ip, peer4);
		quiet(S);
		cr_assert(host_want(&host, peer6, S));
		cr_assert(poll(S, PACKET_ICMPV6));
		check_solicitation(config.address[2].ip, peer6);
		quiet(S);
	}
}

Test(host, asks_from_the_address_in_the_same_network)
{
	struct host_config config = good();
	static ip_t others = IPV4(192, 0, 2, 1);

	config.has_gateway[1] = false;
	start(&config); // gateways are asked for from the start
	cr_assert(poll(0, PACKET_ARP));
	check_arp(config.address[1].ip, config.gateway[0]);
	quiet(0);
	cr_assert(host_want(&host, others, 0));
	cr_assert(poll(0, PACKET_ARP));
	check_arp(config.address[0].ip, others);
	config = good();
	config.has_gateway[0] = false;
	start(&config);
	cr_assert(poll(0, PACKET_ICMPV6));
	check_solicitation(config.address[3].ip, config.gateway[1]);
}

// Who cannot be asked for does not stop the others, however many there are.
Test(host, no_address_to_ask_from)
{
	struct host_config config = {.address = {{IPV6(1, 1), 64}}, .n_addresses = 1};
	uint8_t ip[16] = IPV4(10, 0, 0, 0);

	start(&config);
	for (unsigned i = 0; i < 2000; i++) {
		store16_be(ip + 14, (uint16_t)i);
		host_want(&host, ip, 0);
	}
	host_want(&host, (ip_t)IPV6(1, 2), 0);
	cr_assert(poll(0, PACKET_ICMPV6));
	quiet(0);
}

static void answer_arp(ip_t from, uint64_t now_ns)
{
	uint8_t answer[HOST_FRAME_MAX];
	struct link_frame f;
	struct packet packet;

	link_ethernet(&f, host.config.mac, "\2\0\0\0\0\2", host.config.vlan, 0x0806);
	link_put(&f, "\0\1\x08\0\6\4\0\2\2\0\0\0\0\2", 14);
	link_put(&f, from + 12, 4);
	link_put(&f, host.config.mac, 6);
	link_put(&f, host.config.address[0].ip + 12, 4);
	cr_assert_eq(packet_read(&packet, f.octets, f.len, host.config.vlan), PACKET_ARP);
	cr_assert_eq(host_input(&host, PACKET_ARP, &packet, answer, now_ns), 0);
}

Test(host, four_answers)
{
	static ip_t peer = IPV4(10, 0, 0, 9), far = IPV4(192, 0, 2, 1);
	struct host_config config = good();
	const uint8_t *hop;
	uint8_t mac[6];

	config.has_gateway[0] = config.has_gateway[1] = false;
	start(&config);
	cr_assert_eq(route(far, mac, &hop), HOST_NO_ROUTE);
	cr_assert_eq(route(peer, mac, &hop), HOST_UNRESOLVED);
	host_want(&host, peer, 0);
	cr_assert_eq(route(peer, mac, &hop), HOST_UNRESOLVED);
	for (unsigned i = 0; i < 3; i++) {
		cr_assert(poll(i * S, PACKET_ARP));
		quiet(i * S);
	}
	quiet(3 * S);
	cr_assert_eq(route(peer, mac, &hop), HOST_GONE);
	cr_assert_arr_eq(mac, "\xee\xee\xee\xee\xee\xee", 6);
	answer_arp(peer, 4 * S);
	cr_assert_eq(route(peer, mac, &hop), HOST_READY);
	cr_assert_arr_eq(mac, "\2\0\0\0\0\2", 6);
	cr_assert_arr_eq(hop, peer, 16);
}

Test(host, static_neighbours_are_ready_and_never_asked)
{
	static ip_t far = IPV4(192, 0, 2, 1);
	struct host_config config = good();
	const uint8_t *hop;
	uint8_t mac[6];

	config.has_gateway[1] = false;
	config.n_neighbours = 1;
	memcpy(config.neighbour[0].ip, config.gateway[0], 16);
	memcpy(config.neighbour[0].mac, "\2\0\0\0\0\7", 6);
	start(&config);
	quiet(0);
	quiet(100 * S);
	cr_assert_eq(route(far, mac, &hop), HOST_READY);
	cr_assert_arr_eq(mac, "\2\0\0\0\0\7", 6);
	cr_assert_arr_eq(hop, config.gateway[0], 16);
}

// However many peers want its place.
Test(host, a_gateway_that_is_gone_keeps_its_place)
{
	struct host_config config = good();
	uint8_t ip[16] = IPV6(8, 0), mac[6];
	const uint8_t *hop;

	start(&config);
	for (unsigned i = 0; i < 4; i++) {
		while (host_poll(&host, asked.octets, i * S))
			;
	}
	for (unsigned i = 0; i < 100000; i++) {
		store32_be(ip + 8, i);
		host_want(&host, ip, 4 * S);
	}
	cr_assert_eq(route((ip_t)IPV4(8, 8, 8, 8), mac, &hop), HOST_GONE);
	cr_assert_eq(route((ip_t)IPV6(99, 8), mac, &hop), HOST_GONE);
}

// What sends them has room for so many; nobody is forgotten, and nobody asked twice a second.
Test(host, asks_in_rounds)
{
	static uint8_t times[2000];
	struct host_config config = good();
	uint8_t ip[16] = IPV4(10, 1, 0, 0);
	unsigned n = 0, rounds = 0, in_round;

	config.has_gateway[0] = config.has_gateway[1] = false;
	start(&config);
	for (unsigned i = 0; i < 2000; i++) {
		store16_be(ip + 14, (uint16_t)(i + 2));
		cr_assert(host_want(&host, ip, 0));
	}
	do {
		for (in_round = 0; poll(rounds, PACKET_ARP); in_round++)
			times[load16_be(asked.packet.data + 26) - 2]++;
		cr_assert_leq(in_round, HOST_ASKS_MAX);
		n += in_round;
		rounds++;
	} while (in_round);
	cr_assert_eq(n, 2000);
	cr_assert_eq(rounds, (2000 + HOST_ASKS_MAX - 1) / HOST_ASKS_MAX + 1);
	for (unsigned i = 0; i < 2000; i++)
		cr_assert_eq(times[i], 1);
}

// ---- Somebody else asks and answers

Test(host, due_ones_for_somebody_else_to_ask)
{
	static ip_t peer = IPV4(10, 0, 0, 9), stranger = IPV4(10, 0, 0, 10);
	static const uint8_t good_mac[6] = {2, 0, 0, 0, 0, 9}, group[6] = {1, 0, 0, 0, 0, 9},
			     zero[6];
	struct host_config config = good();
	uint8_t ip[16], mac[6];

	config.has_gateway[0] = config.has_gateway[1] = false;
	start(&config);
	cr_assert_not(host_due(&host, ip, S));
	cr_assert(host_want(&host, peer, S));
	cr_assert(host_due(&host, ip, S));
	cr_assert_arr_eq(ip, peer, 16);
	cr_assert_not(host_due(&host, ip, S));
	host_learn(&host, peer, group, S);
	host_learn(&host, peer, zero, S);
	host_learn(&host, stranger, good_mac, S);
	cr_assert_eq(host_resolve(&host, peer, mac), HOST_UNRESOLVED);
	host_learn(&host, peer, good_mac, S);
	cr_assert_eq(host_resolve(&host, peer, mac), HOST_READY);
	cr_assert_arr_eq(mac, good_mac, 6);
	cr_assert_eq(host_resolve(&host, stranger, mac), HOST_UNRESOLVED);
	host_doubt(&host, peer, 2 * S);
	cr_assert_eq(host_resolve(&host, peer, mac), HOST_UNRESOLVED);
	cr_assert(host_due(&host, ip, 2 * S));
	cr_assert_arr_eq(ip, peer, 16);
}

Test(host, own_addresses_are_not_learnt)
{
	static const uint8_t other[6] = {2, 0, 0, 0, 0, 9};
	const struct host_config config = good();
	uint8_t mac[6];

	start(&config);
	host_want(&host, config.address[0].ip, 0);
	host_learn(&host, config.address[0].ip, other, 0);
	cr_assert_eq(host_resolve(&host, config.address[0].ip, mac), HOST_UNRESOLVED);
}

Test(host, due_ones_in_rounds)
{
	static uint8_t times[1000];
	struct host_config config = good();
	uint8_t ip[16] = IPV4(10, 1, 0, 0), due[16];
	unsigned n = 0, rounds = 0, in_round;

	config.has_gateway[0] = config.has_gateway[1] = false;
	start(&config);
	for (unsigned i = 0; i < 1000; i++) {
		store16_be(ip + 14, (uint16_t)(i + 2));
		cr_assert(host_want(&host, ip, 0));
	}
	do {
		for (in_round = 0; host_due(&host, due, rounds); in_round++)
			times[load16_be(due + 14) - 2]++;
		cr_assert_leq(in_round, HOST_ASKS_MAX);
		n += in_round;
		rounds++;
	} while (in_round);
	cr_assert_eq(n, 1000);
	cr_assert_eq(rounds, (1000 + HOST_ASKS_MAX - 1) / HOST_ASKS_MAX + 1);
	for (unsigned i = 0; i < 1000; i++)
		cr_assert_eq(times[i], 1);
}
