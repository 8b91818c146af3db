#pragma once
// What the SHA-256 kernels share, and their objects. One file per instruction set; a kernel that
// the build leaves out is left out of the list in sha256.c too. Inside crypto/ only.

#include "crypto/sha256.h"

// The round constants, FIPS 180-4 section 4.2.2.
extern const uint32_t sha256_k[SHA256_ROUNDS];

// The schedule of the 16 words that are in wk already.
void sha256_expand_words(struct sha256_schedule *schedule);

// What HMAC puts behind eight words: 32 octets of a pad, the end of a message of a block and a
// digest (RFC 2104).
enum { HMAC_IPAD = 0x36363636, HMAC_OPAD = 0x5c5c5c5c };
extern const struct sha256_tail hmac_ipad, hmac_opad, hmac_digest_end;

extern const struct sha256_ops sha256_scalar;
extern const struct sha256_ops sha256_shani;
extern const struct sha256_ops sha256_avx2;
extern const struct sha256_ops sha256_avx512;
extern const struct sha256_ops sha256_armv8;

static inline uint32_t rotate_right(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}
