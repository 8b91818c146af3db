#include "dataplane/ref.h"

#include "base/bytes.h"
#include "crypto/hmac.h"

enum { SIDE_BY_SIDE = 4 };

void ref_key_init(const struct sha256_ops *sha, struct ref_key *key,
		  const uint8_t secret[REF_SECRET])
{
	static const char label[] = "akma push ref";
	uint8_t padded[1][HMAC_KEY] = {0};
	uint8_t mac[HMAC_MAC];
	struct hmac_key hmac;

	memcpy(padded[0], secret, REF_SECRET);
	hmac_key_init(sha, padded, 1, &hmac);
	hmac_one(sha, &hmac, label, sizeof(label) - 1, mac);
	for (unsigned i = 0; i < REF_ROUNDS; i++)
		key->round[i] = load32_be(mac + 4 * i);
	mem_wipe(padded, sizeof(padded));
	mem_wipe(&hmac, sizeof(hmac));
	mem_wipe(mac, sizeof(mac));
}

// 16 well-mixed bits of a half under a round key (the finaliser of MurmurHash3 over their sum).
static uint32_t mix(uint32_t half, uint32_t round)
{
	uint32_t x = half * 0x9e3779b1 + round;

	__asm__("" : "+r"(x)); // no vectors: SSE2 takes many steps to multiply words
	x = (x ^ x >> 16) * 0x85ebca6b;
	x = (x ^ x >> 13) * 0xc2b2ae35;
	return x >> 16;
}

static inline __attribute__((always_inline)) void
permute(const struct ref_key *key, uint32_t left[], uint32_t right[], unsigned n)
{
	for (unsigned r = 0; r < REF_ROUNDS; r++) {
#pragma GCC unroll 4
		for (unsigned i = 0; i < n; i++) {
			uint32_t next = left[i] ^ mix(right[i], key->round[r]);

			left[i] = right[i];
			right[i] = next;
		}
	}
}

uint32_t ref_of_place(const struct ref_key *key, uint32_t place)
{
	uint32_t left = place >> 16, right = place & 0xffff;

	permute(key, &left, &right, 1);
	return left << 16 | right;
}

void ref_of_places(const struct ref_key *key, const uint32_t place[], unsigned n, uint32_t ref[])
{
	for (; n >= SIDE_BY_SIDE; n -= SIDE_BY_SIDE, place += SIDE_BY_SIDE, ref += SIDE_BY_SIDE) {
		uint32_t left[SIDE_BY_SIDE], right[SIDE_BY_SIDE];

		for (unsigned i = 0; i < SIDE_BY_SIDE; i++) {
			left[i] = place[i] >> 16;
			right[i] = place[i] & 0xffff;
		}
		permute(key, left, right, SIDE_BY_SIDE);
		for (unsigned i = 0; i < SIDE_BY_SIDE; i++)
			ref[i] = left[i] << 16 | right[i];
	}
	for (unsigned i = 0; i < n; i++)
		ref[i] = ref_of_place(key, place[i]);
}

uint32_t ref_to_place(const struct ref_key *key, uint32_t ref)
{
	uint32_t left = ref >> 16, right = ref & 0xffff;

	for (unsigned i = REF_ROUNDS; i-- > 0;) {
		uint32_t before = right ^ mix(left, key->round[i]);

		right = left;
		left = before;
	}
	return left << 16 | right;
}
