// The built-in crypto: HMAC (RFC 2104) and GCM (SP 800-38D) over the parts in builtin.h.

#include "ue/akmapush_ue.h"
#include "ue/builtin.h"
#include "ue/octets.h"

static void pad_start(struct apue_sha256 *sha, const uint8_t key[32], uint8_t pad)
{
	uint8_t block[64];

	memset(block, pad, sizeof(block));
	for (unsigned i = 0; i < 32; i++)
		block[i] ^= key[i];
	apue_sha256_init(sha);
	apue_sha256_update(sha, block, sizeof(block));
	apue_wipe(block, sizeof(block));
}

static bool hmac_sha256(void *arg, const uint8_t key[32], const struct akmapush_ue_octets *parts,
			size_t n_parts, uint8_t mac[32])
{
	struct apue_sha256 sha;
	uint8_t inner[32];

	(void)arg;
	pad_start(&sha, key, 0x36);
	for (size_t i = 0; i < n_parts; i++)
		apue_sha256_update(&sha, parts[i].octets, parts[i].len);
	apue_sha256_final(&sha, inner);
	pad_start(&sha, key, 0x5c);
	apue_sha256_update(&sha, inner, sizeof(inner));
	apue_sha256_final(&sha, mac);
	apue_wipe(inner, sizeof(inner));
	return true;
}

struct gcm {
	struct apue_aes aes;
	struct apue_ghash ghash;
	uint8_t nonce[12];
	uint8_t tag_mask[16]; // the encrypted first counter block
	size_t aad_len;
};

static void counter_block(uint8_t block[16], const uint8_t nonce[12], uint32_t counter)
{
	memcpy(block, nonce, 12);
	apue_store_be(block + 12, 4, counter);
}

// H = E(0) and the tag mask E(nonce || 1) come from one call of the cipher.
static void gcm_init(struct gcm *gcm, const uint8_t *key, size_t key_len, const uint8_t nonce[12],
		     const uint8_t *aad, size_t aad_len)
{
	uint8_t blocks[64] = {0};

	apue_aes_init(&gcm->aes, key, key_len);
	counter_block(blocks + 16, nonce, 1);
	apue_aes_encrypt4(&gcm->aes, blocks);
	apue_ghash_init(&gcm->ghash, blocks);
	memcpy(gcm->tag_mask, blocks + 16, 16);
	memcpy(gcm->nonce, nonce, 12);
	gcm->aad_len = aad_len;
	apue_ghash_update(&gcm->ghash, aad, aad_len);
	apue_wipe(blocks, sizeof(blocks));
}

static void gcm_crypt(const struct gcm *gcm, const uint8_t *in, size_t n, uint8_t *out)
{
	uint8_t stream[64];

	for (size_t at = 0; at < n; at += sizeof(stream)) {
		for (unsigned i = 0; i < 4; i++)
			counter_block(stream + 16 * i, gcm->nonce, (uint32_t)(at / 16 + i + 2));
		apue_aes_encrypt4(&gcm->aes, stream);
		for (size_t i = 0; i < sizeof(stream) && at + i < n; i++)
			out[at + i] = in[at + i] ^ stream[i];
	}
	apue_wipe(stream, sizeof(stream));
}

static void gcm_tag(struct gcm *gcm, const uint8_t *ciphertext, size_t n, uint8_t tag[16])
{
	apue_ghash_update(&gcm->ghash, ciphertext, n);
	apue_ghash_final(&gcm->ghash, gcm->aad_len, n, tag);
	for (unsigned i = 0; i < 16; i++)
		tag[i] ^= gcm->tag_mask[i];
}

static bool aead_seal(void *arg, const uint8_t *key, size_t key_len, const uint8_t nonce[12],
		      const uint8_t *aad, size_t aad_len, const uint8_t *in, size_t n, uint8_t *out,
		      uint8_t tag[16])
{
	struct gcm gcm;

	(void)arg;
	gcm_init(&gcm, key, key_len, nonce, aad, aad_len);
	gcm_crypt(&gcm, in, n, out);
	gcm_tag(&gcm, out, n, tag);
	apue_wipe(&gcm, sizeof(gcm));
	return true;
}

static bool aead_open(void *arg, const uint8_t *key, size_t key_len, const uint8_t nonce[12],
		      const uint8_t *aad, size_t aad_len, const uint8_t *in, size_t n,
		      const uint8_t tag[16], uint8_t *out)
{
	struct gcm gcm;
	uint8_t computed[16];
	bool ok;

	(void)arg;
	gcm_init(&gcm, key, key_len, nonce, aad, aad_len);
	gcm_tag(&gcm, in, n, computed);
	ok = apue_equal_ct(computed, tag, sizeof(computed));
	if (ok)
		gcm_crypt(&gcm, in, n, out);
	apue_wipe(&gcm, sizeof(gcm));
	apue_wipe(computed, sizeof(computed));
	return ok;
}

const struct akmapush_ue_crypto akmapush_ue_crypto_builtin = {
	.name = "built-in",
	.hmac_sha256 = hmac_sha256,
	.aead_seal = aead_seal,
	.aead_open = aead_open,
};
