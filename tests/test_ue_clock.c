// Rule 3 and the end of the previous key where clocks are awkward: trusted late, lost, at their
// end.

#include "tests/kit/ue_kit.h"

static struct kit kit;

static void setup(void)
{
	kit_init(&kit);
}

static struct kit_push push_at(int64_t age_ms, uint32_t tail)
{
	struct kit_push p = {.flags = APUE_FLAG_ACK_WANTED, .ref = tail};

	p.expiry = KIT_START_S + 300000;
	kit_push_id(p.push_id, age_ms, tail);
	return p;
}

#define CLOCK(name) Test(ue_clock, name, .init = setup)
#define EXPECT(outcome, expression)                                                                \
	do {                                                                                       \
		enum akmapush_ue_outcome got_ = (expression);                                      \
		cr_expect_eq(got_, AKMAPUSH_UE_##outcome, "got: %s",                               \
			     akmapush_ue_outcome_text(got_));                                      \
	} while (0)

CLOCK(a_clock_that_is_trusted_no_more_gives_way_to_the_pushes)
{
	struct kit_push p = push_at(50000, 1);

	EXPECT(DELIVERED, kit_push(&kit, &p));
	kit_pass(&kit, 3600 * 1000);
	kit.now.trusted = false;
	p = push_at(0, 2);
	p.expiry = KIT_START_S - 50; // past by the clock, not by the largest push
	EXPECT(EXPIRED, kit_push(&kit, &p));
	p = push_at(49000, 3);
	p.expiry = KIT_START_S;
	EXPECT(DELIVERED, kit_push(&kit, &p));
	p = push_at(-48 * 3600 * 1000, 4); // nothing to compare with
	EXPECT(DELIVERED, kit_push(&kit, &p));
	kit.now.trusted = true;
	p = push_at(0, 5);
	p.expiry = kit.now.unix_s;
	EXPECT(DELIVERED, kit_push(&kit, &p));
}

CLOCK(what_is_ahead_moves_no_clock)
{
	struct kit_push p = push_at(-48 * 3600 * 1000, 1);

	EXPECT(AHEAD, kit_push(&kit, &p));
	cr_expect(!kit.got.persist);
	kit.now.trusted = false;
	p = push_at(0, 2);
	p.expiry = KIT_START_S;
	EXPECT(DELIVERED, kit_push(&kit, &p));
}

CLOCK(a_moved_clock_is_to_be_saved_even_if_the_push_has_expired)
{
	struct kit_push p = push_at(0, 1);

	kit.now.trusted = false;
	p.expiry = KIT_START_S - 1;
	EXPECT(EXPIRED, kit_push(&kit, &p));
	cr_expect(kit.got.persist);
	EXPECT(EXPIRED, kit_push(&kit, &p));
	cr_expect(!kit.got.persist);
}

CLOCK(the_previous_key_ends_while_off_if_the_clock_became_trusted_in_time)
{
	struct kit_push p = push_at(0, 1);

	kit.now.trusted = false;
	kit_authenticate(&kit, 2);
	kit_pass(&kit, 3600 * 1000);
	kit.now.trusted = true;
	kit_save(&kit);
	kit_pass(&kit, 23 * 3600 * 1000); // off
	kit_restart(&kit);
	memset(kit.kakma, 1, 32);
	EXPECT(NO_KEY, kit_push(&kit, &p));
	cr_expect(kit.got.persist);
}

CLOCK(the_previous_key_ends_once_only)
{
	struct kit_push p = push_at(0, 1);

	kit_authenticate(&kit, 2);
	kit_pass(&kit, 24 * 3600 * 1000 - 1);
	cr_expect(!akmapush_ue_poll(kit.ue, &kit.now));
	EXPECT(DELIVERED, kit_push(&kit, &p)); // 300 s from here are later than 24 h
	kit_pass(&kit, 1);
	cr_expect(akmapush_ue_poll(kit.ue, &kit.now));
	cr_expect(!akmapush_ue_poll(kit.ue, &kit.now));
}

CLOCK(the_last_seconds_of_unix_time_do_not_wrap)
{
	uint8_t key[32] = {3};
	struct kit_push p = {.flags = APUE_FLAG_ACK_WANTED, .expiry = UINT32_MAX};

	kit.now.unix_s = UINT32_MAX - 60;
	kit_new_ue(&kit);
	cr_assert_eq(akmapush_ue_recover(kit.ue, key, NULL, &kit.now), 0);
	memcpy(kit.kakma, key, 32);
	kit_push_id(p.push_id, ((int64_t)KIT_START_S - UINT32_MAX) * 1000, 1);
	EXPECT(TOO_OLD, kit_push(&kit, &p));
	kit_authenticate(&kit, 4);
	kit_save(&kit);
	kit_restart(&kit);
	memcpy(kit.kakma, key, 32);
	EXPECT(TOO_OLD, kit_push(&kit, &p)); // the previous key is still there
}

CLOCK(spacing_of_acks_survives_the_wrap_of_its_ticks)
{
	static const uint64_t wrap_ms = (uint64_t)8 << 23;
	struct kit_push p = push_at(0, 1);

	for (unsigned round = 0; round < 3; round++) {
		kit_init(&kit);
		kit.now.ms = wrap_ms - 1000 - round; // the first before, the second after it
		EXPECT(DELIVERED, kit_push(&kit, &p));
		cr_expect_eq(kit_ack(&kit), 48);
		kit.now.ms += 1999;
		cr_expect_lt(kit_ack(&kit), 0);
		kit.now.ms += 10;
		cr_expect_eq(kit_ack(&kit), 48);
		kit.now.ms += wrap_ms; // a whole turn looks like no time: late, never early
		cr_expect_lt(kit_ack(&kit), 0);
		kit.now.ms += 2008;
		cr_expect_eq(kit_ack(&kit), 48);
	}
}
