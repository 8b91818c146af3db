#pragma once
// The second half of a block as compress_half wants it, by the letter of FIPS 180-4 6.2.2 step 1.

#include "crypto/sha256_kernels.h"

static inline uint32_t tail_sigma(uint32_t x, unsigned a, unsigned b, unsigned shift)
{
	return rotate_right(x, a) ^ rotate_right(x, b) ^ x >> shift;
}

static inline struct sha256_tail tail_of(const uint32_t word[8])
{
	struct sha256_tail tail;

	for (unsigned i = 0; i < 8; i++) {
		tail.word[i] = word[i];
		tail.wk[i] = word[i] + sha256_k[8 + i];
	}
	// W[t] = sigma1(W[t - 2]) + W[t - 7] + sigma0(W[t - 15]) + W[t - 16], of which 8..15 count
	for (unsigned t = 16; t < 32; t++) {
		uint32_t *const part = &tail.part[t - 16];

		*part = t - 2 < 16 ? tail_sigma(word[t - 2 - 8], 17, 19, 10) : 0;
		*part += t - 7 < 16 ? word[t - 7 - 8] : 0;
		*part += t - 15 >= 8 && t - 15 < 16 ? tail_sigma(word[t - 15 - 8], 7, 18, 3) : 0;
		*part += t - 16 >= 8 ? word[t - 16 - 8] : 0;
	}
	return tail;
}
