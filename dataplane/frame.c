#include "dataplane/frame.h"

#include "base/bytes.h"
#include "crypto/message.h"
#include "dataplane/io/io.h"

enum {
	AT_TYPE = 0,
	AT_SUITE = 1,
	AT_FLAGS = 2,
	AT_SEGMENT = 3,
	AT_SELECTOR = 4, // PUSH
	AT_SALT = 4,     // ACK: 4 octets, the other 3 at AT_SALT_REST
	AT_PUSH_ID = 8,
	AT_REF = 24,
	AT_EXPIRY = 28, // PUSH
	AT_STATUS = 28, // ACK
	AT_SALT_REST = 29,
	STATUS_MAX = 3,
};

void frame_header_init(struct frame_header *header, uint8_t suite, bool ack_wanted, bool ordered,
		       unsigned n_segments, const uint8_t push_id[16], uint32_t expiry)
{
	uint8_t *h = header->octets;

	*header = (struct frame_header){0};
	h[AT_TYPE] = FRAME_VERSION << 4 | MESSAGE_TYPE_PUSH;
	h[AT_SUITE] = suite;
	h[AT_FLAGS] =
		(uint8_t)((ack_wanted ? FRAME_FLAG_ACK : 0) | (ordered ? FRAME_FLAG_ORDERED : 0));
	h[AT_SEGMENT] = (uint8_t)(n_segments - 1);
	memcpy(h + AT_PUSH_ID, push_id, MESSAGE_PUSH_ID);
	store32_be(h + AT_EXPIRY, expiry);
}

void frame_write_header(uint8_t to[FRAME_HEADER], const struct frame_header *header,
			unsigned segment, const uint8_t selector[4], uint32_t ref)
{
	memcpy(to, header->octets, FRAME_HEADER);
	to[AT_SEGMENT] |= (uint8_t)(segment << 4);
	memcpy(to + AT_SELECTOR, selector, MESSAGE_SELECTOR);
	store32_be(to + AT_REF, ref);
}

// UUIDv7 (RFC 9562 5.7): version 7, variant 10.
static bool is_uuid7(const uint8_t id[16])
{
	return id[6] >> 4 == 7 && id[8] >> 6 == 2;
}

static bool is_ack_header(const uint8_t *d, unsigned reply_len)
{
	return d[AT_TYPE] == (FRAME_VERSION << 4 | MESSAGE_TYPE_ACK) &&
	       message_suite_find(d[AT_SUITE]) && d[AT_FLAGS] == 0 && d[AT_SEGMENT] == 0 &&
	       is_uuid7(d + AT_PUSH_ID) && d[AT_STATUS] <= STATUS_MAX &&
	       (reply_len == 0 || d[AT_STATUS] == 1 || d[AT_STATUS] == 2);
}

enum reason frame_parse_ack(struct frame_ack *ack, const uint8_t *datagram, unsigned len)
{
	if (len < FRAME_MIN || len > FRAME_MAX)
		return REASON_RX_SHORT;
	if (!is_ack_header(datagram, len - FRAME_MIN))
		return REASON_RX_HEADER;
	*ack = (struct frame_ack){
		.suite = datagram[AT_SUITE],
		.status = datagram[AT_STATUS],
		.ref = load32_be(datagram + AT_REF),
		.push_id = datagram + AT_PUSH_ID,
		.aad = datagram,
		.ciphertext = datagram + FRAME_HEADER,
		.reply_len = (uint16_t)(len - FRAME_MIN),
	};
	memcpy(ack->salt, datagram + AT_SALT, 4);
	memcpy(ack->salt + 4, datagram + AT_SALT_REST, 3);
	return REASON_RX;
}
