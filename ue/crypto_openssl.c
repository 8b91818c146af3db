// OpenSSL 3 behind the crypto table. Cipher contexts are made once per thread and key size and only
// get a new key per message. HMAC runs on the SHA-256 functions that OpenSSL keeps for programs
// written for 1.1: EVP costs more than the hash itself for messages of one or two blocks.

#define OPENSSL_API_COMPAT 10100

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <string.h>

#include "ue/akmapush_ue.h"

enum { TAG = 16 };

struct contexts {
	EVP_CIPHER_CTX *gcm[2]; // AES-128, AES-256
};

static pthread_key_t contexts_key;
static pthread_once_t contexts_once = PTHREAD_ONCE_INIT;
static __thread struct contexts contexts;

static void contexts_free(void *p)
{
	struct contexts *c = p;

	for (unsigned i = 0; i < 2; i++) {
		EVP_CIPHER_CTX_free(c->gcm[i]);
		c->gcm[i] = NULL;
	}
}

static void contexts_key_create(void)
{
	(void)pthread_key_create(&contexts_key, contexts_free);
}

static EVP_CIPHER_CTX *context_open(unsigned i)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, i == 0 ? "AES-128-GCM" : "AES-256-GCM", NULL);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

	if (!ctx || !cipher || !EVP_CipherInit_ex2(ctx, cipher, NULL, NULL, 1, NULL)) {
		EVP_CIPHER_CTX_free(ctx);
		ctx = NULL;
	}
	EVP_CIPHER_free(cipher);
	return ctx;
}

static EVP_CIPHER_CTX *context_get(size_t key_len)
{
	unsigned i = key_len == 32;

	if (!contexts.gcm[i]) {
		contexts.gcm[i] = context_open(i);
		pthread_once(&contexts_once, contexts_key_create);
		(void)pthread_setspecific(contexts_key, &contexts);
	}
	return contexts.gcm[i];
}

static void pad_start(SHA256_CTX *sha, const uint8_t key[32], uint8_t pad)
{
	uint8_t block[64];

	memset(block, pad, sizeof(block));
	for (unsigned i = 0; i < 32; i++)
		block[i] ^= key[i];
	SHA256_Init(sha);
	SHA256_Update(sha, block, sizeof(block));
	OPENSSL_cleanse(block, sizeof(block));
}

static bool hmac_sha256(void *arg, const uint8_t key[32], const struct akmapush_ue_octets *parts,
			size_t n_parts, uint8_t mac[32])
{
	SHA256_CTX sha;
	uint8_t inner[32];

	(void)arg;
	pad_start(&sha, key, 0x36);
	for (size_t i = 0; i < n_parts; i++)
		SHA256_Update(&sha, parts[i].octets, parts[i].len);
	SHA256_Final(inner, &sha);
	pad_start(&sha, key, 0x5c);
	SHA256_Update(&sha, inner, sizeof(inner));
	SHA256_Final(mac, &sha);
	OPENSSL_cleanse(&sha, sizeof(sha));
	OPENSSL_cleanse(inner, sizeof(inner));
	return true;
}

static bool crypt(EVP_CIPHER_CTX *ctx, const uint8_t *aad, size_t aad_len, const uint8_t *in,
		  size_t n, uint8_t *out)
{
	int len;

	return EVP_CipherUpdate(ctx, NULL, &len, aad, (int)aad_len) == 1 &&
	       (n == 0 || EVP_CipherUpdate(ctx, out, &len, in, (int)n) == 1);
}

static bool aead_seal(void *arg, const uint8_t *key, size_t key_len, const uint8_t nonce[12],
		      const uint8_t *aad, size_t aad_len, const uint8_t *in, size_t n, uint8_t *out,
		      uint8_t tag[16])
{
	EVP_CIPHER_CTX *ctx = context_get(key_len);
	uint8_t rest[16];
	int len;

	(void)arg;
	return ctx && EVP_CipherInit_ex2(ctx, NULL, key, nonce, 1, NULL) == 1 &&
	       crypt(ctx, aad, aad_len, in, n, out) && EVP_CipherFinal_ex(ctx, rest, &len) == 1 &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG, tag) == 1;
}

static bool aead_open(void *arg, const uint8_t *key, size_t key_len, const uint8_t nonce[12],
		      const uint8_t *aad, size_t aad_len, const uint8_t *in, size_t n,
		      const uint8_t tag[16], uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = context_get(key_len);
	uint8_t rest[16], expected[TAG];
	int len;
	bool ok;

	(void)arg;
	memcpy(expected, tag, TAG); // OpenSSL takes it as not const
	ok = ctx && EVP_CipherInit_ex2(ctx, NULL, key, nonce, 0, NULL) == 1 &&
	     EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG, expected) == 1 &&
	     crypt(ctx, aad, aad_len, in, n, out) && EVP_CipherFinal_ex(ctx, rest, &len) == 1;
	if (!ok)
		OPENSSL_cleanse(out, n); // it decrypts before it compares
	return ok;
}

const struct akmapush_ue_crypto akmapush_ue_crypto_openssl = {
	.name = "OpenSSL",
	.hmac_sha256 = hmac_sha256,
	.aead_seal = aead_seal,
	.aead_open = aead_open,
};
