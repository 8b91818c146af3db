#ifndef AKMAPUSH_UE_BUILTIN_H
#define AKMAPUSH_UE_BUILTIN_H
// Parts of the built-in crypto. No table look-up, branch or multiplication depends on a secret.
// Contexts hold secrets; who makes one wipes it.

#include <stddef.h>
#include <stdint.h>

struct apue_sha256 {
	uint32_t state[8];
	uint64_t len; // octets so far
	uint8_t block[64];
};

void apue_sha256_init(struct apue_sha256 *sha);
void apue_sha256_update(struct apue_sha256 *sha, const void *octets, size_t n);
void apue_sha256_final(struct apue_sha256 *sha, uint8_t digest[32]);

enum { APUE_AES_ROUNDS_MAX = 14 };

// An expanded key in bit planes: bit i of plane[r][b] is bit b of octet i of round key r.
struct apue_aes {
	unsigned rounds;
	uint16_t plane[APUE_AES_ROUNDS_MAX + 1][8];
};

// key_len 16 or 32.
void apue_aes_init(struct apue_aes *aes, const uint8_t *key, size_t key_len);
// Four blocks at once, in place.
void apue_aes_encrypt4(const struct apue_aes *aes, uint8_t blocks[64]);

struct apue_ghash {
	uint64_t h[2]; // first half of the block in [0], as numbers
	uint64_t y[2];
};

void apue_ghash_init(struct apue_ghash *ghash, const uint8_t h[16]);
// Octets up to the end of a part (AAD, ciphertext): the last block is filled up with zeros.
void apue_ghash_update(struct apue_ghash *ghash, const uint8_t *octets, size_t n);
void apue_ghash_final(struct apue_ghash *ghash, uint64_t aad_len, uint64_t text_len,
		      uint8_t out[16]);

#endif
