// What a host answers and learns, octet by octet: frames are written the slow way, read by
// packet_read, given to the host, and every answer is read back.

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "dataplane/net/host.h"
#include "tests/kit/link.h"
#include "tests/kit/random.h"

#define OUR_MAC   "\2\0\0\0\0\1"
#define PEER_MAC  "\2\0\0\0\0\2"
#define OTHER_MAC "\2\0\0\0\0\3"
#define NO_MAC    "\0\0\0\0\0\0"
#define EVERYBODY "\xff\xff\xff\xff\xff\xff"

#define IPV4(d)                                                                                    \
	{                                                                                          \
		[10] = 0xff, [11] = 0xff, [12] = 10, [15] = (d)                                    \
	}
#define IPV6(d)                                                                                    \
	{                                                                                          \
		0x20, 0x01, 0x0d, 0xb8, [13] = 0xab, [14] = 0xcd, [15] = (d)                       \
	}
#define GROUP6(d)                                                                                  \
	{                                                                                          \
		0xff, 0x02, [11] = 1, [12] = 0xff, [13] = 0xab, [14] = 0xcd, [15] = (d)            \
	}
#define GROUP_MAC6(d) ((uint8_t[]){0x33, 0x33, 0xff, 0xab, 0xcd, (d)})

static const uint8_t us4[16] = IPV4(1), peer4[16] = IPV4(2), other4[16] = IPV4(3);
static const uint8_t us6[16] = IPV6(1), peer6[16] = IPV6(2), other6[16] = IPV6(3);
static const uint8_t our_group[16] = GROUP6(1), all_nodes[16] = {0xff, 0x02, [15] = 1};
static const uint8_t nobody[16];
static const uint16_t vlans[2] = {PACKET_NO_VLAN, 100};

static struct host host;
static struct link_frame f;

static struct {
	uint8_t octets[HOST_FRAME_MAX];
	unsigned len;
	enum packet_kind kind;
	struct packet packet;
} answer;

static void start(uint16_t vlan)
{
	struct host_config config = {
		.mac = {2, 0, 0, 0, 0, 1},
		.vlan = vlan,
		.address = {{IPV4(1), 96 + 24}, {IPV6(1), 64}},
		.n_addresses = 2,
	};
	char error[HOST_ERROR_MAX];

	cr_assert_eq(host_init(&host, &config, error), 0, "%s", error);
}

// ---- Given, and what comes back

static void check_answer(void)
{
	uint8_t *const exact = malloc(answer.len);

	cr_assert(answer.len >= HOST_FRAME_MIN && answer.len <= HOST_FRAME_MAX);
	memcpy(exact, answer.octets, answer.len);
	answer.kind = packet_read(&answer.packet, exact, answer.len, host.config.vlan);
	free(exact);
	answer.kind = packet_read(&answer.packet, answer.octets, answer.len, host.config.vlan);
	cr_assert(answer.kind == PACKET_ARP || answer.kind == PACKET_ICMPV4 ||
			  answer.kind == PACKET_ICMPV6,
		  "%s", packet_kind_name(answer.kind));
	cr_assert_arr_eq(answer.packet.source_mac, OUR_MAC, 6);
}

static bool give_packet(enum packet_kind kind, const struct packet *packet)
{
	memset(answer.octets, 0xee, sizeof(answer.octets));
	answer.len = host_input(&host, kind, packet, answer.octets, 1);
	if (answer.len)
		check_answer();
	for (unsigned i = answer.len; i < HOST_FRAME_MAX; i++)
		cr_assert_eq(answer.octets[i], 0xee);
	return answer.len;
}

// Whether the frame is answered.
static bool give(void)
{
	uint8_t *const exact = malloc(f.len); // so that a sanitizer sees a read beyond the end
	struct packet packet;
	enum packet_kind kind;
	bool is_answered;

	memcpy(exact, f.octets, f.len);
	kind = packet_read(&packet, exact, f.len, host.config.vlan);
	is_answered = give_packet(kind, &packet);
	free(exact);
	return is_answered;
}

// The answer is the frame `f`, filled up.
static void check_is_frame(void)
{
	while (f.len < HOST_FRAME_MIN)
		f.octets[f.len++] = 0;
	cr_assert_eq(answer.len, f.len, "%u, not %u", answer.len, f.len);
	for (unsigned i = 0; i < f.len; i++)
		cr_assert_eq(answer.octets[i], f.octets[i], "octet %u: %#x, not %#x", i,
			     answer.octets[i], f.octets[i]);
}

static void want(const uint8_t ip[16])
{
	cr_assert(host_want(&host, ip, 0));
}

static bool is_known(const uint8_t ip[16], const char wanted[6])
{
	uint8_t mac[6];

	return neighbour_find(&host.neighbours, ip, mac) == NEIGHBOUR_KNOWN &&
	       !memcmp(mac, wanted, 6);
}

// ---- ARP

static void arp(const char *to, const char *from, unsigned operation, const char *mac,
		const uint8_t sender[16], const char *target_mac, const uint8_t target[16])
{
	link_ethernet(&f, to, from, host.config.vlan, 0x0806);
	link_put(&f, "\0\1\x08\0\6\4", 6);
	link_put16(&f, operation);
	link_put(&f, mac, 6);
	link_put(&f, sender + 12, 4);
	link_put(&f, target_mac, 6);
	link_put(&f, target + 12, 4);
}

Test(host_message, arp_for_us_is_answered)
{
	for (unsigned v = 0; v < 2; v++) {
		start(vlans[v]);
		arp(EVERYBODY, PEER_MAC, 1, PEER_MAC, peer4, NO_MAC, us4);
		cr_assert(give());
		arp(PEER_MAC, OUR_MAC, 2, OUR_MAC, us4, PEER_MAC, peer4);
		check_is_frame();
		arp(OUR_MAC, PEER_MAC, 1, PEER_MAC, peer4, OUR_MAC, us4); // a check by unicast
		cr_assert(give());
		arp(EVERYBODY, PEER_MAC, 1, PEER_MAC, nobody, NO_MAC, us4); // a probe, RFC 5227
		cr_assert(give());
		arp(PEER_MAC, OUR_MAC, 2, OUR_MAC, us4, PEER_MAC, nobody);
		check_is_frame();
	}
}

Test(host_message, arp_that_is_not_for_us)
{
	start(100);
	arp(EVERYBODY, PEER_MAC, 1, PEER_MAC, peer4, NO_MAC, other4);
	cr_assert_not(give());
	arp(OUR_MAC, PEER_MAC, 2, PEER_MAC, peer4, OUR_MAC, us4);
	cr_assert_not(give(), "a reply is not answered");
	arp(EVERYBODY, PEER_MAC, 1, PEER_MAC, peer4, NO_MAC, us4);
	store16_be(f.octets + 14, 101);
	cr_assert_not(give(), "another VLAN");
	cr_assert_eq(neighbour_find(&host.neighbours, peer4, (uint8_t[6]){0}), NEIGHBOUR_NONE);
}

Test(host_message, arp_of_another_kind)
{
	start(PACKET_NO_VLAN);
	want(peer4);
	for (unsigned at = 0; at < 8; at++) {
		for (unsigned value = 0; value < 256; value++) {
			arp(EVERYBODY, PEER_MAC, 1, PEER_MAC, peer4, NO_MAC, us4);
			if (f.octets[14 + at] == value || (at == 7 && value == 2))
				continue;
			f.octets[14 + at] = (uint8_t)value;
			cr_assert_not(give(), "octet %u, %#x", at, value);
		}
	}
	cr_assert_not(is_known(peer4, PEER_MAC));
	arp(EVERYBODY, PEER_MAC, 1, PEER_MAC, peer4, NO_MAC, us4);
	for (f.len--; f.len; f.len--)
		cr_assert_not(give(), "%u octets", f.len);
}

Test(host_message, arp_teaches)
{
	start(PACKET_NO_VLAN);
	arp(EVERYBODY, PEER_MAC, 1, PEER_MAC, peer4, NO_MAC, us4);
	give();
	cr_assert_not(is_known(peer4, PEER_MAC), "a stranger");
	want(peer4);
	give();
	cr_assert(is_known(peer4, PEER_MAC), "a request");
	arp(OUR_MAC, OTHER_MAC, 2, OTHER_MAC, peer4, OUR_MAC, us4);
	cr_assert_not(give());
	cr_assert(is_known(peer4, OTHER_MAC), "a reply");
	arp(EVERYBODY, PEER_MAC, 1, PEER_MAC, peer4, NO_MAC, peer4);
	cr_assert_not(give());
	cr_assert(is_known(peer4, PEER_MAC), "gratuitous");
	arp(EVERYBODY, OTHER_MAC, 2, OTHER_MAC, peer4, EVERYBODY, peer4);
	cr_assert_not(give());
	cr_assert(is_known(peer4, OTHER_MAC), "gratuitous, a reply");
}

Test(host_message, arp_that_lies)
{
	const char *const macs[] = {EVERYBODY, NO_MAC, "\1\0\x5e\0\0\1", "\x33\x33\0\0\0\1"};

	start(PACKET_NO_VLAN);
	want(us4); // somebody sends to the host itself
	want(peer4);
	arp(EVERYBODY, PEER_MAC, 1, PEER_MAC, us4, NO_MAC, us4);
	cr_assert(give(), "who has our address too is told so");
	cr_assert_not(is_known(us4, PEER_MAC));
	for (unsigned i = 0; i < 4; i++) {
		arp(EVERYBODY, PEER_MAC, 1, macs[i], peer4, NO_MAC, us4);
		cr_assert_not(give(), "the sender's MAC, %u", i);
		arp(EVERYBODY, macs[i], 1, PEER_MAC, peer4, NO_MAC, us4);
		cr_assert_not(give(), "the frame's MAC, %u", i);
		cr_assert_not(is_known(peer4, macs[i]) || is_known(peer4, PEER_MAC));
	}
}

// ---- Neighbour discovery

struct nd {
	uint8_t octets[24 + 64];
	unsigned len;
};

static struct nd nd(uint8_t type, uint8_t flags, const uint8_t target[16])
{
	struct nd nd = {{type, [4] = flags}, 24};

	memcpy(nd.octets + 8, target, 16);
	return nd;
}

static struct nd with(struct nd nd, uint8_t type, uint8_t units, const char *mac)
{
	memcpy(nd.octets + nd.len, (uint8_t[]){type, units}, 2);
	memcpy(nd.octets + nd.len + 2, mac, 6);
	nd.len += 8;
	return nd;
}

static void send_nd(const void *to_mac, const uint8_t from[16], const uint8_t to[16], uint8_t hops,
		    const struct nd *nd)
{
	link_ethernet(&f, to_mac, PEER_MAC, host.config.vlan, 0x86dd);
	link_icmpv6(&f, from, to, hops, nd->octets, nd->len);
}

// To the group, as it comes first.
static bool give_nd(struct nd nd)
{
	send_nd(GROUP_MAC6(1), peer6, our_group, 255, &nd);
	return give();
}

static struct nd solicitation(void)
{
	return with(nd(135, 0, us6), 1, 1, PEER_MAC);
}

static struct nd advertisement(uint8_t flags)
{
	return with(nd(136, flags, peer6), 2, 1, PEER_MAC);
}

static void check_advertisement(const void *to_mac, const uint8_t to[16], uint8_t flags)
{
	const struct nd wanted = with(nd(136, flags, us6), 2, 1, OUR_MAC);

	link_ethernet(&f, to_mac, OUR_MAC, host.config.vlan, 0x86dd);
	link_icmpv6(&f, us6, to, 255, wanted.octets, wanted.len);
	check_is_frame();
}

Test(host_message, solicitations_for_us_are_answered)
{
	for (unsigned v = 0; v < 2; v++) {
		struct nd bare = nd(135, 0, us6);

		start(vlans[v]);
		cr_assert(give_nd(solicitation()));
		check_advertisement(PEER_MAC, peer6, 0x60);
		cr_assert(give_nd(with(bare, 1, 1, OTHER_MAC)));
		check_advertisement(OTHER_MAC, peer6, 0x60); // his MAC is what he says
		send_nd(OUR_MAC, peer6, us6, 255, &bare);    // a check by unicast
		cr_assert(give());
		check_advertisement(PEER_MAC, peer6, 0x60);
		cr_assert(give_nd(with(bare, 1, 1, EVERYBODY)));
		check_advertisement(PEER_MAC, peer6, 0x60);
		cr_assert_not(give_nd(with(nd(135, 0, other6), 1, 1, PEER_MAC)));
		cr_assert_not(give_nd(with(nd(135, 0, our_group), 1, 1, PEER_MAC)));
	}
}

// packet_read may keep datagrams from :: to itself: given as it would find it.
static bool give_from_nobody(const uint8_t to[16], struct nd nd)
{
	struct packet packet = {
		.source_mac = (const uint8_t *)PEER_MAC,
		.destination_mac = GROUP_MAC6(1),
		.hop_limit = 255,
		.data = nd.octets,
		.len = (uint16_t)nd.len,
	};

	memcpy(packet.destination, to, 16);
	return give_packet(PACKET_ICMPV6, &packet);
}

Test(host_message, duplicate_address_detection)
{
	const uint8_t *const all_macs = (const uint8_t *)"\x33\x33\0\0\0\1";

	for (unsigned v = 0; v < 2; v++) {
		start(vlans[v]);
		cr_assert(give_from_nobody(our_group, nd(135, 0, us6)));
		check_advertisement(all_macs, all_nodes, 0x20);
		cr_assert(give_from_nobody(our_group, with(nd(135, 0, us6), 14, 1, "nonce!")));
		check_advertisement(all_macs, all_nodes, 0x20); // RFC 7527
		cr_assert_not(give_from_nobody(our_group, solicitation()), "with a MAC");
		cr_assert_not(give_from_nobody(us6, nd(135, 0, us6)), "not to the group");
		cr_assert_not(give_from_nobody(all_nodes, nd(135, 0, us6)), "to another");
		cr_assert_not(give_from_nobody(our_group, nd(135, 0, other6)));
	}
}

Test(host_message, discovery_that_is_ignored)
{
	struct nd it = solicitation(), changed;

	start(PACKET_NO_VLAN);
	want(peer6);
	for (unsigned hops = 0; hops < 255; hops++) {
		send_nd(GROUP_MAC6(1), peer6, our_group, (uint8_t)hops, &it);
		cr_assert_not(give(), "hop limit %u", hops);
	}
	for (unsigned type = 0; type < 256; type++) {
		changed = it;
		changed.octets[0] = (uint8_t)type;
		cr_assert_eq(give_nd(changed), type == 135, "type %u", type);
		changed = it;
		changed.octets[1] = (uint8_t)type;
		cr_assert_eq(give_nd(changed), type == 0, "code %u", type);
	}
	start(PACKET_NO_VLAN);
	want(peer6);
	for (changed = it; changed.len >= 8; changed.len--)
		cr_assert_eq(give_nd(changed), changed.len == 24 || changed.len == 32, "%u octets",
			     changed.len);
	link_ethernet(&f, GROUP_MAC6(1), EVERYBODY, 0, 0x86dd);
	link_icmpv6(&f, peer6, our_group, 255, it.octets, it.len);
	cr_assert_not(give(), "from everybody's MAC");
}

Test(host_message, options_of_discovery)
{
	const struct nd bare = nd(135, 0, us6);

	start(PACKET_NO_VLAN);
	want(peer6);
	cr_assert_not(give_nd(with(bare, 1, 0, PEER_MAC)), "of no length");
	cr_assert_not(give_nd(with(solicitation(), 99, 0, PEER_MAC)), "the second of no length");
	for (unsigned units = 2; units < 256; units++)
		cr_assert_not(give_nd(with(bare, 1, (uint8_t)units, PEER_MAC)), "beyond the end");
	cr_assert_not(is_known(peer6, PEER_MAC), "nothing is learnt from such");
	cr_assert(give_nd(with(bare, 2, 1, PEER_MAC)));
	cr_assert(give_nd(with(with(bare, 1, 2, PEER_MAC), 0, 0, PEER_MAC)));
	cr_assert(give_nd(with(bare, 1, 1, NO_MAC)));
	cr_assert(give_nd(with(bare, 1, 1, EVERYBODY)));
	cr_assert_not(is_known(peer6, PEER_MAC) || is_known(peer6, NO_MAC) ||
		      is_known(peer6, EVERYBODY));
	cr_assert(
		give_nd(with(with(with(bare, 14, 2, "......"), 1, 1, "......"), 1, 1, OTHER_MAC)));
	cr_assert(is_known(peer6, OTHER_MAC), "behind another, which it is no part of");
}

Test(host_message, advertisements_teach)
{
	struct nd it = advertisement(0x60), other = with(nd(136, 0, peer6), 2, 1, OTHER_MAC);

	start(100);
	send_nd(OUR_MAC, peer6, us6, 255, &it);
	cr_assert_not(give());
	cr_assert_not(is_known(peer6, PEER_MAC), "a stranger");
	want(peer6);
	give_nd(it);
	cr_assert_not(is_known(peer6, PEER_MAC), "solicited, to a group");
	it.octets[0] = 134; // a router's
	give_nd(it);
	it = nd(136, 0x20, peer6);
	give_nd(it);
	cr_assert_not(is_known(peer6, PEER_MAC), "no MAC in it");
	give_nd(advertisement(0));
	cr_assert(is_known(peer6, PEER_MAC), "who is unknown is learnt without the flag");
	give_nd(other);
	cr_assert(is_known(peer6, PEER_MAC), "who is known is not");
	other.octets[4] = 0x20;
	give_nd(other);
	cr_assert(is_known(peer6, OTHER_MAC));
	it = advertisement(0x60);
	send_nd(OUR_MAC, peer6, us6, 255, &it);
	cr_assert_not(give());
	cr_assert(is_known(peer6, PEER_MAC));
}

Test(host_message, discovery_that_lies)
{
	start(PACKET_NO_VLAN);
	want(us6);
	want(peer6);
	give_nd(with(nd(136, 0x20, us6), 2, 1, PEER_MAC));
	cr_assert_not(is_known(us6, PEER_MAC));
	give_nd(with(nd(136, 0x20, other6), 2, 1, PEER_MAC));
	cr_assert_not(is_known(peer6, PEER_MAC), "the target counts, not the sender");
	give_nd(with(nd(135, 0, other6), 1, 1, PEER_MAC));
	cr_assert(is_known(peer6, PEER_MAC), "the sender counts");
}

// Addresses of IPv4 are ::ffff:a.b.c.d in here, and nowhere on a link.
Test(host_message, discovery_of_ipv4)
{
	start(PACKET_NO_VLAN);
	want(peer4);
	cr_assert_not(give_nd(with(nd(135, 0, us4), 1, 1, PEER_MAC)));
	cr_assert_not(give_from_nobody(our_group, nd(135, 0, us4)));
	cr_assert_not(give_nd(with(nd(136, 0x20, peer4), 2, 1, PEER_MAC)));
	cr_assert_not(is_known(peer4, PEER_MAC));
}

// ---- Echo

enum { LONGEST = 1500 };

struct echo {
	uint8_t octets[LONGEST];
	unsigned len;
	bool is_ipv6;
};

static struct echo echo(struct random *random, bool is_ipv6, unsigned len)
{
	struct echo echo = {.len = len, .is_ipv6 = is_ipv6};

	random_fill(random, echo.octets, len);
	echo.octets[0] = is_ipv6 ? 128 : 8;
	echo.octets[1] = 0;
	return echo;
}

static void send_echo(const void *to_mac, const void *from_mac, const uint8_t from[16],
		      const uint8_t to[16], const struct echo *echo)
{
	link_ethernet(&f, to_mac, from_mac, host.config.vlan, echo->is_ipv6 ? 0x86dd : 0x0800);
	if (echo->is_ipv6)
		link_icmpv6(&f, from, to, 64, echo->octets, echo->len);
	else
		link_icmpv4(&f, from, to, echo->octets, echo->len);
}

static bool give_echo(const struct echo *echo)
{
	send_echo(OUR_MAC, PEER_MAC, echo->is_ipv6 ? peer6 : peer4, echo->is_ipv6 ? us6 : us4,
		  echo);
	return give();
}

static void check_echo(const struct echo *request)
{
	const struct packet *const p = &answer.packet;
	struct echo wanted = *request;

	wanted.octets[0] = wanted.is_ipv6 ? 129 : 0;
	cr_assert_eq(answer.kind, wanted.is_ipv6 ? PACKET_ICMPV6 : PACKET_ICMPV4);
	cr_assert_arr_eq(p->destination_mac, PEER_MAC, 6);
	cr_assert_arr_eq(p->source, wanted.is_ipv6 ? us6 : us4, 16);
	cr_assert_arr_eq(p->destination, wanted.is_ipv6 ? peer6 : peer4, 16);
	cr_assert_eq(p->hop_limit, 64);
	cr_assert_eq(p->len, wanted.len);
	cr_assert_arr_eq(p->data, wanted.octets, 2);
	cr_assert_arr_eq(p->data + 4, wanted.octets + 4, wanted.len - 4);
	if (!wanted.is_ipv6) // identification 0, DF
		cr_assert_eq(load32_be(p->data - 16), 0x4000);
}

Test(host_message, echo_of_every_length)
{
	struct random random = random_start();

	for (unsigned v = 0; v < 4; v++) {
		const bool is_ipv6 = v & 1;
		const unsigned max = is_ipv6 ? 1460 : 1480;

		start(vlans[v / 2]);
		for (unsigned len = 8; len <= LONGEST; len++) {
			const struct echo it = echo(&random, is_ipv6, len);

			cr_assert_eq(give_echo(&it), len <= max, "%u octets, seed %#" PRIx64, len,
				     random.seed);
			if (answer.len)
				check_echo(&it);
		}
	}
}

Test(host_message, nothing_but_echo_requests)
{
	struct random random = random_start();

	start(PACKET_NO_VLAN);
	for (unsigned is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
		for (unsigned value = 0; value < 256; value++) {
			struct echo it = echo(&random, is_ipv6, 11);

			it.octets[0] = (uint8_t)value;
			cr_assert_eq(give_echo(&it), value == (is_ipv6 ? 128 : 8), "type %u",
				     value);
			it = echo(&random, is_ipv6, 11);
			it.octets[1] = (uint8_t)value;
			cr_assert_eq(give_echo(&it), value == 0, "code %u", value);
		}
	}
}

Test(host_message, echo_to_groups_and_others)
{
	static const uint8_t to[][16] = {
		IPV4(255),
		IPV4(3),
		{[10] = 0xff, [11] = 0xff, [12] = 255, 255, 255, 255},
		{[10] = 0xff, [11] = 0xff, [12] = 224, 0, 0, 1},
		IPV6(3),
		GROUP6(1),
		{0xff, 0x02, [15] = 1},
	};
	const char *const macs[] = {EVERYBODY, "\1\0\x5e\0\0\1", "\x33\x33\0\0\0\1", OTHER_MAC};
	struct random random = random_start();

	start(PACKET_NO_VLAN);
	for (unsigned i = 0; i < sizeof(to) / sizeof(to[0]); i++) {
		const bool is_ipv6 = host_is_ipv6(to[i]);
		const struct echo it = echo(&random, is_ipv6, 20);

		send_echo(OUR_MAC, PEER_MAC, is_ipv6 ? peer6 : peer4, to[i], &it);
		cr_assert_not(give(), "address %u", i);
	}
	for (unsigned i = 0; i < 8; i++) {
		const bool is_ipv6 = i & 1;
		const struct echo it = echo(&random, is_ipv6, 20);
		const uint8_t *const from = is_ipv6 ? peer6 : peer4, *const us =
									     is_ipv6 ? us6 : us4;

		send_echo(macs[i / 2], PEER_MAC, from, us, &it);
		cr_assert_not(give(), "to MAC %u", i / 2);
		send_echo(OUR_MAC, i / 2 < 3 ? macs[i / 2] : NO_MAC, from, us, &it);
		cr_assert_not(give(), "from MAC %u", i / 2);
	}
}

// ---- Whatever else

// What packet_read has not filled in is not looked at.
Test(host_message, other_kinds)
{
	start(PACKET_NO_VLAN);
	for (enum packet_kind kind = 0; kind < PACKET_KIND_COUNT; kind++) {
		if (kind != PACKET_ARP && kind != PACKET_ICMPV4 && kind != PACKET_ICMPV6)
			cr_assert_not(give_packet(kind, NULL), "%s", packet_kind_name(kind));
	}
}
