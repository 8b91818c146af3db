// HMAC over bursts: pad states in and out of the compression kernels, a chunk of keys at a time, so
// that what is on the stack stays small whatever n is.

#include "crypto/hmac.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/sha256_kernels.h"

enum { CHUNK = 64, PAD_END = 0x80, LENGTH = 8 };

static_assert(HMAC_MESSAGE_MAX + 1 + LENGTH == HMAC_MESSAGE_BLOCKS * SHA256_BLOCK,
	      "the longest message fills its blocks");
static_assert(sizeof(struct hmac_key) == 2 * SHA256_DIGEST, "pad states lie one behind the other");

// A burst on its way, in words of host order: inner hashes, then the macs. Secret.
struct burst {
	uint32_t inner[CHUNK][8];
	uint32_t outer[CHUNK][8];
};

static unsigned min(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static void burst_wipe(struct burst *burst, unsigned n)
{
	mem_wipe(burst->inner, n * sizeof(burst->inner[0]));
	mem_wipe(burst->outer, n * sizeof(burst->outer[0]));
}

static void words_load(uint32_t words[8], const uint8_t octets[HMAC_KEY])
{
	for (unsigned i = 0; i < 8; i++)
		words[i] = load32_be(octets + 4 * i);
}

// state[i] = the hash of key[i] ^ pad; the keys come with the last pad xored in, and flip changes
// it.
static void pads(const struct sha256_ops *sha, uint32_t key[][8], uint32_t state[][8], unsigned n,
		 uint32_t flip, const struct sha256_tail *pad)
{
	for (unsigned i = 0; i < n; i++) {
		for (unsigned k = 0; k < 8; k++)
			key[i][k] ^= flip;
		memcpy(state[i], sha256_initial, sizeof(state[i]));
	}
	sha->compress_half(state, (const uint32_t(*)[8])key, pad, n);
}

static void key_init(const struct sha256_ops *sha, const uint8_t key[][HMAC_KEY], unsigned n,
		     struct hmac_key *out)
{
	uint32_t words[CHUNK][8], state[CHUNK][8];

	for (unsigned i = 0; i < n; i++)
		words_load(words[i], key[i]);
	pads(sha, words, state, n, HMAC_IPAD, &hmac_ipad);
	for (unsigned i = 0; i < n; i++)
		memcpy(out[i].inner, state[i], sizeof(out[i].inner));
	pads(sha, words, state, n, HMAC_IPAD ^ HMAC_OPAD, &hmac_opad);
	for (unsigned i = 0; i < n; i++)
		memcpy(out[i].outer, state[i], sizeof(out[i].outer));
	mem_wipe(words, n * sizeof(words[0]));
	mem_wipe(state, n * sizeof(state[0]));
}

void hmac_key_init(const struct sha256_ops *sha, const uint8_t key[][HMAC_KEY], unsigned n,
		   struct hmac_key *state)
{
	for (unsigned count; n; n -= count, key += count, state += count) {
		count = min(n, CHUNK);
		key_init(sha, key, count, state);
	}
}

int hmac_message_init(struct hmac_message *message, const void *data, size_t len)
{
	uint8_t block[HMAC_MESSAGE_BLOCKS][SHA256_BLOCK] = {0};

	if (len > HMAC_MESSAGE_MAX)
		return -EMSGSIZE;

	const unsigned n = (unsigned)(len + 1 + LENGTH + SHA256_BLOCK - 1) / SHA256_BLOCK;

	if (len)
		memcpy(block, data, len);
	block[len / SHA256_BLOCK][len % SHA256_BLOCK] = PAD_END;
	store64_be(block[n - 1] + SHA256_BLOCK - LENGTH, (SHA256_BLOCK + len) * 8);

	message->n_blocks = n;
	for (unsigned i = 0; i < n; i++)
		sha256_expand(&message->block[i], block[i]);
	return 0;
}

static void take_key(struct burst *burst, const struct hmac_key *const key[], unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		memcpy(burst->inner[i], key[i]->inner, sizeof(burst->inner[i]));
		memcpy(burst->outer[i], key[i]->outer, sizeof(burst->outer[i]));
	}
}

// The inner digests go under the outer pads: one block each, 64 + 32 octets hashed.
static void outer(const struct sha256_ops *sha, struct burst *burst, unsigned n, uint8_t *mac,
		  size_t stride)
{
	sha->compress_half(burst->outer, (const uint32_t(*)[8])burst->inner, &hmac_digest_end, n);
	for (unsigned i = 0; i < n; i++)
		sha256_digest_write(mac + i * stride, burst->outer[i]);
}

// Out of the kernel's shapes, as all of these: what is not done whole.
static void blocks_by_shapes(const struct sha256_ops *sha, const struct hmac_key *const key[],
			     struct sha256_text text, unsigned n, uint8_t *mac, size_t stride)
{
	struct burst burst;
	const unsigned used = min(n, CHUNK);

	assert(text.n_blocks);
	for (unsigned count; n; n -= count, key += count, mac += count * stride) {
		count = min(n, CHUNK);
		take_key(&burst, key, count);
		for (unsigned b = 0; b < text.n_blocks; b++)
			sha->compress_same(burst.inner, &text.block[b], count);
		outer(sha, &burst, count, mac, stride);
	}
	burst_wipe(&burst, used);
}

static void keys_by_shapes(const struct sha256_ops *sha, const uint8_t key[][HMAC_KEY],
			   struct sha256_text text, unsigned n, uint8_t *mac, size_t stride)
{
	struct hmac_key made[CHUNK];
	const struct hmac_key *pads[CHUNK];
	const unsigned used = min(n, CHUNK);

	for (unsigned i = 0; i < used; i++)
		pads[i] = &made[i];
	for (unsigned count; n; n -= count, key += count, mac += count * stride) {
		count = min(n, CHUNK);
		key_init(sha, key, count, made);
		blocks_by_shapes(sha, pads, text, count, mac, stride);
	}
	mem_wipe(made, used * sizeof(made[0]));
}

static void chain_by_shapes(const struct sha256_ops *sha, const struct hmac_key *const key[],
			    struct sha256_text text, struct sha256_text second, unsigned n,
			    uint8_t *mac, size_t stride)
{
	uint8_t first[CHUNK][HMAC_MAC];
	const unsigned used = min(n, CHUNK);

	for (unsigned count; n; n -= count, key += count, mac += count * stride) {
		count = min(n, CHUNK);
		blocks_by_shapes(sha, key, text, count, first[0], HMAC_MAC);
		keys_by_shapes(sha, (const uint8_t(*)[HMAC_KEY])first, second, count, mac, stride);
	}
	mem_wipe(first, used * sizeof(first[0]));
}

void hmac_blocks(const struct sha256_ops *sha, const struct hmac_key *const key[],
		 struct sha256_text text, unsigned n, uint8_t *mac, size_t stride)
{
	const unsigned done = sha->hmac_pads ? sha->hmac_pads(key, text, n, mac, stride) : 0;

	blocks_by_shapes(sha, key + done, text, n - done, mac + done * stride, stride);
}

void hmac_keys(const struct sha256_ops *sha, const uint8_t key[][HMAC_KEY], struct sha256_text text,
	       unsigned n, uint8_t *mac, size_t stride)
{
	const unsigned done = sha->hmac_keys ? sha->hmac_keys(key, text, n, mac, stride) : 0;

	keys_by_shapes(sha, key + done, text, n - done, mac + done * stride, stride);
}

void hmac_chain(const struct sha256_ops *sha, const struct hmac_key *const key[],
		struct sha256_text text, struct sha256_text second, unsigned n, uint8_t *mac,
		size_t stride)
{
	const unsigned done =
		sha->hmac_chain ? sha->hmac_chain(key, text, second, n, mac, stride) : 0;

	chain_by_shapes(sha, key + done, text, second, n - done, mac + done * stride, stride);
}

void hmac_same(const struct sha256_ops *sha, const struct hmac_key *const key[],
	       const struct hmac_message *message, unsigned n, uint8_t mac[][HMAC_MAC])
{
	hmac_blocks(sha, key, hmac_text(message), n, mac[0], HMAC_MAC);
}

void hmac_each(const struct sha256_ops *sha, const struct hmac_key *const key[],
	       const uint8_t first[][SHA256_BLOCK], const struct sha256_schedule *last, unsigned n,
	       uint8_t *mac, size_t stride)
{
	struct burst burst;
	const unsigned used = min(n, CHUNK);

	for (unsigned count; n; n -= count, key += count, first += count, mac += count * stride) {
		count = min(n, CHUNK);
		take_key(&burst, key, count);
		sha->compress_each(burst.inner, first, count);
		sha->compress_same(burst.inner, last, count);
		outer(sha, &burst, count, mac, stride);
	}
	burst_wipe(&burst, used);
}

void hmac_one(const struct sha256_ops *sha, const struct hmac_key *key, const void *data,
	      size_t len, uint8_t mac[HMAC_MAC])
{
	struct burst burst;

	take_key(&burst, &key, 1);
	sha256_finish(sha, burst.inner[0], SHA256_BLOCK, data, len);
	outer(sha, &burst, 1, mac, HMAC_MAC);
	burst_wipe(&burst, 1);
}
