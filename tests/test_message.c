// Message blocks, nonces and salts against the vectors of protocol 1, datagrams sealed and opened
// with every AEAD; bursts against HKDF written down plainly.

#include <string.h>

#include "base/bytes.h"
#include "crypto/aead.h"
#include "crypto/message.h"
#include "tests/kit/kernels.h"
#include "tests/kit/protocol1.h"
#include "tests/kit/random.h"

enum { HEADER = AEAD_AAD, DATAGRAM_MAX = HEADER + AEAD_TEXT_MAX + AEAD_TAG };

// A vector of "messages", octets as they are.
struct vector {
	const struct message_suite *suite;
	uint8_t kaf[1][HMAC_KEY];
	uint8_t push_id[MESSAGE_PUSH_ID];
	uint32_t ref;
	unsigned segment;
	uint8_t status;
	uint8_t payload[AEAD_TEXT_MAX];
	size_t payload_len;
	uint8_t reply[AEAD_TEXT_MAX];
	size_t reply_len;
	uint8_t push[DATAGRAM_MAX];
	size_t push_len;
	uint8_t ack[DATAGRAM_MAX];
	size_t ack_len;
};

static void vector_read(struct vector *v, const json_t *entry)
{
	v->suite = message_suite_find(protocol1_integer(entry, "suite"));
	cr_assert_not_null(v->suite);
	cr_assert_eq(protocol1_octets(entry, "kaf", v->kaf, HMAC_KEY), HMAC_KEY);
	cr_assert_eq(protocol1_octets(entry, "push_id", v->push_id, MESSAGE_PUSH_ID),
		     MESSAGE_PUSH_ID);
	v->ref = protocol1_integer(entry, "ref");
	v->segment = protocol1_integer(entry, "segment_index");
	v->status = (uint8_t)protocol1_integer(entry, "ack_status");
	v->payload_len = protocol1_octets(entry, "payload", v->payload, sizeof(v->payload));
	v->reply_len = protocol1_octets(entry, "reply", v->reply, sizeof(v->reply));
	v->push_len = protocol1_octets(entry, "push", v->push, sizeof(v->push));
	v->ack_len = protocol1_octets(entry, "ack", v->ack, sizeof(v->ack));
	cr_assert_eq(v->push_len, HEADER + v->payload_len + AEAD_TAG);
	cr_assert_eq(v->ack_len, HEADER + v->reply_len + AEAD_TAG);
}

static void assert_member(const json_t *entry, const char *name, const uint8_t *octets, size_t len)
{
	uint8_t expected[64];

	cr_assert_eq(protocol1_octets(entry, name, expected, sizeof(expected)), len, "%s", name);
	cr_assert_arr_eq(octets, expected, len, "%s", name);
}

static void block_of(const struct sha256_ops *sha, const struct vector *v, unsigned type,
		     struct message_block *block)
{
	struct message_info info;

	message_info_init(&info, v->suite, type, v->push_id);
	message_blocks(sha, &info, v->kaf, 1, block);
}

KERNEL_TEST(message, vector_blocks)
{
	json_t *const root = protocol1_load();
	static struct vector v;
	const json_t *entry;
	size_t i;

	json_array_foreach(protocol1_entries(root, "messages"), i, entry)
	{
		struct message_block block;

		vector_read(&v, entry);
		block_of(sha, &v, MESSAGE_TYPE_PUSH, &block);
		assert_member(entry, "key", message_key(&block, v.suite), v.suite->key_len);
		assert_member(entry, "iv", block.iv, MESSAGE_IV);
		assert_member(entry, "selector", block.selector, MESSAGE_SELECTOR);
		cr_assert_arr_eq(block.selector, v.push + 4, MESSAGE_SELECTOR, "message %zu", i);
		block_of(sha, &v, MESSAGE_TYPE_ACK, &block);
		assert_member(entry, "ack_key", message_key(&block, v.suite), v.suite->key_len);
		assert_member(entry, "ack_iv", block.iv, MESSAGE_IV);
	}
	json_decref(root);
}

// In the ACK header salt[0..3] stands at octet 4, salt[4..6] at octet 29.
static void salt_of_header(const uint8_t *ack, uint8_t salt[MESSAGE_SALT])
{
	memcpy(salt, ack + 4, 4);
	memcpy(salt + 4, ack + 29, 3);
}

KERNEL_TEST(message, vector_salts)
{
	json_t *const root = protocol1_load();
	static struct vector v;
	const json_t *entry;
	size_t i;

	json_array_foreach(protocol1_entries(root, "messages"), i, entry)
	{
		uint8_t salt[MESSAGE_SALT], expected[MESSAGE_SALT];

		vector_read(&v, entry);
		salt_of_header(v.ack, expected);
		message_ack_salt(sha, v.kaf[0], v.ack, v.push_id, v.ref, v.status, v.reply,
				 v.reply_len, salt);
		cr_assert_arr_eq(salt, expected, MESSAGE_SALT, "message %zu", i);
	}
	json_decref(root);
}

// Seals `text` behind the header of `datagram` and opens the datagram, both with every AEAD.
static void datagram_check(const struct message_suite *suite, const struct message_block *block,
			   const uint8_t nonce[MESSAGE_IV], const uint8_t *text, size_t len,
			   const uint8_t *datagram, size_t index)
{
	for (const struct aead_ops *const *ops = aead_implementations; *ops; ops++) {
		uint8_t out[AEAD_TEXT_MAX + AEAD_TAG];
		struct aead_item item = {
			.key = message_key(block, suite), .aad = datagram, .in = text, .out = out};
		struct aead *aead;

		if (!(*ops)->usable())
			continue; // tests/test_aead.c names what was left out
		aead = (*ops)->open(AEAD_AAD);
		cr_assert_not_null(aead);
		item.len = (uint16_t)len;
		memcpy(item.nonce, nonce, MESSAGE_IV);
		(*ops)->seal(aead, suite->key_len, &item, 1);
		cr_assert_arr_eq(out, datagram + HEADER, len + AEAD_TAG, "%s, message %zu",
				 (*ops)->name, index);

		memset(out, 0, sizeof(out));
		item.in = datagram + HEADER;
		(*ops)->open_burst(aead, suite->key_len, &item, 1);
		cr_assert(item.ok, "%s, message %zu", (*ops)->name, index);
		cr_assert_eq(memcmp(out, text, len), 0, "%s, message %zu", (*ops)->name, index);
		(*ops)->close(aead);
	}
}

KERNEL_TEST(message, vector_datagrams)
{
	json_t *const root = protocol1_load();
	static struct vector v;
	const json_t *entry;
	size_t i;

	json_array_foreach(protocol1_entries(root, "messages"), i, entry)
	{
		uint8_t nonce[MESSAGE_IV], salt[MESSAGE_SALT];
		struct message_block block;

		vector_read(&v, entry);
		block_of(sha, &v, MESSAGE_TYPE_PUSH, &block);
		message_push_nonce(nonce, &block, v.ref, v.segment);
		datagram_check(v.suite, &block, nonce, v.payload, v.payload_len, v.push, i);

		block_of(sha, &v, MESSAGE_TYPE_ACK, &block);
		salt_of_header(v.ack, salt);
		message_ack_nonce(nonce, &block, salt);
		datagram_check(v.suite, &block, nonce, v.reply, v.reply_len, v.ack, i);
	}
	json_decref(root);
}

enum { UES = 200 };

// RFC 5869 section 2.3 with one HMAC after the other, and the protocol's split.
static void naive_block(const struct sha256_ops *sha, const struct message_suite *suite,
			unsigned type, const uint8_t *push_id, const uint8_t kaf[1][HMAC_KEY],
			struct message_block *block)
{
	uint8_t okm[2 * HMAC_MAC], data[HMAC_MAC + MESSAGE_INFO + 1];
	struct hmac_key key;

	hmac_key_init(sha, kaf, 1, &key);
	memcpy(data + HMAC_MAC, "akma push 1", 11);
	data[HMAC_MAC + 11] = suite->id;
	data[HMAC_MAC + 12] = (uint8_t)type;
	memcpy(data + HMAC_MAC + 13, push_id, MESSAGE_PUSH_ID);
	data[HMAC_MAC + MESSAGE_INFO] = 1;
	hmac_one(sha, &key, data + HMAC_MAC, MESSAGE_INFO + 1, okm);
	memcpy(data, okm, HMAC_MAC);
	data[HMAC_MAC + MESSAGE_INFO] = 2;
	hmac_one(sha, &key, data, sizeof(data), okm + HMAC_MAC);

	memset(block, 0, sizeof(*block));
	memcpy(block->key + MESSAGE_KEY_MAX - suite->key_len, okm, suite->key_len);
	memcpy(block->iv, okm + suite->key_len, MESSAGE_IV);
	memcpy(block->selector, okm + suite->key_len + MESSAGE_IV, MESSAGE_SELECTOR);
}

// From K_AKMAs: K_AF by one HMAC after the other, the rest as above.
static void chain_check(const struct sha256_ops *sha, const struct message_info *info,
			const uint8_t kakma[][HMAC_KEY], unsigned type, const uint8_t *push_id,
			unsigned n)
{
	static const char s[] = "what makes K_AF of K_AKMA, in two blocks: 0x82 || AF_ID || L0";
	static struct message_block block[UES + 1], guard;
	static struct hmac_key pads[UES];
	const struct hmac_key *at[UES];
	struct hmac_message message;

	memset(&guard, 0xa5, sizeof(guard));
	memset(block, 0xa5, sizeof(block));
	cr_assert_eq(hmac_message_init(&message, s, sizeof(s)), 0);
	hmac_key_init(sha, kakma, n, pads);
	for (unsigned i = 0; i < n; i++)
		at[i] = &pads[n - 1 - i];
	message_blocks_chain(sha, hmac_text(&message), info, at, n, block);
	cr_assert_arr_eq(&block[n], &guard, sizeof(guard));
	for (unsigned i = 0; i < n; i++) {
		uint8_t kaf[1][HMAC_KEY];
		struct message_block expected;

		hmac_one(sha256_find("scalar"), at[i], s, sizeof(s), kaf[0]);
		naive_block(sha256_find("scalar"), info->suite, type, push_id,
			    (const uint8_t(*)[HMAC_KEY])kaf, &expected);
		cr_assert_arr_eq(message_key(&block[i], info->suite),
				 message_key(&expected, info->suite), info->suite->okm_len,
				 "%s, suite %u, %u of %u", sha->name, info->suite->id, i, n);
	}
}

static void burst_check(const struct sha256_ops *sha, const struct message_suite *suite,
			unsigned type, unsigned n, struct random *random)
{
	const struct sha256_ops *const scalar = sha256_find("scalar");
	static uint8_t kaf[UES][HMAC_KEY];
	static struct message_block block[UES + 1], guard;
	uint8_t push_id[MESSAGE_PUSH_ID];
	struct message_info info;

	cr_assert(n <= UES);
	random_fill(random, kaf, n * sizeof(kaf[0]));
	random_fill(random, push_id, sizeof(push_id));
	memset(&guard, 0xa5, sizeof(guard));
	memset(block, 0xa5, sizeof(block));
	message_info_init(&info, suite, type, push_id);
	message_blocks(sha, &info, kaf, n, block);
	cr_assert_arr_eq(&block[n], &guard, sizeof(guard));
	chain_check(sha, &info, (const uint8_t(*)[HMAC_KEY])kaf, type, push_id, n);
	for (unsigned i = 0; i < n; i++) {
		struct message_block expected;

		naive_block(scalar, suite, type, push_id, &kaf[i], &expected);
		cr_assert_arr_eq(message_key(&block[i], suite), message_key(&expected, suite),
				 suite->okm_len, "%s, suite %u, %u of %u, seed %#" PRIx64,
				 sha->name, suite->id, i, n, random->seed);
	}
}

KERNEL_TEST(message, bursts_as_naive)
{
	struct random random = random_start();

	for (unsigned n = 0; n <= 200; n += n < 70 ? 1 : 13) {
		for (const struct message_suite *const *suite = message_suites; *suite; suite++) {
			burst_check(sha, *suite, MESSAGE_TYPE_PUSH, n, &random);
			burst_check(sha, *suite, MESSAGE_TYPE_ACK, n, &random);
		}
	}
}

Test(message, suites)
{
	const struct message_suite *const one = message_suite_find(1), *const two =
									       message_suite_find(
										       2);

	cr_assert(one && one->key_len == 16 && one->okm_len == 32);
	cr_assert(two && two->key_len == 32 && two->okm_len == 48);
	cr_assert_null(message_suite_find(0));
	for (unsigned id = 3; id <= 257; id++)
		cr_assert_null(message_suite_find(id));
	cr_assert_null(message_suite_find(0x10001));
}

Test(message, push_nonce)
{
	static const uint8_t expected[MESSAGE_IV] = {0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 15};
	const struct message_block zero = {.iv = {0}}, ones = {.iv = {[0 ... 11] = 0xff}};
	uint8_t nonce[MESSAGE_IV];

	message_push_nonce(nonce, &zero, 0x01020304, 15);
	cr_assert_arr_eq(nonce, expected, MESSAGE_IV);
	message_push_nonce(nonce, &ones, 0x01020304, 15);
	for (unsigned i = 0; i < MESSAGE_IV; i++)
		cr_assert_eq(nonce[i], 0xff ^ expected[i]);
}

Test(message, ack_nonce)
{
	static const uint8_t salt[MESSAGE_SALT] = {1, 2, 3, 4, 5, 6, 7};
	static const uint8_t expected[MESSAGE_IV] = {1, 2, 3, 4, 5, 6, 7, 0, 0, 0, 0, 0};
	const struct message_block zero = {.iv = {0}};
	uint8_t nonce[MESSAGE_IV];

	message_ack_nonce(nonce, &zero, salt);
	cr_assert_arr_eq(nonce, expected, MESSAGE_IV);
}

// Each of what the salt depends on changes it: header, push_id, ref, status, reply and its length.
Test(message, salt_depends_on_everything)
{
	enum { VARIANTS = 7 };
	const struct sha256_ops *const sha = sha256_best();
	static const uint8_t kaf[2][HMAC_KEY] = {{1}, {2}}, id[2][MESSAGE_PUSH_ID] = {{1}, {2}};
	static const uint8_t head[2][4] = {{0x12, 1}, {0x12, 2}},
			     reply[2][3] = {{1, 2, 3}, {1, 2, 4}};
	uint8_t salt[VARIANTS + 1][MESSAGE_SALT];

	for (unsigned v = 0; v <= VARIANTS; v++)
		message_ack_salt(sha, kaf[v == 1], head[v == 2], id[v == 3], v == 4 ? 9 : 8,
				 v == 5 ? 2 : 1, reply[v == 6], v == 7 ? 2 : 3, salt[v]);
	for (unsigned a = 0; a <= VARIANTS; a++) {
		for (unsigned b = a + 1; b <= VARIANTS; b++)
			cr_assert_arr_neq(salt[a], salt[b], MESSAGE_SALT, "variants %u and %u", a,
					  b);
	}
}
