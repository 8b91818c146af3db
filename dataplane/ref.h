#pragma once
// `ref`: a target's place in its push's list, under a permutation of 32 bits that is secret and new
// for each push, so that refs of two pushes can't be linked (docs/specification.md 4).
//
// A balanced Feistel network of eight rounds over two 16-bit halves; the round keys come from
// HMAC-SHA-256(secret, "akma push ref"). Cheap enough to be computed per datagram, in both ways.
// Pure functions. Any thread.

#include <stdint.h>

#include "crypto/sha256.h"

enum { REF_SECRET = 16, REF_ROUNDS = 8 };

struct ref_key {
	uint32_t round[REF_ROUNDS];
};

void ref_key_init(const struct sha256_ops *sha, struct ref_key *key,
		  const uint8_t secret[REF_SECRET]);
uint32_t ref_of_place(const struct ref_key *key, uint32_t place);
uint32_t ref_to_place(const struct ref_key *key, uint32_t ref);

// The same of n, in vectors: one alone waits for its multiplications. The arrays may be the same.
void ref_of_places(const struct ref_key *key, const uint32_t place[], unsigned n, uint32_t ref[]);
void ref_to_places(const struct ref_key *key, const uint32_t ref[], unsigned n, uint32_t place[]);
