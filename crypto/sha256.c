// The kernel list, the message schedule and whole messages. Everything wide is in the kernels.

#include "crypto/sha256.h"

#include <stdatomic.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "crypto/sha256_kernels.h"

const struct sha256_ops *const sha256_kernels[] = {
#ifdef HAVE_X86_KERNELS
	&sha256_avx512, &sha256_shani, &sha256_avx2,
#endif
#ifdef HAVE_ARM_KERNELS
	&sha256_armv8,
#endif
	&sha256_scalar, NULL,
};

const uint32_t sha256_initial[8] = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
	0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

const uint32_t sha256_k[SHA256_ROUNDS] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

// Macros: constants are made with them. FIPS 180-4 section 4.1.2.
#define ROR(x, n) ((x) >> (n) | (x) << (32 - (n)))
#define SIGMA0(x) (ROR(x, 7) ^ ROR(x, 18) ^ (x) >> 3)
#define SIGMA1(x) (ROR(x, 17) ^ ROR(x, 19) ^ (x) >> 10)

// A tail of eight words, of which wk takes K[8..15].
#define TAIL(a, b, c, d, e, f, g, h)                                                               \
	{                                                                                          \
		.word = {a, b, c, d, e, f, g, h},                                                  \
		.wk = {a + 0xd807aa98, b + 0x12835b01, c + 0x243185be, d + 0x550c7dc3,             \
		       e + 0x72be5d74, f + 0x80deb1fe, g + 0x9bdc06a7, h + 0xc19bf174},            \
		.part = {b + SIGMA1(g),                                                            \
			 c + SIGMA1(h),                                                            \
			 d,                                                                        \
			 e,                                                                        \
			 f,                                                                        \
			 g,                                                                        \
			 h,                                                                        \
			 SIGMA0(a),                                                                \
			 a + SIGMA0(b),                                                            \
			 b + SIGMA0(c),                                                            \
			 c + SIGMA0(d),                                                            \
			 d + SIGMA0(e),                                                            \
			 e + SIGMA0(f),                                                            \
			 f + SIGMA0(g),                                                            \
			 g + SIGMA0(h),                                                            \
			 h},                                                                       \
	}
#define EIGHT_TIMES(w) TAIL(w, w, w, w, w, w, w, w)

const struct sha256_tail hmac_ipad = EIGHT_TIMES(0x36363636u);
const struct sha256_tail hmac_opad = EIGHT_TIMES(0x5c5c5c5cu);
const struct sha256_tail hmac_digest_end =
	TAIL(0x80000000u, 0u, 0u, 0u, 0u, 0u, 0u, (SHA256_BLOCK + SHA256_DIGEST) * 8u);

// CPUID traps in a virtual machine: it is asked once. Threads that ask at the same time agree.
const struct sha256_ops *sha256_best(void)
{
	static const struct sha256_ops *_Atomic best;
	const struct sha256_ops *const *kernel = sha256_kernels;
	const struct sha256_ops *known = atomic_load_explicit(&best, memory_order_relaxed);

	if (known)
		return known;
	while (!(*kernel)->usable())
		kernel++; // ends at scalar, which every CPU runs
	atomic_store_explicit(&best, *kernel, memory_order_relaxed);
	return *kernel;
}

const struct sha256_ops *sha256_find(const char *name)
{
	for (const struct sha256_ops *const *kernel = sha256_kernels; *kernel; kernel++) {
		if (!strcmp((*kernel)->name, name))
			return (*kernel)->usable() ? *kernel : NULL;
	}
	return NULL;
}

void sha256_usable(char *names, size_t size)
{
	*names = 0;
	for (const struct sha256_ops *const *kernel = sha256_kernels; *kernel; kernel++) {
		if ((*kernel)->usable())
			list_add(names, size, (*kernel)->name);
	}
}

// FIPS 180-4 section 6.2.2 step 1, with the round constants added at the end.
void sha256_expand_words(struct sha256_schedule *schedule)
{
	uint32_t *const w = schedule->wk;

	for (unsigned t = 16; t < SHA256_ROUNDS; t++)
		w[t] = SIGMA1(w[t - 2]) + w[t - 7] + SIGMA0(w[t - 15]) + w[t - 16];
	for (unsigned t = 0; t < SHA256_ROUNDS; t++)
		w[t] += sha256_k[t];
}

void sha256_expand(struct sha256_schedule *schedule, const uint8_t block[SHA256_BLOCK])
{
	for (unsigned t = 0; t < 16; t++)
		schedule->wk[t] = load32_be(block + 4 * t);
	sha256_expand_words(schedule);
}

void sha256_finish(const struct sha256_ops *sha, uint32_t state[8], uint64_t before,
		   const void *data, size_t len)
{
	const uint8_t *octets = data;
	uint8_t last[2][SHA256_BLOCK] = {0};
	size_t left = len;

	for (; left >= SHA256_BLOCK; left -= SHA256_BLOCK, octets += SHA256_BLOCK)
		sha->compress_each((uint32_t(*)[8])state, (const uint8_t(*)[SHA256_BLOCK])octets,
				   1);

	const unsigned n = left + 1 + sizeof(uint64_t) <= SHA256_BLOCK ? 1 : 2;

	if (left)
		memcpy(last[0], octets, left);
	last[0][left] = 0x80;
	store64_be(last[n - 1] + SHA256_BLOCK - sizeof(uint64_t), (before + len) * 8);
	for (unsigned i = 0; i < n; i++)
		sha->compress_each((uint32_t(*)[8])state, &last[i], 1);
	mem_wipe(last, sizeof(last));
}

void sha256_digest_write(uint8_t digest[SHA256_DIGEST], const uint32_t state[8])
{
	for (unsigned i = 0; i < 8; i++)
		store32_be(digest + 4 * i, state[i]);
}

void sha256(const struct sha256_ops *sha, const void *data, size_t len,
	    uint8_t digest[SHA256_DIGEST])
{
	uint32_t state[8];

	memcpy(state, sha256_initial, sizeof(state));
	sha256_finish(sha, state, 0, data, len);
	sha256_digest_write(digest, state);
	mem_wipe(state, sizeof(state));
}
