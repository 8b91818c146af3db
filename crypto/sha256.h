#pragma once
// SHA-256 (FIPS 180-4) as kernels: pure functions over many independent states at once. A kernel is
// a const object in a list, best first, scalar last; tests run every usable one against scalar. The
// caller owns all memory. Any thread.
//
// Three shapes, because a fan-out hashes the same text under many keys: compress_same takes one
// block whose schedule was expanded once (W[t] + K[t]); compress_half a block per state of which
// only the first half differs, as words: a key with its pad, a digest with its padding;
// compress_each takes any blocks. A kernel may do whole MACs as well, hash to hash in its
// registers; hmac.h is their door.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHA256_BLOCK = 64, SHA256_DIGEST = 32, SHA256_ROUNDS = 64 };

// One block, expanded: W[t] + K[t], t = 0..63.
struct sha256_schedule {
	_Alignas(64) uint32_t wk[SHA256_ROUNDS];
};

// The second half of a block that many share, and what follows from it alone.
struct sha256_tail {
	uint32_t word[8];  // W[8..15]
	uint32_t wk[8];    // with K added
	uint32_t part[16]; // of W[16..31]: the sum of the terms that depend on no other word
};

// The prepared blocks that end a message.
struct sha256_text {
	const struct sha256_schedule *block;
	unsigned n_blocks;
};

// HMAC's pad states of a key: the hashes of key ^ ipad and key ^ opad. Secret. Words in host order.
struct hmac_key {
	uint32_t inner[8];
	uint32_t outer[8];
};

struct sha256_ops {
	const char *name;
	unsigned lanes;       // states that the kernel takes in one pass; any n is accepted
	bool (*usable)(void); // whether this CPU has the instructions
	// state [n][8] in and out, words in host order; no alignment asked of block.
	void (*compress_same)(uint32_t state[][8], const struct sha256_schedule *block, unsigned n);
	void (*compress_each)(uint32_t state[][8], const uint8_t block[][SHA256_BLOCK], unsigned n);
	// Block i = half[i] || tail, words in host order; half may not overlap state.
	void (*compress_half)(uint32_t state[][8], const uint32_t half[][8],
			      const struct sha256_tail *tail, unsigned n);

	// HMACs of the first of n keys, as many as are done better so than out of the shapes
	// above; returns how many. NULL: none. mac i is written at mac + i * stride; text is
	// what follows the pad's block.
	//   hmac_pads   under pad states
	//   hmac_keys   under keys of 32 octets
	//   hmac_chain  of `second`, under the HMAC of `text` under pad states
	unsigned (*hmac_pads)(const struct hmac_key *const pads[], struct sha256_text text,
			      unsigned n, uint8_t *mac, size_t stride);
	unsigned (*hmac_keys)(const uint8_t key[][SHA256_DIGEST], struct sha256_text text,
			      unsigned n, uint8_t *mac, size_t stride);
	unsigned (*hmac_chain)(const struct hmac_key *const pads[], struct sha256_text text,
			       struct sha256_text second, unsigned n, uint8_t *mac, size_t stride);
};

// NULL-terminated, best first.
extern const struct sha256_ops *const sha256_kernels[];

// The best usable kernel, or the named one; NULL when no usable kernel has that name.
const struct sha256_ops *sha256_best(void);
const struct sha256_ops *sha256_find(const char *name);
void sha256_usable(char *names, size_t size); // all names that sha256_find knows here: "a, b"

// The initial hash value, FIPS 180-4 section 5.3.3.
extern const uint32_t sha256_initial[8];

void sha256_expand(struct sha256_schedule *schedule, const uint8_t block[SHA256_BLOCK]);

// One whole message of any length.
void sha256(const struct sha256_ops *sha, const void *data, size_t len,
	    uint8_t digest[SHA256_DIGEST]);

// Absorbs the last `len` octets of a message and its padding into `state`, which has taken `before`
// octets of it (whole blocks) already.
void sha256_finish(const struct sha256_ops *sha, uint32_t state[8], uint64_t before,
		   const void *data, size_t len);

void sha256_digest_write(uint8_t digest[SHA256_DIGEST], const uint32_t state[8]);
