// Frames that are wrong in one way each, and those that are only unusual. Each is read where its
// memory ends with it, so that a sanitizer sees what is read beyond.

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "tests/kit/packet_twin.h"
#include "tests/kit/random.h"

enum {
	PAYLOAD = 21,
	FRAME = PACKET_HEADERS_MAX + 40 + PAYLOAD + 64,
	TCP = 6,
	ICMPV4 = 1,
	VLAN = 42,
};

static const uint8_t our_mac[6] = {2, 0, 0, 0, 0, 1};
static const uint8_t our_ip[2][16] = {
	{[10] = 0xff, [11] = 0xff, 198, 51, 100, 7},
	{0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, [15] = 7},
};
static const struct packet_source peer[2] = {
	{{2, 0, 0, 0, 0, 2}, {[10] = 0xff, [11] = 0xff, 192, 0, 2, 1}, 7777, 0, true},
	{{2, 0, 0, 0, 0, 2}, {0x20, 1, 0xd, 0xb8, [15] = 1}, 7777, 0, true},
};

// A frame that is right, to be spoiled.
struct frame {
	uint8_t octets[FRAME];
	unsigned len;
	unsigned ip, body; // where IP's header and what it carries begin
	bool is_ipv6;
};

static struct frame frame_of(bool is_ipv6, uint16_t vlan, uint8_t protocol)
{
	struct packet_source source = peer[is_ipv6];
	struct frame frame = {.is_ipv6 = is_ipv6, .ip = vlan ? 18 : 14};
	uint8_t message[8 + PAYLOAD] = {8, 0, 0, 0};

	for (unsigned i = 4; i < sizeof(message); i++)
		message[i] = (uint8_t)(0x61 + i);
	source.vlan = vlan;
	frame.body = frame.ip + (is_ipv6 ? 40 : 20);
	if (protocol == TWIN_UDP)
		frame.len = twin_write(frame.octets, &source, our_mac, our_ip[is_ipv6], 50000,
				       message + 8, PAYLOAD);
	else
		frame.len = twin_frame(frame.octets, &source, our_mac, our_ip[is_ipv6], protocol,
				       message, sizeof(message));
	return frame;
}

static struct frame udp(bool is_ipv6)
{
	return frame_of(is_ipv6, PACKET_NO_VLAN, TWIN_UDP);
}

static struct frame icmp(bool is_ipv6)
{
	return frame_of(is_ipv6, PACKET_NO_VLAN, is_ipv6 ? TWIN_ICMPV6 : ICMPV4);
}

static struct frame arp(uint16_t vlan)
{
	struct frame frame = {.ip = vlan ? 18 : 14};

	memset(frame.octets, 7, sizeof(frame.octets));
	twin_put16(frame.octets + 12, 0x8100);
	twin_put16(frame.octets + 14, vlan);
	twin_put16(frame.octets + frame.ip - 2, 0x0806);
	frame.len = frame.ip + 28;
	return frame;
}

// n words of options, which nobody looks at.
static struct frame with_options(unsigned n)
{
	struct frame frame = udp(false);
	uint8_t *const body = frame.octets + frame.body;

	memmove(body + 4 * n, body, frame.len - frame.body);
	memset(body, 0x94, 4 * n);
	frame.octets[frame.ip] = (uint8_t)(0x45 + n);
	frame.body += 4 * n;
	frame.len += 4 * n;
	twin_put16(frame.octets + frame.ip + 2, frame.len - frame.ip);
	twin_repair(frame.octets, frame.len);
	return frame;
}

// The first len octets of the frame, alone in memory.
static enum packet_kind read_first(const struct frame *frame, unsigned len, uint16_t vlan)
{
	uint8_t *exact = malloc(len ? len : 1), *const octets = len ? exact : exact + 1;
	struct packet packet;
	enum packet_kind kind;

	memcpy(octets, frame->octets, len);
	kind = packet_read(&packet, octets, len, vlan);
	free(exact);
	return kind;
}

static void check(const struct frame *frame, uint16_t vlan, enum packet_kind wanted,
		  const char *what, unsigned value)
{
	const enum packet_kind kind = read_first(frame, frame->len, vlan);

	cr_assert_eq(kind, wanted, "%s %#x, IPv%u: %s instead of %s", what, value,
		     frame->is_ipv6 ? 6 : 4, packet_kind_name(kind), packet_kind_name(wanted));
}

// The frame with these octets there and its checksums right again.
static void check_changed(const struct frame *frame, unsigned at, const void *octets, unsigned n,
			  enum packet_kind wanted, const char *what)
{
	struct frame changed = *frame;

	memcpy(changed.octets + at, octets, n);
	twin_repair(changed.octets, changed.len);
	check(&changed, PACKET_NO_VLAN, wanted, what, *(const uint8_t *)octets);
}

static void check_octet(const struct frame *frame, unsigned at, unsigned value,
			enum packet_kind wanted, const char *what)
{
	const uint8_t octet = (uint8_t)value;

	check_changed(frame, at, &octet, 1, wanted, what);
}

static void check_word(const struct frame *frame, unsigned at, unsigned value,
		       enum packet_kind wanted, const char *what)
{
	uint8_t word[2];

	twin_put16(word, value);
	check_changed(frame, at, word, 2, wanted, what);
}

// ---- What is right

Test(packet_read, messages_of_icmp_and_arp)
{
	for (unsigned is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
		const struct frame frame = icmp(is_ipv6);
		struct packet packet;

		cr_assert_eq(packet_read(&packet, frame.octets, frame.len, 0),
			     is_ipv6 ? PACKET_ICMPV6 : PACKET_ICMPV4);
		cr_assert_eq(packet.data, frame.octets + frame.body);
		cr_assert_eq(packet.len, 8 + PAYLOAD);
		cr_assert_arr_eq(packet.source, peer[is_ipv6].ip, 16);
		cr_assert_arr_eq(packet.destination, our_ip[is_ipv6], 16);
		cr_assert_eq(packet.hop_limit, 64);
		cr_assert_eq(packet.source_port, 0);
		cr_assert_eq(packet.destination_port, 0);
		cr_assert_eq(packet.source_mac, frame.octets + 6);
		cr_assert_eq(packet.destination_mac, frame.octets);
	}
}

Test(packet_read, arp_has_no_addresses_of_ip)
{
	static const uint8_t zeros[16];
	const struct frame frame = arp(0);
	struct packet packet;

	memset(&packet, 0xee, sizeof(packet));
	cr_assert_eq(packet_read(&packet, frame.octets, frame.len + 18, 0), PACKET_ARP);
	cr_assert_eq(packet.data, frame.octets + 14);
	cr_assert_eq(packet.len, 28); // and no padding
	cr_assert_eq(packet.source_mac, frame.octets + 6);
	cr_assert_eq(packet.destination_mac, frame.octets);
	cr_assert_arr_eq(packet.source, zeros, 16);
	cr_assert_arr_eq(packet.destination, zeros, 16);
	cr_assert(packet.source_port == 0 && packet.destination_port == 0 && packet.hop_limit == 0);
}

// Octet by octet; their checksums were worked out by hand.
Test(packet_read, known_messages)
{
	static const char echo[] = "\2\0\0\0\0\1\2\0\0\0\0\2\x08\0"
				   "\x45\0\0\x1e\0\0\x40\0\x40\1\x4e\xa3\xc0\0\2\1\xc6\x33\x64\7"
				   "\x08\0\x96\x9b\0\1\0\1"
				   "ab";
	static const char echo6[] = "\2\0\0\0\0\1\2\0\0\0\0\2\x86\xdd"
				    "\x60\0\0\0\0\x0a\x3a\x40"
				    "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
				    "\x20\1\x0d\xb8\0\0\0\1\0\0\0\0\0\0\0\7"
				    "\x80\0\xc2\xdb\0\1\0\1"
				    "ab";
	struct packet packet;

	cr_assert_eq(packet_read(&packet, (const uint8_t *)echo, sizeof(echo) - 1, 0),
		     PACKET_ICMPV4);
	cr_assert_eq(packet.len, 10);
	cr_assert_eq(packet_read(&packet, (const uint8_t *)echo6, sizeof(echo6) - 1, 0),
		     PACKET_ICMPV6);
	cr_assert_eq(packet.len, 10);
}

Test(packet_read, options_are_passed_over)
{
	for (unsigned n = 0; n <= 10; n++) {
		const struct frame frame = with_options(n);
		struct packet packet;

		check(&frame, 0, PACKET_UDP, "words of options", n);
		cr_assert_eq(packet_read(&packet, frame.octets, frame.len, 0), PACKET_UDP);
		cr_assert_eq(packet.data, frame.octets + frame.body + 8);
		cr_assert_eq(packet.len, PAYLOAD);
	}
}

Test(packet_read, padding_is_not_the_datagrams)
{
	for (unsigned is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
		struct frame frame = udp(is_ipv6);
		const unsigned end = frame.len;

		memset(frame.octets + end, 0x5a, 46);
		for (; frame.len < end + 46; frame.len++) {
			struct packet packet;

			check(&frame, 0, PACKET_UDP, "padding up to", frame.len);
			packet_read(&packet, frame.octets, frame.len, 0);
			cr_assert_eq(packet.len, PAYLOAD);
		}
	}
}

// ---- Frames that end too soon

static void check_prefixes(const struct frame *frame, unsigned headers, uint16_t vlan,
			   enum packet_kind whole)
{
	for (unsigned n = 0; n <= frame->len; n++) {
		const enum packet_kind wanted = n < headers      ? PACKET_SHORT
						: n < frame->len ? PACKET_LENGTHS
								 : whole;

		cr_assert_eq(read_first(frame, n, vlan), wanted, "%u of %u octets, %s", n,
			     frame->len, packet_kind_name(whole));
	}
}

Test(packet_read, every_prefix)
{
	for (unsigned form = 0; form < 4; form++) {
		const uint16_t vlan = form & 2 ? VLAN : PACKET_NO_VLAN;
		const bool is_ipv6 = form & 1;
		const uint8_t icmp_protocol = is_ipv6 ? TWIN_ICMPV6 : ICMPV4;
		struct frame frame = frame_of(is_ipv6, vlan, TWIN_UDP);

		check_prefixes(&frame, frame.body, vlan, PACKET_UDP);
		frame = frame_of(is_ipv6, vlan, icmp_protocol);
		check_prefixes(&frame, frame.body, vlan, is_ipv6 ? PACKET_ICMPV6 : PACKET_ICMPV4);
		frame = arp(vlan);
		check_prefixes(&frame, frame.len, vlan, PACKET_ARP);
	}
}

Test(packet_read, every_prefix_with_options)
{
	for (unsigned n = 1; n <= 10; n++) {
		const struct frame frame = with_options(n);

		check_prefixes(&frame, frame.body, 0, PACKET_UDP);
	}
}

// ---- Lengths that lie

Test(packet_read, total_length)
{
	const struct frame frame = udp(false);
	const unsigned right = frame.len - frame.ip;

	for (unsigned total = 0; total < 65536; total++) {
		const enum packet_kind wanted = total < 20       ? PACKET_LENGTHS
						: total < 28     ? PACKET_SHORT
						: total == right ? PACKET_UDP
								 : PACKET_LENGTHS;

		check_word(&frame, frame.ip + 2, total, wanted, "total length");
	}
}

Test(packet_read, payload_length)
{
	const struct frame frame = udp(true);
	const unsigned right = frame.len - frame.body;

	for (unsigned len = 0; len < 65536; len++) {
		const enum packet_kind wanted = len < 8        ? PACKET_SHORT
						: len == right ? PACKET_UDP
							       : PACKET_LENGTHS;

		check_word(&frame, frame.ip + 4, len, wanted, "payload length");
	}
}

Test(packet_read, udp_length)
{
	for (unsigned is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
		const struct frame frame = udp(is_ipv6);
		const unsigned right = frame.len - frame.body;

		for (unsigned len = 0; len < 65536; len++)
			check_word(&frame, frame.body + 4, len,
				   len == right ? PACKET_UDP : PACKET_LENGTHS, "UDP's length");
	}
}

Test(packet_read, header_length)
{
	const struct frame frame = udp(false);
	struct frame lying;

	for (unsigned words = 0; words < 5; words++)
		check_octet(&frame, frame.ip, 0x40 + words, PACKET_LENGTHS, "IHL");
	// Of 49 octets: what is taken for UDP's length is payload, then UDP's header does not fit,
	// then IPv4's.
	for (unsigned words = 6; words < 16; words++)
		check_octet(&frame, frame.ip, 0x40 + words,
			    words < 11 ? PACKET_LENGTHS : PACKET_SHORT, "IHL");
	lying = with_options(10); // longer than the total length
	check_word(&lying, lying.ip + 2, 59, PACKET_LENGTHS, "total length");
}

Test(packet_read, icmp_without_its_header)
{
	for (unsigned is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
		const struct frame frame = icmp(is_ipv6);

		for (unsigned len = 0; len <= 8 + PAYLOAD; len++) {
			const enum packet_kind whole = is_ipv6 ? PACKET_ICMPV6 : PACKET_ICMPV4;

			check_word(&frame, frame.ip + (is_ipv6 ? 4 : 2), len + (is_ipv6 ? 0 : 20),
				   len < 8 ? PACKET_SHORT : whole, "length");
		}
	}
}

// Nothing in ICMP would contradict a length that IPv4's header itself exceeds.
Test(packet_read, total_length_within_the_header)
{
	const struct frame frame = icmp(false);

	for (unsigned total = 0; total < 20; total++)
		check_word(&frame, frame.ip + 2, total, PACKET_LENGTHS, "total length");
}

// ---- Protocols

Test(packet_read, versions)
{
	for (unsigned is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
		const struct frame frame = udp(is_ipv6);

		for (unsigned version = 0; version < 16; version++)
			check_octet(&frame, frame.ip, version << 4 | (is_ipv6 ? 0 : 5),
				    version == (is_ipv6 ? 6 : 4) ? PACKET_UDP : PACKET_OTHER,
				    "version");
	}
}

Test(packet_read, every_protocol_over_ipv4)
{
	const struct frame udp4 = udp(false), icmp4 = icmp(false);

	for (unsigned protocol = 0; protocol < 256; protocol++) {
		if (protocol != TWIN_UDP && protocol != ICMPV4)
			check_octet(&udp4, udp4.ip + 9, protocol, PACKET_OTHER, "protocol");
	}
	check_octet(&udp4, udp4.ip + 9, TWIN_UDP, PACKET_UDP, "protocol");
	check_octet(&icmp4, icmp4.ip + 9, ICMPV4, PACKET_ICMPV4, "protocol");
}

Test(packet_read, every_next_header_over_ipv6)
{
	const struct frame frame = udp(true), icmp6 = icmp(true);

	for (unsigned next = 0; next < 256; next++) {
		if (next != TWIN_UDP && next != TWIN_ICMPV6)
			check_octet(&frame, frame.ip + 6, next,
				    next == 44 ? PACKET_FRAGMENT : PACKET_OTHER, "next header");
	}
	check_octet(&frame, frame.ip + 6, TWIN_UDP, PACKET_UDP, "next header");
	check_octet(&icmp6, icmp6.ip + 6, TWIN_ICMPV6, PACKET_ICMPV6, "next header");
}

Test(packet_read, every_type_of_ethernet)
{
	struct frame frame = udp(false);

	for (unsigned type = 0; type < 65536; type++) {
		const bool is_tag = type == 0x8100 || type == 0x88a8;
		const enum packet_kind wanted = type == 0x0800   ? PACKET_UDP
						: type == 0x0806 ? PACKET_ARP
						: is_tag         ? PACKET_TAGGED
								 : PACKET_OTHER;

		twin_put16(frame.octets + 12, type);
		check(&frame, 0, wanted, "type", type);
	}
}

Test(packet_read, fragments)
{
	const struct frame frame = udp(false), other = frame_of(false, 0, TCP);

	for (unsigned bit = 0; bit < 16; bit++) {
		const bool is_part = bit < 14; // above: do not fragment, and the reserved one

		check_word(&frame, frame.ip + 6, 1u << bit, is_part ? PACKET_FRAGMENT : PACKET_UDP,
			   "fragment field");
		check_word(&frame, frame.ip + 6, 1u << bit | 0x4000,
			   is_part ? PACKET_FRAGMENT : PACKET_UDP, "fragment field");
	}
	check_word(&frame, frame.ip + 6, 0, PACKET_UDP, "fragment field");
	check_word(&other, other.ip + 6, 0x2000, PACKET_FRAGMENT, "fragment field");
}

// ---- Checksums

// Every bit from `from` to `to` flipped, nothing repaired.
static void check_flips(const struct frame *frame, unsigned from, unsigned to,
			enum packet_kind wanted)
{
	for (unsigned bit = 8 * from; bit < 8 * to; bit++) {
		struct frame changed = *frame;

		changed.octets[bit / 8] ^= (uint8_t)(1 << bit % 8);
		check(&changed, 0, wanted, "flipped bit", bit);
	}
}

Test(packet_read, bits_flipped_in_ipv4_header)
{
	const struct frame frame = with_options(3);

	check_flips(&frame, frame.ip + 1, frame.body, PACKET_IP_CHECKSUM);
}

Test(packet_read, bits_flipped_in_udp)
{
	for (unsigned is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
		const struct frame frame = udp(is_ipv6);

		check_flips(&frame, frame.body, frame.body + 4, PACKET_CHECKSUM);
		check_flips(&frame, frame.body + 4, frame.body + 6, PACKET_LENGTHS);
		check_flips(&frame, frame.body + 6, frame.len, PACKET_CHECKSUM);
	}
}

Test(packet_read, bits_flipped_in_icmp)
{
	for (unsigned is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
		const struct frame frame = icmp(is_ipv6);

		check_flips(&frame, frame.body, frame.len, PACKET_CHECKSUM);
	}
}

// IPv6 has no checksum of its own: the pseudo-header covers the addresses (RFC 8200 8.1), and
// nothing covers class, label and hop limit.
Test(packet_read, bits_flipped_in_ipv6_header)
{
	const struct frame frames[] = {udp(true), icmp(true)};
	const enum packet_kind kinds[] = {PACKET_UDP, PACKET_ICMPV6};

	for (unsigned i = 0; i < 2; i++) {
		check_flips(&frames[i], frames[i].ip + 1, frames[i].ip + 4, kinds[i]);
		check_flips(&frames[i], frames[i].ip + 7, frames[i].ip + 8, kinds[i]);
		check_flips(&frames[i], frames[i].ip + 8, frames[i].body, PACKET_CHECKSUM);
	}
}

Test(packet_read, pseudo_header_of_ipv4)
{
	struct frame frame = udp(false);
	uint8_t *const h = frame.octets + frame.ip;

	h[15] ^= 4;
	twin_put16(h + 10, 0);
	twin_put16(h + 10, (uint16_t)~twin_sum(0, h, 20));
	check(&frame, 0, PACKET_CHECKSUM, "source", h[15]);
}

Test(packet_read, no_udp_checksum)
{
	struct frame v4 = udp(false), v6 = udp(true);

	twin_put16(v4.octets + v4.body + 6, 0);
	twin_put16(v6.octets + v6.body + 6, 0);
	check(&v4, 0, PACKET_UDP, "checksum", 0);
	check(&v6, 0, PACKET_CHECKSUM, "checksum", 0);
}

// ---- VLANs

Test(packet_read, every_tag)
{
	for (unsigned tci = 0; tci < 65536; tci++) {
		struct frame frame = frame_of(tci & 1, VLAN, TWIN_UDP);
		const unsigned id = tci & 0xfff; // above: priority, and whether it may be dropped

		twin_put16(frame.octets + 14, tci);
		check(&frame, VLAN, id == VLAN ? PACKET_UDP : PACKET_TAGGED, "tag", tci);
		check(&frame, PACKET_NO_VLAN, id == 0 ? PACKET_UDP : PACKET_TAGGED, "tag", tci);
	}
}

Test(packet_read, no_tag_where_there_must_be_one)
{
	for (unsigned is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
		const struct frame frame = udp(is_ipv6);

		check(&frame, VLAN, PACKET_TAGGED, "VLAN", VLAN);
	}
}

Test(packet_read, tagged_twice)
{
	static const unsigned types[] = {0x8100, 0x88a8};
	struct frame frame = frame_of(false, VLAN, TWIN_UDP);

	memmove(frame.octets + 18, frame.octets + 14, frame.len - 14);
	frame.len += 4;
	for (unsigned i = 0; i < 4; i++) {
		twin_put16(frame.octets + 12, types[i & 1]);
		twin_put16(frame.octets + 16, types[i >> 1]);
		for (unsigned id = 0; id <= VLAN; id += VLAN) { // a priority tag before another
			twin_put16(frame.octets + 14, id);
			check(&frame, VLAN, PACKET_TAGGED, "outer VLAN", id);
			check(&frame, PACKET_NO_VLAN, PACKET_TAGGED, "outer VLAN", id);
		}
	}
}

// ---- Addresses

struct address {
	uint8_t ip[16];
	bool is_good;
};

static const struct address sources_ipv4[] = {
	{{0, 0, 0, 0}, false},         {{0, 1, 2, 3}, false},         {{1, 0, 0, 0}, true},
	{{126, 255, 255, 255}, true},  {{127, 0, 0, 1}, false},       {{127, 255, 255, 255}, false},
	{{128, 0, 0, 1}, true},        {{169, 254, 1, 1}, true},      {{223, 255, 255, 254}, true},
	{{224, 0, 0, 1}, false},       {{239, 255, 255, 255}, false}, {{240, 0, 0, 1}, false},
	{{255, 255, 255, 255}, false},
};

static const struct address sources_ipv6[] = {
	{{0}, false},
	{{[15] = 1}, false},
	{{[15] = 2}, true},
	{{[14] = 1}, true},
	{{[7] = 1}, true},
	{{[10] = 0xff, [11] = 0xff, 192, 0, 2, 1}, false},
	{{[10] = 0xff, [11] = 0xff}, false},
	{{[10] = 0xff, [11] = 0xfe, 192, 0, 2, 1}, true},
	{{[7] = 1, [10] = 0xff, [11] = 0xff, 192, 0, 2, 1}, true},
	{{[9] = 1, [10] = 0xff, [11] = 0xff, 192, 0, 2, 1}, true},
	{{0xff, 2, [15] = 1}, false},
	{{0xff, 0xff, 0xff, 0xff}, false},
	{{0xfe, 0x80, [15] = 1}, true},
	{{0xfe, 0xff, [15] = 1}, true},
};

static void check_source(const struct address *address, bool is_ipv6)
{
	static const uint8_t zeros[16];
	const struct frame frames[] = {udp(is_ipv6), icmp(is_ipv6), frame_of(is_ipv6, 0, TCP)};
	const enum packet_kind kinds[] = {PACKET_UDP, is_ipv6 ? PACKET_ICMPV6 : PACKET_ICMPV4,
					  PACKET_OTHER};

	for (unsigned i = 0; i < 3; i++) {
		// RFC 4861 4.3: a node that has no address yet
		const bool is_nobody = kinds[i] == PACKET_ICMPV6 && !memcmp(address->ip, zeros, 16);
		const bool matters = kinds[i] != PACKET_OTHER && !address->is_good && !is_nobody;

		check_changed(&frames[i], frames[i].ip + (is_ipv6 ? 8 : 12), address->ip,
			      is_ipv6 ? 16 : 4, matters ? PACKET_ADDRESS : kinds[i], "source");
	}
}

Test(packet_read, sources)
{
	for (unsigned i = 0; i < sizeof(sources_ipv4) / sizeof(sources_ipv4[0]); i++)
		check_source(&sources_ipv4[i], false);
	for (unsigned i = 0; i < sizeof(sources_ipv6) / sizeof(sources_ipv6[0]); i++)
		check_source(&sources_ipv6[i], true);
}

// To callers ::ffff:a.b.c.d is IPv4; multicast may be meant for us (neighbour solicitations).
Test(packet_read, destinations)
{
	static const uint8_t mapped[16] = {[10] = 0xff, [11] = 0xff, 198, 51, 100, 7};
	static const uint8_t multicast[16] = {0xff, 2, [11] = 1, 0xff, [15] = 7};
	static const uint8_t all[4] = {255, 255, 255, 255};
	const struct frame udp4 = udp(false), udp6 = udp(true), icmp6 = icmp(true);

	check_changed(&udp6, udp6.ip + 24, mapped, 16, PACKET_ADDRESS, "destination");
	check_changed(&icmp6, icmp6.ip + 24, mapped, 16, PACKET_ADDRESS, "destination");
	check_changed(&icmp6, icmp6.ip + 24, multicast, 16, PACKET_ICMPV6, "destination");
	check_changed(&udp4, udp4.ip + 16, all, 4, PACKET_UDP, "destination");
}

Test(packet_read, port_zero)
{
	for (unsigned is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
		const struct frame frame = udp(is_ipv6);

		check_word(&frame, frame.body, 0, PACKET_ADDRESS, "source port");
		check_word(&frame, frame.body + 2, 0, PACKET_ADDRESS, "destination port");
		check_word(&frame, frame.body, 1, PACKET_UDP, "source port");
		check_word(&frame, frame.body + 2, 65535, PACKET_UDP, "destination port");
	}
}

Test(packet_read, kinds_have_names)
{
	for (unsigned a = 0; a < PACKET_KIND_COUNT; a++) {
		for (unsigned b = 0; b < a; b++)
			cr_assert_str_neq(packet_kind_name(a), packet_kind_name(b));
	}
	cr_assert_str_eq(packet_kind_name(PACKET_UDP), "udp");
	cr_assert_str_eq(packet_kind_name(PACKET_ADDRESS), "address");
}
