#pragma once
// What others would do in our place: the stages of a protected push by the libraries that one would
// take, under one table of functions. A peer's memory is its own; one thread at a time.

#include <stdint.h>

#include "crypto/aead.h"
#include "crypto/hmac.h"

enum { PEER_BURST_MAX = 64 };

struct peer;

struct peer_ops {
	const char *name;
	unsigned burst_max;         // items it is given at a time, 1..PEER_BURST_MAX
	struct peer *(*open)(void); // NULL when it cannot be had, and says why
	void (*close)(struct peer *peer);

	// kaf[i] = HMAC-SHA-256(K_AKMA i, s), s_len <= HMAC_MESSAGE_MAX: from the key, or from its
	// pad states where the library takes those.
	void (*kaf)(struct peer *peer, const uint8_t *const kakma[],
		    const struct hmac_key *const pads[], const uint8_t *s, unsigned s_len,
		    unsigned n, uint8_t kaf[][HMAC_MAC]);
	// okm[i] = HMAC-SHA-256(kaf[i], info), info_len <= SHA256_BLOCK: the T(1) of suite 1, when
	// info ends with the octet 0x01 (RFC 5869 2.3).
	void (*okm)(struct peer *peer, const uint8_t kaf[][HMAC_KEY], const uint8_t *info,
		    unsigned info_len, unsigned n, uint8_t okm[][HMAC_MAC]);
	// As aead_ops.seal and .open_burst, with AEAD_AAD octets of associated data.
	void (*seal)(struct peer *peer, unsigned key_len, struct aead_item *item, unsigned n);
	void (*open_burst)(struct peer *peer, unsigned key_len, struct aead_item *item, unsigned n);
};

extern const struct peer_ops *const peers[]; // NULL-terminated
const struct peer_ops *peer_find(const char *name);
