#pragma once
// Frames of a link, written the slow way, for tests of who reads them: Ethernet with or without a
// tag, ARP, ICMP of both families.

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"

enum { LINK_FRAME_MAX = 4096, LINK_NO_VLAN = 0 };

struct link_frame {
	uint8_t octets[LINK_FRAME_MAX];
	unsigned len;
};

static inline void link_put(struct link_frame *f, const void *octets, unsigned len)
{
	memcpy(f->octets + f->len, octets, len);
	f->len += len;
}

static inline void link_put16(struct link_frame *f, unsigned value)
{
	link_put(f, (uint8_t[]){(uint8_t)(value >> 8), (uint8_t)value}, 2);
}

static inline void link_ethernet(struct link_frame *f, const void *to, const void *from,
				 unsigned vlan, unsigned type)
{
	f->len = 0;
	link_put(f, to, 6);
	link_put(f, from, 6);
	if (vlan != LINK_NO_VLAN) {
		link_put16(f, 0x8100);
		link_put16(f, vlan);
	}
	link_put16(f, type);
}

// RFC 1071, word by word.
static inline unsigned link_sum(unsigned sum, const uint8_t *p, unsigned len)
{
	for (unsigned i = 0; i < len; i++)
		sum += i & 1 ? p[i] : p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

// Behind an Ethernet header: a message with its checksum at 2, in IPv4 (addresses as
// ::ffff:a.b.c.d).
static inline void link_icmpv4(struct link_frame *f, const uint8_t from[16], const uint8_t to[16],
			       const void *message, unsigned len)
{
	uint8_t *const h = f->octets + f->len;

	link_put16(f, 0x4500);
	link_put16(f, 20 + len);
	link_put(f, "\x12\x34\0\0\x40\1\0\0", 8);
	link_put(f, from + 12, 4);
	link_put(f, to + 12, 4);
	store16_be(h + 10, (uint16_t)~link_sum(0, h, 20));
	link_put(f, message, len);
	store16_be(h + 22, 0);
	store16_be(h + 22, (uint16_t)~link_sum(0, h + 20, len));
}

static inline void link_icmpv6(struct link_frame *f, const uint8_t from[16], const uint8_t to[16],
			       uint8_t hops, const void *message, unsigned len)
{
	uint8_t *const h = f->octets + f->len;

	link_put(f, "\x60\0\0", 4);
	link_put16(f, len);
	link_put(f, (uint8_t[]){58, hops}, 2);
	link_put(f, from, 16);
	link_put(f, to, 16);
	link_put(f, message, len);
	store16_be(h + 42, 0);
	store16_be(h + 42, (uint16_t)~link_sum(link_sum(len + 58, h + 8, 32), h + 40, len));
}
