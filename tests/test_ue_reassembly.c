// Rule 4: segments.

#include "tests/kit/ue_kit.h"

static struct kit kit;
static char text[AKMAPUSH_UE_PAYLOAD_MAX];

static void setup(void)
{
	kit_init(&kit);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * 7 + i / 251);
}

#define RULE(name) Test(ue_reassembly, name, .init = setup)
#define EXPECT(outcome, expression)                                                                \
	do {                                                                                       \
		enum akmapush_ue_outcome got_ = (expression);                                      \
		cr_expect_eq(got_, AKMAPUSH_UE_##outcome, "got: %s",                               \
			     akmapush_ue_outcome_text(got_));                                      \
	} while (0)

// Segment `index` of `cnt` of a push of `len` octets in segments of `size`.
static struct kit_push segment(uint32_t tail, unsigned index, unsigned cnt, size_t size, size_t len)
{
	struct kit_push p = {.flags = APUE_FLAG_ACK_WANTED,
			     .index = (uint8_t)index,
			     .cnt = (uint8_t)cnt,
			     .ref = 5};

	kit_push_id(p.push_id, 0, tail);
	p.payload = text + index * size;
	p.payload_len = index + 1 < cnt ? size : len - index * size;
	return p;
}

static enum akmapush_ue_outcome feed(uint32_t tail, unsigned index, unsigned cnt, size_t size,
				     size_t len)
{
	struct kit_push p = segment(tail, index, cnt, size, len);

	return kit_push(&kit, &p);
}

RULE(rule_4_any_order_and_repetition_gives_the_payload)
{
	uint64_t seed = 1;

	for (uint32_t round = 1; round <= 300; round++) {
		unsigned cnt = 2 + kit_random(&seed) % 15, missing = cnt;
		size_t size = 1 + kit_random(&seed) % 1184;
		size_t len = size * (cnt - 1) + kit_random(&seed) % (size + 1);
		bool came[16] = {false};

		while (missing > 0) {
			unsigned i = (unsigned)(kit_random(&seed) % cnt);

			missing -= !came[i];
			came[i] = true;
			if (missing > 0)
				EXPECT(SEGMENT, feed(round, i, cnt, size, len));
			else
				EXPECT(DELIVERED, feed(round, i, cnt, size, len));
		}
		cr_assert_eq(kit.got.payload_len, len);
		cr_assert_arr_eq(kit.got.payload, text, len, "round %u", round);
		cr_assert_eq(kit_answered(&kit, 0), 0);
	}
}

RULE(rule_4_an_incomplete_push_is_not_answered)
{
	EXPECT(SEGMENT, feed(1, 0, 2, 100, 150));
	cr_expect_eq(kit_ack(&kit), 0);
	EXPECT(DELIVERED, feed(1, 1, 2, 100, 150));
	kit_pass(&kit, 3000);
	EXPECT(SEGMENT, feed(1, 1, 2, 100, 150)); // a later copy has to be complete as well
	cr_expect_eq(kit_ack(&kit), 0);
	EXPECT(DUPLICATE, feed(1, 0, 2, 100, 150));
}

RULE(rule_4_a_newer_push_takes_the_buffer_over)
{
	EXPECT(SEGMENT, feed(1, 0, 2, 100, 150));
	EXPECT(SEGMENT, feed(2, 0, 2, 100, 150));
	EXPECT(SUPERSEDED, feed(1, 1, 2, 100, 150));
	EXPECT(DELIVERED, feed(2, 1, 2, 100, 150));
}

RULE(rule_4_segments_agree_in_the_header)
{
	struct kit_push p = segment(1, 1, 3, 100, 250);

	EXPECT(SEGMENT, feed(1, 0, 3, 100, 250));
	p.ref = 6;
	EXPECT(INCONSISTENT, kit_push(&kit, &p));
	p = segment(1, 1, 3, 100, 250);
	p.expiry = KIT_START_S + 7;
	EXPECT(INCONSISTENT, kit_push(&kit, &p));
	p = segment(1, 1, 3, 100, 250);
	p.flags = 0;
	EXPECT(INCONSISTENT, kit_push(&kit, &p));
	p = segment(1, 1, 3, 100, 250);
	p.suite = 2;
	EXPECT(INCONSISTENT, kit_push(&kit, &p));
	EXPECT(INCONSISTENT, feed(1, 1, 2, 100, 150));
	EXPECT(INCONSISTENT, feed(1, 1, 3, 99, 250));
	EXPECT(INCONSISTENT, feed(1, 2, 3, 100, 301));
	EXPECT(SEGMENT, feed(1, 1, 3, 100, 250));
	EXPECT(DELIVERED, feed(1, 2, 3, 100, 250));
}

RULE(rule_4_a_newer_key_empties_the_buffer)
{
	EXPECT(SEGMENT, feed(1, 0, 2, 100, 150));
	kit_authenticate(&kit, 2);
	EXPECT(SEGMENT, feed(1, 1, 2, 100, 150));
	memset(kit.kakma, 1, 32);
	EXPECT(SUPERSEDED, feed(1, 0, 2, 100, 150));
	memset(kit.kakma, 2, 32);
	EXPECT(DELIVERED, feed(1, 0, 2, 100, 150));
}

RULE(rule_4_expiry_empties_the_buffer)
{
	struct kit_push p = segment(2, 0, 2, 100, 150);

	p.expiry = KIT_START_S + 10;
	EXPECT(SEGMENT, kit_push(&kit, &p));
	kit_pass(&kit, 11000);
	EXPECT(SEGMENT, feed(1, 0, 2, 100, 150)); // older, but the buffer is free
	EXPECT(DELIVERED, feed(1, 1, 2, 100, 150));
}

RULE(rule_4_a_taken_pool_refuses_and_expiry_frees_it)
{
	struct kit_push p = segment(1, 0, 2, 100, 150);

	EXPECT(SEGMENT, feed(1, 0, 2, 100, 150));
	p.af = 1;
	EXPECT(NO_BUFFER, kit_push(&kit, &p));
	kit_pass(&kit, 3601 * 1000);
	p.expiry = KIT_START_S + 9000;
	EXPECT(SEGMENT, kit_push(&kit, &p));
}

RULE(rule_4_what_does_not_fit_is_refused_from_either_end)
{
	kit.config.pool = akmapush_ue_pool_init(kit.pool, sizeof(kit.pool), 1, 1000);
	kit_new_ue(&kit);
	kit_authenticate(&kit, 1);
	EXPECT(NO_BUFFER, feed(1, 0, 3, 501, 1100));
	EXPECT(SEGMENT, feed(1, 2, 3, 400, 1001));
	EXPECT(NO_BUFFER, feed(1, 0, 3, 400, 1001));
	EXPECT(SEGMENT, feed(2, 2, 3, 400, 1000));
	EXPECT(SEGMENT, feed(2, 0, 3, 400, 1000));
	EXPECT(DELIVERED, feed(2, 1, 3, 400, 1000));
	cr_expect_arr_eq(kit.got.payload, text, 1000);
	EXPECT(INCONSISTENT, feed(3, 0, 2, 0, 0));
}

RULE(rule_4_an_empty_last_segment_is_one)
{
	EXPECT(SEGMENT, feed(1, 1, 2, 1184, 1184));
	EXPECT(DELIVERED, feed(1, 0, 2, 1184, 1184));
	cr_expect_eq(kit.got.payload_len, 1184);
}

RULE(rule_4_without_a_pool_single_datagrams_still_come)
{
	kit.config.pool = NULL;
	kit_new_ue(&kit);
	kit_authenticate(&kit, 1);
	EXPECT(NO_BUFFER, feed(1, 0, 2, 100, 150));
	EXPECT(DELIVERED, feed(1, 0, 1, 100, 100));
}

RULE(pool_limits)
{
	cr_expect_eq(akmapush_ue_pool_size(0, 100), 0);
	cr_expect_eq(akmapush_ue_pool_size(1, 0), 0);
	cr_expect_eq(akmapush_ue_pool_size(1, AKMAPUSH_UE_PAYLOAD_MAX + 1), 0);
	cr_expect_eq(akmapush_ue_pool_size(65535, 100), 0);
	cr_expect_null(akmapush_ue_pool_init(kit.pool, akmapush_ue_pool_size(1, 100) - 1, 1, 100));
}

RULE(rule_4_the_clock_of_one_af_frees_no_buffer_of_another)
{
	struct kit_push p = segment(1, 0, 2, 100, 150);

	kit.config.pool = akmapush_ue_pool_init(kit.pool, sizeof(kit.pool), 2, 1000);
	kit_new_ue(&kit);
	kit.now.trusted = false;
	kit_authenticate(&kit, 1);
	EXPECT(SEGMENT, kit_push(&kit, &p));
	p.af = 1;
	kit_push_id(p.push_id, -7200 * 1000, 1); // two hours on, for this AF
	p.expiry = KIT_START_S + 9000;
	EXPECT(SEGMENT, kit_push(&kit, &p));
	EXPECT(DELIVERED, feed(1, 1, 2, 100, 150));
}

RULE(rule_4_expiry_by_the_clock_of_the_pushes_empties_the_buffer)
{
	struct kit_push p = segment(1, 0, 2, 100, 150);

	kit.now.trusted = false;
	p.expiry = KIT_START_S + 10;
	EXPECT(SEGMENT, kit_push(&kit, &p));
	p = segment(1, 0, 1, 100, 100);
	kit_push_id(p.push_id, -11000, 2);
	EXPECT(DELIVERED, kit_push(&kit, &p));
	EXPECT(SEGMENT, feed(1, 0, 2, 100, 150)); // older than what was there: it is not any more
}
