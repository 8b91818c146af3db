#pragma once
// Datagrams of protocol 1 (docs/specification.md 4): header of a PUSH written, ACK parsed. The only
// place of the data plane that knows the offsets. Pure functions. Any thread.

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/reason.h"

enum {
	FRAME_VERSION = 1,
	FRAME_HEADER = 32,
	FRAME_TAG = 16,
	FRAME_MIN = FRAME_HEADER + FRAME_TAG,
	FRAME_SALT = 7,
	FRAME_FLAG_ACK = 1,
	FRAME_FLAG_ORDERED = 2,
};

struct frame_header {
	uint8_t octets[FRAME_HEADER];
};

// All of a PUSH's header that is the same for the targets.
void frame_header_init(struct frame_header *header, uint8_t suite, bool ack_wanted, bool ordered,
		       unsigned n_segments, const uint8_t push_id[16], uint32_t expiry);
// A datagram's header: the template with segment index, selector and ref.
void frame_write_header(uint8_t to[FRAME_HEADER], const struct frame_header *header,
			unsigned segment, const uint8_t selector[4], uint32_t ref);

// An ACK, its parts in place in the datagram.
struct frame_ack {
	uint8_t suite;
	uint8_t status; // 0..3
	uint32_t ref;
	const uint8_t *push_id;
	const uint8_t *aad;        // the header
	const uint8_t *ciphertext; // [reply_len], the tag behind it
	uint16_t reply_len;
	uint8_t salt[FRAME_SALT];
};

// Reads a datagram of len octets. REASON_RX when it is an ACK that a push function may look at;
// else the reason to drop it, *ack untouched.
enum reason frame_parse_ack(struct frame_ack *ack, const uint8_t *datagram, unsigned len);
