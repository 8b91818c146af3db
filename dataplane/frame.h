#pragma once
// Datagrams of protocol 1 (docs/specification.md 4): header of a PUSH written, ACK parsed. The only
// place of the data plane that knows the offsets. Pure functions. Any thread.

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
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

// Where a header's parts are.
enum {
	FRAME_AT_TYPE = 0,
	FRAME_AT_SUITE = 1,
	FRAME_AT_FLAGS = 2,
	FRAME_AT_SEGMENT = 3,  // index above, number of segments - 1 below: 4 bits each
	FRAME_AT_SELECTOR = 4, // PUSH
	FRAME_AT_SALT = 4,     // ACK: 4 octets, the other 3 at FRAME_AT_SALT_REST
	FRAME_AT_PUSH_ID = 8,
	FRAME_AT_REF = 24,
	FRAME_AT_EXPIRY = 28, // PUSH
	FRAME_AT_STATUS = 28, // ACK
	FRAME_AT_SALT_REST = 29,
};

struct frame_header {
	uint8_t octets[FRAME_HEADER];
};

// All of a PUSH's header that is the same for the targets.
void frame_header_init(struct frame_header *header, uint8_t suite, bool ack_wanted, bool ordered,
		       unsigned n_segments, const uint8_t push_id[16], uint32_t expiry);

// A datagram's header: the template with segment index, selector and ref, which are zeros there.
static inline void frame_write_header(uint8_t to[FRAME_HEADER], const struct frame_header *header,
				      unsigned segment, const uint8_t selector[4], uint32_t ref)
{
	const uint8_t *const from = header->octets;
	const uint64_t segment_at = (uint64_t)segment << (8 * (7 - FRAME_AT_SEGMENT) + 4);

	store64_be(to, load64_be(from) | segment_at | load32_be(selector));
	memcpy(to + FRAME_AT_PUSH_ID, from + FRAME_AT_PUSH_ID, FRAME_AT_REF - FRAME_AT_PUSH_ID);
	store64_be(to + FRAME_AT_REF, load64_be(from + FRAME_AT_REF) | (uint64_t)ref << 32);
}

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
