#pragma once
// Headers written in front of payloads that are in their places: a few stores from a template, for
// loops that send many. Pure functions. Any thread.

#include "base/bytes.h"
#include "dataplane/net/packet.h"

enum {
	PACKET_SHORTEST = PACKET_ETHERNET + PACKET_IPV4_HEADER + PACKET_UDP_HEADER,
	// Before the payload.
	PACKET_BACK_PORT = 6,
	PACKET_BACK_CHECKSUM = 2,
	PACKET_BACK_IPV4_CHECKSUM = PACKET_UDP_HEADER + 10,
	PACKET_BACK_IPV4_DESTINATION = PACKET_UDP_HEADER + 4,
	PACKET_BACK_IPV6_DESTINATION = PACKET_UDP_HEADER + PACKET_IP,
};

// The second step where template->checksum says so: UDP's checksum over everything (RFC 768: a sum
// of zero is sent as 0xffff), or what a port that computes it wants to find there.
void packet_stamp_checksum(const struct packet_template *template, const uint8_t ip[PACKET_IP],
			   uint16_t port, uint8_t *payload);

// The shortest headers, and the last octets of longer ones: copies whose lengths are constants.
static inline void packet_stamp_headers(uint8_t *to, const struct packet_template *t)
{
	enum { PIECE = 16, REST = PACKET_HEADERS_MAX - PACKET_SHORTEST };

	__builtin_memcpy(to, t->headers, PIECE);
	__builtin_memcpy(to + PIECE, t->headers + PIECE, PIECE);
	__builtin_memcpy(to + PACKET_SHORTEST - PIECE, t->headers + PACKET_SHORTEST - PIECE, PIECE);
	if (t->len != PACKET_SHORTEST)
		__builtin_memcpy(to + t->len - REST, t->headers + t->len - REST, REST);
}

// Sums of 16-bit words in memory's order give the checksum in memory's order (RFC 1071 2).
static inline void packet_stamp_ipv4(uint8_t *payload, uint32_t sum, const uint8_t destination[4])
{
	uint32_t to;
	uint16_t checksum;

	__builtin_memcpy(&to, destination, sizeof(to));
	__builtin_memcpy(payload - PACKET_BACK_IPV4_DESTINATION, &to, sizeof(to));
	sum += (to >> 16) + (to & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	checksum = (uint16_t) ~((sum >> 16) + sum);
	__builtin_memcpy(payload - PACKET_BACK_IPV4_CHECKSUM, &checksum, sizeof(checksum));
}

// Writes the headers right in front of the payload, towards a peer of the template's family, UDP's
// checksum zero; payload - template->len is where they begin. It calls nothing: a loop that stamps
// many has a local template in registers.
static inline void packet_stamp(const struct packet_template *t, const uint8_t ip[PACKET_IP],
				uint16_t port, uint8_t *payload)
{
	packet_stamp_headers(payload - t->len, t);
	store16_be(payload - PACKET_BACK_PORT, port);
	if (t->is_ipv6)
		__builtin_memcpy(payload - PACKET_BACK_IPV6_DESTINATION, ip, PACKET_IP);
	else
		packet_stamp_ipv4(payload, t->ip_sum, ip + PACKET_IPV4_IN_IP);
}

// A template for one datagram, and its headers.
void packet_write(const struct packet_path *path, const uint8_t mac[PACKET_MAC],
		  const uint8_t ip[PACKET_IP], uint16_t port, uint8_t *payload, unsigned len);

// Turns a datagram that came in round, in place: `packet` is what packet_read made of its frame on
// that VLAN, `payload` its packet->data, where `len` octets of answer are now. It goes to ip and
// port (of the datagram's family; mostly packet->source) over the MAC that it came from, from where
// it was sent to. Over IPv4 it has a checksum of UDP if there was one. Returns the octets of
// headers in front of the payload: at most as many as there were.
unsigned packet_reply(const struct packet *packet, uint16_t vlan, const uint8_t ip[PACKET_IP],
		      uint16_t port, uint8_t *payload, unsigned len);
