// HMAC-SHA-256 in bursts: RFC 4231, OpenSSL for every length and count, prepared messages against
// whole ones.

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/hmac.h"
#include "tests/kit/kernels.h"
#include "tests/kit/random.h"
#include "tests/kit/sha256_answers.h"

enum { LENGTH_MAX = 400, KEYS_MAX = 200, GUARD = 0xa5 };

KERNEL_TEST(hmac, rfc4231)
{
	cr_assert_eq(rfc4231_wrong(sha), 0, "kernel %s, case %u", sha->name, rfc4231_wrong(sha));
}

static void openssl_hmac(const uint8_t key[HMAC_KEY], const void *data, size_t len,
			 uint8_t mac[HMAC_MAC])
{
	cr_assert_not_null(HMAC(EVP_sha256(), key, HMAC_KEY, data, len, mac, NULL));
}

KERNEL_TEST(hmac, every_length_as_openssl)
{
	struct random random = random_start();
	uint8_t data[LENGTH_MAX], key[1][HMAC_KEY], ours[1][HMAC_MAC], theirs[HMAC_MAC];
	struct hmac_message message;
	struct hmac_key state;
	const struct hmac_key *const states[] = {&state};

	random_fill(&random, data, sizeof(data));
	for (size_t len = 0; len <= LENGTH_MAX; len++) {
		random_fill(&random, key, sizeof(key));
		hmac_key_init(sha, key, 1, &state);
		openssl_hmac(key[0], data, len, theirs);
		hmac_one(sha, &state, data, len, ours[0]);
		cr_assert_arr_eq(ours[0], theirs, HMAC_MAC, "%s, %zu octets, seed %#" PRIx64,
				 sha->name, len, random.seed);
		if (len > HMAC_MESSAGE_MAX)
			continue;
		memset(ours, 0, sizeof(ours));
		cr_assert_eq(hmac_message_init(&message, data, len), 0);
		hmac_same(sha, states, &message, 1, ours);
		cr_assert_arr_eq(ours[0], theirs, HMAC_MAC,
				 "%s, %zu octets prepared, seed %#" PRIx64, sha->name, len,
				 random.seed);
	}
}

Test(hmac, message_too_long_is_refused)
{
	static const uint8_t data[HMAC_MESSAGE_MAX + 1];
	struct hmac_message message, before;

	memset(&message, GUARD, sizeof(message));
	before = message;
	cr_assert_eq(hmac_message_init(&message, data, sizeof(data)), -EMSGSIZE);
	cr_assert_arr_eq(&message, &before, sizeof(message));
	cr_assert_eq(hmac_message_init(&message, data, HMAC_MESSAGE_MAX), 0);
	cr_assert_eq(message.n_blocks, HMAC_MESSAGE_BLOCKS);
	cr_assert_eq(hmac_message_init(&message, NULL, 0), 0);
	cr_assert_eq(message.n_blocks, 1);
}

// Keys, their pad states, and what a burst makes of them, with a guard behind the last.
struct burst {
	uint8_t key[KEYS_MAX][HMAC_KEY];
	struct hmac_key state[KEYS_MAX + 1];
	const struct hmac_key *states[KEYS_MAX];
	unsigned of[KEYS_MAX]; // states[i] = &state[of[i]]
	uint8_t mac[KEYS_MAX + 1][HMAC_MAC];
	uint8_t first[KEYS_MAX][SHA256_BLOCK];
};

static void burst_prepare(const struct sha256_ops *sha, struct burst *b, struct random *random,
			  unsigned n)
{
	struct hmac_key guard;

	memset(&guard, GUARD, sizeof(guard));
	memset(b->mac, GUARD, sizeof(b->mac));
	random_fill(random, b->key, sizeof(b->key));
	b->state[n] = guard;
	hmac_key_init(sha, b->key, n, b->state);
	cr_assert_arr_eq(&b->state[n], &guard, sizeof(guard));
	for (unsigned i = 0; i < n; i++) {
		b->of[i] = (unsigned)(random_next(random) % n); // any order, some twice
		b->states[i] = &b->state[b->of[i]];
	}
}

static void burst_check(const struct sha256_ops *sha, const struct burst *b, unsigned n, unsigned i,
			const void *data, size_t len, const struct random *random)
{
	uint8_t expected[HMAC_MAC];

	openssl_hmac(b->key[b->of[i]], data, len, expected);
	cr_assert_arr_eq(b->mac[i], expected, HMAC_MAC, "%s, %u of %u, %zu octets, seed %#" PRIx64,
			 sha->name, i, n, len, random->seed);
}

static void guard_check(const struct burst *b, unsigned n)
{
	for (unsigned i = 0; i < HMAC_MAC; i++)
		cr_assert_eq(b->mac[n][i], GUARD, "octet %u behind %u MACs", i, n);
}

KERNEL_TEST(hmac, bursts_of_one_message)
{
	struct random random = random_start();
	static struct burst b;
	uint8_t data[HMAC_MESSAGE_MAX];
	struct hmac_message message;

	for (unsigned n = 0; n <= KEYS_MAX; n++) {
		const size_t len = random_next(&random) % (HMAC_MESSAGE_MAX + 1);

		random_fill(&random, data, sizeof(data));
		cr_assert_eq(hmac_message_init(&message, data, len), 0);
		burst_prepare(sha, &b, &random, n);
		hmac_same(sha, b.states, &message, n, b.mac);
		for (unsigned i = 0; i < n; i++)
			burst_check(sha, &b, n, i, data, len, &random);
		guard_check(&b, n);
	}
}

// The key's pads are made on the way; macs lie further apart than they are long.
KERNEL_TEST(hmac, bursts_of_keys)
{
	enum { STRIDE = 48 };
	struct random random = random_start();
	static struct burst b;
	static uint8_t mac[KEYS_MAX + 1][STRIDE];
	uint8_t data[HMAC_MESSAGE_MAX], expected[STRIDE];
	struct hmac_message message;

	for (unsigned n = 0; n <= KEYS_MAX; n++) {
		const size_t len = random_next(&random) % (HMAC_MESSAGE_MAX + 1);

		random_fill(&random, data, sizeof(data));
		cr_assert_eq(hmac_message_init(&message, data, len), 0);
		burst_prepare(sha, &b, &random, n);
		memset(mac, GUARD, sizeof(mac));
		memset(expected, GUARD, sizeof(expected));
		hmac_keys(sha, (const uint8_t(*)[HMAC_KEY])b.key, hmac_text(&message), n, mac[0],
			  STRIDE);
		for (unsigned i = 0; i <= n; i++) {
			if (i < n)
				openssl_hmac(b.key[i], data, len, expected);
			else
				memset(expected, GUARD, sizeof(expected));
			cr_assert_arr_eq(mac[i], expected, STRIDE, "%s, %u of %u, seed %#" PRIx64,
					 sha->name, i, n, random.seed);
		}
	}
}

// A message under the MAC of another.
KERNEL_TEST(hmac, bursts_of_chains)
{
	struct random random = random_start();
	static struct burst b;
	uint8_t data[2][HMAC_MESSAGE_MAX], key[HMAC_MAC], expected[HMAC_MAC];
	struct hmac_message message[2];
	size_t len[2];

	for (unsigned n = 0; n <= KEYS_MAX; n++) {
		for (unsigned k = 0; k < 2; k++) {
			len[k] = random_next(&random) % (HMAC_MESSAGE_MAX + 1);
			random_fill(&random, data[k], sizeof(data[k]));
			cr_assert_eq(hmac_message_init(&message[k], data[k], len[k]), 0);
		}
		burst_prepare(sha, &b, &random, n);
		hmac_chain(sha, b.states, hmac_text(&message[0]), hmac_text(&message[1]), n,
			   b.mac[0], HMAC_MAC);
		for (unsigned i = 0; i < n; i++) {
			openssl_hmac(b.key[b.of[i]], data[0], len[0], key);
			openssl_hmac(key, data[1], len[1], expected);
			cr_assert_arr_eq(b.mac[i], expected, HMAC_MAC,
					 "%s, %u of %u, seed %#" PRIx64, sha->name, i, n,
					 random.seed);
		}
		guard_check(&b, n);
	}
}

// 62 octets: block and end mark are each key's own, the length is in the block that all share.
KERNEL_TEST(hmac, bursts_of_own_messages)
{
	enum { LEN = 62 };
	struct random random = random_start();
	static struct burst b;
	uint8_t end[SHA256_BLOCK] = {0};
	struct sha256_schedule last;

	store64_be(end + 56, (SHA256_BLOCK + LEN) * 8);
	sha256_expand(&last, end);
	for (unsigned n = 0; n <= KEYS_MAX; n++) {
		burst_prepare(sha, &b, &random, n);
		for (unsigned i = 0; i < n; i++) {
			random_fill(&random, b.first[i], LEN);
			b.first[i][LEN] = 0x80;
			b.first[i][LEN + 1] = 0;
		}
		hmac_each(sha, b.states, (const uint8_t(*)[SHA256_BLOCK])b.first, &last, n,
			  b.mac[0], HMAC_MAC);
		for (unsigned i = 0; i < n; i++)
			burst_check(sha, &b, n, i, b.first[i], LEN, &random);
		guard_check(&b, n);
	}
}
