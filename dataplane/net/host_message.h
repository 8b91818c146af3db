#pragma once
// The messages of a host, octet by octet: ARP (RFC 826), neighbour discovery (RFC 4861 4.3, 4.4),
// echo (RFC 792, RFC 4443 4). For host.c.

#include "dataplane/net/host_config.h"

// Whether a MAC can be one host's: no group's, and not all zeros.
bool host_is_mac(const uint8_t mac[PACKET_MAC]);

struct host_arp {
	bool is_request;
	uint8_t mac[PACKET_MAC]; // the sender's
	uint8_t sender[16], target[16];
};

// False: nothing that makes sense over Ethernet and IPv4.
bool host_arp_read(struct host_arp *arp, const struct packet *packet);
unsigned host_arp_answer(uint8_t frame[HOST_FRAME_MAX], const struct host_config *config,
			 const struct host_arp *request);
unsigned host_arp_ask(uint8_t frame[HOST_FRAME_MAX], const struct host_config *config,
		      const uint8_t source[16], const uint8_t target[16]);

struct host_nd {
	bool is_solicitation; // else an advertisement
	bool overrides;       // what is known already; of an advertisement
	bool has_mac;
	uint8_t mac[PACKET_MAC];
	uint8_t target[16];
};

// False: another message, or one that RFC 4861 7.1 tells to ignore.
bool host_nd_read(struct host_nd *nd, const struct packet *packet);
// To whom asked; to all nodes when he has no address yet (RFC 4861 7.2.4).
unsigned host_nd_answer(uint8_t frame[HOST_FRAME_MAX], const struct host_config *config,
			const struct host_nd *nd, const struct packet *packet);
unsigned host_nd_ask(uint8_t frame[HOST_FRAME_MAX], const struct host_config *config,
		     const uint8_t source[16], const uint8_t target[16]);

// 0 when the message is no echo request, or longer than HOST_MTU with its IP header.
unsigned host_echo_answer(uint8_t frame[HOST_FRAME_MAX], const struct host_config *config,
			  const struct packet *packet);
