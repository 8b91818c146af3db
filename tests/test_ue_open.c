// Rules 1 and 2 to the last value: which headers are dropped, which keys are tried and when.

#include "tests/kit/ue_kit.h"

static struct kit kit;

// The built-in crypto with a diary: the key of each HMAC that makes a block, and how often a tag
// was looked at. With `collide` all selectors are the same.
static struct {
	unsigned n_keys, n_opens;
	uint8_t keys[16][32];
	bool collide;
} diary;

static bool hmac(void *arg, const uint8_t key[32], const struct akmapush_ue_octets *parts,
		 size_t n_parts, uint8_t mac[32])
{
	bool ok = akmapush_ue_crypto_builtin.hmac_sha256(arg, key, parts, n_parts, mac);

	if (n_parts != 5) // not a block
		return ok;
	if (diary.n_keys < 16)
		memcpy(diary.keys[diary.n_keys++], key, 32);
	if (diary.collide)
		memset(mac + 28, 0x5e, 4);
	return ok;
}

static bool seal(void *arg, const uint8_t *key, size_t key_len, const uint8_t nonce[12],
		 const uint8_t *aad, size_t aad_len, const uint8_t *in, size_t n, uint8_t *out,
		 uint8_t tag[16])
{
	return akmapush_ue_crypto_builtin.aead_seal(arg, key, key_len, nonce, aad, aad_len, in, n,
						    out, tag);
}

static bool open(void *arg, const uint8_t *key, size_t key_len, const uint8_t nonce[12],
		 const uint8_t *aad, size_t aad_len, const uint8_t *in, size_t n,
		 const uint8_t tag[16], uint8_t *out)
{
	diary.n_opens++;
	return akmapush_ue_crypto_builtin.aead_open(arg, key, key_len, nonce, aad, aad_len, in, n,
						    tag, out);
}

static const struct akmapush_ue_crypto telling = {
	.name = "telling", .hmac_sha256 = hmac, .aead_seal = seal, .aead_open = open};

// Key 1 is the previous, key 2 the current one.
static void setup(void)
{
	kit_init(&kit);
	kit.config.crypto = &telling;
	kit_new_ue(&kit);
	kit_authenticate(&kit, 1);
	kit_authenticate(&kit, 2);
}

static enum akmapush_ue_outcome input(uint8_t key, unsigned af, uint32_t tail)
{
	struct kit_push p = {.flags = APUE_FLAG_ACK_WANTED, .af = af};

	memset(kit.kakma, key, 32);
	kit_push_id(p.push_id, 0, tail);
	kit_seal(&kit, &p);
	diary.n_keys = diary.n_opens = 0;
	return kit_feed(&kit);
}

static bool tried(unsigned i, uint8_t key, unsigned af)
{
	uint8_t kakma[32], kaf[32];

	memset(kakma, key, 32);
	cr_assert(apue_kaf(kit.config.crypto, kakma, &kit_afs[af], kaf));
	return i < diary.n_keys && !memcmp(diary.keys[i], kaf, 32);
}

#define OPEN(name) Test(ue_open, name, .init = setup)

// Rule 1 as one line for each octet.
static bool is_well_formed(unsigned at, uint8_t v)
{
	switch (at) {
	case 0: // version 1, type PUSH
		return v == 0x11;
	case 1: // suite
		return v == 1 || v == 2;
	case 2: // ACK wanted, ordered
		return v < 4;
	case 3: // index below count
		return v / 16 < v % 16 + 1;
	case 8 + 6: // version of the UUID
		return v / 16 == 7;
	case 8 + 8: // variant
		return v / 64 == 2;
	default:
		return true;
	}
}

OPEN(rule_1_every_value_of_every_octet_of_the_header)
{
	struct kit_push p = {.flags = APUE_FLAG_ACK_WANTED};
	uint8_t sealed[32];

	kit_push_id(p.push_id, 0, 1);
	kit_seal(&kit, &p);
	memcpy(sealed, kit.datagram, sizeof(sealed));
	kit.now.trusted = false; // expiry is another test
	for (unsigned at = 0; at < 32; at++)
		for (unsigned v = 0; v < 256; v++) {
			enum akmapush_ue_outcome outcome;

			if (v == sealed[at])
				continue;
			memcpy(kit.datagram, sealed, sizeof(sealed));
			kit.datagram[at] = (uint8_t)v;
			diary.n_keys = 0;
			outcome = kit_feed(&kit);
			cr_assert_eq(outcome == AKMAPUSH_UE_NO_KEY, is_well_formed(at, (uint8_t)v),
				     "octet %u, value %u", at, v);
			cr_assert_gt(outcome, AKMAPUSH_UE_ANSWERED_LAST);
			cr_assert_eq(diary.n_keys > 0, outcome == AKMAPUSH_UE_NO_KEY,
				     "no key is touched before the form is right");
			cr_assert_eq(kit_ack(&kit), 0);
		}
}

OPEN(rule_1_every_length)
{
	static char payload[AKMAPUSH_UE_SEGMENT_MAX];
	struct kit_push p = {.payload = payload};

	for (size_t n = 0; n <= sizeof(payload); n++) {
		kit_push_id(p.push_id, 0, (uint32_t)n);
		p.payload_len = n;
		cr_assert_eq(kit_push(&kit, &p), AKMAPUSH_UE_DELIVERED, "%zu octets", n);
		cr_assert_eq(kit.got.payload_len, n);
	}
}

OPEN(rule_1_what_has_expired_by_a_trusted_clock_costs_no_derivation)
{
	kit_pass(&kit, 3601 * 1000);
	cr_expect_eq(input(2, 0, 1), AKMAPUSH_UE_EXPIRED);
	cr_expect_eq(diary.n_keys, 0);
}

OPEN(rule_2_candidates_come_in_order_and_the_first_that_opens_is_the_last)
{
	cr_expect_eq(input(1, 1, 1), AKMAPUSH_UE_DELIVERED); // the very last candidate
	cr_expect_eq(diary.n_keys, 4);
	cr_expect(tried(0, 2, 0));
	cr_expect(tried(1, 1, 0));
	cr_expect(tried(2, 2, 1));
	cr_expect(tried(3, 1, 1));
	cr_expect_eq(diary.n_opens, 1, "tags are looked at where the selector is right");
	cr_expect_eq(input(2, 0, 2), AKMAPUSH_UE_DELIVERED);
	cr_expect_eq(diary.n_keys, 1);
	cr_expect_eq(input(3, 0, 3), AKMAPUSH_UE_NO_KEY);
	cr_expect_eq(diary.n_keys, 4);
	cr_expect_eq(diary.n_opens, 0);
}

OPEN(rule_2_a_wrong_tag_leads_to_the_next_candidate)
{
	diary.collide = true;
	cr_expect_eq(input(1, 1, 1), AKMAPUSH_UE_DELIVERED);
	cr_expect_eq(diary.n_opens, 4);
	cr_expect_eq(kit.got.id.af, 1);
	cr_expect_eq(kit_answered(&kit, 1), 0, "sealed under the key that opened it");
	cr_expect_eq(input(3, 1, 2), AKMAPUSH_UE_NO_KEY);
	cr_expect_eq(diary.n_opens, 4);
	cr_expect_eq(kit_ack(&kit), 0);
}

OPEN(rule_2_a_foreign_datagram_leaves_nothing_in_scratch)
{
	static const uint8_t zeros[AKMAPUSH_UE_SEGMENT_MAX];

	diary.collide = true;
	memset(kit.scratch, 0, sizeof(kit.scratch));
	cr_expect_eq(input(3, 0, 1), AKMAPUSH_UE_NO_KEY);
	cr_expect_arr_eq(kit.scratch, zeros, sizeof(zeros));
}
