#pragma once
// A pass: the states that a kernel takes side by side, in WAYS times LANES rows of octets. What the
// algorithms (sha256_lanes.h, sha256_streams.h) and the calls (sha256_passes.h) share. Inside
// crypto/ only; LANES and WAYS are defined before.

#include <string.h>

#include "base/bytes.h"
#include "crypto/sha256_kernels.h"

enum { GROUP = WAYS * LANES };

#define EACH_WAY(w)       _Pragma("GCC unroll 4") for (unsigned w = 0; w < ways; w++)
#define EACH_VEC(k)       _Pragma("GCC unroll 8") for (unsigned k = 0; k < VECS; k++)
#define INLINE            static inline __attribute__((always_inline))
#define NOINLINE          static __attribute__((noinline))
#define UNROLLED(n)       _Pragma(UNROLL_TEXT(GCC unroll n))
#define UNROLL_TEXT(text) #text

// Where the states of a pass have their octets. What is left over are further copies of the last
// one: they compute what it does and store it over it.
struct rows {
	uint8_t *at[GROUP];
};

INLINE void rows_init(struct rows *rows, const void *octets, size_t stride, unsigned n,
		      unsigned ways)
{
	uint8_t *at = (uint8_t *)octets;

	for (unsigned l = 0; l < ways * LANES; l++) {
		rows->at[l] = at;
		at += l + 1 < n ? stride : 0;
	}
}
