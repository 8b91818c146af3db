// Key derivation: the KDF of TS 33.220 B.2, and HKDF-Expand for the message block.

#include "ue/octets.h"
#include "ue/protocol.h"

enum {
	FC_KAKMA = 0x80, // TS 33.535 A.2
	FC_ATID = 0x81,  // TS 33.535 A.3
	FC_KAF = 0x82,   // TS 33.535 A.4
	HASH = 32,
};

// KDF(key, FC, P0, P1) = HMAC-SHA-256(key, FC || P0 || L0 || P1 || L1). P0 comes in two parts,
// since AF_ID does; without a P1, p1 is NULL.
static bool kdf(const struct akmapush_ue_crypto *crypto, const uint8_t *key, uint8_t fc,
		const struct akmapush_ue_octets p0[2], const struct akmapush_ue_octets *p1,
		uint8_t out[HASH])
{
	uint8_t l0[2], l1[2];
	struct akmapush_ue_octets parts[6] = {{&fc, 1}, p0[0], p0[1], {l0, 2}};
	size_t n = 4;

	apue_store_be(l0, 2, (uint32_t)(p0[0].len + p0[1].len));
	if (p1) {
		apue_store_be(l1, 2, (uint32_t)p1->len);
		parts[4] = *p1;
		parts[5].octets = l1;
		parts[5].len = 2;
		n = 6;
	}
	return crypto->hmac_sha256(crypto->arg, key, parts, n, out);
}

static size_t length(const char *text, size_t max)
{
	size_t n = 0;

	while (n < max && text[n])
		n++;
	return n;
}

// The SUPI as P1: IMSI digits or NAI, without the prefix (TS 33.501 A.7.0).
static bool supi_parse(const char *supi, struct akmapush_ue_octets *p1)
{
	size_t n = length(supi, APUE_SUPI_MAX + 1), skip;

	if (n > 5 && !memcmp(supi, "imsi-", 5))
		skip = 5;
	else if (n > 4 && !memcmp(supi, "nai-", 4))
		skip = 4;
	else
		return false;
	p1->octets = supi + skip;
	p1->len = n - skip;
	return n <= APUE_SUPI_MAX;
}

bool apue_supi_is_valid(const char *supi)
{
	struct akmapush_ue_octets p1;

	return supi_parse(supi, &p1);
}

static bool from_kausf(const struct akmapush_ue_crypto *crypto, const uint8_t *kausf, uint8_t fc,
		       const char *label, const char *supi, uint8_t *out)
{
	struct akmapush_ue_octets p0[2] = {{label, length(label, 5)}, {NULL, 0}}, p1;

	return supi_parse(supi, &p1) && kdf(crypto, kausf, fc, p0, &p1, out);
}

bool apue_kakma(const struct akmapush_ue_crypto *crypto, const uint8_t kausf[APUE_KEY],
		const char *supi, uint8_t kakma[APUE_KEY])
{
	return from_kausf(crypto, kausf, FC_KAKMA, "AKMA", supi, kakma);
}

bool apue_atid(const struct akmapush_ue_crypto *crypto, const uint8_t kausf[APUE_KEY],
	       const char *supi, uint8_t atid[APUE_KEY])
{
	return from_kausf(crypto, kausf, FC_ATID, "A-TID", supi, atid);
}

static bool is_letter_or_digit(char c)
{
	return ('a' <= c && c <= 'z') || ('0' <= c && c <= '9');
}

// A label of 1 to 63 octets at p, up to the dot or the end; hyphens inside only. 0 if there is
// none.
static size_t label_parse(const char *p, size_t n)
{
	size_t len = 0;

	while (len < n && (is_letter_or_digit(p[len]) || p[len] == '-'))
		len++;
	if (len == 0 || len > 63 || p[0] == '-' || p[len - 1] == '-')
		return 0;
	return len;
}

bool apue_fqdn_is_valid(const char *fqdn)
{
	size_t n = length(fqdn, APUE_FQDN_MAX + 1), at = 0, labels = 0;

	if (n < APUE_FQDN_MIN || n > APUE_FQDN_MAX)
		return false;
	for (;;) {
		size_t len = label_parse(fqdn + at, n - at);

		if (len == 0)
			return false;
		labels++;
		at += len;
		if (at == n)
			return labels >= 2;
		if (fqdn[at++] != '.')
			return false;
	}
}

void apue_af_id(const struct akmapush_ue_af *af, struct akmapush_ue_octets parts[2])
{
	parts[0].octets = af->fqdn;
	parts[0].len = length(af->fqdn, APUE_FQDN_MAX + 1);
	parts[1].octets = af->ua_star_id;
	parts[1].len = sizeof(af->ua_star_id);
}

bool apue_kaf(const struct akmapush_ue_crypto *crypto, const uint8_t kakma[APUE_KEY],
	      const struct akmapush_ue_af *af, uint8_t kaf[APUE_KEY])
{
	struct akmapush_ue_octets af_id[2];

	apue_af_id(af, af_id);
	return apue_fqdn_is_valid(af->fqdn) && kdf(crypto, kakma, FC_KAF, af_id, NULL, kaf);
}

// RFC 5869 2.3: T(1) = HMAC(PRK, info || 1), T(2) = HMAC(PRK, T(1) || info || 2).
bool apue_block_derive(const struct akmapush_ue_crypto *crypto, const uint8_t kaf[APUE_KEY],
		       uint8_t suite, uint8_t type, const uint8_t push_id[AKMAPUSH_UE_PUSH_ID],
		       struct apue_block *block)
{
	uint8_t t2[HASH], kind[2], counter = 1;
	struct akmapush_ue_octets parts[5] = {
		{block->okm, 0}, // T(1) once it is there
		{"akma push 1", 11}, {kind, 2}, {push_id, AKMAPUSH_UE_PUSH_ID}, {&counter, 1},
	};
	bool ok;

	if (suite < 1 || suite > 2)
		return false;
	kind[0] = suite;
	kind[1] = type;
	block->key_len = suite == 1 ? 16 : 32;
	block->key = block->okm;
	block->iv = block->okm + block->key_len;
	block->selector = block->iv + APUE_NONCE;
	ok = crypto->hmac_sha256(crypto->arg, kaf, parts, 5, block->okm);
	if (ok && suite == 2) {
		parts[0].len = HASH;
		counter = 2;
		ok = crypto->hmac_sha256(crypto->arg, kaf, parts, 5, t2);
		if (ok)
			memcpy(block->okm + HASH, t2, APUE_BLOCK_MAX - HASH);
		apue_wipe(t2, sizeof(t2));
	}
	return ok;
}
