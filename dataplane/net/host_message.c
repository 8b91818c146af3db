#include "dataplane/net/host_message.h"
#include "dataplane/net/packet_sum.h"

#include <string.h>

#include "base/bytes.h"

enum {
	TYPE_IPV4 = 0x0800,
	TYPE_ARP = 0x0806,
	TYPE_VLAN = 0x8100,
	TYPE_IPV6 = 0x86dd,
	PROTOCOL_ICMP = 1,
	PROTOCOL_ICMPV6 = 58,
	ARP_LEN = 28,
	ARP_ETHERNET = 1,
	ARP_REQUEST = 1,
	ARP_REPLY = 2,
	ECHO_REQUEST = 8,
	ECHO_REPLY = 0,
	ECHO6_REQUEST = 128,
	ECHO6_REPLY = 129,
	ECHO_HEADER = 8,
	ND_SOLICITATION = 135,
	ND_ADVERTISEMENT = 136,
	ND_FIXED = 24,
	ND_OPTION = 8, // a link-layer address
	ND_SOURCE_MAC = 1,
	ND_TARGET_MAC = 2,
	ND_SOLICITED = 0x40,
	ND_OVERRIDE = 0x20,
	DONT_FRAGMENT = 0x40,
	HOPS = 64,
	ND_HOPS = 255,
};

bool host_is_mac(const uint8_t mac[PACKET_MAC])
{
	static const uint8_t nobody[PACKET_MAC];

	return !(mac[0] & 1) && memcmp(mac, nobody, PACKET_MAC) != 0;
}

static void ipv4_mapped(uint8_t ip[16], const uint8_t ipv4[4])
{
	memset(ip, 0, 10);
	memset(ip + 10, 0xff, 2);
	memcpy(ip + 12, ipv4, 4);
}

_Static_assert(PACKET_ETHERNET + PACKET_VLAN + HOST_MTU <= HOST_FRAME_MAX, "an echo fits");

// ---- Headers

static unsigned put_ethernet(uint8_t *frame, const struct host_config *config,
			     const uint8_t to[PACKET_MAC], uint16_t type)
{
	unsigned at = PACKET_ETHERNET - 2;

	memcpy(frame, to, PACKET_MAC);
	memcpy(frame + PACKET_MAC, config->mac, PACKET_MAC);
	if (config->vlan != PACKET_NO_VLAN) {
		store16_be(frame + at, TYPE_VLAN);
		store16_be(frame + at + 2, config->vlan);
		at += PACKET_VLAN;
	}
	store16_be(frame + at, type);
	return at + 2;
}

static unsigned put_ipv4(uint8_t *header, const uint8_t from[16], const uint8_t to[16],
			 unsigned len)
{
	memset(header, 0, PACKET_IPV4_HEADER);
	header[0] = 0x45;
	store16_be(header + 2, (uint16_t)(PACKET_IPV4_HEADER + len));
	header[6] = DONT_FRAGMENT; // so that identification 0 is right (RFC 6864 4.1)
	header[8] = HOPS;
	header[9] = PROTOCOL_ICMP;
	memcpy(header + 12, from + 12, 4);
	memcpy(header + 16, to + 12, 4);
	store16_be(header + 10, (uint16_t)~packet_sum(0, header, PACKET_IPV4_HEADER));
	return PACKET_IPV4_HEADER;
}

static unsigned put_ipv6(uint8_t *header, const uint8_t from[16], const uint8_t to[16],
			 unsigned len, uint8_t hops)
{
	memset(header, 0, PACKET_IPV6_HEADER);
	header[0] = 0x60;
	store16_be(header + 4, (uint16_t)len);
	header[6] = PROTOCOL_ICMPV6;
	header[7] = hops;
	memcpy(header + 8, from, 16);
	memcpy(header + 24, to, 16);
	return PACKET_IPV6_HEADER;
}

// Over the message behind an IPv6 header, of which the addresses count too (RFC 8200 8.1).
static void sum_icmpv6(const uint8_t *header, uint8_t *message, unsigned len)
{
	const uint32_t pseudo = packet_sum(len + PROTOCOL_ICMPV6, header + 8, 32);

	store16_be(message + 2, 0);
	store16_be(message + 2, (uint16_t)~packet_sum(pseudo, message, len));
}

// ---- ARP

bool host_arp_read(struct host_arp *arp, const struct packet *packet)
{
	const uint8_t *const d = packet->data;
	const unsigned operation = load16_be(d + 6);

	if (load16_be(d) != ARP_ETHERNET || load16_be(d + 2) != TYPE_IPV4 || d[4] != PACKET_MAC ||
	    d[5] != 4 || (operation != ARP_REQUEST && operation != ARP_REPLY))
		return false;
	arp->is_request = operation == ARP_REQUEST;
	memcpy(arp->mac, d + 8, PACKET_MAC);
	ipv4_mapped(arp->sender, d + 14);
	ipv4_mapped(arp->target, d + 24);
	return host_is_mac(arp->mac);
}

static unsigned put_arp(uint8_t *frame, const struct host_config *config,
			const uint8_t ethernet[PACKET_MAC], unsigned operation,
			const uint8_t source[16], const uint8_t mac[PACKET_MAC],
			const uint8_t target[16])
{
	const unsigned at = put_ethernet(frame, config, ethernet, TYPE_ARP);
	uint8_t *const d = frame + at;

	store16_be(d, ARP_ETHERNET);
	store16_be(d + 2, TYPE_IPV4);
	d[4] = PACKET_MAC;
	d[5] = 4;
	store16_be(d + 6, (uint16_t)operation);
	memcpy(d + 8, config->mac, PACKET_MAC);
	memcpy(d + 14, source + 12, 4);
	memcpy(d + 18, mac, PACKET_MAC);
	memcpy(d + 24, target + 12, 4);
	return at + ARP_LEN;
}

unsigned host_arp_answer(uint8_t frame[HOST_FRAME_MAX], const struct host_config *config,
			 const struct host_arp *request)
{
	return put_arp(frame, config, request->mac, ARP_REPLY, request->target, request->mac,
		       request->sender);
}

unsigned host_arp_ask(uint8_t frame[HOST_FRAME_MAX], const struct host_config *config,
		      const uint8_t source[16], const uint8_t target[16])
{
	static const uint8_t everybody[PACKET_MAC] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	static const uint8_t nobody[PACKET_MAC];

	return put_arp(frame, config, everybody, ARP_REQUEST, source, nobody, target);
}

// ---- Neighbour discovery

// The link-layer address in the options, if any. False: options that RFC 4861 4.6 does not allow.
static bool read_options(struct host_nd *nd, const uint8_t *at, unsigned len, uint8_t wanted)
{
	nd->has_mac = false;
	while (len) {
		const unsigned size = len >= 2 ? at[1] * 8u : 0;

		if (!size || size > len)
			return false;
		if (at[0] == wanted && size == ND_OPTION && host_is_mac(at + 2)) {
			memcpy(nd->mac, at + 2, PACKET_MAC);
			nd->has_mac = true;
		}
		at += size;
		len -= size;
	}
	return true;
}

static bool is_nobody(const uint8_t ip[16])
{
	return (load64_be(ip) | load64_be(ip + 8)) == 0;
}

// RFC 4291 2.7.1: the group of all whose addresses end in the same 24 bits.
static void solicited_node(uint8_t group[16], const uint8_t ip[16])
{
	static const uint8_t prefix[13] = {0xff, 0x02, [11] = 0x01, [12] = 0xff};

	memcpy(group, prefix, sizeof(prefix));
	memcpy(group + 13, ip + 13, 3);
}

// RFC 4861 7.1.1: who has no address yet asks the group, and does not tell his MAC.
static bool is_solicitation_good(const struct host_nd *nd, const struct packet *packet)
{
	uint8_t group[16];

	if (!is_nobody(packet->source))
		return true;
	solicited_node(group, nd->target);
	return !nd->has_mac && !memcmp(packet->destination, group, 16);
}

// RFC 4861 7.1.2: what nobody in particular asked for goes to a group, and only that.
static bool is_advertisement_good(const struct packet *packet)
{
	return packet->destination[0] != 0xff || !(packet->data[4] & ND_SOLICITED);
}

// Of one node, and no IPv4 address in the form that we have it in: those are ARP's.
static bool is_target_good(const uint8_t ip[16])
{
	return ip[0] != 0xff && host_is_ipv6(ip);
}

bool host_nd_read(struct host_nd *nd, const struct packet *packet)
{
	const uint8_t *const d = packet->data;

	if (packet->len < ND_FIXED || packet->hop_limit != ND_HOPS || d[1] != 0 ||
	    !is_target_good(d + 8) || (d[0] != ND_SOLICITATION && d[0] != ND_ADVERTISEMENT))
		return false;
	nd->is_solicitation = d[0] == ND_SOLICITATION;
	nd->overrides = !nd->is_solicitation && d[4] & ND_OVERRIDE;
	memcpy(nd->target, d + 8, 16);
	if (!read_options(nd, d + ND_FIXED, packet->len - ND_FIXED,
			  nd->is_solicitation ? ND_SOURCE_MAC : ND_TARGET_MAC))
		return false;
	return nd->is_solicitation ? is_solicitation_good(nd, packet)
				   : is_advertisement_good(packet);
}

static unsigned put_nd(uint8_t *frame, const struct host_config *config,
		       const uint8_t ethernet[PACKET_MAC], const uint8_t from[16],
		       const uint8_t to[16], uint8_t type, uint8_t flags, const uint8_t target[16])
{
	const unsigned at = put_ethernet(frame, config, ethernet, TYPE_IPV6);
	uint8_t *const header = frame + at, *const d = header + PACKET_IPV6_HEADER;

	put_ipv6(header, from, to, ND_FIXED + ND_OPTION, ND_HOPS);
	memset(d, 0, ND_FIXED);
	d[0] = type;
	d[4] = flags;
	memcpy(d + 8, target, 16);
	d[ND_FIXED] = type == ND_SOLICITATION ? ND_SOURCE_MAC : ND_TARGET_MAC;
	d[ND_FIXED + 1] = 1;
	memcpy(d + ND_FIXED + 2, config->mac, PACKET_MAC);
	sum_icmpv6(header, d, ND_FIXED + ND_OPTION);
	return at + PACKET_IPV6_HEADER + ND_FIXED + ND_OPTION;
}

unsigned host_nd_answer(uint8_t frame[HOST_FRAME_MAX], const struct host_config *config,
			const struct host_nd *nd, const struct packet *packet)
{
	static const uint8_t all_nodes[16] = {0xff, 0x02, [15] = 0x01};
	static const uint8_t all_macs[PACKET_MAC] = {0x33, 0x33, [5] = 0x01}; // RFC 2464 7

	if (is_nobody(packet->source))
		return put_nd(frame, config, all_macs, nd->target, all_nodes, ND_ADVERTISEMENT,
			      ND_OVERRIDE, nd->target);
	return put_nd(frame, config, nd->has_mac ? nd->mac : packet->source_mac, nd->target,
		      packet->source, ND_ADVERTISEMENT, ND_SOLICITED | ND_OVERRIDE, nd->target);
}

// To the target's group and its MAC (RFC 2464 7).
unsigned host_nd_ask(uint8_t frame[HOST_FRAME_MAX], const struct host_config *config,
		     const uint8_t source[16], const uint8_t target[16])
{
	uint8_t mac[PACKET_MAC] = {0x33, 0x33};
	uint8_t group[16];

	solicited_node(group, target);
	memcpy(mac + 2, group + 12, 4);
	return put_nd(frame, config, mac, source, group, ND_SOLICITATION, 0, target);
}

// ---- Echo

static unsigned echo4(uint8_t *frame, const struct host_config *config, const struct packet *packet)
{
	const unsigned ethernet = put_ethernet(frame, config, packet->source_mac, TYPE_IPV4);
	const unsigned at = ethernet + put_ipv4(frame + ethernet, packet->destination,
						packet->source, packet->len);
	uint8_t *const d = frame + at;

	memcpy(d, packet->data, packet->len);
	d[0] = ECHO_REPLY;
	store16_be(d + 2, 0);
	store16_be(d + 2, (uint16_t)~packet_sum(0, d, packet->len));
	return at + packet->len;
}

static unsigned echo6(uint8_t *frame, const struct host_config *config, const struct packet *packet)
{
	const unsigned ethernet = put_ethernet(frame, config, packet->source_mac, TYPE_IPV6);
	uint8_t *const header = frame + ethernet;
	const unsigned at =
		ethernet + put_ipv6(header, packet->destination, packet->source, packet->len, HOPS);
	uint8_t *const d = frame + at;

	memcpy(d, packet->data, packet->len);
	d[0] = ECHO6_REPLY;
	sum_icmpv6(header, d, packet->len);
	return at + packet->len;
}

unsigned host_echo_answer(uint8_t frame[HOST_FRAME_MAX], const struct host_config *config,
			  const struct packet *packet)
{
	const bool is_ipv6 = host_is_ipv6(packet->destination);
	const unsigned header = is_ipv6 ? PACKET_IPV6_HEADER : PACKET_IPV4_HEADER;

	if (packet->len < ECHO_HEADER || header + packet->len > HOST_MTU ||
	    packet->data[0] != (is_ipv6 ? ECHO6_REQUEST : ECHO_REQUEST) || packet->data[1] != 0)
		return 0;
	return is_ipv6 ? echo6(frame, config, packet) : echo4(frame, config, packet);
}
