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

// ---- Bursts: the same in lanes, two vectors at a time, since one waits for its multiplications

enum { LANES = 8, WAYS = 2, GROUP = WAYS * LANES };

_Static_assert(REF_ROUNDS % 2 == 0, "the halves are in their places after the last round");

typedef uint32_t vec __attribute__((vector_size(4 * LANES)));

#define INLINE      static inline __attribute__((always_inline))
#define EACH_WAY(w) _Pragma("GCC unroll 2") for (unsigned w = 0; w < WAYS; w++)

// a ^= what b mixes to.
INLINE void mix_in(vec a[WAYS], const vec b[WAYS], uint32_t round)
{
	EACH_WAY(w)
	{
		vec x = b[w] * 0x9e3779b1 + round;

		x = (x ^ x >> 16) * 0x85ebca6b;
		x = (x ^ x >> 13) * 0xc2b2ae35;
		a[w] ^= x >> 16;
	}
}

INLINE void group(const struct ref_key *key, uint32_t of[GROUP], bool back)
{
	vec x[WAYS], left[WAYS], right[WAYS];

	memcpy(x, of, sizeof(x));
	EACH_WAY(w)
	{
		left[w] = x[w] >> 16;
		right[w] = x[w] & 0xffff;
	}
	// In two rounds the halves change places twice.
	for (unsigned i = 0; i < REF_ROUNDS; i += 2) {
		if (back) {
			mix_in(right, left, key->round[REF_ROUNDS - 1 - i]);
			mix_in(left, right, key->round[REF_ROUNDS - 2 - i]);
		} else {
			mix_in(left, right, key->round[i]);
			mix_in(right, left, key->round[i + 1]);
		}
	}
	EACH_WAY(w)
	x[w] = left[w] << 16 | right[w];
	memcpy(of, x, sizeof(x));
}

INLINE void groups(const struct ref_key *key, const uint32_t from[], unsigned n, uint32_t to[],
		   bool back)
{
	for (unsigned at = 0; at < n; at += GROUP) {
		const size_t size = (n - at < GROUP ? n - at : GROUP) * sizeof(from[0]);
		uint32_t of[GROUP] = {0};

		memcpy(of, from + at, size);
		group(key, of, back);
		memcpy(to + at, of, size);
	}
}

#ifdef __x86_64__

// SSE2 multiplies words in many steps: without AVX2 they go one by one.
__attribute__((target("avx2"))) static void
groups_avx2(const struct ref_key *key, const uint32_t from[], unsigned n, uint32_t to[], bool back)
{
	groups(key, from, n, to, back);
}

static void all(const struct ref_key *key, const uint32_t from[], unsigned n, uint32_t to[],
		bool back)
{
	if (__builtin_cpu_supports("avx2")) {
		groups_avx2(key, from, n, to, back);
		return;
	}
	for (unsigned i = 0; i < n; i++)
		to[i] = back ? ref_to_place(key, from[i]) : ref_of_place(key, from[i]);
}

#else

static void all(const struct ref_key *key, const uint32_t from[], unsigned n, uint32_t to[],
		bool back)
{
	groups(key, from, n, to, back);
}

#endif

void ref_of_places(const struct ref_key *key, const uint32_t place[], unsigned n, uint32_t ref[])
{
	all(key, place, n, ref, false);
}

void ref_to_places(const struct ref_key *key, const uint32_t ref[], unsigned n, uint32_t place[])
{
	all(key, ref, n, place, true);
}
