#include "dataplane/net/packet.h"

#include <assert.h>
#include <endian.h>

#include "base/bytes.h"
#include "dataplane/net/packet_sum.h"

enum {
	TYPE_IPV4 = 0x0800,
	TYPE_ARP = 0x0806,
	TYPE_VLAN = 0x8100,
	TYPE_IPV6 = 0x86dd,
	TYPE_SERVICE_VLAN = 0x88a8, // the outer tag of IEEE 802.1ad

	PROTOCOL_ICMPV4 = 1,
	PROTOCOL_UDP = 17,
	PROTOCOL_FRAGMENT = 44, // RFC 8200 4.5
	PROTOCOL_ICMPV6 = 58,

	AT_MAC_DESTINATION = 0,
	AT_MAC_SOURCE = 6,
	AT_TYPE = 12,
	AT_TAG = 14, // of a tagged frame; the type of what it carries follows

	// RFC 791 3.1
	IPV4_AT_VERSION = 0,
	IPV4_AT_LENGTH = 2,
	IPV4_AT_FRAGMENT = 6,
	IPV4_AT_TTL = 8,
	IPV4_AT_PROTOCOL = 9,
	IPV4_AT_SOURCE = 12,
	IPV4_AT_DESTINATION = 16,

	// RFC 8200 3
	IPV6_AT_VERSION = 0,
	IPV6_AT_LENGTH = 4,
	IPV6_AT_NEXT = 6,
	IPV6_AT_HOP_LIMIT = 7,
	IPV6_AT_SOURCE = 8,
	IPV6_AT_DESTINATION = 24,

	// RFC 768
	UDP_AT_SOURCE = 0,
	UDP_AT_DESTINATION = 2,
	UDP_AT_LENGTH = 4,
	UDP_AT_CHECKSUM = 6,

	HOP_LIMIT = 64,
	DONT_FRAGMENT = 0x4000,
	FRAGMENT_MASK = 0x3fff, // more fragments, and the offset of this one
	VLAN_ID_MASK = 0x0fff,
	VLAN_MAX = 4094,
	SUM_RIGHT = 0xffff, // a sum with its own checksum in it (RFC 1071 1)

	ARP_MESSAGE = 28,
	ICMP_HEADER = 8, // no message of either version is shorter
};

// ---- Writing

// Returns the octets of it.
static unsigned ethernet_init(uint8_t *h, const struct packet_source *source, uint16_t type)
{
	memcpy(h + AT_MAC_SOURCE, source->mac, PACKET_MAC);
	if (source->vlan == PACKET_NO_VLAN) {
		store16_be(h + AT_TYPE, type);
		return PACKET_ETHERNET;
	}
	store16_be(h + AT_TYPE, TYPE_VLAN);
	store16_be(h + AT_TAG, source->vlan);
	store16_be(h + AT_TAG + 2, type);
	return PACKET_ETHERNET + PACKET_VLAN;
}

static unsigned ipv4_init(uint8_t *h, const uint8_t source[4])
{
	h[IPV4_AT_VERSION] = 4 << 4 | PACKET_IPV4_HEADER / 4;
	store16_be(h + IPV4_AT_FRAGMENT, DONT_FRAGMENT);
	h[IPV4_AT_TTL] = HOP_LIMIT;
	h[IPV4_AT_PROTOCOL] = PROTOCOL_UDP;
	memcpy(h + IPV4_AT_SOURCE, source, 4);
	return PACKET_IPV4_HEADER;
}

static unsigned ipv6_init(uint8_t *h, const uint8_t source[PACKET_IP])
{
	h[IPV6_AT_VERSION] = 6 << 4;
	h[IPV6_AT_NEXT] = PROTOCOL_UDP;
	h[IPV6_AT_HOP_LIMIT] = HOP_LIMIT;
	memcpy(h + IPV6_AT_SOURCE, source, PACKET_IP);
	return PACKET_IPV6_HEADER;
}

static uint8_t checksum_of(const struct packet_source *source, bool is_ipv6)
{
	if (!is_ipv6 && !source->udp_checksum)
		return PACKET_CHECKSUM_NONE;
	return source->port_sums ? PACKET_CHECKSUM_PORT : PACKET_CHECKSUM_HERE;
}

void packet_path_init(struct packet_path *path, const struct packet_source *source)
{
	const bool is_ipv6 = packet_is_ipv6(source->ip);
	uint8_t *h = path->headers;

	assert(source->vlan <= VLAN_MAX);
	*path = (struct packet_path){
		.is_ipv6 = is_ipv6,
		.checksum = checksum_of(source, is_ipv6),
		.udp_sum = packet_sum(PROTOCOL_UDP + (source->port_sums ? 0 : source->port),
				      source->ip, PACKET_IP),
	};
	h += ethernet_init(h, source, is_ipv6 ? TYPE_IPV6 : TYPE_IPV4);
	if (is_ipv6) {
		h += ipv6_init(h, source->ip);
	} else {
		h += ipv4_init(h, source->ip + PACKET_IPV4_IN_IP);
		path->ip_sum = packet_sum(0, h - PACKET_IPV4_HEADER, PACKET_IPV4_HEADER);
	}
	store16_be(h + UDP_AT_SOURCE, source->port);
	path->len = (uint8_t)(h + PACKET_UDP_HEADER - path->headers);
}

void packet_template_init(struct packet_template *t, const struct packet_path *path,
			  const uint8_t mac[PACKET_MAC], unsigned len)
{
	const unsigned udp_len = PACKET_UDP_HEADER + len, ip_len = PACKET_IPV4_HEADER + udp_len;
	uint8_t *const udp = t->headers + path->len - PACKET_UDP_HEADER;

	assert(len <= PACKET_PAYLOAD_MAX);
	memcpy(t->headers, path->headers, PACKET_HEADERS_MAX);
	t->len = path->len;
	t->is_ipv6 = path->is_ipv6;
	t->checksum = path->checksum;
	t->payload_len = (uint16_t)len;
	t->ip_sum = htobe16(packet_sum_fold((uint64_t)path->ip_sum + ip_len));
	// The length counts twice: in the pseudo-header and in UDP's.
	t->udp_sum = (uint64_t)path->udp_sum +
		     (path->checksum == PACKET_CHECKSUM_PORT ? 1 : 2) * udp_len;
	memcpy(t->headers + AT_MAC_DESTINATION, mac, PACKET_MAC);
	if (path->is_ipv6)
		store16_be(udp - PACKET_IPV6_HEADER + IPV6_AT_LENGTH, (uint16_t)udp_len);
	else
		store16_be(udp - PACKET_IPV4_HEADER + IPV4_AT_LENGTH, (uint16_t)ip_len);
	store16_be(udp + UDP_AT_LENGTH, (uint16_t)udp_len);
}

// ---- Reading

// What IP carries.
struct body {
	const uint8_t *octets;
	unsigned len;
	uint8_t protocol;
	bool is_ipv6;
};

#define GOOD PACKET_KIND_COUNT // nothing speaks against the packet so far

static uint16_t sum_with_pseudo_header(const struct packet *packet, const struct body *body)
{
	const uint64_t sum = packet_sum_ip(packet->source) + packet_sum_ip(packet->destination) +
			     body->protocol + body->len;

	return packet_sum(packet_sum_fold(sum), body->octets, body->len);
}

static bool is_udp_sum_right(const struct packet *packet, const struct body *udp)
{
	if (load16_be(udp->octets + UDP_AT_CHECKSUM) == 0)
		return !udp->is_ipv6; // RFC 768: there is none; RFC 8200 8.1: there must be one
	return sum_with_pseudo_header(packet, udp) == SUM_RIGHT;
}

static enum packet_kind read_udp(struct packet *packet, const struct body *udp)
{
	if (udp->len < PACKET_UDP_HEADER)
		return PACKET_SHORT;
	if (load16_be(udp->octets + UDP_AT_LENGTH) != udp->len)
		return PACKET_LENGTHS;
	if (!is_udp_sum_right(packet, udp))
		return PACKET_CHECKSUM;
	packet->source_port = load16_be(udp->octets + UDP_AT_SOURCE);
	packet->destination_port = load16_be(udp->octets + UDP_AT_DESTINATION);
	if (packet->source_port == 0 || packet->destination_port == 0)
		return PACKET_ADDRESS;
	packet->data = udp->octets + PACKET_UDP_HEADER;
	packet->len = (uint16_t)(udp->len - PACKET_UDP_HEADER);
	return PACKET_UDP;
}

// RFC 792: a sum of the message alone; RFC 4443 2.3: with the pseudo-header.
static enum packet_kind read_icmp(struct packet *packet, const struct body *icmp)
{
	uint16_t sum;

	if (icmp->len < ICMP_HEADER)
		return PACKET_SHORT;
	sum = icmp->is_ipv6 ? sum_with_pseudo_header(packet, icmp)
			    : packet_sum(0, icmp->octets, icmp->len);
	if (sum != SUM_RIGHT)
		return PACKET_CHECKSUM;
	packet->data = icmp->octets;
	packet->len = (uint16_t)icmp->len;
	return icmp->is_ipv6 ? PACKET_ICMPV6 : PACKET_ICMPV4;
}

// RFC 1122 3.2.1.3, RFC 6890: not "this network", loopback, multicast, reserved or broadcast.
static bool is_unicast_ipv4(const uint8_t ip[4])
{
	return ip[0] != 0 && ip[0] != 127 && ip[0] < 224;
}

// RFC 4291 2.4; and ::ffff:a.b.c.d is never on a wire (RFC 6890 2.2.3), but IPv4 to our callers.
static bool is_unicast_ipv6(const uint8_t ip[PACKET_IP])
{
	const bool is_low = load64_be(ip) == 0 && load64_be(ip + 8) <= 1; // unspecified, loopback

	return !is_low && ip[0] != 0xff && packet_is_ipv6(ip);
}

// A node that has no address yet asks whether anybody has it (RFC 4861 4.3).
static bool is_nobody(const uint8_t ip[PACKET_IP])
{
	return load64_be(ip) == 0 && load64_be(ip + 8) == 0;
}

static bool are_addresses_good(const struct packet *packet, const struct body *body)
{
	if (!body->is_ipv6)
		return is_unicast_ipv4(packet->source + PACKET_IPV4_IN_IP);
	if (!packet_is_ipv6(packet->destination))
		return false;
	return is_unicast_ipv6(packet->source) ||
	       (body->protocol == PROTOCOL_ICMPV6 && is_nobody(packet->source));
}

static enum packet_kind read_body(struct packet *packet, const struct body *body)
{
	const uint8_t icmp = body->is_ipv6 ? PROTOCOL_ICMPV6 : PROTOCOL_ICMPV4;

	if (body->protocol != PROTOCOL_UDP && body->protocol != icmp)
		return PACKET_OTHER;
	if (!are_addresses_good(packet, body))
		return PACKET_ADDRESS;
	return body->protocol == icmp ? read_icmp(packet, body) : read_udp(packet, body);
}

static enum packet_kind check_ipv4(const uint8_t *h, unsigned len, struct body *body)
{
	unsigned header_len, total_len;

	if (len < PACKET_IPV4_HEADER)
		return PACKET_SHORT;
	if (h[IPV4_AT_VERSION] >> 4 != 4)
		return PACKET_OTHER;
	header_len = 4 * (h[IPV4_AT_VERSION] & 15u);
	total_len = load16_be(h + IPV4_AT_LENGTH);
	if (header_len < PACKET_IPV4_HEADER)
		return PACKET_LENGTHS;
	if (header_len > len)
		return PACKET_SHORT;
	if (packet_sum(0, h, header_len) != SUM_RIGHT)
		return PACKET_IP_CHECKSUM;
	if (total_len < header_len || total_len > len)
		return PACKET_LENGTHS;
	if (load16_be(h + IPV4_AT_FRAGMENT) & FRAGMENT_MASK)
		return PACKET_FRAGMENT;
	*body = (struct body){
		.octets = h + header_len,
		.len = total_len - header_len,
		.protocol = h[IPV4_AT_PROTOCOL],
	};
	return GOOD;
}

static void map(uint8_t ip[PACKET_IP], const uint8_t ipv4[4])
{
	store64_be(ip, 0);
	store32_be(ip + 8, 0xffff);
	memcpy(ip + PACKET_IPV4_IN_IP, ipv4, 4);
}

static enum packet_kind read_ipv4(struct packet *packet, const uint8_t *h, unsigned len)
{
	struct body body;
	const enum packet_kind kind = check_ipv4(h, len, &body);

	if (kind != GOOD)
		return kind;
	map(packet->source, h + IPV4_AT_SOURCE);
	map(packet->destination, h + IPV4_AT_DESTINATION);
	packet->hop_limit = h[IPV4_AT_TTL];
	return read_body(packet, &body);
}

static enum packet_kind check_ipv6(const uint8_t *h, unsigned len, struct body *body)
{
	unsigned body_len;

	if (len < PACKET_IPV6_HEADER)
		return PACKET_SHORT;
	if (h[IPV6_AT_VERSION] >> 4 != 6)
		return PACKET_OTHER;
	body_len = load16_be(h + IPV6_AT_LENGTH);
	if (body_len > len - PACKET_IPV6_HEADER)
		return PACKET_LENGTHS;
	if (h[IPV6_AT_NEXT] == PROTOCOL_FRAGMENT)
		return PACKET_FRAGMENT;
	*body = (struct body){
		.octets = h + PACKET_IPV6_HEADER,
		.len = body_len,
		.protocol = h[IPV6_AT_NEXT],
		.is_ipv6 = true,
	};
	return GOOD;
}

static enum packet_kind read_ipv6(struct packet *packet, const uint8_t *h, unsigned len)
{
	struct body body;
	const enum packet_kind kind = check_ipv6(h, len, &body);

	if (kind != GOOD)
		return kind;
	memcpy(packet->source, h + IPV6_AT_SOURCE, PACKET_IP);
	memcpy(packet->destination, h + IPV6_AT_DESTINATION, PACKET_IP);
	packet->hop_limit = h[IPV6_AT_HOP_LIMIT];
	return read_body(packet, &body);
}

static enum packet_kind read_arp(struct packet *packet, const uint8_t *message, unsigned len)
{
	if (len < ARP_MESSAGE)
		return PACKET_SHORT;
	packet->data = message;
	packet->len = ARP_MESSAGE;
	return PACKET_ARP;
}

enum packet_kind packet_read(struct packet *packet, const uint8_t *frame, unsigned len,
			     uint16_t vlan)
{
	unsigned at = PACKET_ETHERNET;
	uint16_t id = PACKET_NO_VLAN;

	if (len < PACKET_ETHERNET)
		return PACKET_SHORT;
	if (load16_be(frame + AT_TYPE) == TYPE_VLAN) {
		at += PACKET_VLAN;
		if (len < at)
			return PACKET_SHORT;
		id = load16_be(frame + AT_TAG) & VLAN_ID_MASK;
	}
	if (id != vlan)
		return PACKET_TAGGED;
	*packet = (struct packet){
		.source_mac = frame + AT_MAC_SOURCE,
		.destination_mac = frame + AT_MAC_DESTINATION,
	};
	switch (load16_be(frame + at - 2)) { // the type ends the header of the link
	case TYPE_IPV4:
		return read_ipv4(packet, frame + at, len - at);
	case TYPE_IPV6:
		return read_ipv6(packet, frame + at, len - at);
	case TYPE_ARP:
		return read_arp(packet, frame + at, len - at);
	case TYPE_VLAN:
	case TYPE_SERVICE_VLAN:
		return PACKET_TAGGED;
	default:
		return PACKET_OTHER;
	}
}

const char *packet_kind_name(enum packet_kind kind)
{
	static const char *const names[PACKET_KIND_COUNT] = {
#define X(name, text) [PACKET_##name] = text,
		PACKET_KINDS(X)
#undef X
	};

	return names[kind];
}
