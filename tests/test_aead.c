// AES-GCM in bursts: every implementation against plain EVP calls for every length, in place and
// apart; whatever was changed on the way is refused and leaves no text behind.

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <openssl/err.h>
#include <string.h>

#include "tests/kit/gcm_message.h"

enum { IMPLEMENTATIONS_MAX = 16, BURST_MAX = 70, GUARD = 0xa5 };

static const unsigned key_lengths[] = {16, 32};

static struct criterion_test_params implementation_params(void)
{
	static unsigned index[IMPLEMENTATIONS_MAX];
	unsigned n = 0;

	while (aead_implementations[n] && n < IMPLEMENTATIONS_MAX) {
		index[n] = n;
		n++;
	}
	return cr_make_param_array(unsigned, index, n);
}

// A test over every implementation and both key lengths; one that this CPU cannot run is skipped
// with a word.
#define AEAD_TEST(test)                                                                            \
	static void test_##test(const struct aead_ops *ops, struct aead *aead, unsigned key_len);  \
	ParameterizedTestParameters(aead, test)                                                    \
	{                                                                                          \
		return implementation_params();                                                    \
	}                                                                                          \
	ParameterizedTest(unsigned *index, aead, test)                                             \
	{                                                                                          \
		const struct aead_ops *const ops = aead_implementations[*index];                   \
                                                                                                   \
		if (!ops->usable())                                                                \
			cr_skip("this CPU does not run the implementation %s", ops->name);         \
                                                                                                   \
		struct aead *const aead = ops->open(AEAD_AAD);                                     \
                                                                                                   \
		cr_assert_not_null(aead);                                                          \
		test_##test(ops, aead, key_lengths[0]);                                            \
		test_##test(ops, aead, key_lengths[1]);                                            \
		ops->close(aead);                                                                  \
	}                                                                                          \
	static void test_##test(const struct aead_ops *ops, struct aead *aead, unsigned key_len)

static bool open_one(const struct aead_ops *ops, struct aead *aead, unsigned key_len,
		     const struct message *m, const uint8_t *in, uint8_t *out)
{
	struct aead_item item = item_of(m, in, out);

	item.ok = !item.ok;
	ops->open_burst(aead, key_len, &item, 1);
	return item.ok;
}

static void assert_filled(const uint8_t *octets, size_t n, uint8_t value, const char *what)
{
	for (size_t i = 0; i < n; i++)
		cr_assert_eq(octets[i], value, "%s: octet %zu is %#x", what, i, octets[i]);
}

AEAD_TEST(seals_as_evp)
{
	struct random random = random_start();
	struct message m;

	for (unsigned len = 0; len <= AEAD_TEXT_MAX; len++) {
		uint8_t apart[SEALED_MAX + 8], in_place[SEALED_MAX + 8];
		struct aead_item item;

		message_make(&m, key_len, len, &random);
		memset(apart, GUARD, sizeof(apart));
		item = item_of(&m, m.text, apart);
		ops->seal(aead, key_len, &item, 1);
		cr_assert_arr_eq(apart, m.sealed, len + AEAD_TAG, "%s, %u octets, seed %#" PRIx64,
				 ops->name, len, random.seed);
		assert_filled(apart + len + AEAD_TAG, 8, GUARD, "behind the tag");

		memset(in_place, GUARD, sizeof(in_place));
		memcpy(in_place, m.text, len);
		item = item_of(&m, in_place, in_place);
		ops->seal(aead, key_len, &item, 1);
		cr_assert_arr_eq(in_place, m.sealed, len + AEAD_TAG,
				 "%s, %u octets, seed %#" PRIx64, ops->name, len, random.seed);
		assert_filled(in_place + len + AEAD_TAG, 8, GUARD, "behind the tag, in place");
	}
}

AEAD_TEST(opens_what_evp_sealed)
{
	struct random random = random_start();
	struct message m;

	for (unsigned len = 0; len <= AEAD_TEXT_MAX; len++) {
		uint8_t apart[AEAD_TEXT_MAX + 8], in_place[SEALED_MAX];

		message_make(&m, key_len, len, &random);
		memset(apart, GUARD, sizeof(apart));
		cr_assert(open_one(ops, aead, key_len, &m, m.sealed, apart), "%s, %u octets",
			  ops->name, len);
		cr_assert_eq(memcmp(apart, m.text, len), 0, "%s, %u octets, seed %#" PRIx64,
			     ops->name, len, random.seed);
		assert_filled(apart + len, 8, GUARD, "behind the text");

		memcpy(in_place, m.sealed, len + AEAD_TAG);
		cr_assert(open_one(ops, aead, key_len, &m, in_place, in_place));
		cr_assert_eq(memcmp(in_place, m.text, len), 0, "%s, %u octets, seed %#" PRIx64,
			     ops->name, len, random.seed);
	}
}

// Refused, nothing of the text left, nothing written behind it: apart and in place.
static void assert_refused(const struct aead_ops *ops, struct aead *aead, unsigned key_len,
			   const struct message *m, const uint8_t *sealed, const char *what)
{
	uint8_t out[AEAD_TEXT_MAX + 8], in_place[SEALED_MAX];

	memset(out, GUARD, sizeof(out));
	cr_assert_not(open_one(ops, aead, key_len, m, sealed, out), "%s, %s, %u octets", ops->name,
		      what, m->len);
	assert_filled(out, m->len, 0, what);
	assert_filled(out + m->len, 8, GUARD, what);

	memcpy(in_place, sealed, m->len + AEAD_TAG);
	cr_assert_not(open_one(ops, aead, key_len, m, in_place, in_place), "%s, %s", ops->name,
		      what);
	assert_filled(in_place, m->len, 0, what);
}

static void flip(uint8_t *octets, unsigned bit)
{
	octets[bit / 8] ^= (uint8_t)(1 << bit % 8);
}

static const unsigned some_lengths[] = {0,  1,  15,  16,  17,  31,  32,  33,
					48, 64, 127, 128, 129, 255, 1184};

enum { SOME_LENGTHS = sizeof(some_lengths) / sizeof(some_lengths[0]) };

AEAD_TEST(every_bit_of_the_tag_counts)
{
	struct random random = random_start();
	struct message m;

	for (unsigned l = 0; l < SOME_LENGTHS; l++) {
		message_make(&m, key_len, some_lengths[l], &random);
		for (unsigned bit = 0; bit < 8 * AEAD_TAG; bit++) {
			flip(m.sealed + m.len, bit);
			assert_refused(ops, aead, key_len, &m, m.sealed, "tag");
			flip(m.sealed + m.len, bit);
		}
	}
}

AEAD_TEST(every_bit_of_aad_nonce_and_key_counts)
{
	struct random random = random_start();
	struct message m;

	for (unsigned l = 0; l < SOME_LENGTHS; l += 3) {
		message_make(&m, key_len, some_lengths[l], &random);
		for (unsigned bit = 0; bit < 8 * AEAD_AAD; bit++) {
			flip(m.aad, bit);
			assert_refused(ops, aead, key_len, &m, m.sealed, "aad");
			flip(m.aad, bit);
		}
		for (unsigned bit = 0; bit < 8 * AEAD_NONCE; bit++) {
			flip(m.nonce, bit);
			assert_refused(ops, aead, key_len, &m, m.sealed, "nonce");
			flip(m.nonce, bit);
		}
		for (unsigned bit = 0; bit < 8 * key_len; bit++) {
			flip(m.key, bit);
			assert_refused(ops, aead, key_len, &m, m.sealed, "key");
			flip(m.key, bit);
		}
	}
}

AEAD_TEST(every_octet_of_the_ciphertext_counts)
{
	struct random random = random_start();
	struct message m;

	for (unsigned l = 0; l < SOME_LENGTHS; l++) {
		message_make(&m, key_len, some_lengths[l], &random);
		for (unsigned i = 0; i < m.len; i++) {
			const unsigned bit = 8 * i + random_next(&random) % 8;

			flip(m.sealed, bit);
			assert_refused(ops, aead, key_len, &m, m.sealed, "ciphertext");
			flip(m.sealed, bit);
		}
	}
}

// A tag of zeros or ones, a tag cut and moved, the tag of another length.
AEAD_TEST(strange_tags_are_refused)
{
	struct random random = random_start();
	struct message m;
	uint8_t sealed[SEALED_MAX + 1];

	for (unsigned l = 0; l < SOME_LENGTHS; l++) {
		message_make(&m, key_len, some_lengths[l], &random);
		memcpy(sealed, m.sealed, m.len + AEAD_TAG);
		memset(sealed + m.len, 0, AEAD_TAG);
		assert_refused(ops, aead, key_len, &m, sealed, "zero tag");
		memset(sealed + m.len, 0xff, AEAD_TAG);
		assert_refused(ops, aead, key_len, &m, sealed, "tag of ones");
		memcpy(sealed + m.len, m.sealed + m.len + 1, AEAD_TAG - 1);
		assert_refused(ops, aead, key_len, &m, sealed, "moved tag");
		memcpy(sealed + m.len + 1, m.sealed + m.len, AEAD_TAG);
		if (m.len++ < AEAD_TEXT_MAX)
			assert_refused(ops, aead, key_len, &m, sealed, "one octet more");
	}
}

// TLS on the same thread would take an error in OpenSSL's queue for its own.
AEAD_TEST(refusals_leave_no_error_behind)
{
	struct random random = random_start();
	struct message m;
	uint8_t out[SEALED_MAX];

	ERR_clear_error();
	message_make(&m, key_len, 64, &random);
	flip(m.sealed, 0);
	for (unsigned i = 0; i < 40; i++)
		cr_assert_not(open_one(ops, aead, key_len, &m, m.sealed, out));
	cr_assert_eq(ERR_peek_error(), 0);
	flip(m.sealed, 0);
	cr_assert(open_one(ops, aead, key_len, &m, m.sealed, out));
}

// Keys, nonces, AAD and texts of zeros, of ones, of high and of low bits are like any other.
AEAD_TEST(extreme_values_are_as_evp)
{
	static const uint8_t fills[] = {0x00, 0xff, 0x80, 0x01};
	struct message m;

	for (unsigned f = 0; f < 64; f++) {
		for (unsigned l = 0; l < SOME_LENGTHS; l++) {
			uint8_t out[SEALED_MAX], text[SEALED_MAX];
			struct aead_item item;

			memset(m.key, fills[f % 4], sizeof(m.key));
			memset(m.nonce, fills[f / 4 % 4], sizeof(m.nonce));
			memset(m.text, fills[f / 16], sizeof(m.text));
			memset(m.aad, fills[f / 4 % 4], sizeof(m.aad));
			m.len = (uint16_t)some_lengths[l];
			evp_seal(&m, key_len);
			item = item_of(&m, m.text, out);
			ops->seal(aead, key_len, &item, 1);
			cr_assert_arr_eq(out, m.sealed, m.len + AEAD_TAG, "%s, fill %u, %u octets",
					 ops->name, f, m.len);
			cr_assert(open_one(ops, aead, key_len, &m, m.sealed, text));
			cr_assert_eq(memcmp(text, m.text, m.len), 0);
		}
	}
}

struct bench {
	struct message message[BURST_MAX];
	uint8_t out[BURST_MAX][SEALED_MAX];
	struct aead_item item[BURST_MAX + 1];
};

static void burst_seal(const struct aead_ops *ops, struct aead *aead, unsigned key_len,
		       struct bench *b, unsigned n, const struct random *random)
{
	memset(b->out, GUARD, sizeof(b->out));
	for (unsigned i = 0; i < n; i++)
		b->item[i] = item_of(&b->message[i], b->message[i].text, b->out[i]);
	ops->seal(aead, key_len, b->item, n);
	for (unsigned i = 0; i < n; i++) {
		const struct message *const m = &b->message[i];

		cr_assert_arr_eq(b->out[i], m->sealed, m->len + AEAD_TAG,
				 "%s, %u of %u, %u octets, seed %#" PRIx64, ops->name, i, n, m->len,
				 random->seed);
		assert_filled(b->out[i] + m->len + AEAD_TAG, AEAD_TEXT_MAX - m->len, GUARD,
			      "behind");
	}
}

// Every third is spoilt: it alone is refused.
static void burst_open(const struct aead_ops *ops, struct aead *aead, unsigned key_len,
		       struct bench *b, unsigned n, const struct random *random)
{
	memset(b->out, GUARD, sizeof(b->out));
	for (unsigned i = 0; i < n; i++) {
		if (i % 3 == 1)
			flip(b->message[i].sealed, i % (8 * AEAD_TAG));
		b->item[i] = item_of(&b->message[i], b->message[i].sealed, b->out[i]);
		b->item[i].ok = i % 3 == 1;
	}
	ops->open_burst(aead, key_len, b->item, n);
	for (unsigned i = 0; i < n; i++) {
		const struct message *const m = &b->message[i];

		cr_assert_eq(b->item[i].ok, i % 3 != 1, "%s, %u of %u, seed %#" PRIx64, ops->name,
			     i, n, random->seed);
		if (b->item[i].ok)
			cr_assert_eq(memcmp(b->out[i], m->text, m->len), 0);
		else
			assert_filled(b->out[i], m->len, 0, "refused in a burst");
	}
}

AEAD_TEST(bursts_of_every_count)
{
	struct random random = random_start();
	static struct bench b;

	for (unsigned n = 0; n <= BURST_MAX; n++) {
		const bool mixed = n % 2;
		const unsigned common = random_next(&random) % (AEAD_TEXT_MAX + 1);

		for (unsigned i = 0; i < n; i++) {
			const unsigned len = random_next(&random) % (AEAD_TEXT_MAX + 1);

			message_make(&b.message[i], key_len, mixed ? len : common, &random);
		}
		burst_seal(ops, aead, key_len, &b, n, &random);
		burst_open(ops, aead, key_len, &b, n, &random);
	}
}

// One text, AAD and key for all items, as in a fan-out of one push; octets at odd addresses.
AEAD_TEST(shared_and_unaligned_inputs)
{
	struct random random = random_start();
	static struct bench b;
	static uint8_t shifted[SEALED_MAX + 8];

	for (unsigned shift = 0; shift < 8; shift++) {
		struct message *const m = &b.message[0];

		message_make(m, key_len, 100 + shift, &random);
		memcpy(shifted + shift, m->text, m->len);
		for (unsigned i = 0; i < BURST_MAX; i++)
			b.item[i] = item_of(m, shifted + shift, b.out[i] + shift);
		ops->seal(aead, key_len, b.item, BURST_MAX);
		for (unsigned i = 0; i < BURST_MAX; i++)
			cr_assert_arr_eq(b.out[i] + shift, m->sealed, m->len + AEAD_TAG,
					 "%s, item %u, shift %u, seed %#" PRIx64, ops->name, i,
					 shift, random.seed);
	}
}

// Key lengths and directions may follow one another in any order: nothing of the last burst is
// left.
AEAD_TEST(bursts_do_not_disturb_one_another)
{
	struct random random = random_start();
	const unsigned other_len = key_len == 16 ? 32 : 16;
	struct message m, other;
	uint8_t out[SEALED_MAX];

	for (unsigned round = 0; round < 20; round++) {
		struct aead_item item;

		message_make(&m, key_len, round * 13, &random);
		message_make(&other, other_len, round * 7, &random);
		item = item_of(&m, m.text, out);
		ops->seal(aead, key_len, &item, 1);
		cr_assert_arr_eq(out, m.sealed, m.len + AEAD_TAG);
		cr_assert(open_one(ops, aead, other_len, &other, other.sealed, out));
		cr_assert(open_one(ops, aead, key_len, &m, m.sealed, out));
		item = item_of(&other, other.text, out);
		ops->seal(aead, other_len, &item, 1);
		cr_assert_arr_eq(out, other.sealed, other.len + AEAD_TAG);
	}
}

Test(aead, list_is_sound)
{
	unsigned n = 0;

	for (; aead_implementations[n]; n++) {
		const struct aead_ops *const ops = aead_implementations[n];

		cr_assert_eq(aead_find(ops->name), ops->usable() ? ops : NULL);
		for (unsigned i = 0; i < n; i++)
			cr_assert_str_neq(ops->name, aead_implementations[i]->name);
	}
	cr_assert(n > 0);
	cr_assert_str_eq(aead_implementations[n - 1]->name, "openssl");
	cr_assert(aead_best()->usable());
	cr_assert_null(aead_find("no such implementation"));
}
