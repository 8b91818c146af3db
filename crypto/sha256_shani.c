// SHA-256 with the x86 SHA extensions: sha256rnds2 answers after four cycles and can be asked every
// second one, so two states side by side would do if they never met; four of one schedule do.
//
// SHA-NI has legacy-SSE encodings only, and mixing them with VEX code costs some 360 cycles a
// switch on a CPU with dirty upper register halves: this file is compiled without AVX, and AVX code
// elsewhere ends with vzeroupper. Data never decides a branch or an address.

#include <cpuid.h>
#include <immintrin.h>

enum { LANES = 1, WAYS = 4, SIDE_BY_SIDE = 2 };

#include "crypto/sha256_rows.h"

typedef __m128i vec;

INLINE vec quad_load(const void *p)
{
	return _mm_loadu_si128(p);
}

INLINE void quad_store(void *p, vec v)
{
	_mm_storeu_si128(p, v);
}

INLINE vec every(uint32_t word)
{
	return _mm_set1_epi32((int)word);
}

INLINE vec swap_octets(vec v)
{
	return _mm_shuffle_epi8(v, _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
}

INLINE vec plus(vec a, vec b)
{
	return _mm_add_epi32(a, b);
}

// {F, E, B, A} and {H, G, D, C}, lowest word first.
struct halves {
	vec abef;
	vec cdgh;
};

enum { SWAP_PAIRS = 0xb1, UPPER_HALF = 0x0e };

INLINE struct halves halves_of(const vec state[2])
{
	return (struct halves){
		.abef = _mm_shuffle_epi32(_mm_unpacklo_epi64(state[1], state[0]), SWAP_PAIRS),
		.cdgh = _mm_shuffle_epi32(_mm_unpackhi_epi64(state[1], state[0]), SWAP_PAIRS),
	};
}

// The sum is taken in the state's own order, so that nothing but s is live over the rounds.
INLINE void halves_add(vec state[2], struct halves s)
{
	const vec efab = _mm_shuffle_epi32(s.abef, SWAP_PAIRS);
	const vec ghcd = _mm_shuffle_epi32(s.cdgh, SWAP_PAIRS);

	state[0] = plus(state[0], _mm_unpackhi_epi64(efab, ghcd));
	state[1] = plus(state[1], _mm_unpacklo_epi64(efab, ghcd));
}

INLINE void four_rounds(struct halves s[], const vec wk[], unsigned ways)
{
	EACH_WAY(i)
	s[i].cdgh = _mm_sha256rnds2_epu32(s[i].cdgh, s[i].abef, wk[i]);
	EACH_WAY(i)
	s[i].abef =
		_mm_sha256rnds2_epu32(s[i].abef, s[i].cdgh, _mm_shuffle_epi32(wk[i], UPPER_HALF));
}

INLINE vec next_quad(const vec w[4], unsigned oldest)
{
	const vec w16 = w[oldest], w12 = w[(oldest + 1) % 4];
	const vec w8 = w[(oldest + 2) % 4], w4 = w[(oldest + 3) % 4];
	const vec w7 = _mm_alignr_epi8(w4, w8, 4);

	return _mm_sha256msg2_epu32(plus(_mm_sha256msg1_epu32(w16, w12), w7), w4);
}

#include "crypto/sha256_streams.h" // stands on what is defined above

static bool usable(void)
{
	unsigned a, b, c, d;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSSE3) || !(c & bit_SSE4_1))
		return false;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}

const struct sha256_ops sha256_shani = {
	.name = "shani",
	.lanes = GROUP,
	.usable = usable,
	.compress_same = compress_same,
	.compress_each = compress_each,
	.compress_half = compress_half,
	.hmac_pads = run_pads,
	.hmac_keys = run_keys,
	.hmac_chain = run_chain,
};
