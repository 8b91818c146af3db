#include "tools/load/flood.h"

#include <string.h>

#include "base/bytes.h"
#include "crypto/message.h"
#include "dataplane/frame.h"
#include "tools/random.h"

enum { UUID_VERSION = 6, UUID_VARIANT = 8 }; // octets of it (RFC 9562 5.7)

static void write_push_id(const struct flood *flood, uint8_t *id)
{
	if (flood->kind != FLOOD_UNKNOWN) {
		memcpy(id, flood->push_id, FLOOD_PUSH_ID);
		return;
	}
	id[UUID_VERSION] = (uint8_t)(0x70 | (id[UUID_VERSION] & 0x0f));
	id[UUID_VARIANT] = (uint8_t)(0x80 | (id[UUID_VARIANT] & 0x3f));
}

// Status 1 or 2: both may have a reply.
static void write_header(const struct flood *flood, uint8_t *to)
{
	to[FRAME_AT_TYPE] = FRAME_VERSION << 4 | MESSAGE_TYPE_ACK;
	to[FRAME_AT_SUITE] = flood->suite;
	to[FRAME_AT_FLAGS] = 0;
	to[FRAME_AT_SEGMENT] = 0;
	to[FRAME_AT_STATUS] = (uint8_t)(1 + to[FRAME_AT_STATUS] % 2);
	write_push_id(flood, to + FRAME_AT_PUSH_ID);
	if (flood->kind == FLOOD_TAG)
		store32_be(to + FRAME_AT_REF, flood->ref);
}

void flood_write(struct flood *flood, uint8_t *to)
{
	for (unsigned i = 0; i < flood->len; i += 8)
		store64_be(to + i, random_next(&flood->random));
	if (flood->kind == FLOOD_JUNK)
		to[FRAME_AT_TYPE] &= 0x0f; // version 0: none becomes an acknowledgement by chance
	else
		write_header(flood, to);
}
