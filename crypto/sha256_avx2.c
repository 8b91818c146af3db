// SHA-256 with AVX2: eight states. For CPUs without the SHA extensions, which are faster.

#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>

#include "crypto/sha256_kernels.h"

// Octets of a pass's frames at most, with some to spare: 2,600 with GCC 12 and with clang 14.
enum { LANES = 8, WAYS = 1, REST_MAX = 2, SPILLS_MAX = 3072 };

typedef uint32_t vec __attribute__((vector_size(4 * LANES), may_alias));

#define VEC  static inline __attribute__((always_inline)) vec
#define VOID static inline __attribute__((always_inline)) void

#define ROTATE(v, n) ((v) >> (n) | (v) << (32 - (n)))

VEC xor3(vec a, vec b, vec c)
{
	return a ^ b ^ c;
}

VEC choice(vec e, vec f, vec g)
{
	return g ^ (e & (f ^ g));
}

VEC majority(vec a, vec b, vec c)
{
	return b ^ ((a ^ b) & (b ^ c)); // a ^ b is the next round's b ^ c
}

VEC every(uint32_t word)
{
	return (vec)_mm256_set1_epi32((int)word);
}

VEC swap_octets(vec v)
{
	const __m128i order = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);

	return (vec)_mm256_shuffle_epi8((__m256i)v, _mm256_broadcastsi128_si256(order));
}

VEC zip_low(vec a, vec b)
{
	return (vec)_mm256_unpacklo_epi32((__m256i)a, (__m256i)b);
}

VEC zip_high(vec a, vec b)
{
	return (vec)_mm256_unpackhi_epi32((__m256i)a, (__m256i)b);
}

VEC zip2_low(vec a, vec b)
{
	return (vec)_mm256_unpacklo_epi64((__m256i)a, (__m256i)b);
}

VEC zip2_high(vec a, vec b)
{
	return (vec)_mm256_unpackhi_epi64((__m256i)a, (__m256i)b);
}

VEC quads_even(vec a, vec b)
{
	return (vec)_mm256_permute2x128_si256((__m256i)a, (__m256i)b, 0x20);
}

VEC quads_odd(vec a, vec b)
{
	return (vec)_mm256_permute2x128_si256((__m256i)a, (__m256i)b, 0x31);
}

VEC rows_load(const uint8_t *const p[LANES], unsigned r, unsigned at)
{
	return (vec)_mm256_loadu_si256((const __m256i *)(p[r] + at));
}

VOID rows_store(uint8_t *const p[LANES], unsigned r, vec v)
{
	_mm256_storeu_si256((__m256i *)p[r], (__m256i)v);
}

// Few states are faster one by one.
static const struct sha256_ops *rest_kernel(void)
{
	return &sha256_scalar;
}

#include "crypto/sha256_lanes.h" // stands on what is defined above

static bool usable(void)
{
	return __builtin_cpu_supports("avx2");
}

const struct sha256_ops sha256_avx2 = {
	.name = "avx2",
	.lanes = GROUP,
	.usable = usable,
	.compress_same = compress_same,
	.compress_each = compress_each,
	.compress_half = compress_half,
	.hmac_pads = run_pads,
	.hmac_keys = run_keys,
	.hmac_chain = run_chain,
};
