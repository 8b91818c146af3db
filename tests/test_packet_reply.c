// Datagrams turned round in place, against a naive twin.
#include <criterion/criterion.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/net/packet_stamp.h"
#include "tests/kit/packet_twin.h"
#include "tests/kit/random.h"

enum { PAYLOAD = 1232, GUARD = 32, OPTIONS = 8, ROUNDS = 20000 };

// By the bits of `form`: IPv6, in VLAN 42, with UDP's checksum.
enum { IPV6 = 1, IN_VLAN = 2, WITH_CHECKSUM = 4, FORMS = 8 };

struct bench {
	uint8_t frame[GUARD + PACKET_HEADERS_MAX + OPTIONS + PAYLOAD + GUARD];
	uint8_t wanted[PACKET_HEADERS_MAX + PAYLOAD];
	struct random random;
};

// Somebody on a network of documentation, and a port.
static uint16_t anybody(struct random *random, bool is_ipv6, uint8_t ip[16])
{
	static const uint8_t network[2][16] = {
		{[10] = 0xff, [11] = 0xff, 198, 51, 100},
		{0x20, 1, 0xd, 0xb8},
	};

	memcpy(ip, network[is_ipv6], 16);
	random_fill(random, ip + 15, 1);
	if (is_ipv6)
		random_fill(random, ip + 4, 12);
	return (uint16_t)(1 + random_next(random) % 65535);
}

struct question {
	struct packet_source from; // who asks
	uint8_t ip[16];            // whom
	uint8_t mac[6];
	uint16_t port;
	uint16_t vlan;
};

static struct question ask(struct random *random, unsigned form)
{
	struct question q = {
		.from = {.mac = {2, 0, 0, 0, 0, 1},
			 .vlan = form & IN_VLAN ? 42 : PACKET_NO_VLAN,
			 .udp_checksum = form & WITH_CHECKSUM},
		.mac = {2, 0, 0, 0, 0, 2},
	};

	q.from.port = anybody(random, form & IPV6, q.from.ip);
	q.port = anybody(random, form & IPV6, q.ip);
	q.vlan = q.from.vlan;
	random_fill(random, q.from.mac + 3, 3);
	random_fill(random, q.mac + 3, 3);
	return q;
}

// As the twin would write it from there.
static unsigned answer(uint8_t *frame, const struct question *q, const uint8_t ip[16],
		       uint16_t port, const uint8_t *payload, unsigned len)
{
	struct packet_source source = {
		.port = q->port,
		.vlan = q->vlan,
		.udp_checksum = q->from.udp_checksum,
	};

	memcpy(source.mac, q->mac, 6);
	memcpy(source.ip, q->ip, 16);
	return twin_write(frame, &source, q->from.mac, ip, port, payload, len);
}

// A question of n octets in the frame; IPv4 options in it make it longer.
static unsigned write_question(struct bench *bench, const struct question *q, unsigned n,
			       unsigned options)
{
	uint8_t payload[PAYLOAD], *const frame = bench->frame + GUARD, *ip;
	unsigned len, link = q->vlan ? 18 : 14;

	random_fill(&bench->random, payload, n);
	len = twin_write(frame, &q->from, q->mac, q->ip, q->port, payload, n);
	if (!options)
		return len;
	ip = frame + link;
	memmove(ip + 20 + options, ip + 20, len - link - 20);
	memset(ip + 20, 1, options); // no operation (RFC 791 3.1)
	ip[0] = (uint8_t)(0x40 | (20 + options) / 4);
	twin_put16(ip + 2, len - link + options);
	len += options;
	twin_repair_ipv4(ip, len - link);
	if (!q->from.udp_checksum)
		twin_put16(ip + 20 + options + 6, 0);
	return len;
}

static void check_turn(struct bench *bench, unsigned form, unsigned options, bool is_elsewhere)
{
	const struct question q = ask(&bench->random, form);
	const unsigned asked = (unsigned)(random_next(&bench->random) % (PAYLOAD + 1));
	const unsigned len = (unsigned)(random_next(&bench->random) % (PAYLOAD + 1));
	uint8_t elsewhere[16], *payload, *from;
	uint16_t port = anybody(&bench->random, form & IPV6, elsewhere);
	unsigned headers, wanted_len, frame_len;
	struct packet packet;

	memset(bench->frame, 0xa5, sizeof(bench->frame));
	frame_len = write_question(bench, &q, asked, options);
	cr_assert_eq(packet_read(&packet, bench->frame + GUARD, frame_len, q.vlan), PACKET_UDP);
	payload = bench->frame + (packet.data - bench->frame);
	random_fill(&bench->random, payload, len);
	if (!is_elsewhere) {
		memcpy(elsewhere, packet.source, 16);
		port = packet.source_port;
	}
	wanted_len = answer(bench->wanted, &q, elsewhere, port, payload, len);
	headers = packet_reply(&packet, q.vlan, elsewhere, port, payload, len);
	from = payload - headers;
	cr_assert_eq(from - bench->frame, GUARD + options, "seed %#" PRIx64, bench->random.seed);
	cr_assert_eq(headers + len, wanted_len);
	cr_assert(!memcmp(from, bench->wanted, wanted_len), "form %u, %u octets, seed %#" PRIx64,
		  form, len, bench->random.seed);
	for (unsigned i = 0; i < GUARD; i++)
		cr_assert_eq(bench->frame[i], 0xa5);
	cr_assert_eq(packet_read(&packet, from, headers + len, q.vlan), PACKET_UDP);
	cr_assert_arr_eq(packet.source, q.ip, 16);
	cr_assert_arr_eq(packet.destination, elsewhere, 16);
	cr_assert_eq(packet.len, len);
}

Test(packet_reply, every_form)
{
	struct bench *bench = malloc(sizeof(*bench));

	bench->random = random_start();
	for (unsigned round = 0; round < ROUNDS; round++)
		check_turn(bench, round % FORMS, 0, round / FORMS % 2);
	free(bench);
}

// They are not in the answer: it begins behind where the question began.
Test(packet_reply, ipv4_options)
{
	struct bench *bench = malloc(sizeof(*bench));

	bench->random = random_start();
	for (unsigned round = 0; round < ROUNDS / 10; round++)
		check_turn(bench, round % FORMS & ~(unsigned)IPV6, round % 2 ? 4 : OPTIONS, false);
	free(bench);
}

Test(packet_reply, to_the_other_family, .signal = SIGABRT)
{
	struct bench *bench = malloc(sizeof(*bench));
	struct packet packet;
	struct question q;
	unsigned len;
	uint8_t ip[16];

	bench->random = random_start();
	q = ask(&bench->random, 0);
	anybody(&bench->random, true, ip);
	len = write_question(bench, &q, 5, 0);
	packet_read(&packet, bench->frame + GUARD, len, 0);
	packet_reply(&packet, 0, ip, 1, bench->frame + (packet.data - bench->frame), 5);
	free(bench);
}
