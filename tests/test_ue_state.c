// The stored state: what is saved comes back, what is damaged is refused.

#include "tests/kit/ue_kit.h"

static struct kit kit;
static uint8_t blob[sizeof(kit.blob_)], again[sizeof(kit.blob_)];

static uint8_t *bytes(void)
{
	return (uint8_t *)kit.blob_;
}

static void push(unsigned af, uint32_t tail, uint8_t status, const char *reply)
{
	struct kit_push p = {.af = af,
			     .flags = APUE_FLAG_ACK_WANTED | APUE_FLAG_ORDERED,
			     .ref = tail,
			     .suite = (uint8_t)(1 + tail % 2)};

	kit_push_id(p.push_id, 0, tail);
	cr_assert_eq(kit_push(&kit, &p), AKMAPUSH_UE_DELIVERED);
	if (status)
		cr_assert_eq(akmapush_ue_answer(kit.ue, &kit.got.id, status, reply,
						reply ? strlen(reply) : 0, &kit.now),
			     0);
}

// Two keys, both AFs, answers of every kind.
static void setup(void)
{
	kit_init(&kit);
	push(0, 1, 0, NULL);
	push(0, 2, 1, "1013 hPa");
	push(1, 3, 2, NULL);
	kit_authenticate(&kit, 2);
	push(0, 4, 2, "no");
	push(1, 5, 1, NULL);
	kit_save(&kit);
}

Test(ue_state, comes_back_as_it_was, .init = setup)
{
	struct kit_push p = {.flags = APUE_FLAG_ACK_WANTED};
	struct apue_ack_fields fields;
	uint8_t reply[AKMAPUSH_UE_SEGMENT_MAX];
	int32_t n = kit.blob_len;

	kit_restart(&kit);
	kit_pass(&kit, 2008);
	kit_push_id(p.push_id, 0, 2);
	cr_assert_eq(kit_push(&kit, &p), AKMAPUSH_UE_DUPLICATE);
	cr_assert_eq(kit_ack(&kit), 48 + 8);
	cr_assert_eq(kit_status(&kit, 0, &fields, reply), 1);
	cr_expect_arr_eq(reply, "1013 hPa", 8);
	kit_restart(&kit);
	memcpy(blob, kit.blob_, sizeof(blob));
	kit_save(&kit);
	cr_expect_eq(kit.blob_len, n);
	kit_restart(&kit);
	memcpy(again, kit.blob_, sizeof(again));
	kit_save(&kit);
	cr_expect_arr_eq(again, bytes(), (size_t)n, "saving and loading has a fixed point");
}

Test(ue_state, any_changed_octet_is_refused, .init = setup)
{
	for (int32_t at = 0; at < kit.blob_len; at++) {
		bytes()[at] ^= (uint8_t)(1 << at % 8);
		kit_new_ue(&kit);
		cr_expect_eq(akmapush_ue_load(kit.ue, &kit.now, bytes(), (size_t)kit.blob_len),
			     AKMAPUSH_UE_EDAMAGED, "octet %d", at);
		bytes()[at] ^= (uint8_t)(1 << at % 8);
	}
}

Test(ue_state, any_other_length_is_refused, .init = setup)
{
	for (int32_t n = 0; n <= kit.blob_len + 20; n++) {
		kit_new_ue(&kit);
		cr_expect_eq(akmapush_ue_load(kit.ue, &kit.now, bytes(), (size_t)n),
			     n == kit.blob_len ? 0 : AKMAPUSH_UE_EDAMAGED, "%d octets", n);
	}
}

Test(ue_state, after_damage_no_key_is_left, .init = setup)
{
	struct kit_push p = {.flags = APUE_FLAG_ACK_WANTED};

	bytes()[kit.blob_len - 1] ^= 1;
	kit_new_ue(&kit);
	cr_assert_eq(akmapush_ue_load(kit.ue, &kit.now, bytes(), (size_t)kit.blob_len),
		     AKMAPUSH_UE_EDAMAGED);
	kit_push_id(p.push_id, 0, 1);
	cr_expect_eq(kit_push(&kit, &p), AKMAPUSH_UE_NO_KEY);
	cr_expect_eq(akmapush_ue_recover(kit.ue, kit.kakma, NULL, &kit.now), 0);
	cr_expect_eq(kit_push(&kit, &p), AKMAPUSH_UE_TOO_OLD);
}

Test(ue_state, too_small_a_place_is_refused, .init = setup)
{
	int32_t needed = kit.blob_len;

	for (int32_t n = 0; n < needed; n++)
		cr_assert_eq(akmapush_ue_save(kit.ue, &kit.now, blob, (size_t)n),
			     AKMAPUSH_UE_ENOROOM, "%d", n);
	cr_expect_eq(akmapush_ue_save(kit.ue, &kit.now, blob, (size_t)needed), needed);
	cr_expect_leq((size_t)needed, akmapush_ue_state_max(&kit.config));
}

Test(ue_state, too_small_a_ue_is_refused, .init = setup)
{
	kit.config.reply_max = 7;
	kit_new_ue(&kit);
	cr_expect_eq(akmapush_ue_load(kit.ue, &kit.now, bytes(), (size_t)kit.blob_len),
		     AKMAPUSH_UE_ENOROOM);
	kit.config.reply_max = KIT_REPLY;
	kit.config.list_max = 1;
	kit_new_ue(&kit);
	cr_expect_eq(akmapush_ue_load(kit.ue, &kit.now, bytes(), (size_t)kit.blob_len),
		     AKMAPUSH_UE_ENOROOM);
}

Test(ue_state, a_full_state_fits_the_largest_blob)
{
	kit_init(&kit);
	for (uint8_t key = 1; key <= 2; key++) {
		kit_authenticate(&kit, key);
		for (uint32_t i = 0; i < 70; i++)
			push(0, key * 1000 + i, i % 3 == 0, NULL);
		for (uint32_t i = 0; i < 70; i++)
			push(1, key * 1000 + i, 0, NULL);
	}
	kit_save(&kit);
	cr_expect_leq((size_t)kit.blob_len, akmapush_ue_state_max(&kit.config));
	kit_restart(&kit);
}

Test(ue_state, afs_are_found_wherever_they_stand, .init = setup)
{
	struct akmapush_ue_af turned[2] = {kit_afs[1], kit_afs[0]};
	struct kit_push p = {.flags = APUE_FLAG_ACK_WANTED};

	kit.config.afs = turned;
	kit_restart(&kit);
	kit_push_id(p.push_id, 0, 2);
	cr_expect_eq(kit_push(&kit, &p), AKMAPUSH_UE_DUPLICATE);
	cr_expect_eq(kit.got.id.af, 1);
}

Test(ue_state, an_af_not_in_the_blob_has_lost_its_list, .init = setup)
{
	struct kit_push p = {.flags = APUE_FLAG_ACK_WANTED, .af = 1};

	kit.config.n_afs = 1;
	kit_restart(&kit); // one AF goes,
	kit_save(&kit);
	kit.config.n_afs = 2;
	kit_restart(&kit); // and comes again
	kit_push_id(p.push_id, 0, 3);
	cr_expect_eq(kit_push(&kit, &p), AKMAPUSH_UE_TOO_OLD);
	kit_push_id(p.push_id, -121000, 3);
	cr_expect_eq(kit_push(&kit, &p), AKMAPUSH_UE_DELIVERED);
	kit.now.trusted = false;
	kit_restart(&kit);
	cr_expect_eq(kit_push(&kit, &p), AKMAPUSH_UE_NO_KEY);
	kit_authenticate(&kit, 3);
	cr_expect_eq(kit_push(&kit, &p), AKMAPUSH_UE_DELIVERED);
}

// What only a hostile writer makes: a blob with a right check.
static int load_checked(size_t n)
{
	static const uint8_t no_key[32];
	struct akmapush_ue_octets all = {bytes(), n};
	uint8_t mac[32];

	cr_assert(kit.config.crypto->hmac_sha256(NULL, no_key, &all, 1, mac));
	memcpy(bytes() + n, mac, 16);
	kit_new_ue(&kit);
	return akmapush_ue_load(kit.ue, &kit.now, bytes(), n + 16);
}

Test(ue_state, no_length_with_a_right_check_is_taken, .init = setup)
{
	size_t whole = (size_t)kit.blob_len - 16;

	for (unsigned turn = 0; turn < 2; turn++) { // the last record is passed over, then taken
		for (size_t n = 84; n <= whole; n++) {
			setup();
			kit.config.afs = kit_afs + turn;
			kit.config.n_afs = 1;
			cr_expect_eq(load_checked(n), n == whole ? 0 : AKMAPUSH_UE_EDAMAGED,
				     "%zu octets, AF %u", n, turn);
		}
	}
	for (size_t n = 84; n < whole; n++) {
		setup();
		cr_expect_eq(load_checked(n), AKMAPUSH_UE_EDAMAGED, "%zu octets", n);
	}
}

Test(ue_state, what_no_ue_is_in_is_refused, .init = setup)
{
	enum { FLAGS = 5, LEFT = 12, FIRST_AF = 84, LISTS = FIRST_AF + 73, ENTRY = 22 };
	size_t whole = (size_t)kit.blob_len - 16;
	uint8_t *entry = bytes() + LISTS + 2;

	bytes()[FLAGS] &= ~1; // a previous key alone
	cr_expect_eq(load_checked(whole), AKMAPUSH_UE_EDAMAGED);
	setup();
	bytes()[LEFT] = 0x10; // kept for days
	cr_expect_eq(load_checked(whole), AKMAPUSH_UE_EDAMAGED);
	setup();
	cr_assert_eq(bytes()[LISTS], 1);
	cr_assert_eq(bytes()[LISTS + 1], 2);
	// One push on both lists: the entry of the current one has a reply of 2 octets.
	memcpy(entry, entry + ENTRY + 6 + 2, 16);
	cr_expect_eq(load_checked(whole), AKMAPUSH_UE_EDAMAGED);
}

Test(ue_state, before_the_first_key_there_is_no_list_to_lose)
{
	struct kit_push p = {.flags = APUE_FLAG_ACK_WANTED, .af = 1};

	kit_init(&kit);
	kit.config.n_afs = 1;
	kit_new_ue(&kit);
	kit_save(&kit);
	kit.config.n_afs =
		2; // an AF is provisioned between delivery of the device and its first key
	kit_restart(&kit);
	kit_authenticate(&kit, 1);
	kit_push_id(p.push_id, 0, 1);
	cr_expect_eq(kit_push(&kit, &p), AKMAPUSH_UE_DELIVERED);
}
