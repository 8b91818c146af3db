#include "dataplane/frame.h"

#include "base/bytes.h"
#include "crypto/message.h"
#include "dataplane/io/io.h"

enum { STATUS_MAX = 3 };

void frame_header_init(struct frame_header *header, uint8_t suite, bool ack_wanted, bool ordered,
		       unsigned n_segments, const uint8_t push_id[16], uint32_t expiry)
{
	uint8_t *h = header->octets;

	*header = (struct frame_header){0};
	h[FRAME_AT_TYPE] = FRAME_VERSION << 4 | MESSAGE_TYPE_PUSH;
	h[FRAME_AT_SUITE] = suite;
	h[FRAME_AT_FLAGS] =
		(uint8_t)((ack_wanted ? FRAME_FLAG_ACK : 0) | (ordered ? FRAME_FLAG_ORDERED : 0));
	h[FRAME_AT_SEGMENT] = (uint8_t)(n_segments - 1);
	memcpy(h + FRAME_AT_PUSH_ID, push_id, MESSAGE_PUSH_ID);
	store32_be(h + FRAME_AT_EXPIRY, expiry);
}

// UUIDv7 (RFC 9562 5.7): version 7, variant 10.
static bool is_uuid7(const uint8_t id[16])
{
	return id[6] >> 4 == 7 && id[8] >> 6 == 2;
}

static bool is_ack_header(const uint8_t *d, unsigned reply_len)
{
	return d[FRAME_AT_TYPE] == (FRAME_VERSION << 4 | MESSAGE_TYPE_ACK) &&
	       message_suite_find(d[FRAME_AT_SUITE]) && d[FRAME_AT_FLAGS] == 0 &&
	       d[FRAME_AT_SEGMENT] == 0 && is_uuid7(d + FRAME_AT_PUSH_ID) &&
	       d[FRAME_AT_STATUS] <= STATUS_MAX &&
	       (reply_len == 0 || d[FRAME_AT_STATUS] == 1 || d[FRAME_AT_STATUS] == 2);
}

enum reason frame_parse_ack(struct frame_ack *ack, const uint8_t *datagram, unsigned len)
{
	if (len < FRAME_MIN || len > FRAME_MAX)
		return REASON_RX_SHORT;
	if (!is_ack_header(datagram, len - FRAME_MIN))
		return REASON_RX_HEADER;
	*ack = (struct frame_ack){
		.suite = datagram[FRAME_AT_SUITE],
		.status = datagram[FRAME_AT_STATUS],
		.ref = load32_be(datagram + FRAME_AT_REF),
		.push_id = datagram + FRAME_AT_PUSH_ID,
		.aad = datagram,
		.ciphertext = datagram + FRAME_HEADER,
		.reply_len = (uint16_t)(len - FRAME_MIN),
	};
	memcpy(ack->salt, datagram + FRAME_AT_SALT, 4);
	memcpy(ack->salt + 4, datagram + FRAME_AT_SALT_REST, 3);
	return REASON_RX;
}
