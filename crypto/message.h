#pragma once
// The message block: what one push (or acknowledgement) to one UE is sealed with.
//
//   OKM = HKDF-Expand(PRK = K_AF, info = "akma push 1" || suite || type || push_id, L)
//
// (RFC 5869 2.3) split into AEAD key, iv and selector. Suites are const objects in a
// NULL-terminated list. Blocks are secrets of the caller, who wipes them. Any thread.

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "crypto/hmac.h"

enum {
	MESSAGE_TYPE_PUSH = 1,
	MESSAGE_TYPE_ACK = 2,
	MESSAGE_PUSH_ID = 16,
	MESSAGE_KEY_MAX = 32,
	MESSAGE_IV = 12,
	MESSAGE_SELECTOR = 4,
	MESSAGE_SALT = 7,
	MESSAGE_INFO = 29, // "akma push 1" || suite || type || push_id
	MESSAGE_REPLY_MAX = 1184,
};

struct message_suite {
	uint8_t id;      // on the wire
	uint8_t key_len; // octets
	uint8_t okm_len; // L
	const char *name;
};

extern const struct message_suite *const message_suites[];   // NULL-terminated
const struct message_suite *message_suite_find(unsigned id); // NULL when unknown

// The OKM of a suite, which ends where this ends.
struct message_block {
	uint8_t key[MESSAGE_KEY_MAX]; // the last key_len octets count
	uint8_t iv[MESSAGE_IV];
	uint8_t selector[MESSAGE_SELECTOR];
};

static inline const uint8_t *message_key(const struct message_block *block,
					 const struct message_suite *suite)
{
	return block->key + MESSAGE_KEY_MAX - suite->key_len;
}

// All that does not depend on the UE, prepared once per push and type.
struct message_info {
	const struct message_suite *suite;
	uint8_t info[MESSAGE_INFO];
	struct sha256_schedule first; // info || 0x01, the message of T(1): one block
};

void message_info_init(struct message_info *info, const struct message_suite *suite, unsigned type,
		       const uint8_t push_id[MESSAGE_PUSH_ID]);

// Message blocks of n UEs: kaf [n][32], block [n] out.
void message_blocks(const struct sha256_ops *sha, const struct message_info *info,
		    const uint8_t kaf[][HMAC_KEY], unsigned n, struct message_block *block);

// The same from pad states of K_AKMAs: kakma [n] pointers, in any order. `kaf` is what makes K_AF
// of them (TS 33.535 A.4); K_AF has no home but registers and the frame of this call.
void message_blocks_chain(const struct sha256_ops *sha, struct sha256_text kaf,
			  const struct message_info *info, const struct hmac_key *const kakma[],
			  unsigned n, struct message_block *block);

// The same from pad states of K_AFs: kaf [n] pointers, in any order.
void message_blocks_from(const struct sha256_ops *sha, const struct message_info *info,
			 const struct hmac_key *const kaf[], unsigned n,
			 struct message_block *block);

// PUSH: iv XOR (0^7 || ref || segment index). ACK: iv XOR (salt || 0^5).
static inline void message_push_nonce(uint8_t nonce[MESSAGE_IV], const struct message_block *block,
				      uint32_t ref, unsigned segment)
{
	store64_be(nonce, load64_be(block->iv) ^ ref >> 24);
	store32_be(nonce + 8, load32_be(block->iv + 8) ^ (ref << 8 | segment));
}

void message_ack_nonce(uint8_t nonce[MESSAGE_IV], const struct message_block *block,
		       const uint8_t salt[MESSAGE_SALT]);

// salt = the first 7 octets of HMAC(K_AF, "akma push ack" || octets 0..3 || push_id || ref ||
// status || reply), reply_len <= MESSAGE_REPLY_MAX. The UE makes it; the vectors and tools check
// it.
void message_ack_salt(const struct sha256_ops *sha, const uint8_t kaf[HMAC_KEY],
		      const uint8_t octets0_3[4], const uint8_t push_id[MESSAGE_PUSH_ID],
		      uint32_t ref, uint8_t status, const uint8_t *reply, size_t reply_len,
		      uint8_t salt[MESSAGE_SALT]);
