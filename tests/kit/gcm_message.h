#pragma once
// A random message with all that belongs to it, and the answer of plain EVP calls.

#include <assert.h>
#include <openssl/evp.h>
#include <string.h>

#include "crypto/aead.h"
#include "tests/kit/random.h"

enum { SEALED_MAX = AEAD_TEXT_MAX + AEAD_TAG };

struct message {
	uint8_t key[32];
	uint8_t aad[AEAD_AAD];
	uint8_t nonce[AEAD_NONCE];
	uint8_t text[AEAD_TEXT_MAX];
	uint16_t len;
	uint8_t sealed[SEALED_MAX];
};

static inline void evp_seal(struct message *m, unsigned key_len)
{
	const EVP_CIPHER *const cipher = key_len == 16 ? EVP_aes_128_gcm() : EVP_aes_256_gcm();
	EVP_CIPHER_CTX *const ctx = EVP_CIPHER_CTX_new();
	uint8_t none[16];
	int n;

	assert(EVP_EncryptInit_ex(ctx, cipher, NULL, m->key, m->nonce));
	assert(EVP_EncryptUpdate(ctx, NULL, &n, m->aad, AEAD_AAD));
	assert(EVP_EncryptUpdate(ctx, m->sealed, &n, m->text, m->len));
	assert(n == m->len);
	assert(EVP_EncryptFinal_ex(ctx, none, &n));
	assert(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, AEAD_TAG, m->sealed + m->len));
	EVP_CIPHER_CTX_free(ctx);
}

static inline void message_make(struct message *m, unsigned key_len, unsigned len,
				struct random *random)
{
	random_fill(random, m->key, sizeof(m->key));
	random_fill(random, m->aad, sizeof(m->aad));
	random_fill(random, m->nonce, sizeof(m->nonce));
	random_fill(random, m->text, len);
	m->len = (uint16_t)len;
	evp_seal(m, key_len);
}

static inline struct aead_item item_of(const struct message *m, const uint8_t *in, uint8_t *out)
{
	struct aead_item item = {.key = m->key, .aad = m->aad, .in = in, .out = out, .len = m->len};

	memcpy(item.nonce, m->nonce, AEAD_NONCE);
	return item;
}
