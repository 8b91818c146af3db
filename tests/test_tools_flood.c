// Floods, as the push function's parser sees them.
#include <criterion/criterion.h>
#include <string.h>

#include "dataplane/frame.h"
#include "dataplane/io/io.h"
#include "tools/load/flood.h"

enum { ROUNDS = 10000 };

static const uint8_t push_id[FLOOD_PUSH_ID] = {1, 2, 3, 4, 5, 6, 0x71, 8, 0x92, 10};

static struct flood flood_of(enum flood_kind kind, unsigned len)
{
	struct flood flood = {.kind = kind, .suite = 2, .ref = 0x01020304, .len = len, .random = 9};

	memcpy(flood.push_id, push_id, sizeof(push_id));
	return flood;
}

Test(tools_flood, well_formed_of_every_length)
{
	static const enum flood_kind kinds[] = {FLOOD_UNKNOWN, FLOOD_REF, FLOOD_TAG};
	uint8_t datagram[FRAME_MAX + 8];
	struct frame_ack ack;

	for (unsigned k = 0; k < 3; k++) {
		for (unsigned len = FRAME_MIN; len <= FRAME_MAX; len++) {
			struct flood flood = flood_of(kinds[k], len);

			flood_write(&flood, datagram);
			cr_assert_eq(frame_parse_ack(&ack, datagram, len), REASON_RX);
			cr_assert_eq(ack.suite, 2);
			cr_assert_eq(memcmp(ack.push_id, push_id, 16) == 0, k > 0);
			cr_assert_eq(ack.ref == 0x01020304, kinds[k] == FLOOD_TAG);
		}
	}
}

Test(tools_flood, junk_is_never_an_acknowledgement)
{
	struct flood flood = flood_of(FLOOD_JUNK, FRAME_MIN);
	uint8_t datagram[FRAME_MIN + 8];
	struct frame_ack ack;

	for (unsigned i = 0; i < ROUNDS; i++) {
		flood_write(&flood, datagram);
		cr_assert_eq(frame_parse_ack(&ack, datagram, FRAME_MIN), REASON_RX_HEADER);
	}
}

Test(tools_flood, no_two_are_the_same)
{
	uint8_t a[FRAME_MIN + 8], b[FRAME_MIN + 8];
	struct flood flood = flood_of(FLOOD_TAG, FRAME_MIN);

	flood_write(&flood, a);
	flood_write(&flood, b);
	cr_assert_arr_neq(a, b, FRAME_MIN);
	flood.random = 9;
	flood_write(&flood, b);
	cr_assert_arr_eq(a, b, FRAME_MIN);
	cr_assert_arr_eq(a + FRAME_AT_PUSH_ID, push_id, 16);
}

Test(tools_flood, nothing_is_written_beyond)
{
	uint8_t datagram[80];

	for (unsigned len = FRAME_MIN; len <= 64; len++) {
		struct flood flood = flood_of(FLOOD_TAG, len);

		memset(datagram, 0xa5, sizeof(datagram));
		flood_write(&flood, datagram);
		for (unsigned i = len + 7; i < sizeof(datagram); i++)
			cr_assert_eq(datagram[i], 0xa5);
	}
}
