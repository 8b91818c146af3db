#pragma once
// Ethernet frames with UDP datagrams: headers written in front of a payload that is in its place
// already, and frames read. No octet of a frame is believed before its length has been checked.
// Pure functions, no library. Any thread.
//
//	Ethernet  14 octets    IEEE 802.3
//	VLAN tag   4, if any   IEEE 802.1Q
//	IPv4      20           RFC 791     or IPv6, 40, RFC 8200
//	UDP        8           RFC 768
//
// Addresses are 16 octets; IPv4 as ::ffff:a.b.c.d. Ports and VLANs are in host order.

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
	PACKET_MAC = 6,
	PACKET_IP = 16,
	PACKET_IPV4_IN_IP = 12, // where an IPv4 address is in ::ffff:a.b.c.d
	PACKET_ETHERNET = 14,
	PACKET_VLAN = 4,
	PACKET_IPV4_HEADER = 20,
	PACKET_IPV6_HEADER = 40,
	PACKET_UDP_HEADER = 8,
	PACKET_HEADERS_MAX = PACKET_ETHERNET + PACKET_VLAN + PACKET_IPV6_HEADER + PACKET_UDP_HEADER,
	PACKET_PAYLOAD_MAX = 65535 - PACKET_IPV4_HEADER - PACKET_UDP_HEADER, // what IPv4 can carry
	PACKET_NO_VLAN = 0, // 802.1Q: VLAN 0 is no VLAN
};

// Addresses are 16 octets; IPv4 as ::ffff:a.b.c.d.
static inline bool packet_is_ipv6(const uint8_t ip[PACKET_IP])
{
	static const uint8_t mapped[PACKET_IPV4_IN_IP] = {[10] = 0xff, [11] = 0xff};

	return memcmp(ip, mapped, sizeof(mapped)) != 0;
}

// ---- Writing

struct packet_source {
	uint8_t mac[PACKET_MAC];
	uint8_t ip[PACKET_IP];
	uint16_t port;
	uint16_t vlan;     // 1..4094, or PACKET_NO_VLAN
	bool udp_checksum; // over IPv4; over IPv6 there always is one (RFC 8200 8.1)
	bool port_sums;    // it is left to the port: what stands there is the pseudo-header's sum
};

// UDP's checksum: none, computed here, or by the port.
enum packet_checksum { PACKET_CHECKSUM_NONE, PACKET_CHECKSUM_HERE, PACKET_CHECKSUM_PORT };

// All of a datagram's headers that is the same for its destinations, and the sums over it.
struct packet_path {
	uint8_t headers[PACKET_HEADERS_MAX];
	uint8_t len; // octets of headers
	bool is_ipv6;
	uint8_t checksum; // enum packet_checksum
	// Of 16-bit words in network order: IPv4's header but for length and destination; the
	// pseudo-header and UDP's (not that when the port sums) but for lengths, destination and
	// its port.
	uint32_t ip_sum;
	uint32_t udp_sum;
};

// IPv4: no options, DF set, identification 0 (RFC 6864 4.1), TTL 64. IPv6: no extension headers,
// hop limit 64, flow label 0.
void packet_path_init(struct packet_path *path, const struct packet_source *source);

// Headers towards a next hop, of datagrams of one length: whole, but for the peer.
struct packet_template {
	uint8_t headers[PACKET_HEADERS_MAX];
	uint8_t len; // octets of headers
	bool is_ipv6;
	uint8_t checksum; // enum packet_checksum
	uint16_t payload_len;
	uint32_t ip_sum; // of IPv4's header without the destination; words in memory's order
	uint64_t udp_sum;
};

// `len` is the payload's, at most PACKET_PAYLOAD_MAX.
void packet_template_init(struct packet_template *template, const struct packet_path *path,
			  const uint8_t mac[PACKET_MAC], unsigned len);

// ---- Reading

// What a frame is, or why it is dropped.
#define PACKET_KINDS(X)                                                                            \
	X(UDP, "udp")                                                                              \
	X(ARP, "arp")           /* data: the message, from its hardware type on; 28 octets */      \
	X(ICMPV4, "icmp")       /* data: the message; its checksum is right */                     \
	X(ICMPV6, "icmpv6")     /* likewise */                                                     \
	X(OTHER, "other")       /* a protocol that is nothing to us */                             \
	X(TAGGED, "vlan")       /* of another VLAN, or tagged twice */                             \
	X(SHORT, "short")       /* the frame, or IP's part of it, ends within a header */          \
	X(LENGTHS, "lengths")   /* of headers: contradict each other, or the frame */              \
	X(FRAGMENT, "fragment") /* a part of a datagram: ours are never fragmented */              \
	X(IP_CHECKSUM, "ip_checksum")                                                              \
	X(CHECKSUM, "checksum") /* UDP's or ICMP's */                                              \
	X(ADDRESS, "address") /* source not unicast (ICMPV6: nor ::), mapped IPv4 in IPv6; port 0  \
			       */

enum packet_kind {
#define X(name, text) PACKET_##name,
	PACKET_KINDS(X)
#undef X
		PACKET_KIND_COUNT,
};

// A frame's parts, in place. What a kind does not have is zero.
struct packet {
	const uint8_t *source_mac, *destination_mac; // [6]
	uint8_t source[PACKET_IP], destination[PACKET_IP];
	uint16_t source_port, destination_port;
	uint8_t hop_limit;   // TTL of IPv4
	const uint8_t *data; // of UDP the payload
	uint16_t len;
};

// Reads a frame of len octets that came in on a port of that VLAN. IPv4 options are passed over;
// extension headers of IPv6 make it OTHER (a fragment header: FRAGMENT). Ethernet's padding behind
// the datagram is not part of it; UDP's length must be all that IP carries. Whatever is returned,
// nothing outside of the frame was read; *packet is whole for UDP, ARP, ICMPV4 and ICMPV6, else
// undefined.
enum packet_kind packet_read(struct packet *packet, const uint8_t *frame, unsigned len,
			     uint16_t vlan);
const char *packet_kind_name(enum packet_kind kind);

// Whether no router has passed it on, of those for a host: ARP, and ICMPv6 with the hop limit that
// neighbour discovery has to have (RFC 4861 3.1).
static inline bool packet_is_from_link(enum packet_kind kind, const struct packet *packet)
{
	return kind == PACKET_ARP || (kind == PACKET_ICMPV6 && packet->hop_limit == 255);
}
