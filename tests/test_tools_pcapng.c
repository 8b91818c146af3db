// Captures, octet by octet, against blocks made by hand.

#include <criterion/criterion.h>

#include <string.h>

#include "tools/pcapng.h"

static void check(const uint8_t *seen, size_t len, const uint8_t *wanted, size_t wanted_len)
{
	cr_assert_eq(len, wanted_len, "%zu octets", len);
	for (size_t i = 0; i < len; i++)
		cr_assert_eq(seen[i], wanted[i], "octet %zu is %02x, not %02x", i, seen[i],
			     wanted[i]);
}

// clang-format off
static const uint8_t begin[] = {
	0x0a, 0x0d, 0x0d, 0x0a, 44, 0, 0, 0, // Section Header Block
	0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	4, 0, 7, 0, 'a', ' ', 't', 'e', 's', 't', '1', 0, // shb_userappl
	0, 0, 0, 0,
	44, 0, 0, 0,
	1, 0, 0, 0, 32, 0, 0, 0, // Interface Description Block
	101, 0, 0, 0, 0, 0, 0, 0,
	9, 0, 1, 0, 9, 0, 0, 0, // if_tsresol
	0, 0, 0, 0,
	32, 0, 0, 0,
};

static const uint8_t outbound[] = {
	6, 0, 0, 0, 52, 0, 0, 0, // Enhanced Packet Block
	0, 0, 0, 0,
	0x67, 0x45, 0x23, 0x01, 0xef, 0xcd, 0xab, 0x89, // time, upper half first
	5, 0, 0, 0, 5, 0, 0, 0,
	1, 2, 3, 4, 5, 0, 0, 0,
	2, 0, 4, 0, 2, 0, 0, 0, // epb_flags
	0, 0, 0, 0,
	52, 0, 0, 0,
};

static const uint8_t inbound[] = {
	6, 0, 0, 0, 60, 0, 0, 0,
	0, 0, 0, 0,
	0, 0, 0, 0, 1, 0, 0, 0,
	4, 0, 0, 0, 4, 0, 0, 0,
	1, 2, 3, 4,
	2, 0, 4, 0, 1, 0, 0, 0,
	1, 0, 5, 0, 'w', 'r', 'o', 'n', 'g', 0, 0, 0, // opt_comment
	0, 0, 0, 0,
	60, 0, 0, 0,
};
// clang-format on

Test(tools_pcapng, what_a_capture_begins_with)
{
	uint8_t seen[PCAPNG_BEGIN_MAX];

	check(seen, pcapng_begin(seen, "a test1"), begin, sizeof(begin));
}

Test(tools_pcapng, packets)
{
	static const uint8_t octets[] = {1, 2, 3, 4, 5};
	uint8_t seen[PCAPNG_PACKET_MAX];
	struct pcapng_packet packet = {.unix_ns = 0x0123456789abcdef, .octets = octets, .len = 5};

	check(seen, pcapng_packet(seen, &packet), outbound, sizeof(outbound));
	packet = (struct pcapng_packet){
		.unix_ns = 1, .is_inbound = true, .comment = "wrong", .octets = octets, .len = 4};
	check(seen, pcapng_packet(seen, &packet), inbound, sizeof(inbound));
}

static uint32_t load32(const uint8_t *p)
{
	return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

// Of every length: whole words, the length at both ends, nothing behind; long texts are cut.
Test(tools_pcapng, every_length)
{
	static uint8_t octets[PCAPNG_OCTETS_MAX], seen[PCAPNG_PACKET_MAX + 8];
	char text[300];

	memset(octets, 7, sizeof(octets));
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	for (uint32_t len = 0; len <= PCAPNG_OCTETS_MAX; len++) {
		struct pcapng_packet packet = {.comment = text, .octets = octets, .len = len};
		size_t n;

		memset(seen, 0xa5, sizeof(seen));
		n = pcapng_packet(seen, &packet);
		cr_assert_eq(n, 32 + (len + 3) / 4 * 4 + 8 + 4 + 256 + 4);
		cr_assert_leq(n, PCAPNG_PACKET_MAX);
		cr_assert_eq(load32(seen + 4), n);
		cr_assert_eq(load32(seen + n - 4), n);
		cr_assert_eq(load32(seen + 20), len);
		cr_assert_eq(seen[n], 0xa5);
	}
	memset(seen, 0xa5, sizeof(seen));
	cr_assert_leq(pcapng_begin(seen, text), PCAPNG_BEGIN_MAX);
	cr_assert_eq(load32(seen + 4), 24 + 4 + 256 + 4 + 4);
}
