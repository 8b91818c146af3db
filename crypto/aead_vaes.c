// AES-GCM with VAES and VPCLMULQDQ on 256-bit registers: two messages in each, eight at a time.

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

enum { LANES = 2, WAYS = 4 };

typedef __m256i vec;

#define VEC  static inline __attribute__((always_inline)) vec
#define VOID static inline __attribute__((always_inline)) void

#define SPREAD(block)              _mm256_broadcastsi128_si256(block)
#define BYTES(v, order)            _mm256_shuffle_epi8(v, order)
#define WORDS(v, order)            _mm256_shuffle_epi32(v, order)
#define UP(v, n)                   _mm256_slli_si256(v, n)
#define CLMUL_HALVES(a, b, halves) _mm256_clmulepi64_epi128(a, b, halves)
#define AESENC(v, key)             _mm256_aesenc_epi128(v, key)
#define AESENCLAST(v, key)         _mm256_aesenclast_epi128(v, key)

VEC vec_load(const uint8_t *const p[LANES], size_t at)
{
	const __m128i low = _mm_loadu_si128((const __m128i *)(p[0] + at));
	const __m128i high = _mm_loadu_si128((const __m128i *)(p[1] + at));

	return _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
}

VOID vec_store(uint8_t *const p[LANES], size_t at, vec v)
{
	_mm_storeu_si128((__m128i *)(p[0] + at), _mm256_castsi256_si128(v));
	_mm_storeu_si128((__m128i *)(p[1] + at), _mm256_extracti128_si256(v, 1));
}

VEC vec_load_flat(const uint8_t *p)
{
	return _mm256_loadu_si256((const __m256i *)p);
}

VOID vec_store_flat(uint8_t *p, vec v)
{
	_mm256_storeu_si256((__m256i *)p, v);
}

#include "crypto/aead_x86.h"

#include "crypto/aead_burst.h" // stands on what the others define

static bool usable(void)
{
	return __builtin_cpu_supports("avx2") && has_vaes();
}

const struct aead_ops aead_vaes = {
	.name = "vaes",
	.usable = usable,
	.open = open_memory,
	.close = close_memory,
	.seal = seal,
	.open_burst = open_burst,
};
