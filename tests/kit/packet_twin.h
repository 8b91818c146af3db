#pragma once
// Frames a second time, naively: sums word by word, headers octet by octet, nothing kept from one
// frame to the next. And frames that were tampered with get checksums that are right again.

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "dataplane/net/packet.h"

enum { TWIN_FRAME_MAX = PACKET_HEADERS_MAX + 65535, TWIN_UDP = 17, TWIN_ICMPV6 = 58 };

// To the letter of RFC 1071 1 and 4.1: words of two octets, the last padded with zero, carries in
// the end.
static inline uint16_t twin_sum(uint32_t start, const uint8_t *octets, unsigned len)
{
	uint64_t sum = start;

	for (unsigned i = 0; i < len; i += 2)
		sum += (uint64_t)octets[i] << 8 | (i + 1 < len ? octets[i + 1] : 0);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static inline unsigned twin_get16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static inline void twin_put16(uint8_t *p, unsigned value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

// ---- Checksums

// UDP's or ICMP's, whose field has to be zero; with a pseudo-header of ip_len octets an address.
static inline uint16_t twin_checksum(const uint8_t *addresses, unsigned ip_len, uint8_t protocol,
				     const uint8_t *message, unsigned len)
{
	uint8_t pseudo[40] = {0};

	memcpy(pseudo, addresses, 2 * ip_len);
	pseudo[32 + 3] = protocol;
	twin_put16(pseudo + 36, len);
	return (uint16_t)~twin_sum(twin_sum(0, pseudo, sizeof(pseudo)), message, len);
}

static inline void twin_repair_message(const uint8_t *addresses, unsigned ip_len, uint8_t protocol,
				       uint8_t *message, unsigned len)
{
	const bool is_udp = protocol == TWIN_UDP;
	const unsigned at = is_udp ? 6 : 2;
	uint16_t sum;

	if (len < 8 || (!is_udp && protocol != (ip_len == 4 ? 1 : TWIN_ICMPV6)))
		return;
	twin_put16(message + at, 0);
	sum = protocol == 1 ? (uint16_t)~twin_sum(0, message, len)
			    : twin_checksum(addresses, ip_len, protocol, message, len);
	twin_put16(message + at, is_udp && sum == 0 ? 0xffff : sum);
}

static inline void twin_repair_ipv4(uint8_t *h, unsigned len)
{
	const unsigned header = len ? 4 * (h[0] & 15u) : 0;
	unsigned total;

	if (header < 20 || header > len)
		return;
	twin_put16(h + 10, 0);
	twin_put16(h + 10, (uint16_t)~twin_sum(0, h, header));
	total = twin_get16(h + 2);
	if (total >= header && total <= len)
		twin_repair_message(h + 12, 4, h[9], h + header, total - header);
}

static inline void twin_repair_ipv6(uint8_t *h, unsigned len)
{
	if (len >= 40 && twin_get16(h + 4) <= len - 40)
		twin_repair_message(h + 8, 16, h[6], h + 40, twin_get16(h + 4));
}

// Makes the checksums of a frame of any octets right, as far as its lengths say where they are.
static inline void twin_repair(uint8_t *frame, unsigned len)
{
	const unsigned link = len >= 18 && twin_get16(frame + 12) == 0x8100 ? 18 : 14;

	if (len < link)
		return;
	if (twin_get16(frame + link - 2) == 0x0800)
		twin_repair_ipv4(frame + link, len - link);
	else if (twin_get16(frame + link - 2) == 0x86dd)
		twin_repair_ipv6(frame + link, len - link);
}

// ---- Frames

static inline uint8_t *twin_link(uint8_t *p, const struct packet_source *source,
				 const uint8_t mac[6], unsigned type)
{
	memcpy(p, mac, 6);
	memcpy(p + 6, source->mac, 6);
	p += 12;
	if (source->vlan) {
		twin_put16(p, 0x8100);
		twin_put16(p + 2, source->vlan);
		p += 4;
	}
	twin_put16(p, type);
	return p + 2;
}

// IPv4 if the source's address is mapped.
static inline uint8_t *twin_ip(uint8_t *p, const struct packet_source *source, const uint8_t ip[16],
			       uint8_t protocol, unsigned len, bool is_ipv6)
{
	static const uint8_t ipv4[12] = {0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 0, 0, 0};
	static const uint8_t ipv6[8] = {0x60, 0, 0, 0, 0, 0, 0, 64};

	memcpy(p, is_ipv6 ? ipv6 : ipv4, is_ipv6 ? 8 : 12);
	twin_put16(p + (is_ipv6 ? 4 : 2), is_ipv6 ? len : 20 + len);
	p[is_ipv6 ? 6 : 9] = protocol;
	p += is_ipv6 ? 8 : 12;
	memcpy(p, source->ip + (is_ipv6 ? 0 : 12), is_ipv6 ? 16 : 4);
	p += is_ipv6 ? 16 : 4;
	memcpy(p, ip + (is_ipv6 ? 0 : 12), is_ipv6 ? 16 : 4);
	return p + (is_ipv6 ? 16 : 4);
}

// A frame with any message in IP, its checksums right. Returns its length.
static inline unsigned twin_frame(uint8_t *frame, const struct packet_source *source,
				  const uint8_t mac[6], const uint8_t ip[16], uint8_t protocol,
				  const uint8_t *message, unsigned len)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	const bool is_ipv6 = memcmp(source->ip, mapped, 12) != 0;
	uint8_t *p = twin_link(frame, source, mac, is_ipv6 ? 0x86dd : 0x0800);

	p = twin_ip(p, source, ip, protocol, len, is_ipv6);
	memcpy(p, message, len);
	p += len;
	twin_repair(frame, (unsigned)(p - frame));
	return (unsigned)(p - frame);
}

// What packet_write has to write.
static inline unsigned twin_write(uint8_t *frame, const struct packet_source *source,
				  const uint8_t mac[6], const uint8_t ip[16], uint16_t port,
				  const uint8_t *payload, unsigned len)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	static _Thread_local uint8_t udp[65535];
	unsigned frame_len;

	twin_put16(udp, source->port);
	twin_put16(udp + 2, port);
	twin_put16(udp + 4, 8 + len);
	twin_put16(udp + 6, 0);
	memcpy(udp + 8, payload, len);
	frame_len = twin_frame(frame, source, mac, ip, TWIN_UDP, udp, 8 + len);
	if (!source->udp_checksum && memcmp(source->ip, mapped, 12) == 0)
		twin_put16(frame + frame_len - len - 2, 0);
	return frame_len;
}
