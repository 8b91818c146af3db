#pragma once
// A host on a port: its addresses, where datagrams go from it (on the link, or through a gateway),
// who its next hops are, and what it answers for itself: ARP (RFC 826), neighbour solicitations
// (RFC 4861) and echo requests (RFC 792, RFC 4443). Frames go in and out as octets; it knows no
// device.
//
// Any thread may ask for addresses and next hops; all else belongs to one thread.
//
// What it does not do: look for others with its addresses (RFC 5227, RFC 4862 5.4), join groups
// (MLD, RFC 9777: a switch that snoops has to be told), send or heed redirects and advertisements
// of routers.

#include "dataplane/net/host_config.h"
#include "dataplane/net/neighbour.h"
#include "dataplane/net/packet.h"

struct host {
	struct host_config config;
	struct neighbours neighbours;
	unsigned due_at; // where host_poll goes on
	unsigned n_asks; // in this round
};

enum host_route {
	HOST_READY,      // the MAC is there
	HOST_UNRESOLVED, // not yet: host_want it
	HOST_GONE,       // does not answer
};

// 0, or -EINVAL with what was wrong in error: an address, gateway or neighbour that is none of a
// host, a prefix without length, two of one address, a gateway or neighbour that is not on the
// link, a VLAN beyond 4094, no room for neighbours. `host` is undefined then.
int host_init(struct host *host, const struct host_config *config, char error[HOST_ERROR_MAX]);

// Any thread. The address that datagrams of that family come from, its first; one of the link alone
// only if there is no other. NULL: the host has none.
const uint8_t *host_source(const struct host *host, bool is_ipv6);
bool host_has(const struct host *host, const uint8_t ip[16]);

// Any thread: what is known of a next hop, which is on the link.
enum host_route host_resolve(const struct host *host, const uint8_t hop[16],
			     uint8_t mac[PACKET_MAC]);

// ---- The one thread's

// A next hop is needed. False: the table is full.
bool host_want(struct host *host, const uint8_t hop[16], uint64_t now_ns);

// Its port's link is back: who was gone may be there, who was known may be another.
void host_link_up(struct host *host, uint64_t now_ns);

// A frame that is for no worker, as packet_read found it: learns from it, and writes what the host
// answers. Octets written, 0: nothing. Answers go to whom asked, never to a group but when RFC 4861
// wants it (7.2.4, to a node without an address).
unsigned host_input(struct host *host, enum packet_kind kind, const struct packet *packet,
		    uint8_t answer[HOST_FRAME_MAX], uint64_t now_ns);

// The next frame that the host sends of itself (requests for next hops), 0: none now, or enough for
// a round. To be asked until it says 0, ten times a second or more often; it costs next to nothing
// while nobody is due.
unsigned host_poll(struct host *host, uint8_t frame[HOST_FRAME_MAX], uint64_t now_ns);

// ---- Instead of host_input and host_poll, where somebody else asks and answers on the link (the
// kernel on a shared interface): who is due to be asked for (false: nobody, or enough for a round;
// to be called until then, as host_poll), and what became of it.

bool host_due(struct host *host, uint8_t ip[16], uint64_t now_ns);
// A MAC that is no host's, and the host's own addresses, are not learnt.
void host_learn(struct host *host, const uint8_t ip[16], const uint8_t mac[PACKET_MAC],
		uint64_t now_ns);
void host_doubt(struct host *host, const uint8_t ip[16], uint64_t now_ns);
