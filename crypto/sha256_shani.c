// SHA-256 with the x86 SHA extensions, four independent streams interleaved: sha256rnds2 has a
// latency of four cycles, so one stream alone waits three of four. More streams spill.
//
// SHA-NI has legacy-SSE encodings only, and mixing them with VEX code costs some 360 cycles a
// switch on a CPU with dirty upper register halves: this file is compiled without AVX, and AVX code
// elsewhere ends with vzeroupper. Data never decides a branch or an address.

#include <cpuid.h>
#include <immintrin.h>

#include "base/bytes.h"
#include "crypto/sha256_kernels.h"

enum { LANES = 4, QUADS = SHA256_ROUNDS / 4 };

#define EACH_LANE(i) _Pragma("GCC unroll 4") for (unsigned i = 0; i < lanes; i++)
#define UNROLLED     _Pragma("GCC unroll 16")

// One state as the instructions want it: {F, E, B, A} and {H, G, D, C}, lowest word first.
struct halves {
	__m128i abef;
	__m128i cdgh;
};

enum { SWAP_PAIRS = 0xb1, UPPER_HALF = 0x0e };

static inline __attribute__((always_inline)) struct halves load(const uint32_t state[8])
{
	const __m128i abcd = _mm_loadu_si128((const __m128i *)state);
	const __m128i efgh = _mm_loadu_si128((const __m128i *)(state + 4));

	return (struct halves){
		.abef = _mm_shuffle_epi32(_mm_unpacklo_epi64(efgh, abcd), SWAP_PAIRS),
		.cdgh = _mm_shuffle_epi32(_mm_unpackhi_epi64(efgh, abcd), SWAP_PAIRS),
	};
}

// state += s. The sum is taken in state's own order, so that nothing but s is live over the rounds.
static inline __attribute__((always_inline)) void add_to(uint32_t state[8], struct halves s)
{
	const __m128i efab = _mm_shuffle_epi32(s.abef, SWAP_PAIRS);
	const __m128i ghcd = _mm_shuffle_epi32(s.cdgh, SWAP_PAIRS);
	__m128i *const abcd = (__m128i *)state, *const efgh = (__m128i *)(state + 4);

	_mm_storeu_si128(abcd,
			 _mm_add_epi32(_mm_loadu_si128(abcd), _mm_unpackhi_epi64(efab, ghcd)));
	_mm_storeu_si128(efgh,
			 _mm_add_epi32(_mm_loadu_si128(efgh), _mm_unpacklo_epi64(efab, ghcd)));
}

// Rounds 4q..4q+3 for `lanes` states; wk[i] = W[t] + K[t] of lane i.
static inline __attribute__((always_inline)) void four_rounds(struct halves s[], const __m128i wk[],
							      unsigned lanes)
{
	EACH_LANE(i)
	s[i].cdgh = _mm_sha256rnds2_epu32(s[i].cdgh, s[i].abef, wk[i]);
	EACH_LANE(i)
	s[i].abef =
		_mm_sha256rnds2_epu32(s[i].abef, s[i].cdgh, _mm_shuffle_epi32(wk[i], UPPER_HALF));
}

static inline __attribute__((always_inline)) void
same(uint32_t state[][8], const struct sha256_schedule *block, unsigned lanes)
{
	const __m128i *const quad = (const __m128i *)block->wk;
	struct halves s[LANES];
	__m128i wk[LANES];

	EACH_LANE(i)
	s[i] = load(state[i]);
	UNROLLED
	for (unsigned q = 0; q < QUADS; q++) {
		EACH_LANE(i)
		wk[i] = _mm_load_si128(quad + q);
		four_rounds(s, wk, lanes);
	}
	EACH_LANE(i)
	add_to(state[i], s[i]);
}

// W[t] for the quad that follows the four in w, of which w[oldest] falls out: FIPS 180-4 6.2.2
// step 1.
static inline __attribute__((always_inline)) __m128i next_quad(const __m128i w[4], unsigned oldest)
{
	const __m128i w16 = w[oldest], w12 = w[(oldest + 1) % 4];
	const __m128i w8 = w[(oldest + 2) % 4], w4 = w[(oldest + 3) % 4];
	const __m128i w7 = _mm_alignr_epi8(w4, w8, 4);

	return _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(w16, w12), w7), w4);
}

static inline __attribute__((always_inline)) __m128i load_words_be(const uint8_t *octets)
{
	const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);

	return _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)octets), swap);
}

// Where the 16 words of a lane's block come from: octets of its own, or words of its own and others
// that all share.
struct source {
	bool whole; // block counts, else half and rest
	const uint8_t (*block)[SHA256_BLOCK];
	const uint32_t (*half)[8];
	const uint32_t *rest;
};

static inline __attribute__((always_inline)) __m128i first_quad(const struct source *from,
								unsigned lane, unsigned q)
{
	if (from->whole)
		return load_words_be(from->block[lane] + 16 * q);
	return _mm_loadu_si128(
		(const __m128i *)(q < 2 ? from->half[lane] + 4 * q : from->rest + 4 * (q - 2)));
}

static inline __attribute__((always_inline)) void each(uint32_t state[][8], struct source from,
						       unsigned lanes)
{
	struct halves s[LANES];
	__m128i w[LANES][4], wk[LANES];

	EACH_LANE(i)
	s[i] = load(state[i]);
	UNROLLED
	for (unsigned q = 0; q < QUADS; q++) {
		const __m128i k = _mm_loadu_si128((const __m128i *)(sha256_k + 4 * q));

		EACH_LANE(i)
		{
			w[i][q % 4] = q < 4 ? first_quad(&from, i, q) : next_quad(w[i], q % 4);
			wk[i] = _mm_add_epi32(w[i][q % 4], k);
		}
		four_rounds(s, wk, lanes);
	}
	EACH_LANE(i)
	add_to(state[i], s[i]);
}

static void compress_same(uint32_t state[][8], const struct sha256_schedule *block, unsigned n)
{
	for (; n >= LANES; n -= LANES, state += LANES)
		same(state, block, 4);
	if (n == 3)
		same(state, block, 3);
	else if (n == 2)
		same(state, block, 2);
	else if (n == 1)
		same(state, block, 1);
}

static __attribute__((noinline)) void each_of(uint32_t state[][8],
					      const uint8_t block[][SHA256_BLOCK], unsigned n)
{
	for (; n >= LANES; n -= LANES, state += LANES, block += LANES)
		each(state, (struct source){.whole = true, .block = block}, 4);
	if (n == 3)
		each(state, (struct source){.whole = true, .block = block}, 3);
	else if (n == 2)
		each(state, (struct source){.whole = true, .block = block}, 2);
	else if (n == 1)
		each(state, (struct source){.whole = true, .block = block}, 1);
}

static __attribute__((noinline)) void half_of(uint32_t state[][8], const uint32_t half[][8],
					      const uint32_t rest[8], unsigned n)
{
	for (; n >= LANES; n -= LANES, state += LANES, half += LANES)
		each(state, (struct source){.half = half, .rest = rest}, 4);
	if (n == 3)
		each(state, (struct source){.half = half, .rest = rest}, 3);
	else if (n == 2)
		each(state, (struct source){.half = half, .rest = rest}, 2);
	else if (n == 1)
		each(state, (struct source){.half = half, .rest = rest}, 1);
}

// Message words are secret as often as not (key ^ ipad), and four streams do not fit the registers:
// this takes the place on the stack where each_of() or half_of() spilled them (GCC 12: 168 octets,
// clang 14: 904).
static __attribute__((noinline)) void wipe_spills(void)
{
	uint8_t frame[1024];

	mem_wipe(frame, sizeof(frame));
}

static void compress_each(uint32_t state[][8], const uint8_t block[][SHA256_BLOCK], unsigned n)
{
	each_of(state, block, n);
	wipe_spills();
}

static void compress_half(uint32_t state[][8], const uint32_t half[][8], const uint32_t rest[8],
			  unsigned n)
{
	half_of(state, half, rest, n);
	wipe_spills();
}

static bool usable(void)
{
	unsigned a, b, c, d;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSSE3) || !(c & bit_SSE4_1))
		return false;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}

const struct sha256_ops sha256_shani = {
	.name = "shani",
	.lanes = LANES,
	.usable = usable,
	.compress_same = compress_same,
	.compress_each = compress_each,
	.compress_half = compress_half,
};
