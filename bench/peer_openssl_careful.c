// OpenSSL as one uses it who cares: contexts are kept, algorithms fetched once. HMAC_CTX, because
// EVP_MAC takes 15 to 80 % longer for a key and a short message (OpenSSL 3.0).

#define OPENSSL_SUPPRESS_DEPRECATED // HMAC_CTX

#include <assert.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/peer_list.h"

struct peer {
	HMAC_CTX *hmac;
	const struct aead_ops *ops;
	struct aead *aead;
};

static void must(int ok)
{
	assert(ok == 1);
}

// A context that knows its digest, or NULL.
static HMAC_CTX *hmac_context(void)
{
	static const uint8_t zeros[HMAC_KEY];
	EVP_MD *const sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
	HMAC_CTX *hmac = HMAC_CTX_new();

	if (!sha256 || !hmac || !HMAC_Init_ex(hmac, zeros, HMAC_KEY, sha256, NULL)) {
		HMAC_CTX_free(hmac);
		hmac = NULL;
	}
	EVP_MD_free(sha256); // the context holds it
	return hmac;
}

static void close_careful(struct peer *peer)
{
	if (peer->aead)
		peer->ops->close(peer->aead);
	HMAC_CTX_free(peer->hmac);
	free(peer);
}

static struct peer *open_careful(void)
{
	struct peer *const peer = calloc(1, sizeof(*peer));

	if (!peer)
		return NULL;
	peer->ops = aead_find("openssl");
	peer->hmac = hmac_context();
	peer->aead = peer->ops->open(AEAD_AAD);
	if (peer->hmac && peer->aead)
		return peer;
	fputs("akmapush-bench: openssl-careful: OpenSSL gives no HMAC or no AES-GCM\n", stderr);
	close_careful(peer);
	return NULL;
}

static void hmac(HMAC_CTX *ctx, const uint8_t key[HMAC_KEY], const uint8_t *data, unsigned len,
		 uint8_t mac[HMAC_MAC])
{
	unsigned mac_len;

	must(HMAC_Init_ex(ctx, key, HMAC_KEY, NULL, NULL));
	must(HMAC_Update(ctx, data, len));
	must(HMAC_Final(ctx, mac, &mac_len));
}

static void kaf_careful(struct peer *peer, const uint8_t *const kakma[],
			const struct hmac_key *const pads[], const uint8_t *s, unsigned s_len,
			unsigned n, uint8_t kaf[][HMAC_MAC])
{
	(void)pads;
	for (unsigned i = 0; i < n; i++)
		hmac(peer->hmac, kakma[i], s, s_len, kaf[i]);
}

static void okm_careful(struct peer *peer, const uint8_t kaf[][HMAC_KEY], const uint8_t *info,
			unsigned info_len, unsigned n, uint8_t okm[][HMAC_MAC])
{
	for (unsigned i = 0; i < n; i++)
		hmac(peer->hmac, kaf[i], info, info_len, okm[i]);
}

static void seal_careful(struct peer *peer, unsigned key_len, struct aead_item *item, unsigned n)
{
	peer->ops->seal(peer->aead, key_len, item, n);
}

static void open_burst_careful(struct peer *peer, unsigned key_len, struct aead_item *item,
			       unsigned n)
{
	peer->ops->open_burst(peer->aead, key_len, item, n);
}

// A burst, although messages go one by one: the last key of each is overwritten, which one by one
// would cost a key set-up a message.
const struct peer_ops peer_openssl_careful = {
	.name = "openssl-careful",
	.burst_max = PEER_BURST_MAX,
	.open = open_careful,
	.close = close_careful,
	.kaf = kaf_careful,
	.okm = okm_careful,
	.seal = seal_careful,
	.open_burst = open_burst_careful,
};
