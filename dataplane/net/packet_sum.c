#include "dataplane/net/packet_sum.h"

// Ones' complement words may be wider than 16 bits, and in the host's order: the sum is then in the
// host's order too (RFC 1071 2).
static uint64_t add(uint64_t a, uint64_t b)
{
	const uint64_t sum = a + b;

	return sum + (sum < a);
}

static uint64_t sum_tail(uint64_t sum, const uint8_t *p, unsigned len)
{
	if (len & 4) {
		sum = add(sum, load32_le(p));
		p += 4;
	}
	if (len & 2) {
		sum = add(sum, (unsigned)(p[0] | p[1] << 8));
		p += 2;
	}
	return len & 1 ? add(sum, p[0]) : sum;
}

uint16_t packet_sum(uint32_t sum, const void *octets, unsigned len)
{
	const uint8_t *p = octets;
	uint64_t even = 0, odd = 0; // two, so that an addition does not wait for the one before it

	for (; len >= 16; len -= 16, p += 16) {
		even = add(even, load64_le(p));
		odd = add(odd, load64_le(p + 8));
	}
	if (len & 8) {
		even = add(even, load64_le(p));
		p += 8;
	}
	return packet_sum_fold((uint64_t)sum + __builtin_bswap16(packet_sum_fold(
						       sum_tail(add(even, odd), p, len))));
}
