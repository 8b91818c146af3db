// AES-GCM with the ARMv8 instructions for AES and products without carries: a message a register,
// four at a time.

#include <arm_neon.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/auxv.h>

enum { LANES = 1, WAYS = 4 };

typedef uint8x16_t vec;

#define VEC  static inline __attribute__((always_inline)) vec
#define VOID static inline __attribute__((always_inline)) void

#define LOW  0
#define HIGH 1

// An operand that is part of the instruction keeps this from being a function.
#define vec_up(v, n) vextq_u8(vdupq_n_u8(0), v, 16 - 4 * (n))

VEC vec_load_flat(const uint8_t *p)
{
	return vld1q_u8(p);
}

VOID vec_store_flat(uint8_t *p, vec v)
{
	vst1q_u8(p, v);
}

VEC vec_load(const uint8_t *const p[LANES], size_t at)
{
	return vld1q_u8(p[0] + at);
}

VOID vec_store(uint8_t *const p[LANES], size_t at, vec v)
{
	vst1q_u8(p[0] + at, v);
}

VEC vec_every(const uint8_t block[16])
{
	return vld1q_u8(block);
}

// be32(1) in the last word.
static inline __attribute__((always_inline)) uint32x4_t one(void)
{
	return (uint32x4_t){0, 0, 0, 0x01000000};
}

VEC vec_counter(const uint8_t *const nonce[LANES])
{
	const uint32x4_t words = vreinterpretq_u32_u8(vld1q_u8(nonce[0]));

	return vreinterpretq_u8_u32(vcopyq_laneq_u32(words, 3, one(), 3));
}

VEC vec_count(vec counter)
{
	return vreinterpretq_u8_u32(vaddq_u32(vreinterpretq_u32_u8(counter), one()));
}

VEC vec_reverse(vec v)
{
	const vec order = {15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0};

	return vqtbl1q_u8(v, order);
}

VEC vec_swap(vec v)
{
	return vextq_u8(v, v, 8);
}

// x^127 + x^126 + x^121 + 1 is what x^128 is: RFC 8452 section 3.
VEC vec_double(vec v)
{
	const uint64x2_t poly = {1, 0xc200000000000000}, halves = vreinterpretq_u64_u8(v);
	const vec carries = vreinterpretq_u8_u64(vshrq_n_u64(halves, 63));
	const uint64x2_t carry = vreinterpretq_u64_s64(vshrq_n_s64(vreinterpretq_s64_u8(v), 63));
	const vec up = vreinterpretq_u8_u64(vshlq_n_u64(halves, 1)) ^ vec_up(carries, 2);

	return up ^ vreinterpretq_u8_u64(vdupq_laneq_u64(carry, 1) & poly);
}

// There are products of low halves and of high halves: for one of each, the other operand than the
// key's is turned, once for both.
VEC clmul(vec a, unsigned half_a, vec b, unsigned half_b)
{
	const poly64x2_t x = vreinterpretq_p64_u8(half_a == half_b ? a : vec_swap(a));
	const poly64x2_t y = vreinterpretq_p64_u8(b);

	return vreinterpretq_u8_p128(
		half_b == HIGH ? vmull_high_p64(x, y)
			       : vmull_p64(vgetq_lane_p64(x, 0), vgetq_lane_p64(y, 0)));
}

// The low half times x^63 + x^62 + x^57.
VEC vec_times_poly(vec v)
{
	return clmul(v, LOW, vreinterpretq_u8_u64(vdupq_n_u64(0xc200000000000000)), LOW);
}

// ShiftRows leaves four equal columns as they are: AESE under a key of zeros is SubBytes.
VEC aes_sub(vec v)
{
	return vaeseq_u8(vreinterpretq_u8_u32(vdupq_laneq_u32(vreinterpretq_u32_u8(v), 3)),
			 vdupq_n_u8(0));
}

VEC aes_rot_sub(vec v, uint32_t rcon)
{
	const vec rotated = vqtbl1q_u8(v, vreinterpretq_u8_u32(vdupq_n_u32(0x0c0f0e0d)));

	return vaeseq_u8(rotated, vdupq_n_u8(0)) ^ vreinterpretq_u8_u32(vdupq_n_u32(rcon));
}

// AESE adds the key first, so each round takes the one that x86 took at the end of the last.
VEC aes_start(vec state, vec key)
{
	(void)key;
	return state;
}

VEC aes_round(vec state, vec before, vec after)
{
	(void)after;
	return vaesmcq_u8(vaeseq_u8(state, before));
}

VEC aes_last(vec state, vec before, vec after)
{
	return vaeseq_u8(state, before) ^ after;
}

#include "crypto/aead_burst.h" // stands on what the others define

static bool usable(void)
{
	const unsigned long wanted = HWCAP_AES | HWCAP_PMULL;

	return (getauxval(AT_HWCAP) & wanted) == wanted;
}

const struct aead_ops aead_armv8 = {
	.name = "armv8",
	.usable = usable,
	.open = open_memory,
	.close = close_memory,
	.seal = seal,
	.open_burst = open_burst,
};
