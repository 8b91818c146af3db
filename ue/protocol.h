#ifndef AKMAPUSH_UE_PROTOCOL_H
#define AKMAPUSH_UE_PROTOCOL_H
// Protocol 1 as pure functions: key derivation, message block, PUSH opened, ACK sealed (the other
// two directions are in ue/peer.h). The state machine of the UE is built on these; conformance
// tools call them directly. They keep nothing and wipe what they derive; keys passed in and out are
// secrets of the caller. Every function may run in any thread. "false" from a function that takes a
// crypto table and is not an open means that the crypto implementation failed (the built-in one
// never does).

#include "ue/akmapush_ue.h"

enum {
	APUE_KEY = 32,    // octets of K_AUSF, K_AKMA, A-TID, K_AF
	APUE_HEADER = 32, // octets 0..31, which are the AAD
	APUE_TAG = 16,
	APUE_NONCE = 12,
	APUE_SALT = 7,
	APUE_BLOCK_MAX = 48,
	APUE_PUSH = 1, // message types
	APUE_ACK = 2,
	APUE_FLAG_ACK_WANTED = 1,
	APUE_FLAG_ORDERED = 2,
	APUE_SEGMENTS_MAX = 16,
	APUE_STATUS_MAX = 3,
	APUE_FQDN_MIN = 4,
	APUE_FQDN_MAX = 253,
	APUE_SUPI_MAX = 255, // with its prefix
};

// Offsets in both datagrams (docs/specification.md, Datagrams).
enum {
	APUE_VERSION = 1,
	APUE_AT_SUITE = 1,
	APUE_AT_FLAGS = 2,
	APUE_AT_SEGMENT = 3,
	APUE_AT_SELECTOR = 4, // of a PUSH; salt[0..3] of an ACK
	APUE_AT_PUSH_ID = 8,
	APUE_AT_REF = 24,
	APUE_AT_EXPIRY = 28, // of a PUSH; status and salt[4..6] of an ACK
	APUE_AT_STATUS = 28,
};

// K_AKMA and A-TID from K_AUSF and a SUPI "imsi-..." or "nai-..." (TS 33.535 A.2, A.3). The prefix
// is no part of P1 (TS 33.501 A.7.0). False for another prefix, an empty or too long SUPI.
bool apue_kakma(const struct akmapush_ue_crypto *crypto, const uint8_t kausf[APUE_KEY],
		const char *supi, uint8_t kakma[APUE_KEY]);
bool apue_atid(const struct akmapush_ue_crypto *crypto, const uint8_t kausf[APUE_KEY],
	       const char *supi, uint8_t atid[APUE_KEY]);

bool apue_supi_is_valid(const char *supi);

// Whether an FQDN is in the form that enters the KDF: 4 to 253 octets, labels of 1 to 63 lower-case
// letters, digits and inner hyphens, at least two labels, no trailing dot.
bool apue_fqdn_is_valid(const char *fqdn);

// AF_ID = FQDN || Ua* id, in two parts that lead into `af`. Of `af` the two are used alone, here
// and in apue_kaf.
void apue_af_id(const struct akmapush_ue_af *af, struct akmapush_ue_octets parts[2]);

// K_AF (TS 33.535 A.4). False for an invalid FQDN.
bool apue_kaf(const struct akmapush_ue_crypto *crypto, const uint8_t kakma[APUE_KEY],
	      const struct akmapush_ue_af *af, uint8_t kaf[APUE_KEY]);

// The message block of one push in one direction (docs/specification.md, Keys):
// OKM = HKDF-Expand(K_AF, "akma push 1" || suite || type || push_id, L).
struct apue_block {
	uint8_t key_len;         // 16 or 32
	const uint8_t *key;      // into okm
	const uint8_t *iv;       // 12 octets
	const uint8_t *selector; // 4 octets, PUSH only
	uint8_t okm[APUE_BLOCK_MAX];
};

// The caller wipes `block`. Suite 1 or 2, else false.
bool apue_block_derive(const struct akmapush_ue_crypto *crypto, const uint8_t kaf[APUE_KEY],
		       uint8_t suite, uint8_t type, const uint8_t push_id[AKMAPUSH_UE_PUSH_ID],
		       struct apue_block *block);

// A PUSH that passed the checks of form; pointers lead into the datagram.
struct apue_push {
	uint8_t suite;
	uint8_t flags;
	uint8_t segment_index;
	uint8_t segment_cnt;
	const uint8_t *header; // 32 octets
	const uint8_t *selector;
	const uint8_t *push_id;
	const uint8_t *ref;
	uint32_t expiry;           // Unix seconds
	const uint8_t *ciphertext; // n octets, then the tag
	size_t n;
};

// Rule 5.1 without the clock. AKMAPUSH_UE_DELIVERED if the form is right, else the reason; `push`
// is untouched then.
enum akmapush_ue_outcome apue_push_parse(const uint8_t *datagram, size_t len,
					 struct apue_push *push);

// Rule 5.2 for one candidate: derives, compares the selector, opens. `payload` takes push->n octets
// and may not overlap the datagram; it is wiped if the tag is wrong.
bool apue_push_open(const struct akmapush_ue_crypto *crypto, const uint8_t kaf[APUE_KEY],
		    const struct apue_push *push, uint8_t *payload);

struct apue_ack_fields {
	uint8_t suite;
	uint8_t status;
	uint8_t push_id[AKMAPUSH_UE_PUSH_ID];
	uint8_t ref[4];
	const uint8_t *reply;
	size_t reply_len;
};

// Writes 48 + reply_len octets and returns that; 0 if the fields do not make a datagram.
size_t apue_ack_seal(const struct akmapush_ue_crypto *crypto, const uint8_t kaf[APUE_KEY],
		     const struct apue_ack_fields *fields,
		     uint8_t datagram[AKMAPUSH_UE_DATAGRAM_MAX]);

// The parts of both directions. Form of a datagram of a type, which is the outcome of
// apue_push_parse; the nonces, from the iv of the block and a complete header; whether a reply of
// that length goes with the status.
enum akmapush_ue_outcome apue_form_check(const uint8_t *datagram, size_t len, uint8_t type);
void apue_push_nonce(const uint8_t *iv, const uint8_t *header, uint8_t nonce[APUE_NONCE]);
void apue_ack_nonce(const uint8_t *iv, const uint8_t *header, uint8_t nonce[APUE_NONCE]);
bool apue_ack_is_valid(uint8_t status, size_t reply_len);

#endif
