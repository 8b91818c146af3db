#pragma once
// What a host on a port is told: its addresses, gateways and neighbours; and the sizes that host.h
// and host_message.h share.

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "dataplane/net/packet.h"

enum {
	HOST_ADDRESSES_MAX = 4,
	HOST_STATIC_MAX = 64,
	HOST_FRAME_MAX = 1536, // of what it answers
	HOST_MTU = 1500,       // octets of IP in it, at most
	HOST_FRAME_MIN = 60,   // octets; shorter ones are filled up with zeros (RFC 894)
	HOST_ASKS_MAX = 256,   // in one round of host_poll
	HOST_ERROR_MAX = 256,
};

struct host_address {
	uint8_t ip[16];
	unsigned prefix; // bits of the 128: 24 of an IPv4 address are 120
};

struct host_static {
	uint8_t ip[16];
	uint8_t mac[PACKET_MAC];
};

struct host_config {
	uint8_t mac[PACKET_MAC];
	uint16_t vlan; // or PACKET_NO_VLAN
	struct host_address address[HOST_ADDRESSES_MAX];
	unsigned n_addresses;
	uint8_t gateway[2][16]; // of IPv4, of IPv6
	bool has_gateway[2];
	struct host_static neighbour[HOST_STATIC_MAX];
	unsigned n_neighbours;
};

static inline bool host_is_ipv6(const uint8_t ip[16])
{
	return packet_is_ipv6(ip);
}
