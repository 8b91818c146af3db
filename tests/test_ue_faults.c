// What a UE does when something under it fails: the cryptography at any call, or the storage.

#include "tests/kit/ue_kit.h"

enum { WANTED = APUE_FLAG_ACK_WANTED };

static struct kit kit;
static unsigned calls_left; // until a call fails; the one after it works again

static bool works(void)
{
	return calls_left == 0 || --calls_left > 0;
}

static bool hmac(void *arg, const uint8_t key[32], const struct akmapush_ue_octets *parts,
		 size_t n_parts, uint8_t mac[32])
{
	return works() && akmapush_ue_crypto_builtin.hmac_sha256(arg, key, parts, n_parts, mac);
}

static bool seal(void *arg, const uint8_t *key, size_t key_len, const uint8_t nonce[12],
		 const uint8_t *aad, size_t aad_len, const uint8_t *in, size_t n, uint8_t *out,
		 uint8_t tag[16])
{
	return works() && akmapush_ue_crypto_builtin.aead_seal(arg, key, key_len, nonce, aad,
							       aad_len, in, n, out, tag);
}

static bool open(void *arg, const uint8_t *key, size_t key_len, const uint8_t nonce[12],
		 const uint8_t *aad, size_t aad_len, const uint8_t *in, size_t n,
		 const uint8_t tag[16], uint8_t *out)
{
	return works() && akmapush_ue_crypto_builtin.aead_open(arg, key, key_len, nonce, aad,
							       aad_len, in, n, tag, out);
}

static const struct akmapush_ue_crypto failing = {
	.name = "failing", .hmac_sha256 = hmac, .aead_seal = seal, .aead_open = open};

static void setup(void)
{
	calls_left = 0;
	kit_init(&kit);
	kit.config.crypto = &failing;
	kit_new_ue(&kit);
	kit_authenticate(&kit, 1);
}

static struct kit_push push_at(int64_t age_ms, uint32_t tail)
{
	struct kit_push p = {.flags = WANTED, .suite = 2, .ref = tail};

	kit_push_id(p.push_id, age_ms, tail);
	return p;
}

#define FAULT(name) Test(ue_faults, name, .init = setup)

FAULT(a_key_that_cannot_be_derived_leaves_the_current_one)
{
	uint8_t kausf[32] = {7};
	struct kit_push p = push_at(0, 1);
	unsigned n = 1;

	for (;; n++) {
		int error;

		calls_left = n;
		error = akmapush_ue_set_kausf(kit.ue, kausf, "imsi-001010000000001", &kit.now);
		if (error == 0)
			break;
		cr_expect_eq(error, AKMAPUSH_UE_ECRYPTO, "call %u: %d", n, error);
		calls_left = 0;
		p = push_at(0, n);
		cr_expect_eq(kit_push(&kit, &p), AKMAPUSH_UE_DELIVERED);
	}
	cr_expect_eq(n, 1 + KIT_AFS + 1, "K_AKMA, then K_AF for each AF");
}

FAULT(a_push_that_cannot_be_opened_comes_again)
{
	struct kit_push p = push_at(0, 1);
	unsigned n = 1;

	for (;; n++) {
		kit_seal(&kit, &p);
		calls_left = n;
		if (kit_feed(&kit) == AKMAPUSH_UE_DELIVERED)
			break;
		calls_left = 0;
		cr_expect_eq(kit_ack(&kit), 0);
	}
	cr_expect_eq(n, 4, "two HMACs of the block, one open");
}

FAULT(an_ack_that_cannot_be_sealed_is_due_again)
{
	struct kit_push p = push_at(0, 1);
	unsigned n = 1;

	cr_assert_eq(kit_push(&kit, &p), AKMAPUSH_UE_DELIVERED);
	for (;; n++) {
		calls_left = n;
		if (kit_ack(&kit) != 0)
			break;
	}
	cr_expect_eq(kit.ack_len, 48);
	cr_expect_eq(n, 5, "two HMACs of the block, the salt, one seal");
}

FAULT(a_state_that_cannot_be_read_is_no_state)
{
	struct kit_push p = push_at(0, 1);
	unsigned n = 1;

	cr_assert_eq(kit_push(&kit, &p), AKMAPUSH_UE_DELIVERED);
	kit_authenticate(&kit, 2);
	kit_save(&kit);
	for (;; n++) {
		int error;

		kit_new_ue(&kit);
		calls_left = n;
		error = akmapush_ue_load(kit.ue, &kit.now, (uint8_t *)kit.blob_,
					 (size_t)kit.blob_len);
		if (error == 0)
			break;
		cr_expect_eq(error, AKMAPUSH_UE_ECRYPTO, "call %u: %d", n, error);
		calls_left = 0;
		cr_expect_eq(kit_push(&kit, &p), AKMAPUSH_UE_NO_KEY);
	}
	calls_left = 0;
	cr_expect_eq(n, 1 + 2 * KIT_AFS + 3 + 1, "check, K_AF of both keys, tags of the AFs");
	cr_expect_eq(kit_push(&kit, &p), AKMAPUSH_UE_DUPLICATE, "nothing is lost on the way");
}

FAULT(a_state_that_cannot_be_written_is_told)
{
	unsigned n = 1;

	for (;; n++) {
		int32_t len;

		calls_left = n;
		len = akmapush_ue_save(kit.ue, &kit.now, (uint8_t *)kit.blob_, sizeof(kit.blob_));
		if (len > 0)
			break;
		cr_expect_eq(len, AKMAPUSH_UE_ECRYPTO);
	}
	cr_expect_eq(n, KIT_AFS + 1 + 1);
}

// The smallest of a full list is accepted and evicted at once. If it could not be stored it was not
// delivered, and has to be when it comes again.
FAULT(a_withdrawn_push_below_a_full_list_comes_again)
{
	struct kit_push p, low = push_at(1000, 1), lower = push_at(2000, 1);

	for (uint32_t i = 1; i <= 64; i++) {
		p = push_at(0, i);
		cr_assert_eq(kit_push(&kit, &p), AKMAPUSH_UE_DELIVERED);
	}
	for (unsigned i = 0; i < 3; i++) {
		cr_expect_eq(kit_push(&kit, &low), AKMAPUSH_UE_DELIVERED, "copy %u", i);
		akmapush_ue_withdraw(kit.ue, &kit.got.id);
		cr_expect_eq(kit_ack(&kit), 0, "what was not delivered is not acknowledged");
	}
	cr_expect_eq(kit_push(&kit, &low), AKMAPUSH_UE_DELIVERED);
	cr_expect_eq(kit_push(&kit, &low), AKMAPUSH_UE_TOO_OLD);
	cr_expect_eq(kit_push(&kit, &lower), AKMAPUSH_UE_TOO_OLD);
}
