// The device library's own crypto against published answers and plain EVP calls. A plain program,
// as tests/kernels.c is: devices have other CPUs than the machines that build for them.

#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#include "tests/kit/gcm_message.h"
#include "tests/kit/gcm_nist.h"
#include "ue/akmapush_ue.h"

enum { HMAC_LENGTH_MAX = 400, SHIFTS = 8 };

static const struct akmapush_ue_crypto *const builtin = &akmapush_ue_crypto_builtin;
static struct random random_source;

static bool wrong(const char *what, unsigned at)
{
	printf("  %s %u, seed %#" PRIx64 "\n", what, at, random_source.seed);
	return false;
}

static bool hmac(void)
{
	uint8_t key[32], data[HMAC_LENGTH_MAX + SHIFTS], ours[32], theirs[32];

	random_fill(&random_source, key, sizeof(key));
	random_fill(&random_source, data, sizeof(data));
	for (unsigned n = 0; n <= HMAC_LENGTH_MAX; n++) {
		const uint8_t *const at = data + n % SHIFTS;
		const struct akmapush_ue_octets parts[] = {
			{at, n / 3}, {at + n / 3, 0}, {at + n / 3, n - n / 3}};

		HMAC(EVP_sha256(), key, sizeof(key), at, n, theirs, NULL);
		if (!builtin->hmac_sha256(NULL, key, parts, 3, ours) ||
		    memcmp(ours, theirs, sizeof(ours)))
			return wrong("HMAC: octets", n);
	}
	return true;
}

// Sealed, opened in place; refused with a bit of the tag turned, and no text left.
static bool message_agrees(const struct message *m, size_t key_len)
{
	uint8_t octets[AEAD_TEXT_MAX], tag[16];
	const unsigned bit = random_next(&random_source) % 128;

	if (!builtin->aead_seal(NULL, m->key, key_len, m->nonce, m->aad, AEAD_AAD, m->text, m->len,
				octets, tag) ||
	    memcmp(octets, m->sealed, m->len) || memcmp(tag, m->sealed + m->len, 16))
		return false;
	if (!builtin->aead_open(NULL, m->key, key_len, m->nonce, m->aad, AEAD_AAD, octets, m->len,
				tag, octets) ||
	    memcmp(octets, m->text, m->len))
		return false;
	tag[bit / 8] ^= (uint8_t)(1 << bit % 8);
	return !builtin->aead_open(NULL, m->key, key_len, m->nonce, m->aad, AEAD_AAD, m->sealed,
				   m->len, tag, octets);
}

static bool lengths(unsigned key_len)
{
	struct message m;

	for (unsigned len = 0; len <= AEAD_TEXT_MAX; len++) {
		message_make(&m, key_len, len, &random_source);
		if (!message_agrees(&m, key_len))
			return wrong("AES-GCM: octets", len);
	}
	return true;
}

static bool vector_agrees(const struct gcm_vector *v)
{
	const struct gcm_octets *const f = v->field;
	uint8_t sealed[GCM_OCTETS_MAX], tag[16];

	return builtin->aead_seal(NULL, f[GCM_KEY].at, f[GCM_KEY].len, f[GCM_NONCE].at,
				  f[GCM_AAD].at, f[GCM_AAD].len, f[GCM_TEXT].at, f[GCM_TEXT].len,
				  sealed, tag) &&
	       !memcmp(sealed, f[GCM_CIPHERTEXT].at, f[GCM_TEXT].len) &&
	       !memcmp(tag, f[GCM_TAG].at, 16);
}

static bool known_answers(void)
{
	FILE *const file = fopen(GCM_NIST, "r");
	struct gcm_vector v;
	unsigned n = 0;
	bool good = true;

	assert(file);
	for (; good && gcm_vector_read(file, &v); n++)
		good = vector_agrees(&v) || wrong("vector", n + 1);
	fclose(file);
	return good && n == GCM_VECTORS;
}

static bool report(const char *test, bool good)
{
	printf("device's crypto: %s: %s\n", test, good ? "ok" : "WRONG");
	return good;
}

int main(void)
{
	bool good;

	random_source = random_start();
	good = report("HMAC of every length as OpenSSL", hmac());
	good &= report("AES-GCM, NIST's known answers", known_answers());
	good &= report("AES-GCM, every length as EVP, AES-128", lengths(16));
	good &= report("AES-GCM, every length as EVP, AES-256", lengths(32));
	return good ? 0 : 1;
}
