// Every rule of "UE rules", by number.

#include "tests/kit/ue_kit.h"

enum { WANTED = APUE_FLAG_ACK_WANTED, ORDERED = APUE_FLAG_ORDERED };

static struct kit kit;

static struct kit_push push_at(int64_t age_ms, uint32_t tail)
{
	struct kit_push p = {.flags = WANTED, .ref = tail};

	kit_push_id(p.push_id, age_ms, tail);
	return p;
}

#define RULE(name) Test(ue_rules, name, .init = setup)
#define EXPECT(outcome, expression)                                                                \
	do {                                                                                       \
		enum akmapush_ue_outcome got_ = (expression);                                      \
		cr_expect_eq(got_, AKMAPUSH_UE_##outcome, "got: %s",                               \
			     akmapush_ue_outcome_text(got_));                                      \
	} while (0)

static void setup(void)
{
	kit_init(&kit);
}

RULE(rule_1_form_is_checked_before_any_key)
{
	static const struct {
		unsigned at;
		uint8_t flip;
		enum akmapush_ue_outcome outcome;
	} cases[] = {
		{0, 0x20, AKMAPUSH_UE_BAD_VERSION},  {0, 0x03, AKMAPUSH_UE_BAD_TYPE},
		{1, 0x02, AKMAPUSH_UE_BAD_SUITE},    {2, 0x04, AKMAPUSH_UE_BAD_FLAGS},
		{3, 0x10, AKMAPUSH_UE_BAD_SEGMENT},  {14, 0x30, AKMAPUSH_UE_BAD_PUSH_ID},
		{16, 0x40, AKMAPUSH_UE_BAD_PUSH_ID},
	};
	struct kit_push p = push_at(0, 1);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		kit_seal(&kit, &p);
		kit.datagram[cases[i].at] ^= cases[i].flip;
		cr_expect_eq(kit_feed(&kit), cases[i].outcome, "case %zu", i);
		cr_expect_eq(kit_ack(&kit), 0);
	}
	for (size_t n = 0; n < 48; n++) {
		kit.datagram_len = n;
		EXPECT(BAD_LENGTH, kit_feed(&kit));
	}
	kit.datagram_len = 1233;
	EXPECT(BAD_LENGTH, kit_feed(&kit));
}

RULE(rule_1_trusted_clock_drops_the_expired)
{
	struct kit_push p = push_at(10000, 1);

	p.expiry = KIT_START_S - 1;
	EXPECT(EXPIRED, kit_push(&kit, &p));
	p.expiry = KIT_START_S;
	EXPECT(DELIVERED, kit_push(&kit, &p));
}

RULE(rule_2_every_af_and_both_keys_are_candidates)
{
	struct kit_push p = push_at(0, 1);

	p.af = 1;
	p.suite = 2;
	EXPECT(DELIVERED, kit_push(&kit, &p));
	cr_expect_eq(kit.got.id.af, 1);
	cr_expect_eq(kit.got.payload_len, 14);
	cr_expect_arr_eq(kit.got.payload, "open the valve", 14);
	kit_authenticate(&kit, 2);
	p = push_at(0, 2);
	EXPECT(DELIVERED, kit_push(&kit, &p));
	memset(kit.kakma, 1, 32); // the push function has not heard of the new key yet
	p = push_at(0, 3);
	EXPECT(DELIVERED, kit_push(&kit, &p));
	cr_expect_eq(kit_answered(&kit, 0), 0, "sealed under the key that opened it");
	memset(kit.kakma, 9, 32);
	p = push_at(0, 4);
	EXPECT(NO_KEY, kit_push(&kit, &p));
	cr_expect_eq(kit_ack(&kit), 0);
}

RULE(rule_2_a_changed_octet_opens_nothing)
{
	struct kit_push p = push_at(0, 1);

	for (size_t at = 4; at < 62; at++) {
		if (at == 14 || at == 16)
			continue;
		kit_seal(&kit, &p);
		kit.datagram[at] ^= 1;
		cr_expect_neq(kit_feed(&kit), AKMAPUSH_UE_DELIVERED, "octet %zu", at);
		cr_expect_eq(kit_ack(&kit), 0);
	}
}

RULE(rule_3_trusted_clock_drops_what_is_a_day_ahead)
{
	struct kit_push p = push_at(-(24 * 3600 + 1) * 1000, 1);

	p.expiry = KIT_START_S + 48 * 3600;
	EXPECT(AHEAD, kit_push(&kit, &p));
	kit_push_id(p.push_id, -24 * 3600 * 1000, 1);
	EXPECT(DELIVERED, kit_push(&kit, &p));
}

RULE(rule_3_untrusted_clock_is_the_largest_push_time_of_the_af)
{
	struct kit_push old = push_at(100000, 1), young = push_at(0, 2);

	kit.now.trusted = false;
	kit.now.unix_s = 0;
	old.expiry = KIT_START_S - 1;
	EXPECT(DELIVERED, kit_push(&kit, &young));
	EXPECT(EXPIRED, kit_push(&kit, &old));
	kit_save(&kit);
	kit_restart(&kit);
	EXPECT(EXPIRED, kit_push(&kit, &old));
	old.af = 1; // whose clock has not moved
	EXPECT(DELIVERED, kit_push(&kit, &old));
}

RULE(rule_3_a_forged_time_moves_no_clock)
{
	struct kit_push forged = push_at(-1000000, 1), p = push_at(0, 2);

	kit.now.trusted = false;
	kit_seal(&kit, &forged);
	kit.datagram[50] ^= 1;
	EXPECT(NO_KEY, kit_feed(&kit));
	p.expiry = KIT_START_S + 1;
	EXPECT(DELIVERED, kit_push(&kit, &p));
}

RULE(rule_5_a_duplicate_is_answered_not_delivered)
{
	struct kit_push p = push_at(0, 1);

	EXPECT(DELIVERED, kit_push(&kit, &p));
	cr_expect(kit.got.persist);
	cr_expect_eq(akmapush_ue_answer(kit.ue, &kit.got.id, 2, NULL, 0, &kit.now), 0);
	cr_expect_eq(kit_answered(&kit, 0), 2);
	kit_pass(&kit, 2000);
	EXPECT(DUPLICATE, kit_push(&kit, &p));
	cr_expect_null(kit.got.payload);
	cr_expect_eq(kit_answered(&kit, 0), 2);
}

RULE(rule_5_a_duplicate_under_another_key_gets_the_stored_answer_under_that_key)
{
	struct kit_push p = push_at(0, 1);
	struct apue_ack_fields fields;
	uint8_t reply[AKMAPUSH_UE_SEGMENT_MAX];

	EXPECT(DELIVERED, kit_push(&kit, &p));
	cr_expect_eq(akmapush_ue_answer(kit.ue, &kit.got.id, 1, "done", 4, &kit.now), 0);
	kit_authenticate(&kit, 2);
	kit_pass(&kit, 3000);
	p.suite = 2;
	p.ref = 77;
	EXPECT(DUPLICATE, kit_push(&kit, &p));
	cr_expect_gt(kit_ack(&kit), 0);
	cr_expect_eq(kit_status(&kit, 0, &fields, reply), 1);
	cr_expect_eq(fields.reply_len, 4);
	cr_expect_arr_eq(reply, "done", 4);
	cr_expect_eq(fields.suite, 2);
	cr_expect_eq(fields.ref[3], 77);
	memset(kit.kakma, 1, 32); // a copy under the old key once more
	kit_pass(&kit, 3000);
	EXPECT(DUPLICATE, kit_push(&kit, &p));
	cr_expect_eq(kit_answered(&kit, 0), 1);
}

RULE(rule_5_the_65th_push_raises_the_floor)
{
	struct kit_push p;

	for (uint32_t i = 1; i <= 65; i++) {
		p = push_at(0, i);
		EXPECT(DELIVERED, kit_push(&kit, &p));
	}
	p = push_at(0, 2);
	EXPECT(DUPLICATE, kit_push(&kit, &p));
	p = push_at(0, 1);
	EXPECT(TOO_OLD, kit_push(&kit, &p));
	cr_expect_eq(kit_answered(&kit, 0), 3);
	p = push_at(1, 0);
	EXPECT(TOO_OLD, kit_push(&kit, &p));
	cr_expect_eq(kit_answered(&kit, 0), 3);
}

RULE(rule_5_ordered_takes_only_what_is_larger)
{
	struct kit_push five = push_at(0, 5), four = push_at(0, 4), six = push_at(0, 6);

	five.flags = four.flags = six.flags = WANTED | ORDERED;
	EXPECT(DELIVERED, kit_push(&kit, &five));
	cr_expect(kit.got.ordered);
	kit_authenticate(&kit, 2); // across keys
	EXPECT(OUT_OF_ORDER, kit_push(&kit, &four));
	cr_expect_eq(kit_answered(&kit, 0), 3);
	EXPECT(DELIVERED, kit_push(&kit, &six));
	four.flags = WANTED; // without the flag order does not matter
	EXPECT(DELIVERED, kit_push(&kit, &four));
}

RULE(rule_5_other_afs_have_lists_of_their_own)
{
	struct kit_push p = push_at(0, 1);

	EXPECT(DELIVERED, kit_push(&kit, &p));
	p.af = 1;
	EXPECT(DELIVERED, kit_push(&kit, &p));
	EXPECT(DUPLICATE, kit_push(&kit, &p));
}

RULE(rule_5_an_erased_list_merges_into_the_current_one)
{
	struct kit_push p;

	for (uint32_t i = 1; i <= 40; i++) {
		p = push_at(0, 2 * i);
		EXPECT(DELIVERED, kit_push(&kit, &p));
	}
	kit_authenticate(&kit, 2);
	for (uint32_t i = 1; i <= 40; i++) {
		p = push_at(0, 2 * i + 1);
		EXPECT(DELIVERED, kit_push(&kit, &p));
	}
	kit_pass(&kit, 300000);
	cr_expect(akmapush_ue_poll(kit.ue, &kit.now));
	for (uint32_t i = 2; i <= 81; i++) { // 80 known, the 64 largest stay
		p = push_at(0, i);
		if (i <= 17)
			EXPECT(TOO_OLD, kit_push(&kit, &p));
		else
			EXPECT(DUPLICATE, kit_push(&kit, &p));
	}
}

RULE(rule_5_a_push_off_the_old_list_does_not_come_in_by_the_new_key)
{
	struct kit_push p;

	for (uint32_t i = 1; i <= 65; i++) {
		p = push_at(0, i);
		EXPECT(DELIVERED, kit_push(&kit, &p));
	}
	kit_authenticate(&kit, 2);
	p = push_at(0, 1);
	EXPECT(TOO_OLD, kit_push(&kit, &p));
}

RULE(rule_6_answer_is_final)
{
	struct kit_push p = push_at(0, 1);
	struct akmapush_ue_push_id unknown = {.af = 0};

	EXPECT(DELIVERED, kit_push(&kit, &p));
	cr_expect_eq(akmapush_ue_answer(kit.ue, &kit.got.id, 0, NULL, 0, &kit.now),
		     AKMAPUSH_UE_EINVAL);
	cr_expect_eq(akmapush_ue_answer(kit.ue, &kit.got.id, 3, NULL, 0, &kit.now),
		     AKMAPUSH_UE_EINVAL);
	cr_expect_eq(akmapush_ue_answer(kit.ue, &unknown, 1, NULL, 0, &kit.now),
		     AKMAPUSH_UE_EUNKNOWN);
	unknown.af = 99;
	cr_expect_eq(akmapush_ue_answer(kit.ue, &unknown, 1, NULL, 0, &kit.now),
		     AKMAPUSH_UE_EUNKNOWN);
	cr_expect_eq(akmapush_ue_answer(kit.ue, &kit.got.id, 1, NULL, 0, &kit.now), 0);
	cr_expect_eq(akmapush_ue_answer(kit.ue, &kit.got.id, 2, NULL, 0, &kit.now),
		     AKMAPUSH_UE_EFINAL);
}

RULE(rule_6_received_first_acted_upon_later)
{
	struct kit_push p = push_at(0, 1);

	EXPECT(DELIVERED, kit_push(&kit, &p));
	cr_expect_eq(kit_answered(&kit, 0), 0);
	kit_pass(&kit, 500);
	cr_expect_eq(akmapush_ue_answer(kit.ue, &kit.got.id, 1, NULL, 0, &kit.now), 0);
	cr_expect_eq(kit_ack(&kit), -1504, "%d ms", kit.ack_len); // in steps of 8 ms
	kit_pass(&kit, 1504);
	cr_expect_eq(kit_answered(&kit, 0), 1);
}

RULE(rule_6_four_acks_two_seconds_apart_then_sixty)
{
	struct kit_push p = push_at(0, 1);
	uint64_t at[8];
	unsigned n = 0;

	for (unsigned i = 0; i < 2000 && n < 7; i++, kit_pass(&kit, 100)) {
		kit_push(&kit, &p);
		if (kit_ack(&kit) > 0)
			at[n++] = kit.now.ms;
	}
	cr_assert_eq(n, 7);
	for (unsigned i = 1; i < 7; i++) {
		cr_expect_geq(at[i] - at[i - 1], i < 4 ? 2000 : 60000);
		cr_expect_leq(at[i] - at[i - 1], i < 4 ? 2100 : 60100);
	}
}

RULE(rule_6_acks_with_status_3_are_spaced_too)
{
	struct kit_push p = push_at(0, 9);
	unsigned acks = 0;

	p.flags |= ORDERED;
	EXPECT(DELIVERED, kit_push(&kit, &p));
	for (unsigned i = 0; i < 600; i++, kit_pass(&kit, 100)) {
		// More refused pushes than the UE can tell apart at a time: none is answered too
		// often.
		p = push_at(0, 1);
		p.flags |= ORDERED;
		EXPECT(OUT_OF_ORDER, kit_push(&kit, &p));
		acks += kit_ack(&kit) > 0;
		p = push_at(1000 + i % 100, 1);
		p.flags |= ORDERED;
		EXPECT(OUT_OF_ORDER, kit_push(&kit, &p));
		kit_ack(&kit);
	}
	cr_expect_geq(acks, 1);
	cr_expect_leq(acks, 5, "%u ACKs for one push in 60 s", acks);
}

RULE(rule_6_no_ack_unless_wanted)
{
	struct kit_push p = push_at(0, 1);

	p.flags = 0;
	EXPECT(DELIVERED, kit_push(&kit, &p));
	cr_expect_eq(kit_ack(&kit), 0);
}

RULE(rule_6_acks_go_to_provisioned_addresses_only)
{
	struct kit_push p = push_at(0, 1);

	EXPECT(DELIVERED, kit_push(&kit, &p));
	cr_expect_gt(kit_ack(&kit), 0);
	cr_expect_arr_eq(kit.to.octets, kit_functions[0].octets, 16);
	cr_expect_eq(kit.to.port, 5000, "the source's port where any is provisioned");
	kit.source.octets[15] = 99; // somebody sends it on
	p = push_at(0, 2);
	EXPECT(DELIVERED, kit_push(&kit, &p));
	cr_expect_gt(kit_ack(&kit), 0);
	cr_expect_arr_eq(kit.to.octets, kit_functions[1].octets, 16);
	cr_expect_eq(kit.to.port, 7000);
	kit.source = kit_functions[1];
	kit.source.port = 7001; // right address, wrong port
	p = push_at(0, 3);
	p.af = 1;
	EXPECT(DELIVERED, kit_push(&kit, &p));
	cr_expect_gt(kit_ack(&kit), 0);
	cr_expect_eq(kit.to.port, 7000);
}

RULE(rule_6_what_was_not_stored_is_delivered_again)
{
	struct kit_push p = push_at(0, 1);

	p.flags |= ORDERED;
	EXPECT(DELIVERED, kit_push(&kit, &p));
	akmapush_ue_withdraw(kit.ue, &kit.got.id);
	cr_expect_eq(kit_ack(&kit), 0);
	EXPECT(DELIVERED, kit_push(&kit, &p));
	EXPECT(DUPLICATE, kit_push(&kit, &p));
}

RULE(rule_6_replies_need_a_store)
{
	struct kit_push p = push_at(0, 1);
	uint8_t reply[KIT_REPLY + 1] = {1};

	EXPECT(DELIVERED, kit_push(&kit, &p));
	cr_expect_eq(akmapush_ue_answer(kit.ue, &kit.got.id, 1, reply, KIT_REPLY + 1, &kit.now),
		     AKMAPUSH_UE_ENOROOM);
	cr_expect_eq(akmapush_ue_answer(kit.ue, &kit.got.id, 1, reply, KIT_REPLY, &kit.now), 0);
	cr_expect_eq(kit_ack(&kit), 48 + KIT_REPLY);
	kit.config.n_replies = 0;
	kit_new_ue(&kit);
	kit_authenticate(&kit, 1);
	EXPECT(DELIVERED, kit_push(&kit, &p));
	cr_expect_eq(akmapush_ue_answer(kit.ue, &kit.got.id, 1, reply, 1, &kit.now),
		     AKMAPUSH_UE_ENOROOM);
	cr_expect_eq(akmapush_ue_answer(kit.ue, &kit.got.id, 1, NULL, 0, &kit.now), 0);
}

RULE(rule_6_a_reply_keeps_its_slot_until_its_push_expires)
{
	struct kit_push p;

	for (uint32_t i = 1; i <= KIT_REPLIES + 1; i++) {
		p = push_at(0, i);
		p.expiry = KIT_START_S + 10;
		EXPECT(DELIVERED, kit_push(&kit, &p));
		cr_expect_eq(akmapush_ue_answer(kit.ue, &kit.got.id, 1, "ok", 2, &kit.now),
			     i <= KIT_REPLIES ? 0 : AKMAPUSH_UE_ENOROOM);
	}
	kit_pass(&kit, 11000);
	p = push_at(0, 99);
	EXPECT(DELIVERED, kit_push(&kit, &p));
	cr_expect_eq(akmapush_ue_answer(kit.ue, &kit.got.id, 1, "ok", 2, &kit.now), 0);
}

RULE(rule_7_lost_lists_refuse_all_keys_without_a_trusted_clock)
{
	uint8_t current[32] = {2}, previous[32] = {1};
	struct kit_push p = push_at(0, 1);

	memcpy(kit.kakma, current, 32);
	kit_new_ue(&kit);
	kit.now.trusted = false;
	cr_expect_eq(akmapush_ue_recover(kit.ue, current, previous, &kit.now),
		     AKMAPUSH_UE_EREFUSED);
	EXPECT(NO_KEY, kit_push(&kit, &p));
	kit_authenticate(&kit, 3); // the next primary authentication
	EXPECT(DELIVERED, kit_push(&kit, &p));
}

RULE(rule_7_lost_lists_with_a_trusted_clock_set_floors_120_s_ahead)
{
	uint8_t current[32] = {2}, previous[32] = {1};
	struct kit_push before = push_at(-119999, 1), after = push_at(-121000, 2);

	kit_new_ue(&kit);
	cr_expect_eq(akmapush_ue_recover(kit.ue, current, previous, &kit.now), 0);
	memcpy(kit.kakma, current, 32);
	EXPECT(TOO_OLD, kit_push(&kit, &before));
	cr_expect_eq(kit_answered(&kit, 0), 3);
	memcpy(kit.kakma, previous, 32);
	EXPECT(TOO_OLD, kit_push(&kit, &before));
	EXPECT(DELIVERED, kit_push(&kit, &after));
}

RULE(previous_key_lives_300_s_after_the_first_push_under_the_new_one)
{
	struct kit_push p = push_at(0, 1), old = push_at(0, 2), late = push_at(0, 3);

	kit_authenticate(&kit, 2);
	kit_pass(&kit, 3600 * 1000);
	p.expiry = old.expiry = late.expiry = KIT_START_S + 90000;
	EXPECT(DELIVERED, kit_push(&kit, &p));
	cr_expect(kit.got.persist);
	memset(kit.kakma, 1, 32);
	kit_pass(&kit, 299999);
	EXPECT(DELIVERED, kit_push(&kit, &old));
	kit_pass(&kit, 1);
	EXPECT(NO_KEY, kit_push(&kit, &late));
	cr_expect(kit.got.persist, "the erasure is to be saved");
	memset(kit.kakma, 2, 32);
	EXPECT(DUPLICATE, kit_push(&kit, &old));
}

RULE(previous_key_lives_24_h_at_most_restarts_included)
{
	struct kit_push p = push_at(0, 1);

	kit_authenticate(&kit, 2);
	memset(kit.kakma, 1, 32);
	p.expiry = KIT_START_S + 200000;
	kit_pass(&kit, 10 * 3600 * 1000);
	kit_save(&kit);
	kit_pass(&kit, 10 * 3600 * 1000); // off
	kit_restart(&kit);
	kit_pass(&kit, 4 * 3600 * 1000 - 1);
	EXPECT(DELIVERED, kit_push(&kit, &p));
	kit_pass(&kit, 1);
	p = push_at(0, 2);
	p.expiry = KIT_START_S + 200000;
	EXPECT(NO_KEY, kit_push(&kit, &p));
}

RULE(a_third_key_ends_the_first)
{
	struct kit_push p = push_at(0, 1);

	EXPECT(DELIVERED, kit_push(&kit, &p));
	kit_authenticate(&kit, 2);
	kit_authenticate(&kit, 3);
	EXPECT(DUPLICATE, kit_push(&kit, &p));
	memset(kit.kakma, 1, 32);
	EXPECT(NO_KEY, kit_push(&kit, &p));
	memset(kit.kakma, 2, 32);
	EXPECT(DUPLICATE, kit_push(&kit, &p));
}

RULE(the_current_key_again_changes_nothing)
{
	struct kit_push p = push_at(0, 1);

	kit_authenticate(&kit, 2);
	kit_authenticate(&kit, 2);
	memset(kit.kakma, 1, 32);
	EXPECT(DELIVERED, kit_push(&kit, &p));
}

RULE(keys_from_kausf)
{
	uint8_t kausf[32] = {7};
	struct kit_push p = push_at(0, 1);

	cr_expect_eq(akmapush_ue_set_kausf(kit.ue, kausf, "imsi-001010000000001", &kit.now), 0);
	cr_assert(apue_kakma(kit.config.crypto, kausf, "imsi-001010000000001", kit.kakma));
	EXPECT(DELIVERED, kit_push(&kit, &p));
	cr_expect_eq(akmapush_ue_set_kausf(kit.ue, kausf, "001010000000001", &kit.now),
		     AKMAPUSH_UE_EINVAL);
	cr_expect_eq(akmapush_ue_set_kausf(kit.ue, kausf, "imsi-", &kit.now), AKMAPUSH_UE_EINVAL);
}

RULE(configuration_is_checked)
{
	static const char *const bad[] = {
		"a.b",     "Meters.example.com", "meters",    ".example.com",
		"a..com",  "example.com.",       "-a.com",    "a-.com",
		"a_b.com", "b\xc3\xbc.com",      "a.com/x.y", ""};
	struct akmapush_ue_af afs[2] = {kit_afs[0], kit_afs[0]};
	struct akmapush_ue_config config = kit.config;

	cr_expect_eq(akmapush_ue_size(&config),
		     AKMAPUSH_UE_SIZE(KIT_AFS, 64, KIT_REPLIES, KIT_REPLY));
	cr_expect_null(akmapush_ue_init(kit.memory, akmapush_ue_size(&config) - 1, &config));
	config.afs = afs;
	cr_expect_eq(akmapush_ue_size(&config), 0, "one AF twice");
	config.n_afs = 1;
	cr_expect_neq(akmapush_ue_size(&config), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		afs[0].fqdn = bad[i];
		cr_expect_eq(akmapush_ue_size(&config), 0, "%s", bad[i]);
	}
	afs[0] = kit_afs[0];
	config.reply_max = 1185;
	cr_expect_eq(akmapush_ue_size(&config), 0);
	config.reply_max = 0;
	cr_expect_eq(akmapush_ue_size(&config), 0);
	config.n_replies = 0;
	cr_expect_leq(akmapush_ue_size(&config), 4096);
	config.list_max = 65;
	cr_expect_eq(akmapush_ue_size(&config), 0);
}
