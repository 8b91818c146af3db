#pragma once
// Ones' complement sums of 16-bit words (RFC 1071), the Internet's checksums before they are
// complemented. Pure functions. Any thread.

#include "base/bytes.h"

// The ones' complement sum of len octets as 16-bit words in network order, folded to 16 bits and
// not yet complemented (RFC 1071), over what `sum` holds already. An odd octet is the upper half of
// a word.
uint16_t packet_sum(uint32_t sum, const void *octets, unsigned len);

// Sixteen bits that mean the same. Only a sum of nothing but zeros is 0.
static inline uint16_t packet_sum_fold(uint64_t sum)
{
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t)((sum >> 16) + sum);
}

// An address of 16 octets. IPv4 is summed as ::ffff:a.b.c.d: 0xffff is the other zero of ones'
// complement.
static inline uint64_t packet_sum_ip(const uint8_t ip[16])
{
	return (uint64_t)load32_be(ip) + load32_be(ip + 4) + load32_be(ip + 8) + load32_be(ip + 12);
}
