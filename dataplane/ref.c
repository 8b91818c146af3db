#include "dataplane/ref.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/hmac.h"

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

	x = (x ^ x >> 16) * 0x85ebca6b;
	x = (x ^ x >> 13) * 0xc2b2ae35;
	return x >> 16;
}

uint32_t ref_of_place(const struct ref_key *key, uint32_t place)
{
	uint32_t left = place >> 16, right = place & 0xffff;

	for (unsigned i = 0; i < REF_ROUNDS; i++) {
		const uint32_t next = left ^ mix(right, key->round[i]);

		left = right;
		right = next;
	}
	return left << 16 | right;
}

uint32_t ref_to_place(const struct ref_key *key, uint32_t ref)
{
	uint32_t left = ref >> 16, right = ref & 0xffff;

	for (unsigned i = REF_ROUNDS; i-- > 0;) {
		const uint32_t before = right ^ mix(left, key->round[i]);

		right = left;
		left = before;
	}
	return left << 16 | right;
}

// ---- Bursts

#ifdef __x86_64__

#define TARGET __attribute__((target("avx512f")))
#define LANES  16
#define GROUPS groups_avx512
#include "dataplane/ref_lanes.h"

#define TARGET __attribute__((target("avx2")))
#define LANES  8
#define GROUPS groups_avx2
#include "dataplane/ref_lanes.h"

// SSE2 multiplies words in many steps: without AVX2 they go one by one.
static void one_by_one(const struct ref_key *key, const uint32_t from[], unsigned n, uint32_t to[],
		       bool back)
{
	for (unsigned i = 0; i < n; i++)
		to[i] = back ? ref_to_place(key, from[i]) : ref_of_place(key, from[i]);
}

static void all(const struct ref_key *key, const uint32_t from[], unsigned n, uint32_t to[],
		bool back)
{
	if (__builtin_cpu_supports("avx512f"))
		groups_avx512(key, from, n, to, back);
	else if (__builtin_cpu_supports("avx2"))
		groups_avx2(key, from, n, to, back);
	else
		one_by_one(key, from, n, to, back);
}

#else

#define TARGET
#define LANES  4
#define GROUPS all
#include "dataplane/ref_lanes.h"

#endif

void ref_of_places(const struct ref_key *key, const uint32_t place[], unsigned n, uint32_t ref[])
{
	all(key, place, n, ref, false);
}

void ref_to_places(const struct ref_key *key, const uint32_t ref[], unsigned n, uint32_t place[])
{
	all(key, ref, n, place, true);
}
