// HKDF-Expand for a burst of UEs, and what becomes of the octets.
//
//   T(1) = HMAC(K_AF, info || 0x01)              one block, the same for all: prepared once
//   T(2) = HMAC(K_AF, T(1) || info || 0x02)      suite 2 only; 62 octets: a block that is each UE's
//   own OKM  = T(1) || T(2) = key || iv || selector  and one of padding that all share

#include "crypto/message.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"

enum { CHUNK = 64, SECOND = HMAC_MAC + MESSAGE_INFO + 1 };

static const char push_label[] = "akma push 1";
static const char ack_label[] = "akma push ack";

enum { PUSH_LABEL = sizeof(push_label) - 1, ACK_LABEL = sizeof(ack_label) - 1 };

static_assert(sizeof(struct message_block) == 48 && (int)MESSAGE_IV + MESSAGE_SELECTOR == 16,
	      "the OKM of either suite ends with the block");
static_assert((int)PUSH_LABEL + 2 + MESSAGE_PUSH_ID == (int)MESSAGE_INFO,
	      "info is exactly this long");
static_assert((int)SECOND < (int)SHA256_BLOCK && (int)SECOND + 1 + 8 > (int)SHA256_BLOCK,
	      "T(2): message and end mark in one block, the length in the next");

static const struct message_suite aes_128_gcm = {
	.id = 1,
	.key_len = 16,
	.okm_len = 32,
	.name = "AES-128-GCM",
};
static const struct message_suite aes_256_gcm = {
	.id = 2,
	.key_len = 32,
	.okm_len = 48,
	.name = "AES-256-GCM",
};

static_assert(SHA256_BLOCK + (int)SECOND == 126, "what the length in second_end says");

// The last block of T(1) || info || 0x02: 56 octets of zero and the length, (64 + 62) * 8 bits; as
// sha256_expand gives it.
static const struct sha256_schedule second_end = {{
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf564, 0xe49b69c1, 0xf1444786, 0x0fc19dc6, 0xe40d033f, 0x2de92c6f,
	0x871c1cc2, 0x5cb0adcc, 0xb5f9b8fb, 0x9b4a5152, 0xc64d3ed9, 0xf0044c22, 0x929589d7,
	0xba3e0c54, 0x5a265232, 0xe6c6a42f, 0xcf7eda57, 0x6e499a63, 0xddeae53e, 0x1e4ac430,
	0x213ee0d6, 0x9d5d9c92, 0x27b403a1, 0x7865979b, 0xdbb0623a, 0x9a46f858, 0x69692de3,
	0x6faa3616, 0xeb9fb10b, 0x6e257a91, 0xcc827729, 0xd2bd5941, 0x718f846c, 0x80cc44d1,
	0x4f0c926f, 0x78f967dd, 0x8872bb8a, 0x73199687, 0x16191ccc, 0x181c49ed, 0x02a726bf,
	0x854cc4aa, 0xcb971f4c, 0x91eacb07, 0x1baefadb, 0xa0ce364d, 0x0490fa7a, 0x8223363b,
	0x2a86516e,
}};

const struct message_suite *const message_suites[] = {&aes_128_gcm, &aes_256_gcm, NULL};

const struct message_suite *message_suite_find(unsigned id)
{
	for (const struct message_suite *const *suite = message_suites; *suite; suite++) {
		if ((*suite)->id == id)
			return *suite;
	}
	return NULL;
}

void message_info_init(struct message_info *info, const struct message_suite *suite, unsigned type,
		       const uint8_t push_id[MESSAGE_PUSH_ID])
{
	uint8_t first[MESSAGE_INFO + 1];
	struct hmac_message message;

	info->suite = suite;
	memcpy(info->info, push_label, PUSH_LABEL);
	info->info[PUSH_LABEL] = suite->id;
	info->info[PUSH_LABEL + 1] = (uint8_t)type;
	memcpy(info->info + PUSH_LABEL + 2, push_id, MESSAGE_PUSH_ID);

	memcpy(first, info->info, MESSAGE_INFO);
	first[MESSAGE_INFO] = 1;

	const int ret = hmac_message_init(&message, first, sizeof(first));

	assert(!ret && message.n_blocks == 1);
	(void)ret;
	info->first = message.block[0];
}

static bool is_short(const struct message_info *info)
{
	return info->suite->okm_len <= HMAC_MAC;
}

static struct sha256_text first_text(const struct message_info *info)
{
	return (struct sha256_text){&info->first, 1};
}

// Where T(1) of the first block belongs; the others' follow at the distance of the blocks.
static uint8_t *first_of(const struct message_info *info, struct message_block *block)
{
	return (uint8_t *)(block + 1) - info->suite->okm_len;
}

// ---- T(2)

static void second_write(uint8_t block[SHA256_BLOCK], const uint8_t t1[HMAC_MAC],
			 const uint8_t info[MESSAGE_INFO])
{
	memcpy(block, t1, HMAC_MAC);
	memcpy(block + HMAC_MAC, info, MESSAGE_INFO);
	block[SECOND - 1] = 2;
	block[SECOND] = 0x80;
	block[SECOND + 1] = 0;
}

// The rest of n <= CHUNK blocks whose T(1) is there.
static void add_second(const struct sha256_ops *sha, const struct message_info *info,
		       const struct hmac_key *const kaf[], unsigned n, struct message_block *block)
{
	const size_t rest = info->suite->okm_len - HMAC_MAC;
	uint8_t second[CHUNK][SHA256_BLOCK], t2[CHUNK][HMAC_MAC];

	for (unsigned i = 0; i < n; i++)
		second_write(second[i], first_of(info, &block[i]), info->info);
	hmac_each(sha, kaf, (const uint8_t(*)[SHA256_BLOCK])second, &second_end, n, t2[0],
		  HMAC_MAC);
	for (unsigned i = 0; i < n; i++)
		memcpy(first_of(info, &block[i]) + HMAC_MAC, t2[i], rest);
	mem_wipe(second, n * sizeof(second[0]));
	mem_wipe(t2, n * sizeof(t2[0]));
}

// ---- Blocks

void message_blocks_from(const struct sha256_ops *sha, const struct message_info *info,
			 const struct hmac_key *const kaf[], unsigned n,
			 struct message_block *block)
{
	hmac_blocks(sha, kaf, first_text(info), n, first_of(info, block), sizeof(*block));
	if (is_short(info))
		return;
	for (unsigned count; n; n -= count, kaf += count, block += count) {
		count = n < CHUNK ? n : CHUNK;
		add_second(sha, info, kaf, count, block);
	}
}

static void long_blocks(const struct sha256_ops *sha, const struct message_info *info,
			const uint8_t kaf[][HMAC_KEY], unsigned n, struct message_block *block)
{
	struct hmac_key key[CHUNK];
	const struct hmac_key *keys[CHUNK];
	const unsigned used = n < CHUNK ? n : CHUNK;

	for (unsigned i = 0; i < used; i++)
		keys[i] = &key[i];
	for (unsigned count; n; n -= count, kaf += count, block += count) {
		count = n < CHUNK ? n : CHUNK;
		hmac_key_init(sha, kaf, count, key);
		message_blocks_from(sha, info, keys, count, block);
	}
	mem_wipe(key, used * sizeof(key[0]));
}

void message_blocks(const struct sha256_ops *sha, const struct message_info *info,
		    const uint8_t kaf[][HMAC_KEY], unsigned n, struct message_block *block)
{
	if (is_short(info))
		hmac_keys(sha, kaf, first_text(info), n, first_of(info, block), sizeof(*block));
	else
		long_blocks(sha, info, kaf, n, block);
}

static void long_chain(const struct sha256_ops *sha, struct sha256_text kaf,
		       const struct message_info *info, const struct hmac_key *const kakma[],
		       unsigned n, struct message_block *block)
{
	uint8_t key[CHUNK][HMAC_KEY];
	const unsigned used = n < CHUNK ? n : CHUNK;

	for (unsigned count; n; n -= count, kakma += count, block += count) {
		count = n < CHUNK ? n : CHUNK;
		hmac_blocks(sha, kakma, kaf, count, key[0], HMAC_KEY);
		long_blocks(sha, info, (const uint8_t(*)[HMAC_KEY])key, count, block);
	}
	mem_wipe(key, used * sizeof(key[0]));
}

void message_blocks_chain(const struct sha256_ops *sha, struct sha256_text kaf,
			  const struct message_info *info, const struct hmac_key *const kakma[],
			  unsigned n, struct message_block *block)
{
	if (is_short(info))
		hmac_chain(sha, kakma, kaf, first_text(info), n, first_of(info, block),
			   sizeof(*block));
	else
		long_chain(sha, kaf, info, kakma, n, block);
}

// ---- Nonces

void message_ack_nonce(uint8_t nonce[MESSAGE_IV], const struct message_block *block,
		       const uint8_t salt[MESSAGE_SALT])
{
	memcpy(nonce, block->iv, MESSAGE_IV);
	for (unsigned i = 0; i < MESSAGE_SALT; i++)
		nonce[i] ^= salt[i];
}

void message_ack_salt(const struct sha256_ops *sha, const uint8_t kaf[HMAC_KEY],
		      const uint8_t octets0_3[4], const uint8_t push_id[MESSAGE_PUSH_ID],
		      uint32_t ref, uint8_t status, const uint8_t *reply, size_t reply_len,
		      uint8_t salt[MESSAGE_SALT])
{
	uint8_t data[ACK_LABEL + 4 + MESSAGE_PUSH_ID + 4 + 1 + MESSAGE_REPLY_MAX], *at = data;
	uint8_t mac[HMAC_MAC];
	struct hmac_key key;

	assert(reply_len <= MESSAGE_REPLY_MAX);
	at = mempcpy(at, ack_label, ACK_LABEL);
	at = mempcpy(at, octets0_3, 4);
	at = mempcpy(at, push_id, MESSAGE_PUSH_ID);
	store32_be(at, ref);
	at += 4;
	*at++ = status;
	if (reply_len)
		at = mempcpy(at, reply, reply_len);

	hmac_key_init(sha, (const uint8_t(*)[HMAC_KEY])kaf, 1, &key);
	hmac_one(sha, &key, data, (size_t)(at - data), mac);
	memcpy(salt, mac, MESSAGE_SALT);
	mem_wipe(&key, sizeof(key));
	mem_wipe(mac, sizeof(mac));
	mem_wipe(data, sizeof(data));
}
