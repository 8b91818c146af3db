#pragma once
// What aead_burst.h asks for, as far as the x86 files agree on it. Inside crypto/ only; included by
// each of them after it has defined LANES, WAYS, vec and, for its registers:
//
//   vec_load(p, at), vec_store(p, at, v)  lane l at p[l] + at
//   vec_load_flat(p), vec_store_flat      all lanes, one behind the other
//   SPREAD(block)                         an __m128i in every lane
//   BYTES(v, order), WORDS(v, order)      shuffles of a block's octets, of its words
//   UP(v, n)                              a block's octets n places up, zeros below
//   CLMUL_HALVES(a, b, halves), AESENC(v, key), AESENCLAST(v, key)

#include <cpuid.h>
#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int words __attribute__((vector_size(sizeof(vec)), may_alias));
typedef long long halves __attribute__((vector_size(sizeof(vec)), may_alias));
typedef unsigned long long unsigned_halves __attribute__((vector_size(sizeof(vec)), may_alias));

#define LOW  0
#define HIGH 1

// The operands that are part of an instruction keep these from being functions.
#define clmul(a, half_a, b, half_b) CLMUL_HALVES(a, b, (half_b) << 4 | (half_a))
#define vec_up(v, n)                UP(v, 4 * (n))

enum { SWAP_HALVES = 0x4e, LAST_WORD = 0xff };

VEC vec_every(const uint8_t block[16])
{
	return SPREAD(_mm_loadu_si128((const __m128i *)block));
}

// be32(1) in the last word.
VEC vec_one(void)
{
	return SPREAD(_mm_set_epi32(0x01000000, 0, 0, 0));
}

VEC vec_counter(const uint8_t *const nonce[LANES])
{
	return (vec_load(nonce, 0) & SPREAD(_mm_set_epi32(0, -1, -1, -1))) | vec_one();
}

VEC vec_count(vec counter)
{
	return (vec)((words)counter + (words)vec_one());
}

VEC vec_reverse(vec v)
{
	return BYTES(v, SPREAD(_mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f)));
}

VEC vec_swap(vec v)
{
	return WORDS(v, SWAP_HALVES);
}

// x^127 + x^126 + x^121 + 1 is what x^128 is: RFC 8452 section 3.
VEC vec_double(vec v)
{
	const vec poly = SPREAD(_mm_set_epi64x((long long)0xc200000000000000, 1));
	const vec carry = WORDS((vec)((words)v >> 31), LAST_WORD);
	const vec up = (vec)((halves)v << 1) | UP((vec)((unsigned_halves)v >> 63), 8);

	return up ^ (carry & poly);
}

// The low half times x^63 + x^62 + x^57.
VEC vec_times_poly(vec v)
{
	return CLMUL_HALVES(v, SPREAD(_mm_set1_epi64x((long long)0xc200000000000000)), 0);
}

// ShiftRows leaves four equal columns as they are: a last round is SubBytes, and xors its key.
VEC aes_sub(vec v)
{
	return AESENCLAST(BYTES(v, SPREAD(_mm_set1_epi32(0x0f0e0d0c))), (vec){0});
}

VEC aes_rot_sub(vec v, int rcon)
{
	return AESENCLAST(BYTES(v, SPREAD(_mm_set1_epi32(0x0c0f0e0d))),
			  SPREAD(_mm_set1_epi32(rcon)));
}

VEC aes_start(vec state, vec key)
{
	return state ^ key;
}

VEC aes_round(vec state, vec before, vec after)
{
	(void)before;
	return AESENC(state, after);
}

VEC aes_last(vec state, vec before, vec after)
{
	(void)before;
	return AESENCLAST(state, after);
}

// AES and products of more than one block at a time; whether the system keeps such registers is the
// answer for AVX2 and AVX-512, which compilers know to ask.
static inline bool has_vaes(void)
{
	unsigned a, b, c, d;

	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (c & bit_VAES) && (c & bit_VPCLMULQDQ);
}
