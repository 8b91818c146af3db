#pragma once
// A datagram of a trace: read from the daemon's line, and as the packet that it was on the wire.
// Any thread.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/json/json.h"

enum { CTL_TRACED_OCTETS_MAX = 1232, CTL_TRACED_PACKET_MAX = CTL_TRACED_OCTETS_MAX + 64 };

struct ctl_traced {
	bool is_sent;
	uint64_t unix_ns;
	uint8_t source[16], destination[16]; // IPv4 as ::ffff:a.b.c.d; both of one family
	uint16_t source_port, destination_port;
	const char *dropped; // why, in words; NULL: it was not
	uint16_t len;
	uint8_t octets[CTL_TRACED_OCTETS_MAX];
};

// False for a line that is none; *traced is undefined then.
bool ctl_traced_read(struct ctl_traced *traced, const struct json_reader *line);
// IPv4 or IPv6, UDP with its checksum, payload. Returns octets.
size_t ctl_traced_packet(const struct ctl_traced *traced, uint8_t to[CTL_TRACED_PACKET_MAX]);

// "127.0.0.1:48470", "[::1]:48470".
enum { CTL_ENDPOINT_MAX = 56 };
char *ctl_traced_endpoint(char text[CTL_ENDPOINT_MAX], const uint8_t ip[16], uint16_t port);
// What it says in the clear: "PUSH 1/1 PUSH_ID", "ACK 1 acted upon PUSH_ID", "?".
enum { CTL_TRACED_TEXT_MAX = 96 };
char *ctl_traced_text(char text[CTL_TRACED_TEXT_MAX], const struct ctl_traced *traced);
