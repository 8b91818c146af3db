// Frames as they are written, against a naive twin, frames worked out by hand and the examples of
// RFC 1071; and what is written is read again. Frames that are wrong: test_packet_read.c.

#include <criterion/criterion.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/net/packet_stamp.h"
#include "dataplane/net/packet_sum.h"
#include "tests/kit/packet_twin.h"
#include "tests/kit/random.h"

enum { PAYLOAD = 1232, GUARD = 32 };

static const uint8_t next_hop[6] = {2, 0, 0, 0, 0, 1};

static const uint8_t peers[2][16] = {
	{[10] = 0xff, [11] = 0xff, 198, 51, 100, 7},
	{0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, [15] = 7},
};

// By the bits of `form`: IPv6, in VLAN 42, with UDP's checksum.
enum { IPV6 = 1, IN_VLAN = 2, WITH_CHECKSUM = 4, FORMS = 8 };

static struct packet_source source_of(unsigned form)
{
	static const uint8_t ips[2][16] = {
		{[10] = 0xff, [11] = 0xff, 192, 0, 2, 1},
		{0x20, 1, 0xd, 0xb8, [15] = 1},
	};
	struct packet_source source = {
		.mac = {2, 0, 0, 0, 0, 2},
		.port = 7777,
		.vlan = form & IN_VLAN ? 42 : PACKET_NO_VLAN,
		.udp_checksum = form & WITH_CHECKSUM,
	};

	memcpy(source.ip, ips[form & IPV6], sizeof(source.ip));
	return source;
}

// ---- Sums

Test(packet, sums_of_rfc_1071)
{
	// Section 3: 0001 f203 f4f5 f6f7 add up to 2ddf0, which is ddf2.
	static const uint8_t octets[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

	cr_assert_eq(packet_sum(0, octets, 8), 0xddf2);
	cr_assert_eq(packet_sum(0, octets, 4), 0xf204);
	cr_assert_eq(packet_sum(0xf204, octets + 4, 4), 0xddf2);
	cr_assert_eq(packet_sum(0, octets, 3), 0xf201); // an odd octet is the upper half
	cr_assert_eq(packet_sum(0, octets, 0), 0);
	cr_assert_eq(packet_sum(0x2ddf0, octets, 0), 0xddf2);
	cr_assert_eq(packet_sum(UINT32_MAX, octets, 0), 0xffff);
}

Test(packet, sums_are_as_word_by_word)
{
	struct random random = random_start();
	static const uint32_t starts[] = {0, 1, 0xffff, 0x10000, 0xfffe0001, UINT32_MAX};
	uint8_t octets[PAYLOAD + 8];

	for (unsigned fill = 0; fill < 3; fill++) {
		memset(octets, fill == 1 ? 0xff : 0, sizeof(octets));
		if (fill == 2)
			random_fill(&random, octets, sizeof(octets));
		for (unsigned len = 0; len <= PAYLOAD; len++) {
			const uint8_t *p = octets + len % 8;

			for (unsigned i = 0; i < 6; i++)
				cr_assert_eq(packet_sum(starts[i], p, len),
					     twin_sum(starts[i], p, len),
					     "fill %u, %u octets, start %#x, seed %#" PRIx64, fill,
					     len, starts[i], random.seed);
		}
	}
}

// ---- Frames worked out by hand

static void check_frame(unsigned form, const void *wanted, unsigned wanted_len)
{
	const struct packet_source source = source_of(form);
	uint8_t frame[256];
	struct packet_path path;

	memset(frame, 0xa5, sizeof(frame));
	packet_path_init(&path, &source);
	cr_assert_eq(path.len + 5, wanted_len);
	memcpy(frame + path.len, "valve", 5);
	packet_write(&path, next_hop, peers[form & IPV6], 50000, frame + path.len, 5);
	cr_assert_arr_eq(frame, wanted, wanted_len);
	cr_assert_eq(frame[wanted_len], 0xa5);
}

#define LINK      "\x02\0\0\0\0\x01\x02\0\0\0\0\x02"
#define IPV4_FROM "\xc0\x00\x02\x01"
#define IPV4_TO   "\xc6\x33\x64\x07"
#define IPV6_FROM "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
#define IPV6_TO   "\x20\x01\x0d\xb8\0\0\0\x01\0\0\0\0\0\0\0\x07"
#define PORTS     "\x1e\x61\xc3\x50"

Test(packet, ipv4_octet_by_octet)
{
	static const char frame[] =
		LINK "\x08\x00"
		     "\x45\x00\x00\x21\0\0\x40\x00\x40\x11\x4e\x90" IPV4_FROM IPV4_TO PORTS
		     "\x00\x0d\xea\x0d"
		     "valve";

	check_frame(WITH_CHECKSUM, frame, sizeof(frame) - 1);
}

Test(packet, ipv4_without_udp_checksum)
{
	static const char frame[] =
		LINK "\x08\x00"
		     "\x45\x00\x00\x21\0\0\x40\x00\x40\x11\x4e\x90" IPV4_FROM IPV4_TO PORTS
		     "\x00\x0d\x00\x00"
		     "valve";

	check_frame(0, frame, sizeof(frame) - 1);
}

Test(packet, ipv6_in_vlan_octet_by_octet)
{
	static const char frame[] =
		LINK "\x81\x00\x00\x2a\x86\xdd"
		     "\x60\0\0\0\x00\x0d\x11\x40" IPV6_FROM IPV6_TO PORTS "\x00\x0d\x7a\xcf"
		     "valve";

	check_frame(IPV6 | IN_VLAN | WITH_CHECKSUM, frame, sizeof(frame) - 1);
	check_frame(IPV6 | IN_VLAN, frame, sizeof(frame) - 1); // IPv6 has always one
}

// A header that many textbooks have: 192.168.0.1 to 192.168.0.199, 115 octets, checksum b861.
Test(packet, ipv4_header_of_the_textbook)
{
	static const uint8_t wanted[20] = {0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40,
					   0x00, 0x40, 0x11, 0xb8, 0x61, 0xc0, 0xa8,
					   0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7};
	const struct packet_source source = {
		.ip = {[10] = 0xff, [11] = 0xff, 192, 168, 0, 1},
		.port = 1,
	};
	static const uint8_t ip[16] = {[10] = 0xff, [11] = 0xff, 192, 168, 0, 199};
	uint8_t frame[42 + 87] = {0};
	struct packet_path path;

	packet_path_init(&path, &source);
	packet_write(&path, next_hop, ip, 1, frame + 42, 87);
	cr_assert_arr_eq(frame + 14, wanted, 20);
}

// ---- Every length

struct bench {
	uint8_t frame[GUARD + PACKET_HEADERS_MAX + 8 + PAYLOAD + GUARD];
	uint8_t wanted[PACKET_HEADERS_MAX + PAYLOAD];
	uint8_t payload[PAYLOAD];
	struct random random;
};

static void check_guards(const struct bench *bench, const uint8_t *from, const uint8_t *to)
{
	for (const uint8_t *p = bench->frame; p < bench->frame + sizeof(bench->frame); p++)
		cr_assert((p >= from && p < to) || *p == 0xa5, "an octet %td after the frame's end",
			  p - to);
}

static void check_read(const struct packet_source *source, const uint8_t *ip, uint16_t port,
		       const uint8_t *frame, unsigned frame_len, const uint8_t *payload,
		       unsigned len)
{
	struct packet packet;

	cr_assert_eq(packet_read(&packet, frame, frame_len, source->vlan), PACKET_UDP);
	cr_assert_eq(packet.destination_mac, frame);
	cr_assert_eq(packet.source_mac, frame + 6);
	cr_assert_arr_eq(packet.source, source->ip, 16);
	cr_assert_arr_eq(packet.destination, ip, 16);
	cr_assert_eq(packet.source_port, source->port);
	cr_assert_eq(packet.destination_port, port);
	cr_assert_eq(packet.hop_limit, 64);
	cr_assert_eq(packet.data, payload);
	cr_assert_eq(packet.len, len);
}

static void check_write(struct bench *bench, unsigned form, unsigned len, unsigned shift)
{
	const struct packet_source source = source_of(form);
	const uint16_t port = (uint16_t)(1 + random_next(&bench->random) % 65535);
	uint8_t *const payload = bench->frame + GUARD + PACKET_HEADERS_MAX + shift, *frame;
	struct packet_path path;
	unsigned wanted_len;
	uint8_t ip[16];

	memcpy(ip, peers[form & IPV6], 16);
	random_fill(&bench->random, ip + 12, 4);
	memset(bench->frame, 0xa5, sizeof(bench->frame));
	memcpy(payload, bench->payload, len);
	packet_path_init(&path, &source);
	packet_write(&path, next_hop, ip, port, payload, len);
	frame = payload - path.len;
	wanted_len = twin_write(bench->wanted, &source, next_hop, ip, port, bench->payload, len);
	cr_assert_eq(path.len + len, wanted_len);
	cr_assert(!memcmp(frame, bench->wanted, wanted_len), "form %u, %u octets, seed %#" PRIx64,
		  form, len, bench->random.seed);
	check_guards(bench, frame, payload + len);
	check_read(&source, ip, port, frame, wanted_len, payload, len);
}

// A port that sums takes what stands in the checksum's place for the pseudo-header's sum.
static void sum_as_ports_do(uint8_t *payload, unsigned len)
{
	uint8_t *const udp = payload - PACKET_UDP_HEADER;
	const uint16_t checksum = (uint16_t)~packet_sum(0, udp, PACKET_UDP_HEADER + len);

	store16_be(udp + 6, checksum ? checksum : 0xffff);
}

static void check_left_to_port(struct bench *bench, unsigned form, unsigned len)
{
	struct packet_source source = source_of(form);
	uint8_t *const payload = bench->frame + GUARD + PACKET_HEADERS_MAX;
	const uint8_t *const ip = peers[form & IPV6];
	struct packet_path path;
	unsigned wanted_len;

	memset(bench->frame, 0xa5, sizeof(bench->frame));
	memcpy(payload, bench->payload, len);
	wanted_len = twin_write(bench->wanted, &source, next_hop, ip, 7, bench->payload, len);
	source.port_sums = true;
	packet_path_init(&path, &source);
	packet_write(&path, next_hop, ip, 7, payload, len);
	if (path.checksum != PACKET_CHECKSUM_NONE) {
		cr_assert_eq(path.checksum, PACKET_CHECKSUM_PORT);
		sum_as_ports_do(payload, len);
	}
	cr_assert_arr_eq(payload - path.len, bench->wanted, wanted_len);
}

Test(packet, checksums_left_to_the_port)
{
	struct bench *bench = malloc(sizeof(*bench));

	bench->random = random_start();
	for (unsigned form = 0; form < FORMS; form++) {
		for (unsigned len = 0; len <= PAYLOAD; len++) {
			random_fill(&bench->random, bench->payload, len);
			check_left_to_port(bench, form, len);
		}
	}
	free(bench);
}

Test(packet, every_form_and_length_at_odd_places)
{
	struct bench *bench = malloc(sizeof(*bench));

	bench->random = random_start();
	for (unsigned form = 0; form < FORMS; form++) {
		for (unsigned len = 0; len <= PAYLOAD; len++) {
			random_fill(&bench->random, bench->payload, len);
			check_write(bench, form, len, len % 8);
			check_write(bench, form, len, (len + 3) % 8);
		}
	}
	free(bench);
}

// Carries: all ones and all zeros, in the payload and in the addresses.
Test(packet, extremes)
{
	struct bench *bench = malloc(sizeof(*bench));

	bench->random = random_start();
	for (unsigned form = 0; form < FORMS; form++) {
		for (unsigned len = 0; len < 64; len++) {
			memset(bench->payload, 0xff, len);
			check_write(bench, form, len, 1);
			memset(bench->payload, 0, len);
			check_write(bench, form, len, 1);
		}
	}
	free(bench);
}

Test(packet, longest_payload)
{
	uint8_t *frame = malloc(TWIN_FRAME_MAX), *wanted = malloc(TWIN_FRAME_MAX);
	uint8_t *payload = frame + PACKET_HEADERS_MAX;

	memset(payload, 0xff, PACKET_PAYLOAD_MAX);
	for (unsigned form = 0; form < FORMS; form++) {
		const struct packet_source source = source_of(form);
		const uint8_t *ip = peers[form & IPV6];
		struct packet_path path;
		unsigned len;

		packet_path_init(&path, &source);
		packet_write(&path, next_hop, ip, 9, payload, PACKET_PAYLOAD_MAX);
		len = twin_write(wanted, &source, next_hop, ip, 9, payload, PACKET_PAYLOAD_MAX);
		cr_assert(!memcmp(payload - path.len, wanted, len), "form %u", form);
		check_read(&source, ip, 9, payload - path.len, len, payload, PACKET_PAYLOAD_MAX);
	}
	free(wanted);
	free(frame);
}

// Two octets of payload go through all values: a sum that comes out as zero is sent as ffff.
static void check_zero_sum(unsigned form)
{
	const struct packet_source source = source_of(form);
	uint8_t frame[PACKET_HEADERS_MAX + 2], *const payload = frame + PACKET_HEADERS_MAX;
	unsigned ones = 0, zero_sums = 0;
	struct packet_path path;

	packet_path_init(&path, &source);
	for (unsigned value = 0; value < 65536; value++) {
		twin_put16(payload, value);
		packet_write(&path, next_hop, peers[form & IPV6], 50000, payload, 2);
		cr_assert_neq(twin_get16(payload - 2), 0);
		ones += twin_get16(payload - 2) == 0xffff;
		check_read(&source, peers[form & IPV6], 50000, payload - path.len, path.len + 2,
			   payload, 2);
		if (twin_get16(payload - 2) != 0xffff)
			continue;
		twin_put16(payload - 2, 0);
		zero_sums +=
			form & IPV6
				? twin_checksum(payload - 40, 16, TWIN_UDP, payload - 8, 10) == 0
				: twin_checksum(payload - 16, 4, TWIN_UDP, payload - 8, 10) == 0;
	}
	cr_assert_eq(ones, 1);
	cr_assert_eq(zero_sums, 1);
}

Test(packet, sum_of_zero_is_sent_as_ones)
{
	check_zero_sum(WITH_CHECKSUM);
	check_zero_sum(IPV6 | WITH_CHECKSUM);
}

// ---- Bugs of callers

Test(packet, vlan_beyond_the_last, .signal = SIGABRT)
{
	struct packet_source source = source_of(IN_VLAN);
	struct packet_path path;

	source.vlan = 4095;
	packet_path_init(&path, &source);
}

Test(packet, payload_beyond_the_longest, .signal = SIGABRT)
{
	const struct packet_source source = source_of(0);
	uint8_t *frame = malloc(TWIN_FRAME_MAX);
	struct packet_path path;

	packet_path_init(&path, &source);
	packet_write(&path, next_hop, peers[0], 9, frame + path.len, PACKET_PAYLOAD_MAX + 1);
	free(frame);
}
