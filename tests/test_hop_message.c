// Messages about the kernel's neighbours: what is read of them, at every length and in any
// disorder, and what is asked.

#include <criterion/criterion.h>

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "dataplane/net/hop_message.h"
#include "tests/kit/random.h"

enum { ROOM = 1024, INTERFACE = 7 };

static const uint8_t mac[6] = {2, 0, 0, 0, 0, 9};
static const uint8_t ipv4[16] = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 9};
static const uint8_t ipv6[16] = {0xfd, [15] = 9};
static const uint8_t mapped[16] = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 9};

// A message under construction.
struct maker {
	uint8_t octets[ROOM];
	unsigned len;
};

static void add(struct maker *m, uint16_t type, const void *octets, unsigned n)
{
	const struct rtattr head = {.rta_len = (uint16_t)(sizeof(head) + n), .rta_type = type};

	memcpy(m->octets + m->len, &head, sizeof(head));
	memcpy(m->octets + m->len + sizeof(head), octets, n);
	m->len += (head.rta_len + 3) & ~3u;
}

static struct maker begin(uint16_t type, uint8_t family, uint16_t state, uint8_t flags)
{
	const struct ndmsg neighbour = {
		.ndm_family = family,
		.ndm_ifindex = INTERFACE,
		.ndm_state = state,
		.ndm_flags = flags,
	};
	struct maker m = {.len = sizeof(struct nlmsghdr) + sizeof(neighbour)};
	const struct nlmsghdr head = {.nlmsg_type = type};

	memcpy(m.octets, &head, sizeof(head));
	memcpy(m.octets + sizeof(head), &neighbour, sizeof(neighbour));
	return m;
}

static void end(struct maker *m)
{
	const uint32_t len = m->len;

	memcpy(m->octets, &len, sizeof(len));
}

static struct maker usual(uint8_t family, uint16_t state)
{
	struct maker m = begin(RTM_NEWNEIGH, family, state, 0);
	const uint32_t probes = 4;

	add(&m, NDA_DST, family == AF_INET ? ipv4 + 12 : ipv6, family == AF_INET ? 4 : 16);
	add(&m, NDA_LLADDR, mac, 6);
	add(&m, NDA_PROBES, &probes, sizeof(probes));
	end(&m);
	return m;
}

// In memory that ends where the message does.
static struct hop_message read_exactly(const uint8_t *octets, unsigned n, unsigned *taken)
{
	uint8_t *const exact = malloc(n ? n : 1);
	struct hop_message message;

	memcpy(exact, octets, n);
	*taken = hop_message_read(&message, exact, n);
	free(exact);
	return message;
}

static struct hop_message read(const struct maker *m)
{
	unsigned taken;
	const struct hop_message message = read_exactly(m->octets, m->len, &taken);

	cr_assert_eq(taken, m->len);
	return message;
}

Test(hop_message, known)
{
	static const uint16_t states[] = {NUD_REACHABLE, NUD_STALE, NUD_DELAY, NUD_PROBE,
					  NUD_PERMANENT};

	for (unsigned i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		for (unsigned f = 0; f < 2; f++) {
			const struct maker m = usual(f ? AF_INET6 : AF_INET, states[i]);
			const struct hop_message message = read(&m);

			cr_assert_eq(message.news, HOP_KNOWN);
			cr_assert_eq(message.interface, INTERFACE);
			cr_assert_arr_eq(message.ip, f ? ipv6 : ipv4, 16);
			cr_assert_arr_eq(message.mac, mac, 6);
		}
	}
}

// The kernel leaves the MAC that was there in the entry.
Test(hop_message, lost)
{
	const struct maker m = usual(AF_INET, NUD_FAILED);
	struct maker bare = begin(RTM_NEWNEIGH, AF_INET6, NUD_FAILED, 0);

	add(&bare, NDA_DST, ipv6, 16);
	end(&bare);
	cr_assert_eq(read(&m).news, HOP_LOST);
	cr_assert_eq(read(&bare).news, HOP_LOST);
	cr_assert_eq(read(&bare).interface, INTERFACE);
	cr_assert_arr_eq(read(&bare).ip, ipv6, 16);
}

Test(hop_message, nothing_new)
{
	static const uint16_t states[] = {NUD_NONE, NUD_INCOMPLETE, NUD_NOARP};

	for (unsigned i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		const struct maker m = usual(AF_INET, states[i]);

		cr_assert_eq(read(&m).news, HOP_NONE);
		cr_assert_eq(read(&m).interface, 0);
	}
}

static enum hop_news news_of(struct maker m)
{
	end(&m);
	return read(&m).news;
}

Test(hop_message, of_no_neighbour_of_ours)
{
	struct maker m = begin(RTM_DELNEIGH, AF_INET, NUD_REACHABLE, 0);

	add(&m, NDA_DST, ipv4 + 12, 4);
	add(&m, NDA_LLADDR, mac, 6);
	cr_expect_eq(news_of(m), HOP_NONE, "taken out of the table");
	m = begin(RTM_NEWNEIGH, AF_BRIDGE, NUD_REACHABLE, 0);
	add(&m, NDA_LLADDR, mac, 6);
	cr_expect_eq(news_of(m), HOP_NONE, "a bridge's");
	m = begin(RTM_NEWNEIGH, AF_INET, NUD_REACHABLE, NTF_PROXY);
	add(&m, NDA_DST, ipv4 + 12, 4);
	add(&m, NDA_LLADDR, mac, 6);
	cr_expect_eq(news_of(m), HOP_NONE, "a proxy's");
	m = begin(RTM_NEWNEIGH, AF_INET6, NUD_REACHABLE, 0);
	add(&m, NDA_DST, mapped, 16);
	add(&m, NDA_LLADDR, mac, 6);
	cr_expect_eq(news_of(m), HOP_NONE, "IPv4 in IPv6's clothes");
	m = begin(NLMSG_ERROR, AF_INET, NUD_REACHABLE, 0);
	add(&m, NDA_DST, ipv4 + 12, 4);
	cr_expect_eq(news_of(m), HOP_NONE, "an error");
}

Test(hop_message, attributes_that_are_wrong)
{
	const int none = 0;
	struct maker m = begin(RTM_NEWNEIGH, AF_INET, NUD_REACHABLE, 0);

	add(&m, NDA_LLADDR, mac, 6);
	cr_expect_eq(news_of(m), HOP_NONE, "no address");
	add(&m, NDA_DST, ipv6, 16);
	cr_expect_eq(news_of(m), HOP_NONE, "an address of the other family");
	m = begin(RTM_NEWNEIGH, AF_INET, NUD_REACHABLE, 0);
	add(&m, NDA_DST, ipv4 + 12, 4);
	cr_expect_eq(news_of(m), HOP_NONE, "no MAC");
	add(&m, NDA_LLADDR, mac, 5);
	cr_expect_eq(news_of(m), HOP_NONE, "a short MAC");
	add(&m, NDA_LLADDR, ipv6, 8);
	cr_expect_eq(news_of(m), HOP_NONE, "a long MAC");
	add(&m, NDA_LLADDR, mac, 6);
	cr_expect_eq(news_of(m), HOP_KNOWN, "the right one after all");
	memcpy(m.octets + sizeof(struct nlmsghdr) + 4, &none, sizeof(none));
	cr_expect_eq(news_of(m), HOP_NONE, "no interface");
}

// Lengths of attributes that go nowhere, or beyond: what stands before them is good.
Test(hop_message, lengths_of_attributes)
{
	const unsigned at = sizeof(struct nlmsghdr) + sizeof(struct ndmsg);
	const struct maker good = usual(AF_INET, NUD_REACHABLE);

	for (unsigned len = 0; len < 0x10000; len++) {
		struct maker m = good;

		memcpy(m.octets + at, &(uint16_t){(uint16_t)len}, 2);
		if (len != 8)
			cr_assert_neq(read(&m).news, HOP_KNOWN, "length %u", len);
	}
}

Test(hop_message, cut_at_every_length)
{
	const struct maker m = usual(AF_INET6, NUD_REACHABLE);

	for (unsigned n = 0; n < m.len; n++) {
		struct maker cut = m;
		unsigned taken;

		cr_assert_eq(read_exactly(m.octets, n, &taken).news, HOP_NONE);
		cr_assert_eq(taken, 0);
		if (n < sizeof(struct nlmsghdr))
			continue;
		memcpy(cut.octets, &n,
		       sizeof(n)); // the message is that short, and the datagram too
		read_exactly(cut.octets, n, &taken);
		cr_assert_eq(taken, n);
	}
}

Test(hop_message, several_in_a_datagram)
{
	const struct maker one = usual(AF_INET, NUD_REACHABLE), two = usual(AF_INET6, NUD_FAILED);
	uint8_t octets[2 * ROOM];
	struct hop_message message;
	unsigned at;

	memcpy(octets, one.octets, one.len);
	memcpy(octets + one.len, two.octets, two.len);
	at = hop_message_read(&message, octets, one.len + two.len);
	cr_assert_eq(at, one.len);
	cr_assert_eq(message.news, HOP_KNOWN);
	cr_assert_eq(hop_message_read(&message, octets + at, two.len), two.len);
	cr_assert_eq(message.news, HOP_LOST);
}

Test(hop_message, any_octets)
{
	struct random random = random_start();
	const struct maker good[2] = {usual(AF_INET, NUD_STALE), usual(AF_INET6, NUD_FAILED)};

	for (unsigned i = 0; i < 200000; i++) {
		struct maker m = good[i % 2];
		unsigned taken;

		for (unsigned k = 0; k < 1 + random_next(&random) % 4; k++)
			m.octets[random_next(&random) % m.len] = (uint8_t)random_next(&random);
		read_exactly(m.octets, m.len, &taken);
		cr_assert_leq(taken, m.len, "seed %#" PRIx64, random.seed);
	}
}

// ---- Asking

static void check_request(const uint8_t *octets, uint16_t type, uint16_t flags, uint8_t use,
			  const uint8_t ip[16])
{
	const bool is_ipv6 = ip == ipv6;
	const unsigned n = is_ipv6 ? 16 : 4;
	struct nlmsghdr head;
	struct ndmsg neighbour;
	struct rtattr attribute;

	memcpy(&head, octets, sizeof(head));
	memcpy(&neighbour, octets + sizeof(head), sizeof(neighbour));
	memcpy(&attribute, octets + sizeof(head) + sizeof(neighbour), sizeof(attribute));
	cr_assert_eq(head.nlmsg_len, sizeof(head) + sizeof(neighbour) + sizeof(attribute) + n);
	cr_assert_eq(head.nlmsg_type, type);
	cr_assert_eq(head.nlmsg_flags, flags);
	cr_assert_eq(neighbour.ndm_family, is_ipv6 ? AF_INET6 : AF_INET);
	cr_assert_eq(neighbour.ndm_ifindex, INTERFACE);
	cr_assert_eq(neighbour.ndm_flags, use);
	cr_assert_eq(attribute.rta_type, NDA_DST);
	cr_assert_eq(attribute.rta_len, sizeof(attribute) + n);
	cr_assert_arr_eq(octets + head.nlmsg_len - n, ip + 16 - n, n);
}

Test(hop_message, asks)
{
	for (unsigned f = 0; f < 2; f++) {
		const uint8_t *const ip = f ? ipv6 : ipv4;
		uint8_t request[HOP_REQUEST_MAX + 1] = {[HOP_REQUEST_MAX] = 0xee};
		const unsigned len = hop_message_ask(request, INTERFACE, ip);

		cr_assert_eq(len % 8, 0); // both are of one length, and aligned
		check_request(request, RTM_NEWNEIGH, NLM_F_REQUEST | NLM_F_CREATE, NTF_USE, ip);
		check_request(request + len / 2, RTM_GETNEIGH, NLM_F_REQUEST, 0, ip);
		cr_assert_eq(request[HOP_REQUEST_MAX], 0xee);
	}
}
