// Headers of datagrams against docs/specification.md 4, octet by octet.

#include <criterion/criterion.h>

#include <string.h>

#include "base/bytes.h"
#include "dataplane/frame.h"
#include "dataplane/io/io.h"

static const uint8_t push_id[16] = {1, 2, 3, 4, 5, 6, 0x77, 8, 0xb9, 10, 11, 12, 13, 14, 15, 16};

static void ack_write(uint8_t octets[FRAME_MAX + 1], uint8_t status)
{
	memset(octets, 0xee, FRAME_MAX + 1);
	octets[0] = 0x12;
	octets[1] = 2;
	octets[2] = octets[3] = 0;
	memcpy(octets + 4, "\x01\x02\x03\x04", 4);
	memcpy(octets + 8, push_id, 16);
	memcpy(octets + 24, "\xa1\xa2\xa3\xa4", 4);
	octets[28] = status;
	memcpy(octets + 29, "\x05\x06\x07", 3);
}

Test(frame, takes_an_ack_apart)
{
	uint8_t octets[FRAME_MAX + 1];
	struct frame_ack ack;

	ack_write(octets, 1);
	cr_assert_eq(frame_parse_ack(&ack, octets, 48 + 5), REASON_RX);
	cr_assert_eq(ack.suite, 2);
	cr_assert_eq(ack.status, 1);
	cr_assert_eq(ack.ref, 0xa1a2a3a4);
	cr_assert_eq(ack.push_id, octets + 8);
	cr_assert_eq(ack.aad, octets);
	cr_assert_eq(ack.ciphertext, octets + 32);
	cr_assert_eq(ack.reply_len, 5);
	cr_assert_arr_eq(ack.salt, "\x01\x02\x03\x04\x05\x06\x07", 7);
}

Test(frame, acks_of_every_length)
{
	uint8_t octets[FRAME_MAX + 1];
	struct frame_ack ack;

	for (uint8_t status = 0; status < 4; status++) {
		ack_write(octets, status);
		for (unsigned len = 0; len <= FRAME_MAX + 1; len++) {
			bool may_reply = status == 1 || status == 2;
			enum reason wanted = len < 48 || len > 1232   ? REASON_RX_SHORT
					     : len > 48 && !may_reply ? REASON_RX_HEADER
								      : REASON_RX;

			cr_assert_eq(frame_parse_ack(&ack, octets, len), wanted, "%u %u", status,
				     len);
		}
	}
}

// Whether an ACK without a reply may have this value there.
static bool is_good(unsigned at, unsigned value)
{
	switch (at) {
	case 0:
		return value == 0x12;
	case 1:
		return value == 1 || value == 2;
	case 2:
	case 3:
		return value == 0;
	case 14:
		return value >> 4 == 7;
	case 16:
		return value >> 6 == 2;
	case 28:
		return value <= 3;
	default:
		return true;
	}
}

Test(frame, every_value_of_every_octet)
{
	uint8_t octets[FRAME_MAX + 1];
	struct frame_ack ack;

	for (unsigned at = 0; at < 48; at++) {
		for (unsigned value = 0; value < 256; value++) {
			ack_write(octets, 0);
			octets[at] = (uint8_t)value;
			cr_assert_eq(frame_parse_ack(&ack, octets, 48),
				     is_good(at, value) ? REASON_RX : REASON_RX_HEADER,
				     "octet %u, %#x", at, value);
		}
	}
}

Test(frame, headers_of_a_push)
{
	uint8_t octets[FRAME_HEADER], selector[4] = {0xc1, 0xc2, 0xc3, 0xc4};
	struct frame_header header;

	for (unsigned flags = 0; flags < 4; flags++) {
		frame_header_init(&header, 2, flags & 1, flags & 2, 16, push_id, 0x01020304);
		for (unsigned segment = 0; segment < 16; segment++) {
			frame_write_header(octets, &header, segment, selector, 0xa1a2a3a4);
			cr_assert_eq(octets[0], 0x11);
			cr_assert_eq(octets[1], 2);
			cr_assert_eq(octets[2], flags);
			cr_assert_eq(octets[3], segment << 4 | 15);
			cr_assert_arr_eq(octets + 4, selector, 4);
			cr_assert_arr_eq(octets + 8, push_id, 16);
			cr_assert_eq(load32_be(octets + 24), 0xa1a2a3a4);
			cr_assert_eq(load32_be(octets + 28), 0x01020304);
		}
	}
}
