#pragma once
// SHA-256 by instructions that do rounds of one state: the algorithm, over a few states side by
// side, because each waits several cycles for the last one's answer. A state is two vectors of four
// words. Inside crypto/ only; included once by each sha256_<isa>.c, which has defined before:
//
//   vec                            four words
//   LANES = 1, WAYS = 4            states of a pass
//   SIDE_BY_SIDE                   of them with schedules of their own: more do not fit registers
//   quad_load(p), quad_store(p, v) four words anywhere
//   every(word), swap_octets(v)    one word four times; words from network order
//   plus(a, b)                     sums of words
//   struct halves                  a state as the instructions want it
//   halves_of(state)               made of a state's vectors
//   halves_add(state, s)           added to them
//   four_rounds(s, wk, streams)    of so many states, wk[i] = W[t..t+3] + K of state i
//   next_quad(w, oldest)           FIPS 180-4 6.2.2 step 1: the quad that follows the four in w, of
//                                  which w[oldest] falls out
//
// n decides branches and addresses here; data does not.

// Octets of a pass's frames at most, with some to spare: 1,300 with GCC 12 and with clang 14.
enum { VECS = 2, QUAD = 16, QUADS = SHA256_ROUNDS / 4, REST_MAX = 0, SPILLS_MAX = 2048 };

_Static_assert(WAYS == 4 && (SIDE_BY_SIDE == 2 || SIDE_BY_SIDE == 4), "passes of 1, 2 or 4 states");

static const struct sha256_ops *rest_kernel(void)
{
	return NULL;
}

INLINE vec initial(unsigned k)
{
	return quad_load(sha256_initial + 4 * k);
}

INLINE void words_in(vec s[][VECS], const uint8_t *const p[], unsigned at, unsigned ways)
{
	EACH_WAY(w)
	EACH_VEC(k)
	s[w][k] = quad_load(p[w] + at + k * QUAD);
}

INLINE void words_out(const struct rows *rows, vec s[][VECS], unsigned ways)
{
	EACH_WAY(w)
	EACH_VEC(k)
	quad_store(rows->at[w] + k * QUAD, s[w][k]);
}

INLINE void same(vec s[][VECS], const struct sha256_schedule *block, unsigned ways)
{
	struct halves v[WAYS];
	vec wk[WAYS];

	EACH_WAY(i)
	v[i] = halves_of(s[i]);
	UNROLLED(16)
	for (unsigned q = 0; q < QUADS; q++) {
		EACH_WAY(i)
		wk[i] = quad_load(block->wk + 4 * q);
		four_rounds(v, wk, ways);
	}
	EACH_WAY(i)
	halves_add(s[i], v[i]);
}

// Blocks of which first has W[0..7], second W[8..15].
INLINE void each(vec s[][VECS], vec first[][VECS], vec second[][VECS], unsigned ways)
{
	struct halves v[WAYS];
	vec w[SIDE_BY_SIDE][4], wk[SIDE_BY_SIDE];

	EACH_WAY(i)
	v[i] = halves_of(s[i]);
	UNROLLED(16)
	for (unsigned q = 0; q < QUADS; q++) {
		const vec k = quad_load(sha256_k + 4 * q);

		EACH_WAY(i)
		{
			if (q < 4)
				w[i][q] = q < 2 ? first[i][q] : second[i][q - 2];
			else
				w[i][q % 4] = next_quad(w[i], q % 4);
			wk[i] = plus(w[i][q % 4], k);
		}
		four_rounds(v, wk, ways);
	}
	EACH_WAY(i)
	halves_add(s[i], v[i]);
}

NOINLINE void same_four(vec s[][VECS], const struct sha256_schedule *block)
{
	same(s, block, 4);
}

NOINLINE void same_two(vec s[][VECS], const struct sha256_schedule *block)
{
	same(s, block, 2);
}

NOINLINE void same_one(vec s[][VECS], const struct sha256_schedule *block)
{
	same(s, block, 1);
}

NOINLINE void each_some(vec s[][VECS], vec first[][VECS], vec second[][VECS])
{
	each(s, first, second, SIDE_BY_SIDE);
}

NOINLINE void each_one(vec s[][VECS], vec first[][VECS], vec second[][VECS])
{
	each(s, first, second, 1);
}

// A pass has one state, or a multiple of SIDE_BY_SIDE.
#define WAYS_OF(n) (((n) + SIDE_BY_SIDE - 1) / SIDE_BY_SIDE * SIDE_BY_SIDE)

INLINE void same_pass(vec s[][VECS], const struct sha256_schedule *block, unsigned ways)
{
	(ways == 1 ? same_one : ways == 2 ? same_two : same_four)(s, block);
}

INLINE void each_pass(vec s[][VECS], vec word[2][WAYS][VECS], unsigned ways)
{
	if (ways == 1)
		each_one(s, word[0], word[1]);
	for (unsigned i = 0; ways > 1 && i < ways; i += SIDE_BY_SIDE)
		each_some(s + i, word[0] + i, word[1] + i);
}

INLINE void half_pass(vec s[][VECS], vec first[][VECS], const struct sha256_tail *tail,
		      unsigned ways)
{
	vec second[SIDE_BY_SIDE][VECS];

	for (unsigned i = 0; i < SIDE_BY_SIDE; i++) {
		EACH_VEC(k)
		second[i][k] = quad_load(tail->word + 4 * k);
	}
	if (ways == 1)
		each_one(s, first, second);
	for (unsigned i = 0; ways > 1 && i < ways; i += SIDE_BY_SIDE)
		each_some(s + i, first + i, second);
}

#include "crypto/sha256_passes.h" // stands on what is defined above
