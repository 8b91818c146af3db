// AES-GCM through OpenSSL's EVP: the reference, and the fallback for every CPU. Ciphers are fetched
// once and a context is kept for each key length and direction; a message costs a new key in it.

#include <assert.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "crypto/aead_implementations.h"

enum { KEY_LENGTHS = 2, KEY_MAX = 32 };

struct aead {
	int aad_len;
	EVP_CIPHER_CTX *sealing[KEY_LENGTHS];
	EVP_CIPHER_CTX *opening[KEY_LENGTHS];
};

static const char *const cipher_names[KEY_LENGTHS] = {"AES-128-GCM", "AES-256-GCM"};

static bool usable(void)
{
	return true;
}

static void release(struct aead *aead)
{
	for (unsigned i = 0; i < KEY_LENGTHS; i++) {
		EVP_CIPHER_CTX_free(aead->sealing[i]);
		EVP_CIPHER_CTX_free(aead->opening[i]);
	}
	free(aead);
}

// A context with the cipher and the nonce length set, or NULL.
static EVP_CIPHER_CTX *context(const EVP_CIPHER *cipher, bool seal)
{
	EVP_CIPHER_CTX *const ctx = EVP_CIPHER_CTX_new();

	if (!ctx || !EVP_CipherInit_ex2(ctx, cipher, NULL, NULL, seal, NULL) ||
	    !EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, AEAD_NONCE, NULL)) {
		EVP_CIPHER_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

static struct aead *open_openssl(unsigned aad_len)
{
	struct aead *const aead = calloc(1, sizeof(*aead));

	assert(aad_len <= AEAD_AAD_MAX);
	for (unsigned i = 0; aead && i < KEY_LENGTHS; i++) {
		EVP_CIPHER *const cipher = EVP_CIPHER_fetch(NULL, cipher_names[i], NULL);

		if (cipher) {
			aead->sealing[i] = context(cipher, true);
			aead->opening[i] = context(cipher, false);
			EVP_CIPHER_free(cipher); // the contexts hold it
		}
		if (!aead->sealing[i] || !aead->opening[i]) {
			release(aead);
			return NULL;
		}
		aead->aad_len = (int)aad_len;
	}
	return aead;
}

// Every length was checked when it came in, so a call that OpenSSL refuses is a bug.
static void must(int ok)
{
	assert(ok == 1);
}

static unsigned index_of(unsigned key_len)
{
	assert(key_len == 16 || key_len == 32);
	return key_len == 32;
}

// Overwrites the last key of a burst, which the kept context would hold until the next one.
static void forget(EVP_CIPHER_CTX *ctx)
{
	static const uint8_t zeros[KEY_MAX];

	must(EVP_CipherInit_ex2(ctx, NULL, zeros, zeros, -1, NULL));
}

// Key, nonce and associated data go in, then the text.
static void run(EVP_CIPHER_CTX *ctx, int aad_len, const struct aead_item *item)
{
	int n;

	assert(item->len <= AEAD_TEXT_MAX);
	must(EVP_CipherInit_ex2(ctx, NULL, item->key, item->nonce, -1, NULL));
	if (aad_len)
		must(EVP_CipherUpdate(ctx, NULL, &n, item->aad, aad_len));
	if (item->len)
		must(EVP_CipherUpdate(ctx, item->out, &n, item->in, item->len));
}

static void seal_one(EVP_CIPHER_CTX *ctx, int aad_len, struct aead_item *item)
{
	uint8_t none[AEAD_TAG];
	int n;

	run(ctx, aad_len, item);
	must(EVP_CipherFinal_ex(ctx, none, &n));
	must(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG, item->out + item->len));
}

static void open_one(EVP_CIPHER_CTX *ctx, int aad_len, struct aead_item *item)
{
	uint8_t tag[AEAD_TAG], none[AEAD_TAG];
	int n;

	memcpy(tag, item->in + item->len, AEAD_TAG);
	run(ctx, aad_len, item);
	must(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG, tag));
	item->ok = EVP_CipherFinal_ex(ctx, none, &n) == 1;
	if (!item->ok)
		mem_wipe(item->out, item->len);
}

static void seal(struct aead *aead, unsigned key_len, struct aead_item *item, unsigned n)
{
	EVP_CIPHER_CTX *const ctx = aead->sealing[index_of(key_len)];

	for (unsigned i = 0; i < n; i++)
		seal_one(ctx, aead->aad_len, &item[i]);
	if (n)
		forget(ctx);
}

static void open_burst(struct aead *aead, unsigned key_len, struct aead_item *item, unsigned n)
{
	EVP_CIPHER_CTX *const ctx = aead->opening[index_of(key_len)];

	for (unsigned i = 0; i < n; i++)
		open_one(ctx, aead->aad_len, &item[i]);
	if (n)
		forget(ctx);
}

const struct aead_ops aead_openssl = {
	.name = "openssl",
	.usable = usable,
	.open = open_openssl,
	.close = release,
	.seal = seal,
	.open_burst = open_burst,
};
