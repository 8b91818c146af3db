// AES-GCM with VAES and VPCLMULQDQ on 512-bit registers: four messages in each, sixteen at a time.

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

enum { LANES = 4, WAYS = 4 };

typedef __m512i vec;

#define VEC  static inline __attribute__((always_inline)) vec
#define VOID static inline __attribute__((always_inline)) void

#define SPREAD(block)              _mm512_broadcast_i32x4(block)
#define BYTES(v, order)            _mm512_shuffle_epi8(v, order)
#define WORDS(v, order)            _mm512_shuffle_epi32(v, (_MM_PERM_ENUM)(order))
#define UP(v, n)                   _mm512_bslli_epi128(v, n)
#define CLMUL_HALVES(a, b, halves) _mm512_clmulepi64_epi128(a, b, halves)
#define AESENC(v, key)             _mm512_aesenc_epi128(v, key)
#define AESENCLAST(v, key)         _mm512_aesenclast_epi128(v, key)

static inline __attribute__((always_inline)) __m256i pair(const uint8_t *a, const uint8_t *b)
{
	const __m128i low = _mm_loadu_si128((const __m128i *)a);

	return _mm256_inserti128_si256(_mm256_castsi128_si256(low),
				       _mm_loadu_si128((const __m128i *)b), 1);
}

VEC vec_load(const uint8_t *const p[LANES], size_t at)
{
	const __m256i low = pair(p[0] + at, p[1] + at), high = pair(p[2] + at, p[3] + at);

	return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}

VOID vec_store(uint8_t *const p[LANES], size_t at, vec v)
{
	_mm_storeu_si128((__m128i *)(p[0] + at), _mm512_castsi512_si128(v));
	_mm_storeu_si128((__m128i *)(p[1] + at), _mm512_extracti32x4_epi32(v, 1));
	_mm_storeu_si128((__m128i *)(p[2] + at), _mm512_extracti32x4_epi32(v, 2));
	_mm_storeu_si128((__m128i *)(p[3] + at), _mm512_extracti32x4_epi32(v, 3));
}

VEC vec_load_flat(const uint8_t *p)
{
	return _mm512_loadu_si512(p);
}

VOID vec_store_flat(uint8_t *p, vec v)
{
	_mm512_storeu_si512(p, v);
}

#include "crypto/aead_x86.h"

#include "crypto/aead_burst.h" // stands on what the others define

static bool usable(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	       has_vaes();
}

const struct aead_ops aead_vaes512 = {
	.name = "vaes512",
	.usable = usable,
	.open = open_memory,
	.close = close_memory,
	.seal = seal,
	.open_burst = open_burst,
};
