#pragma once
// HMAC-SHA-256 (RFC 2104, FIPS 198-1) with 32-octet keys, in bursts. A key is held as its two pad
// states (the hash of key ^ ipad and of key ^ opad, one block each), which saves two of the four
// compressions of a short message; pad states are as secret as the key. A message that goes under
// many keys is padded and expanded once. No state outside the caller's memory. Any thread.

#include <stddef.h>
#include <stdint.h>

#include "crypto/sha256.h"

enum {
	HMAC_KEY = 32,
	HMAC_MAC = 32,
	HMAC_MESSAGE_MAX =
		311, // octets of a prepared message: 1 + 258 + 2 of AKMA fit (TS 33.535 A.4)
	HMAC_MESSAGE_BLOCKS = 5,
};

// A message as the padded blocks that follow the ipad block, with their schedules.
struct hmac_message {
	unsigned n_blocks; // 1..HMAC_MESSAGE_BLOCKS
	struct sha256_schedule block[HMAC_MESSAGE_BLOCKS];
};

static inline struct sha256_text hmac_text(const struct hmac_message *message)
{
	return (struct sha256_text){message->block, message->n_blocks};
}

// Pad states of n keys (two compressions each): key [n][32], state [n] out.
void hmac_key_init(const struct sha256_ops *sha, const uint8_t key[][HMAC_KEY], unsigned n,
		   struct hmac_key *state);

// 0, or -EMSGSIZE when len > HMAC_MESSAGE_MAX.
int hmac_message_init(struct hmac_message *message, const void *data, size_t len);

// mac[i] = HMAC(key[i], message): n_blocks + 1 compressions each.
//   key [n]  pointers to pad states, in any order, repeats allowed
//   mac [n][32]  out; may not overlap the keys
void hmac_same(const struct sha256_ops *sha, const struct hmac_key *const key[],
	       const struct hmac_message *message, unsigned n, uint8_t mac[][HMAC_MAC]);

// The same of prepared blocks that the caller keeps; mac i is the 32 octets at mac + i * stride.
void hmac_blocks(const struct sha256_ops *sha, const struct hmac_key *const key[],
		 struct sha256_text text, unsigned n, uint8_t *mac, size_t stride);

// The same under keys of which there are no pad states yet, key [n][32]: four compressions more.
void hmac_keys(const struct sha256_ops *sha, const uint8_t key[][HMAC_KEY], struct sha256_text text,
	       unsigned n, uint8_t *mac, size_t stride);

// mac i = HMAC(HMAC(key[i], text), second). The key in between has no home but registers and the
// frame of this call.
void hmac_chain(const struct sha256_ops *sha, const struct hmac_key *const key[],
		struct sha256_text text, struct sha256_text second, unsigned n, uint8_t *mac,
		size_t stride);

// mac i = HMAC(key[i], first[i] || last): a block of each key's own, then a padding block that all
// share. T(2) of HKDF-Expand has this form.
//   first [n][64]  message octets up to the last block
//   last  the block that ends the message, its length (64 octets of pad and all before) included
//   otherwise as hmac_blocks
void hmac_each(const struct sha256_ops *sha, const struct hmac_key *const key[],
	       const uint8_t first[][SHA256_BLOCK], const struct sha256_schedule *last, unsigned n,
	       uint8_t *mac, size_t stride);

// mac = HMAC(key, data) for one message of any length.
void hmac_one(const struct sha256_ops *sha, const struct hmac_key *key, const void *data,
	      size_t len, uint8_t mac[HMAC_MAC]);
