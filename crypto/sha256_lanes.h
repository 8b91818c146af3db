#pragma once
// SHA-256 with a state in each lane of a vector: the algorithm, over the vectors of one instruction
// set. Word i of LANES states is one vector, so that every operation of FIPS 180-4 section 6.2.2 is
// done for all of them at once. Inside crypto/ only; included once by each sha256_<isa>.c, which
// has defined before:
//
//   LANES, vec                    states in a vector; a vector of so many uint32_t
//   every(word)                   one word in all lanes
//   quads_load(p, r, at)          16 octets at p[r] + at, p[r + 4] + at, … one behind the other
//   quads_store(p, r, at, v)      there
//   zip_low(a, b), zip_high       words of two quads in turn, of their low or high halves
//   zip2_low(a, b), zip2_high     the low or high halves of two quads
//   swap_octets(v)                words from network order
//   ROTATE(v, n)                  to the right
//   xor3(a, b, c)                 and FIPS 180-4's choice(e, f, g), majority(a, b, c)
//   rest_kernel()                 the kernel for up to REST_MAX states, or NULL: none is better
//
// n decides branches and addresses here; data does not.

#include <assert.h>

#include "base/bytes.h"
#include "crypto/sha256_kernels.h"

// Octets of a frame at most, with some to spare: GCC 12, clang 14.
#ifdef __clang__
enum { SPILLS_SAME = 2048, SPILLS_HALF = 6144, SPILLS_MAX = 8192 };
#else
enum { SPILLS_SAME = 256, SPILLS_HALF = 2560, SPILLS_MAX = 4608 };
#endif

enum { QUAD = 16, WORDS = SHA256_BLOCK / 4, GROUP = WAYS * LANES };

#define EACH_WAY(w)       _Pragma("GCC unroll 4") for (unsigned w = 0; w < ways; w++)
#define INLINE            static inline __attribute__((always_inline))
#define UNROLLED(n)       _Pragma(UNROLL_TEXT(GCC unroll n))
#define UNROLL_TEXT(text) #text

// The states of a pass. Lanes that are left over are further copies of the last state: they
// compute what it does and store it over it.
struct lanes {
	uint8_t *state[LANES];
	const uint8_t *block[LANES];
};

// Words of four states' quads to the quads of four words, and back.
INLINE void transpose(vec v[4])
{
	const vec a = zip_low(v[0], v[1]), b = zip_high(v[0], v[1]);
	const vec c = zip_low(v[2], v[3]), d = zip_high(v[2], v[3]);

	v[0] = zip2_low(a, c);
	v[1] = zip2_high(a, c);
	v[2] = zip2_low(b, d);
	v[3] = zip2_high(b, d);
}

// Four words of every lane, from octet `at` on.
INLINE void words_load(vec v[4], const uint8_t *const p[LANES], unsigned at)
{
	UNROLLED(4)
	for (unsigned r = 0; r < 4; r++)
		v[r] = quads_load(p, r, at);
	transpose(v);
}

INLINE void state_load(vec s[8], const struct lanes *lanes)
{
	words_load(s, (const uint8_t *const *)lanes->state, 0);
	words_load(s + 4, (const uint8_t *const *)lanes->state, QUAD);
}

// Adds four words to those from octet `at` on. Copies of one state are all read before one is
// written.
INLINE void words_add(uint8_t *const p[LANES], unsigned at, vec v[4])
{
	transpose(v);
	UNROLLED(4)
	for (unsigned r = 0; r < 4; r++)
		v[r] += quads_load((const uint8_t *const *)p, r, at);
	UNROLLED(4)
	for (unsigned r = 0; r < 4; r++)
		quads_store(p, r, at, v[r]);
}

INLINE void state_add(const struct lanes *lanes, vec s[8])
{
	words_add(lanes->state, 0, s);
	words_add(lanes->state, QUAD, s + 4);
}

// Round t; instead of the words, their names move on.
INLINE void one_round(vec s[8], unsigned t, vec wk)
{
	const vec a = s[-t % 8], b = s[(1 - t) % 8], c = s[(2 - t) % 8];
	const vec e = s[(4 - t) % 8], f = s[(5 - t) % 8], g = s[(6 - t) % 8];
	vec *const d = &s[(3 - t) % 8], *const h = &s[(7 - t) % 8];
	const vec x = *h + wk + choice(e, f, g) + xor3(ROTATE(e, 6), ROTATE(e, 11), ROTATE(e, 25));

	*d += x;
	*h = x + (majority(a, b, c) + xor3(ROTATE(a, 2), ROTATE(a, 13), ROTATE(a, 22)));
}

// W[t] over W[t - 16].
INLINE void next_word(vec w[WORDS], unsigned t)
{
	const vec w15 = w[(t + 1) % WORDS], w2 = w[(t + 14) % WORDS];
	const vec sigma0 = xor3(ROTATE(w15, 7), ROTATE(w15, 18), w15 >> 3);
	const vec sigma1 = xor3(ROTATE(w2, 17), ROTATE(w2, 19), w2 >> 10);

	w[t % WORDS] += sigma0 + w[(t + 9) % WORDS] + sigma1;
}

INLINE void same(const struct lanes lanes[], const struct sha256_schedule *block, unsigned ways)
{
	vec s[WAYS][8];

	EACH_WAY(w)
	state_load(s[w], &lanes[w]);
	for (unsigned t = 0; t < SHA256_ROUNDS; t += 8) {
		UNROLLED(8)
		for (unsigned i = 0; i < 8; i++) {
			EACH_WAY(w)
			one_round(s[w], i, every(block->wk[t + i]));
		}
	}
	EACH_WAY(w)
	state_add(&lanes[w], s[w]);
}

// The 16 words of every lane's block: octets of its own.
INLINE void block_load(vec w[WORDS], const struct lanes *lanes)
{
	UNROLLED(4)
	for (unsigned q = 0; q < WORDS / 4; q++)
		words_load(w + 4 * q, lanes->block, q * QUAD);
	UNROLLED(16)
	for (unsigned t = 0; t < WORDS; t++)
		w[t] = swap_octets(w[t]);
}

// Eight words of its own, and eight that all share.
INLINE void half_load(vec w[WORDS], const struct lanes *lanes, const uint32_t rest[8])
{
	words_load(w, lanes->block, 0);
	words_load(w + 4, lanes->block, QUAD);
	UNROLLED(8)
	for (unsigned t = 0; t < 8; t++)
		w[8 + t] = every(rest[t]);
}

// Blocks of each state: whole ones, or halves and `rest`.
INLINE void each(const struct lanes lanes[], bool whole, const uint32_t rest[8], unsigned ways)
{
	vec s[WAYS][8], w[WAYS][WORDS];

	EACH_WAY(i)
	{
		state_load(s[i], &lanes[i]);
		if (whole)
			block_load(w[i], &lanes[i]);
		else
			half_load(w[i], &lanes[i], rest);
	}
	UNROLLED(16)
	for (unsigned t = 0; t < WORDS; t++) {
		EACH_WAY(i)
		one_round(s[i], t, w[i][t] + every(sha256_k[t]));
	}
	for (unsigned from = WORDS; from < SHA256_ROUNDS; from += WORDS) {
		UNROLLED(16)
		for (unsigned t = 0; t < WORDS; t++) {
			EACH_WAY(i)
			{
				next_word(w[i], t);
				one_round(s[i], t, w[i][t] + every(sha256_k[from + t]));
			}
		}
	}
	EACH_WAY(i)
	state_add(&lanes[i], s[i]);
}

INLINE void lanes_state(struct lanes lanes[], uint32_t state[][8], unsigned n, unsigned ways)
{
	UNROLLED(32)
	for (unsigned l = 0; l < ways * LANES; l++)
		lanes[l / LANES].state[l % LANES] = (uint8_t *)state[l < n ? l : n - 1];
}

// Blocks, or halves of them, of `size` octets each.
INLINE void lanes_block(struct lanes lanes[], const void *block, size_t size, unsigned n,
			unsigned ways)
{
	UNROLLED(32)
	for (unsigned l = 0; l < ways * LANES; l++)
		lanes[l / LANES].block[l % LANES] =
			(const uint8_t *)block + size * (l < n ? l : n - 1);
}

static __attribute__((noinline)) void same_wide(uint32_t state[][8],
						const struct sha256_schedule *block, unsigned n)
{
	struct lanes lanes[WAYS];

	lanes_state(lanes, state, n, WAYS);
	same(lanes, block, WAYS);
}

static __attribute__((noinline)) void same_narrow(uint32_t state[][8],
						  const struct sha256_schedule *block, unsigned n)
{
	struct lanes lanes;

	lanes_state(&lanes, state, n, 1);
	same(&lanes, block, 1);
}

static __attribute__((noinline)) void each_wide(uint32_t state[][8],
						const uint8_t block[][SHA256_BLOCK], unsigned n)
{
	struct lanes lanes[WAYS];

	lanes_state(lanes, state, n, WAYS);
	lanes_block(lanes, block, SHA256_BLOCK, n, WAYS);
	each(lanes, true, NULL, WAYS);
}

static __attribute__((noinline)) void each_narrow(uint32_t state[][8],
						  const uint8_t block[][SHA256_BLOCK], unsigned n)
{
	struct lanes lanes[1];

	lanes_state(lanes, state, n, 1);
	lanes_block(lanes, block, SHA256_BLOCK, n, 1);
	each(lanes, true, NULL, 1);
}

static __attribute__((noinline)) void half_wide(uint32_t state[][8], const uint32_t half[][8],
						const uint32_t rest[8], unsigned n)
{
	struct lanes lanes[WAYS];

	lanes_state(lanes, state, n, WAYS);
	lanes_block(lanes, half, sizeof(half[0]), n, WAYS);
	each(lanes, false, rest, WAYS);
}

static __attribute__((noinline)) void half_narrow(uint32_t state[][8], const uint32_t half[][8],
						  const uint32_t rest[8], unsigned n)
{
	struct lanes lanes[1];

	lanes_state(lanes, state, n, 1);
	lanes_block(lanes, half, sizeof(half[0]), n, 1);
	each(lanes, false, rest, 1);
}

// Takes the place on the stack where a pass has spilled: states and message words, secret both. The
// frames end where this one does.
static __attribute__((noinline)) void wipe_spills(size_t n)
{
	uint8_t frame[SPILLS_MAX];

	mem_wipe(frame + SPILLS_MAX - n, n);
}

static void compress_same(uint32_t state[][8], const struct sha256_schedule *block, unsigned n)
{
	const struct sha256_ops *const narrower = rest_kernel();
	const unsigned rest_max = narrower ? REST_MAX : 0, passed = n > rest_max;

	for (unsigned count; n > rest_max; n -= count, state += count) {
		count = n < GROUP ? n : GROUP;
		if (count > LANES)
			same_wide(state, block, count);
		else
			same_narrow(state, block, count);
	}
	if (passed)
		wipe_spills(SPILLS_SAME);
	if (n)
		narrower->compress_same(state, block, n);
}

static void compress_each(uint32_t state[][8], const uint8_t block[][SHA256_BLOCK], unsigned n)
{
	const struct sha256_ops *const narrower = rest_kernel();
	const unsigned rest_max = narrower ? REST_MAX : 0, passed = n > rest_max;

	for (unsigned count; n > rest_max; n -= count, state += count, block += count) {
		count = n < GROUP ? n : GROUP;
		if (count > LANES)
			each_wide(state, block, count);
		else
			each_narrow(state, block, count);
	}
	if (passed)
		wipe_spills(SPILLS_MAX);
	if (n)
		narrower->compress_each(state, block, n);
}

static void compress_half(uint32_t state[][8], const uint32_t half[][8], const uint32_t rest[8],
			  unsigned n)
{
	const struct sha256_ops *const narrower = rest_kernel();
	const unsigned rest_max = narrower ? REST_MAX : 0, passed = n > rest_max;

	for (unsigned count; n > rest_max; n -= count, state += count, half += count) {
		count = n < GROUP ? n : GROUP;
		if (count > LANES)
			half_wide(state, half, rest, count);
		else
			half_narrow(state, half, rest, count);
	}
	if (passed)
		wipe_spills(SPILLS_HALF);
	if (n)
		narrower->compress_half(state, half, rest, n);
}
