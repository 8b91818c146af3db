#pragma once
// AKMA key derivation (TS 33.535 Annex A over the KDF of TS 33.220 B.2). Derived keys are secrets
// of the caller, who wipes them. Any thread.

#include <stddef.h>
#include <stdint.h>

#include "crypto/hmac.h"

enum {
	AKMA_FC_KAKMA = 0x80, // TS 33.535 A.2
	AKMA_FC_ATID = 0x81,  // TS 33.535 A.3
	AKMA_FC_KAF = 0x82,   // TS 33.535 A.4
	AKMA_KEY = 32,        // K_AUSF, K_AKMA, A-TID, K_AF
	AKMA_FQDN_MIN = 4,
	AKMA_FQDN_MAX = 253,
	AKMA_UA_STAR_ID = 5, // TS 33.220 Annex H
	AKMA_AF_ID_MAX = AKMA_FQDN_MAX + AKMA_UA_STAR_ID,
	AKMA_SUPI_MAX = 255, // octets with the "imsi-" or "nai-" prefix
};

// AF_ID = FQDN || Ua* security protocol identifier, as it enters the KDF.
struct akma_af_id {
	uint16_t len;
	uint8_t octets[AKMA_AF_ID_MAX];
};

// Normalises an FQDN as it enters the KDF: lower case, no trailing dot; letters, digits and hyphens
// in labels of 1 to 63 octets that neither start nor end with a hyphen, at least two labels, 4 to
// 253 octets, no U-labels. `out` takes AKMA_FQDN_MAX + 1 octets, terminated. Returns the length or
// -EBADMSG, out untouched then.
int akma_fqdn_parse(const char *fqdn, size_t len, char out[AKMA_FQDN_MAX + 1]);

// From an FQDN that akma_fqdn_parse gave.
void akma_af_id_init(struct akma_af_id *af_id, const char *fqdn,
		     const uint8_t ua_star_id[AKMA_UA_STAR_ID]);

// K_AKMA = KDF(K_AUSF, 0x80, "AKMA", SUPI) and A-TID = KDF(K_AUSF, 0x81, "A-TID", SUPI). `supi` is
// the identity with its prefix, "imsi-" or "nai-", which is not part of P1 (TS 33.501 A.7.0).
// 0, or -EBADMSG for another prefix or a SUPI that is too long.
int akma_kakma(const struct sha256_ops *sha, const uint8_t kausf[AKMA_KEY], const char *supi,
	       uint8_t kakma[AKMA_KEY]);
int akma_atid(const struct sha256_ops *sha, const uint8_t kausf[AKMA_KEY], const char *supi,
	      uint8_t atid[AKMA_KEY]);

// K_AF of one UE, for one request: nothing is prepared. kakma: pad states of K_AKMA.
void akma_kaf_one(const struct sha256_ops *sha, const struct hmac_key *kakma,
		  const struct akma_af_id *af_id, uint8_t kaf[AKMA_KEY]);

// The message of K_AF = KDF(K_AKMA, 0x82, AF_ID), made once per AF: S = 0x82 || AF_ID || L0.
void akma_kaf_message(struct hmac_message *message, const struct akma_af_id *af_id);

// K_AF for n UEs of one AF: kakma [n] pad states of K_AKMA, kaf [n][32] out.
void akma_kaf(const struct sha256_ops *sha, const struct hmac_key *const kakma[],
	      const struct hmac_message *kaf_message, unsigned n, uint8_t kaf[][AKMA_KEY]);
