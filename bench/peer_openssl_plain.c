// OpenSSL as its manual shows it: HMAC() for a message, a new cipher context for a message.

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/bytes.h"
#include "bench/peer_list.h"

struct peer {
	char nothing;
};

static struct peer *open_plain(void)
{
	static struct peer peer;

	return &peer;
}

static void close_plain(struct peer *peer)
{
	(void)peer;
}

static void must(bool ok)
{
	assert(ok);
}

static void hmac(const uint8_t key[HMAC_KEY], const uint8_t *data, unsigned len,
		 uint8_t mac[HMAC_MAC])
{
	unsigned mac_len;

	must(HMAC(EVP_sha256(), key, HMAC_KEY, data, len, mac, &mac_len));
}

static void kaf_plain(struct peer *peer, const uint8_t *const kakma[],
		      const struct hmac_key *const pads[], const uint8_t *s, unsigned s_len,
		      unsigned n, uint8_t kaf[][HMAC_MAC])
{
	(void)peer;
	(void)pads;
	for (unsigned i = 0; i < n; i++)
		hmac(kakma[i], s, s_len, kaf[i]);
}

static void okm_plain(struct peer *peer, const uint8_t kaf[][HMAC_KEY], const uint8_t *info,
		      unsigned info_len, unsigned n, uint8_t okm[][HMAC_MAC])
{
	(void)peer;
	for (unsigned i = 0; i < n; i++)
		hmac(kaf[i], info, info_len, okm[i]);
}

static const EVP_CIPHER *cipher(unsigned key_len)
{
	return key_len == 32 ? EVP_aes_256_gcm() : EVP_aes_128_gcm();
}

// A context that has taken all but the end. The nonce length is the default of GCM.
static EVP_CIPHER_CTX *run(unsigned key_len, const struct aead_item *item, bool seal)
{
	EVP_CIPHER_CTX *const ctx = EVP_CIPHER_CTX_new();
	int n;

	must(ctx != NULL);
	must(EVP_CipherInit_ex(ctx, cipher(key_len), NULL, item->key, item->nonce, seal));
	must(EVP_CipherUpdate(ctx, NULL, &n, item->aad, AEAD_AAD));
	if (item->len)
		must(EVP_CipherUpdate(ctx, item->out, &n, item->in, item->len));
	return ctx;
}

static void seal_plain(struct peer *peer, unsigned key_len, struct aead_item *item, unsigned n)
{
	(void)peer;
	for (unsigned i = 0; i < n; i++) {
		EVP_CIPHER_CTX *const ctx = run(key_len, &item[i], true);
		uint8_t *const tag = item[i].out + item[i].len;
		uint8_t none[AEAD_TAG];
		int none_len;

		must(EVP_EncryptFinal_ex(ctx, none, &none_len));
		must(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG, tag));
		EVP_CIPHER_CTX_free(ctx);
	}
}

static void open_one(unsigned key_len, struct aead_item *item)
{
	uint8_t tag[AEAD_TAG], none[AEAD_TAG];
	EVP_CIPHER_CTX *ctx;
	int none_len;

	memcpy(tag, item->in + item->len, AEAD_TAG);
	ctx = run(key_len, item, false);
	must(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG, tag));
	item->ok = EVP_DecryptFinal_ex(ctx, none, &none_len) == 1;
	EVP_CIPHER_CTX_free(ctx);
	if (!item->ok)
		mem_wipe(item->out, item->len);
}

static void open_burst_plain(struct peer *peer, unsigned key_len, struct aead_item *item,
			     unsigned n)
{
	(void)peer;
	for (unsigned i = 0; i < n; i++)
		open_one(key_len, &item[i]);
}

const struct peer_ops peer_openssl_plain = {
	.name = "openssl-plain",
	.burst_max = 1,
	.open = open_plain,
	.close = close_plain,
	.kaf = kaf_plain,
	.okm = okm_plain,
	.seal = seal_plain,
	.open_burst = open_burst_plain,
};
