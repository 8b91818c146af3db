#pragma once
// Captures as pcapng (draft-ietf-opsawg-pcapng): one section, one interface of raw IP packets,
// times in nanoseconds. Blocks are written in little-endian order, whatever the host. Pure
// functions. Any thread.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PCAPNG_LINKTYPE_RAW = 101, // the packet begins with its IPv4 or IPv6 header
	PCAPNG_TEXT_MAX = 255,     // octets of a text; what is longer is cut
	PCAPNG_OCTETS_MAX = 2048,  // of a packet
	PCAPNG_BEGIN_MAX = 92 + PCAPNG_TEXT_MAX,
	PCAPNG_PACKET_MAX = 56 + PCAPNG_OCTETS_MAX + PCAPNG_TEXT_MAX,
};

struct pcapng_packet {
	uint64_t unix_ns;
	bool is_inbound;     // else outbound
	const char *comment; // NULL: none
	const uint8_t *octets;
	uint32_t len; // at most PCAPNG_OCTETS_MAX
};

// Section Header and Interface Description (4.1, 4.2): what a capture begins with. Returns octets.
size_t pcapng_begin(uint8_t to[PCAPNG_BEGIN_MAX], const char *application);
// An Enhanced Packet Block (4.3). Returns octets.
size_t pcapng_packet(uint8_t to[PCAPNG_PACKET_MAX], const struct pcapng_packet *packet);
