// AES-GCM with AES-NI and PCLMULQDQ: a message a register, four at a time. Compiled without AVX,
// for CPUs that have none.

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

enum { LANES = 1, WAYS = 4 };

typedef __m128i vec;

#define VEC  static inline __attribute__((always_inline)) vec
#define VOID static inline __attribute__((always_inline)) void

#define SPREAD(block)              (block)
#define BYTES(v, order)            _mm_shuffle_epi8(v, order)
#define WORDS(v, order)            _mm_shuffle_epi32(v, order)
#define UP(v, n)                   _mm_slli_si128(v, n)
#define CLMUL_HALVES(a, b, halves) _mm_clmulepi64_si128(a, b, halves)
#define AESENC(v, key)             _mm_aesenc_si128(v, key)
#define AESENCLAST(v, key)         _mm_aesenclast_si128(v, key)

VEC vec_load_flat(const uint8_t *p)
{
	return _mm_loadu_si128((const __m128i *)p);
}

VOID vec_store_flat(uint8_t *p, vec v)
{
	_mm_storeu_si128((__m128i *)p, v);
}

VEC vec_load(const uint8_t *const p[LANES], size_t at)
{
	return vec_load_flat(p[0] + at);
}

VOID vec_store(uint8_t *const p[LANES], size_t at, vec v)
{
	vec_store_flat(p[0] + at, v);
}

#include "crypto/aead_x86.h"

#include "crypto/aead_burst.h" // stands on what the others define

static bool usable(void)
{
	return __builtin_cpu_supports("sse4.1") && __builtin_cpu_supports("aes") &&
	       __builtin_cpu_supports("pclmul");
}

const struct aead_ops aead_aesni = {
	.name = "aesni",
	.usable = usable,
	.open = open_memory,
	.close = close_memory,
	.seal = seal,
	.open_burst = open_burst,
};
