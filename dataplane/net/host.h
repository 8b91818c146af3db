#pragma once
// A host on a port: its addresses, where datagrams go from it (on the link, or through a gateway),
// who its next hops are, and what it answers for itself: ARP (RFC 826), neighbour solicitations
// (RFC 4861) and echo requests (RFC 792, RFC 4443). Frames go in and out as octets; it knows no
// device.
//
// Workers ask for next hops (host_next_hop); all else belongs to one thread.

#include <stddef.h>

#include "dataplane/net/neighbour.h"
#include "dataplane/net/packet.h"

enum {
	HOST_ADDRESSES_MAX = 4,
	HOST_STATIC_MAX = 64,
	HOST_FRAME_MAX = 1536, // of what it answers
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

struct host {
	struct host_config config;
	struct neighbours neighbours;
	uint64_t now_ns;
	unsigned due_at; // where host_poll goes on
};

enum host_route {
	HOST_READY,      // the MAC is there
	HOST_UNRESOLVED, // not yet: host_want it
	HOST_GONE,       // does not answer
	HOST_NO_ROUTE,   // not on the link, and no gateway
};

bool host_is_ipv6(const uint8_t ip[16]);

// 0, or -EINVAL with what was wrong in error: no unicast address, a gateway that is not on the
// link, two of one address.
int host_init(struct host *host, const struct host_config *config, char error[HOST_ERROR_MAX]);

// The address that datagrams of that family come from; NULL: the host has none.
const uint8_t *host_source(const struct host *host, bool is_ipv6);
bool host_has(const struct host *host, const uint8_t ip[16]);

// Any thread: the next hop's address on the way to ip: the peer itself, or the gateway; NULL: no
// route. Gateways are known by their pointers.
const uint8_t *host_hop(const struct host *host, const uint8_t ip[16]);
// Any thread: what is known of that next hop, which is on the link.
enum host_route host_resolve(const struct host *host, const uint8_t hop[16],
			     uint8_t mac[PACKET_MAC]);
// Both. Where a datagram to ip goes. `hop` is the next hop's address (the peer, or the
// gateway) unless there is no route.
enum host_route host_next_hop(const struct host *host, const uint8_t ip[16],
			      uint8_t mac[PACKET_MAC], const uint8_t **hop);

// ---- The one thread's

// A next hop is needed. False: the table is full.
bool host_want(struct host *host, const uint8_t hop[16], uint64_t now_ns);

// A frame that is for no worker, as packet_read found it: learns from it, and writes what the host
// answers. Octets written, 0: nothing.
unsigned host_input(struct host *host, enum packet_kind kind, const struct packet *packet,
		    uint8_t answer[HOST_FRAME_MAX], uint64_t now_ns);

// The next frame that the host sends of itself (requests for next hops), 0: none now. To be asked
// until it says 0, about ten times a second.
unsigned host_poll(struct host *host, uint8_t frame[HOST_FRAME_MAX], uint64_t now_ns);
