#pragma once
// AES-GCM (NIST SP 800-38D) for many short messages, each under a key of its own: 12-octet nonce,
// 16-octet tag. An implementation is a const object in a list, best first; OpenSSL is the reference
// and serves every CPU. Working memory is made by aead_open, so that bursts allocate nothing.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { AEAD_TAG = 16, AEAD_NONCE = 12, AEAD_AAD = 32, AEAD_AAD_MAX = 96, AEAD_TEXT_MAX = 1184 };

// One message. Text and output may be the same octets; the tag stands behind the ciphertext.
struct aead_item {
	const uint8_t *key; // key_len octets
	const uint8_t *aad; // as many octets as aead_ops.open was told
	const uint8_t *in;  // seal: text [len]; open: ciphertext [len] and tag [16]
	uint8_t *out;       // seal: ciphertext [len] and tag [16]; open: text [len]
	uint8_t nonce[AEAD_NONCE];
	uint16_t len; // octets of text, 0..AEAD_TEXT_MAX
	bool ok;      // open: whether the tag verified; without it out is wiped
};

struct aead; // an implementation's working memory; one thread at a time

struct aead_ops {
	const char *name;
	bool (*usable)(void);
	// aad_len octets of associated data in all messages, 0..AEAD_AAD_MAX; AEAD_AAD in
	// protocol 1. NULL without memory.
	struct aead *(*open)(unsigned aad_len);
	void (*close)(struct aead *aead);
	// key_len 16 or 32, the same for the burst; n > 0.
	void (*seal)(struct aead *aead, unsigned key_len, struct aead_item *item, unsigned n);
	void (*open_burst)(struct aead *aead, unsigned key_len, struct aead_item *item, unsigned n);
};

extern const struct aead_ops *const aead_implementations[]; // NULL-terminated, best first
const struct aead_ops *aead_best(void);
const struct aead_ops *aead_find(const char *name); // NULL when none usable has that name
void aead_usable(char *names, size_t size); // the names that aead_find knows on this CPU: "a, b"
