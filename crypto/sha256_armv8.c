// SHA-256 with the ARMv8 instructions, four independent streams interleaved as on x86: sha256h and
// sha256h2 take some four cycles to answer, and the next four rounds wait for both. How many
// streams are best was not measured. Data never decides a branch or an address.

#include <arm_neon.h>
#include <sys/auxv.h>

#include "base/bytes.h"
#include "crypto/sha256_kernels.h"

enum { LANES = 4, QUADS = SHA256_ROUNDS / 4 };

#define INLINE       static inline __attribute__((always_inline))
#define EACH_LANE(i) _Pragma("GCC unroll 4") for (unsigned i = 0; i < lanes; i++)
#define UNROLLED     _Pragma("GCC unroll 16")

// One state, in its own order.
struct halves {
	uint32x4_t abcd;
	uint32x4_t efgh;
};

INLINE struct halves load(const uint32_t state[8])
{
	return (struct halves){.abcd = vld1q_u32(state), .efgh = vld1q_u32(state + 4)};
}

// state += s. What was in state is read again, so that nothing but s is live over the rounds.
INLINE void add_to(uint32_t state[8], struct halves s)
{
	vst1q_u32(state, vaddq_u32(vld1q_u32(state), s.abcd));
	vst1q_u32(state + 4, vaddq_u32(vld1q_u32(state + 4), s.efgh));
}

// Rounds 4q..4q+3 for `lanes` states; wk[i] = W[t] + K[t] of lane i.
INLINE void four_rounds(struct halves s[], const uint32x4_t wk[], unsigned lanes)
{
	EACH_LANE(i)
	{
		const uint32x4_t abcd = s[i].abcd;

		s[i].abcd = vsha256hq_u32(abcd, s[i].efgh, wk[i]);
		s[i].efgh = vsha256h2q_u32(s[i].efgh, abcd, wk[i]);
	}
}

INLINE void same(uint32_t state[][8], const struct sha256_schedule *block, unsigned lanes)
{
	struct halves s[LANES];
	uint32x4_t wk[LANES];

	EACH_LANE(i)
	s[i] = load(state[i]);
	UNROLLED
	for (unsigned q = 0; q < QUADS; q++) {
		EACH_LANE(i)
		wk[i] = vld1q_u32(block->wk + 4 * q);
		four_rounds(s, wk, lanes);
	}
	EACH_LANE(i)
	add_to(state[i], s[i]);
}

// W[t] for the quad that follows the four in w, of which w[oldest] falls out: FIPS 180-4 6.2.2
// step 1.
INLINE uint32x4_t next_quad(const uint32x4_t w[4], unsigned oldest)
{
	const uint32x4_t w16 = w[oldest], w12 = w[(oldest + 1) % 4];
	const uint32x4_t w8 = w[(oldest + 2) % 4], w4 = w[(oldest + 3) % 4];

	return vsha256su1q_u32(vsha256su0q_u32(w16, w12), w8, w4);
}

INLINE uint32x4_t load_words_be(const uint8_t *octets)
{
	return vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(octets)));
}

// Where the 16 words of a lane's block come from: octets of its own, or words of its own and others
// that all share.
struct source {
	bool whole; // block counts, else half and rest
	const uint8_t (*block)[SHA256_BLOCK];
	const uint32_t (*half)[8];
	const uint32_t *rest;
};

INLINE uint32x4_t first_quad(const struct source *from, unsigned lane, unsigned q)
{
	if (from->whole)
		return load_words_be(from->block[lane] + 16 * q);
	return vld1q_u32(q < 2 ? from->half[lane] + 4 * q : from->rest + 4 * (q - 2));
}

INLINE void each(uint32_t state[][8], struct source from, unsigned lanes)
{
	struct halves s[LANES];
	uint32x4_t w[LANES][4], wk[LANES];

	EACH_LANE(i)
	s[i] = load(state[i]);
	UNROLLED
	for (unsigned q = 0; q < QUADS; q++) {
		const uint32x4_t k = vld1q_u32(sha256_k + 4 * q);

		EACH_LANE(i)
		{
			w[i][q % 4] = q < 4 ? first_quad(&from, i, q) : next_quad(w[i], q % 4);
			wk[i] = vaddq_u32(w[i][q % 4], k);
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

// As in sha256_shani.c, this takes the place on the stack where each_of() or half_of() spilled
// message words (GCC 12: 272 octets, clang 14: 1136).
static __attribute__((noinline)) void wipe_spills(void)
{
	uint8_t frame[1536];

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
	return getauxval(AT_HWCAP) & HWCAP_SHA2;
}

const struct sha256_ops sha256_armv8 = {
	.name = "armv8",
	.lanes = LANES,
	.usable = usable,
	.compress_same = compress_same,
	.compress_each = compress_each,
	.compress_half = compress_half,
};
