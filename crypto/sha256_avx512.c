// SHA-256 with AVX-512: sixteen states, rotations and functions of three words in one instruction.

#include <immintrin.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "crypto/sha256_kernels.h"

// Octets of a pass's frames at most, with some to spare: 8,000 with GCC 12 and with clang 14.
enum { LANES = 16, WAYS = 2, REST_MAX = 8, SPILLS_MAX = 9216 };

typedef uint32_t vec __attribute__((vector_size(4 * LANES), may_alias));

#define VEC  static inline __attribute__((always_inline)) vec
#define VOID static inline __attribute__((always_inline)) void

// The operands that are part of an instruction keep these from being functions.
#define ROTATE(v, n) ((vec)_mm512_ror_epi32((__m512i)(v), n))
#define TERNARY(a, b, c, table)                                                                    \
	((vec)_mm512_ternarylogic_epi32((__m512i)(a), (__m512i)(b), (__m512i)(c), table))

enum { XOR3 = 0x96, CHOICE = 0xca, MAJORITY = 0xe8 };

VEC xor3(vec a, vec b, vec c)
{
	return TERNARY(a, b, c, XOR3);
}

VEC choice(vec e, vec f, vec g)
{
	return TERNARY(e, f, g, CHOICE);
}

VEC majority(vec a, vec b, vec c)
{
	return TERNARY(a, b, c, MAJORITY);
}

VEC every(uint32_t word)
{
	return (vec)_mm512_set1_epi32((int)word);
}

VEC swap_octets(vec v)
{
	const __m128i order = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);

	return (vec)_mm512_shuffle_epi8((__m512i)v, _mm512_broadcast_i32x4(order));
}

VEC zip_low(vec a, vec b)
{
	return (vec)_mm512_unpacklo_epi32((__m512i)a, (__m512i)b);
}

VEC zip_high(vec a, vec b)
{
	return (vec)_mm512_unpackhi_epi32((__m512i)a, (__m512i)b);
}

VEC zip2_low(vec a, vec b)
{
	return (vec)_mm512_unpacklo_epi64((__m512i)a, (__m512i)b);
}

VEC zip2_high(vec a, vec b)
{
	return (vec)_mm512_unpackhi_epi64((__m512i)a, (__m512i)b);
}

// The first and third quads of two vectors in turn; the second and fourth.
VEC quads_even(vec a, vec b)
{
	return (vec)_mm512_mask_shuffle_i32x4((__m512i)a, 0xf0f0, (__m512i)b, (__m512i)b,
					      _MM_SHUFFLE(2, 2, 0, 0));
}

VEC quads_odd(vec a, vec b)
{
	return (vec)_mm512_mask_shuffle_i32x4((__m512i)b, 0x0f0f, (__m512i)a, (__m512i)a,
					      _MM_SHUFFLE(3, 3, 1, 1));
}

// A load that leaves the other half as it is takes a unit that shuffles do not need.
VEC rows_load(const uint8_t *const p[LANES], unsigned r, unsigned at)
{
	const __m256i low = _mm256_loadu_si256((const __m256i *)(p[r] + at));
	const __m256i high = _mm256_loadu_si256((const __m256i *)(p[r + 8] + at));

	return (vec)_mm512_mask_broadcast_i64x4(_mm512_castsi256_si512(low), 0xf0, high);
}

VOID rows_store(uint8_t *const p[LANES], unsigned r, vec v)
{
	_mm256_storeu_si256((__m256i *)p[r], _mm512_castsi512_si256((__m512i)v));
	_mm256_storeu_si256((__m256i *)p[r + 8], _mm512_extracti64x4_epi64((__m512i)v, 1));
}

// Up to eight states are faster with the SHA extensions, if there are any. CPUID traps in a virtual
// machine: it is asked once.
static const struct sha256_ops *rest_kernel(void)
{
	static _Atomic int known;
	int has = atomic_load_explicit(&known, memory_order_relaxed);

	if (!has) {
		has = sha256_shani.usable() ? 1 : -1;
		atomic_store_explicit(&known, has, memory_order_relaxed);
	}
	return has > 0 ? &sha256_shani : NULL;
}

#include "crypto/sha256_lanes.h" // stands on what is defined above

static bool usable(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
}

const struct sha256_ops sha256_avx512 = {
	.name = "avx512",
	.lanes = GROUP,
	.usable = usable,
	.compress_same = compress_same,
	.compress_each = compress_each,
	.compress_half = compress_half,
	.hmac_pads = run_pads,
	.hmac_keys = run_keys,
	.hmac_chain = run_chain,
};
