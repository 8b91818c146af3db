// HMAC over bursts: pad states in and out of the compression kernels, a chunk of keys at a time, so
// that what is on the stack stays small whatever n is.

#include "crypto/hmac.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"

enum { CHUNK = 64, PAD_END = 0x80, LENGTH = 8, IPAD = 0x36, OPAD = 0x5c };

static_assert(HMAC_MESSAGE_MAX + 1 + LENGTH == HMAC_MESSAGE_BLOCKS * SHA256_BLOCK,
	      "the longest message fills its blocks");
static_assert(sizeof(struct hmac_key) == 2 * SHA256_DIGEST, "pad states lie one behind the other");

// A burst on its way: the running states, and for each the one block that is its own. Secret.
struct burst {
	uint32_t state[CHUNK][8];
	uint8_t block[CHUNK][SHA256_BLOCK];
};

static unsigned min(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static void burst_wipe(struct burst *burst, unsigned n)
{
	mem_wipe(burst->state, n * sizeof(burst->state[0]));
	mem_wipe(burst->block, n * sizeof(burst->block[0]));
}

// Eight octets at a time: octet by octet it is a quarter of the cost of hmac_key_init.
static void pad_write(uint8_t block[SHA256_BLOCK], const uint8_t key[HMAC_KEY], uint8_t pad)
{
	const uint64_t pads = pad * 0x0101010101010101;

	for (unsigned i = 0; i < SHA256_BLOCK; i += sizeof(pads)) {
		uint64_t word = 0;

		if (i < HMAC_KEY)
			memcpy(&word, key + i, sizeof(word));
		word ^= pads;
		memcpy(block + i, &word, sizeof(word));
	}
}

// The 2n pad states of n keys are one array to the kernel: inner, outer, inner, …
void hmac_key_init(const struct sha256_ops *sha, const uint8_t key[][HMAC_KEY], unsigned n,
		   struct hmac_key *state)
{
	uint8_t block[CHUNK][SHA256_BLOCK];
	const unsigned used = min(n, CHUNK / 2);

	for (unsigned count; n; n -= count, key += count, state += count) {
		count = min(n, CHUNK / 2);
		for (unsigned i = 0; i < count; i++) {
			memcpy(state[i].inner, sha256_initial, sizeof(state[i].inner));
			memcpy(state[i].outer, sha256_initial, sizeof(state[i].outer));
			pad_write(block[2 * i], key[i], IPAD);
			pad_write(block[2 * i + 1], key[i], OPAD);
		}
		sha->compress_each((uint32_t(*)[8])state, block, 2 * count);
	}
	mem_wipe(block, 2 * used * sizeof(block[0]));
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

static void take_inner(struct burst *burst, const struct hmac_key *const key[], unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		memcpy(burst->state[i], key[i]->inner, sizeof(burst->state[i]));
}

// The inner digests in burst->state go under the outer pads: one block each, 64 + 32 octets hashed.
static void outer(const struct sha256_ops *sha, struct burst *burst,
		  const struct hmac_key *const key[], unsigned n, uint8_t mac[][HMAC_MAC])
{
	for (unsigned i = 0; i < n; i++) {
		uint8_t *const block = burst->block[i];

		sha256_digest_write(block, burst->state[i]);
		block[SHA256_DIGEST] = PAD_END;
		memset(block + SHA256_DIGEST + 1, 0, SHA256_BLOCK - SHA256_DIGEST - 1 - LENGTH);
		store64_be(block + SHA256_BLOCK - LENGTH, (SHA256_BLOCK + SHA256_DIGEST) * 8);
		memcpy(burst->state[i], key[i]->outer, sizeof(burst->state[i]));
	}
	sha->compress_each(burst->state, burst->block, n);
	for (unsigned i = 0; i < n; i++)
		sha256_digest_write(mac[i], burst->state[i]);
}

void hmac_same(const struct sha256_ops *sha, const struct hmac_key *const key[],
	       const struct hmac_message *message, unsigned n, uint8_t mac[][HMAC_MAC])
{
	hmac_blocks(sha, key, message->block, message->n_blocks, n, mac);
}

void hmac_blocks(const struct sha256_ops *sha, const struct hmac_key *const key[],
		 const struct sha256_schedule block[], unsigned n_blocks, unsigned n,
		 uint8_t mac[][HMAC_MAC])
{
	struct burst burst;
	const unsigned used = min(n, CHUNK);

	assert(n_blocks && n_blocks <= HMAC_MESSAGE_BLOCKS);
	for (unsigned count; n; n -= count, key += count, mac += count) {
		count = min(n, CHUNK);
		take_inner(&burst, key, count);
		for (unsigned b = 0; b < n_blocks; b++)
			sha->compress_same(burst.state, &block[b], count);
		outer(sha, &burst, key, count, mac);
	}
	burst_wipe(&burst, used);
}

void hmac_each(const struct sha256_ops *sha, const struct hmac_key *const key[],
	       const uint8_t first[][SHA256_BLOCK], const struct sha256_schedule *last, unsigned n,
	       uint8_t mac[][HMAC_MAC])
{
	struct burst burst;
	const unsigned used = min(n, CHUNK);

	for (unsigned count; n; n -= count, key += count, first += count, mac += count) {
		count = min(n, CHUNK);
		take_inner(&burst, key, count);
		sha->compress_each(burst.state, first, count);
		sha->compress_same(burst.state, last, count);
		outer(sha, &burst, key, count, mac);
	}
	burst_wipe(&burst, used);
}

void hmac_one(const struct sha256_ops *sha, const struct hmac_key *key, const void *data,
	      size_t len, uint8_t mac[HMAC_MAC])
{
	struct burst burst;

	take_inner(&burst, &key, 1);
	sha256_finish(sha, burst.state[0], SHA256_BLOCK, data, len);
	outer(sha, &burst, &key, 1, (uint8_t(*)[HMAC_MAC])mac);
	burst_wipe(&burst, 1);
}
