#pragma once
// SHA-256 with a state in each lane of a vector: the algorithm, over the vectors of one instruction
// set. Word i of LANES states is one vector, so that every operation of FIPS 180-4 section 6.2.2 is
// done for all of them at once. Inside crypto/ only; included once by each sha256_<isa>.c, which
// has defined before:
//
//   LANES, vec                    states in a vector; a vector of so many uint32_t
//   every(word)                   one word in all lanes
//   rows_load(p, r, at)           32 octets at p[r] + at, p[r + 8] + at, … one behind the other
//   rows_store(p, r, v)           to p[r], p[r + 8], …
//   zip_low(a, b), zip_high       words of two quads in turn, of their low or high halves
//   zip2_low(a, b), zip2_high     the low or high halves of two quads
//   quads_even(a, b), quads_odd   quads of two rows in turn, their first or their second ones
//   swap_octets(v)                words from network order
//   ROTATE(v, n)                  to the right
//   xor3(a, b, c)                 and FIPS 180-4's choice(e, f, g), majority(a, b, c)
//   WAYS                          vectors side by side, since each waits for its last result
//   rest_kernel(), REST_MAX, SPILLS_MAX   as in sha256_passes.h
//
// n decides branches and addresses here; data does not.

#include "crypto/sha256_rows.h"

enum { VECS = 8, WORDS = SHA256_BLOCK / 4 };

// Words of four quads to the quads of four words, and back.
INLINE void turn_quads(vec v[4])
{
	const vec a = zip_low(v[0], v[1]), b = zip_high(v[0], v[1]);
	const vec c = zip_low(v[2], v[3]), d = zip_high(v[2], v[3]);

	v[0] = zip2_low(a, c);
	v[1] = zip2_high(a, c);
	v[2] = zip2_low(b, d);
	v[3] = zip2_high(b, d);
}

INLINE void swap_quads(vec v[8])
{
	UNROLLED(4)
	for (unsigned k = 0; k < 4; k++) {
		const vec even = quads_even(v[k], v[k + 4]);

		v[k + 4] = quads_odd(v[k], v[k + 4]);
		v[k] = even;
	}
}

// Eight words of every lane, from octet `at` on, and back.
INLINE void words_in(vec s[][8], const uint8_t *const p[], unsigned at, unsigned ways)
{
	EACH_WAY(w)
	{
		EACH_VEC(r)
		s[w][r] = rows_load(p + w * LANES, r, at);
		turn_quads(s[w]);
		turn_quads(s[w] + 4);
		swap_quads(s[w]);
	}
}

INLINE void words_out(const struct rows *rows, vec s[][8], unsigned ways)
{
	EACH_WAY(w)
	{
		swap_quads(s[w]);
		turn_quads(s[w]);
		turn_quads(s[w] + 4);
		EACH_VEC(r)
		rows_store(rows->at + w * LANES, r, s[w][r]);
	}
}

// Round t; instead of the words, their names move on. The sums are in the order in which their
// parts are ready, which the build keeps (meson.build): e of the next round waits for nothing else.
INLINE void one_round(vec s[8], unsigned t, vec wk)
{
	const vec a = s[-t % 8], b = s[(1 - t) % 8], c = s[(2 - t) % 8];
	const vec e = s[(4 - t) % 8], f = s[(5 - t) % 8], g = s[(6 - t) % 8];
	vec *const d = &s[(3 - t) % 8], *const h = &s[(7 - t) % 8];
	const vec sum0 = xor3(ROTATE(a, 2), ROTATE(a, 13), ROTATE(a, 22));
	const vec sum1 = xor3(ROTATE(e, 6), ROTATE(e, 11), ROTATE(e, 25));
	const vec x = ((*h + wk) + choice(e, f, g)) + sum1;

	*d += x;
	*h = x + (majority(a, b, c) + sum0);
}

INLINE vec sigma0(vec w)
{
	return xor3(ROTATE(w, 7), ROTATE(w, 18), w >> 3);
}

INLINE vec sigma1(vec w)
{
	return xor3(ROTATE(w, 17), ROTATE(w, 19), w >> 10);
}

INLINE void states_add(vec s[][8], vec v[][8], unsigned ways)
{
	EACH_WAY(w)
	EACH_VEC(k)
	s[w][k] += v[w][k];
}

// s += what the rounds make of it.
INLINE void same(vec s[][8], const struct sha256_schedule *block, unsigned ways)
{
	vec v[WAYS][8];

	memcpy(v, s, ways * sizeof(v[0]));
	for (unsigned t = 0; t < SHA256_ROUNDS; t += 8) {
		UNROLLED(8)
		for (unsigned i = 0; i < 8; i++) {
			EACH_WAY(w)
			one_round(v[w], i, every(block->wk[t + i]));
		}
	}
	states_add(s, v, ways);
}

// W[t + 16] over W[t], where W of eight rounds, now[i] = W[t], and of the eight after them are
// there.
INLINE void next_word(vec now[8], const vec then[8], unsigned i)
{
	const vec w1 = i + 1 < 8 ? now[i + 1] : then[0];
	const vec w9 = i + 1 < 8 ? then[i + 1] : now[0];
	const vec w14 = i < 2 ? then[i + 6] : now[i - 2];

	now[i] = (now[i] + w9) + sigma0(w1) + sigma1(w14);
}

// Rounds t..t+7, then W of sixteen rounds later when there are so many.
INLINE void eight_rounds(vec v[][8], vec now[][8], vec then[][8], unsigned t, bool goes_on,
			 unsigned ways)
{
	UNROLLED(8)
	for (unsigned i = 0; i < 8; i++) {
		EACH_WAY(w)
		{
			one_round(v[w], i, now[w][i] + every(sha256_k[t + i]));
			if (goes_on)
				next_word(now[w], then[w], i);
		}
	}
}

// Rounds t..63, where word[0] and word[1] have W of the first sixteen of them; they are
// overwritten. Loops, because code that is too long for the CPU's cache of decoded instructions
// costs more than it saves.
INLINE void rounds(vec v[][8], vec word[2][WAYS][8], unsigned t, unsigned ways)
{
	for (; t < SHA256_ROUNDS - WORDS; t += 8)
		eight_rounds(v, word[t / 8 % 2], word[1 - t / 8 % 2], t, true, ways);
	for (; t < SHA256_ROUNDS; t += 8)
		eight_rounds(v, word[t / 8 % 2], word[1 - t / 8 % 2], t, false, ways);
}

// Blocks of which word[0] has W[0..7], word[1] W[8..15]; they are overwritten.
INLINE void each(vec s[][8], vec word[2][WAYS][8], unsigned ways)
{
	vec v[WAYS][8];

	memcpy(v, s, ways * sizeof(v[0]));
	rounds(v, word, 0, ways);
	states_add(s, v, ways);
}

// W[16 + i] over W[i], i = 0..7, of a block of which the rest is shared.
INLINE void word_16(vec w[8], const struct sha256_tail *tail, unsigned i)
{
	w[i] += every(tail->part[i]);
	w[i] += i + 1 < 8 ? sigma0(w[i + 1]) : w[0];
	if (i >= 2)
		w[i] += sigma1(w[i - 2]);
}

// W[24 + i] from W[16..23].
INLINE void word_24(vec w[8], const vec w16[8], const struct sha256_tail *tail, unsigned i)
{
	const vec sum = every(tail->part[8 + i]) + sigma1(i < 2 ? w16[i + 6] : w[i - 2]);

	if (i + 1 < 8)
		w[i] = sum + w16[i + 1];
	else
		w[i] = sum + w[0] + sigma0(w16[0]);
}

// Blocks of which every lane has the first half of its own.
INLINE void half(vec s[][8], vec first[][8], const struct sha256_tail *tail, unsigned ways)
{
	vec v[WAYS][8], word[2][WAYS][8];

	memcpy(v, s, ways * sizeof(v[0]));
	memcpy(word[0], first, ways * sizeof(word[0][0]));
	UNROLLED(8)
	for (unsigned i = 0; i < 8; i++) {
		EACH_WAY(w)
		{
			one_round(v[w], i, word[0][w][i] + every(sha256_k[i]));
			word_16(word[0][w], tail, i);
		}
	}
	UNROLLED(8)
	for (unsigned i = 0; i < 8; i++) {
		EACH_WAY(w)
		{
			one_round(v[w], i, every(tail->wk[i]));
			word_24(word[1][w], word[0][w], tail, i);
		}
	}
	rounds(v, word, WORDS, ways);
	states_add(s, v, ways);
}

// Their code is too large to be there twice.
NOINLINE void same_wide(vec s[][8], const struct sha256_schedule *block)
{
	same(s, block, WAYS);
}

NOINLINE void same_narrow(vec s[][8], const struct sha256_schedule *block)
{
	same(s, block, 1);
}

NOINLINE void each_wide(vec s[][8], vec word[2][WAYS][8])
{
	each(s, word, WAYS);
}

NOINLINE void each_narrow(vec s[][8], vec word[2][WAYS][8])
{
	each(s, word, 1);
}

NOINLINE void half_wide(vec s[][8], vec first[][8], const struct sha256_tail *tail)
{
	half(s, first, tail, WAYS);
}

NOINLINE void half_narrow(vec s[][8], vec first[][8], const struct sha256_tail *tail)
{
	half(s, first, tail, 1);
}

#define WAYS_OF(n) WAYS

INLINE void same_pass(vec s[][8], const struct sha256_schedule *block, unsigned ways)
{
	(ways == 1 ? same_narrow : same_wide)(s, block);
}

INLINE void half_pass(vec s[][8], vec first[][8], const struct sha256_tail *tail, unsigned ways)
{
	(ways == 1 ? half_narrow : half_wide)(s, first, tail);
}

INLINE void each_pass(vec s[][8], vec word[2][WAYS][8], unsigned ways)
{
	(ways == 1 ? each_narrow : each_wide)(s, word);
}

INLINE vec initial(unsigned k)
{
	return every(sha256_initial[k]);
}

#include "crypto/sha256_passes.h" // stands on what is defined above
