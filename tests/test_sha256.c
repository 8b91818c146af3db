// SHA-256 kernels: NIST's examples, OpenSSL for every short length, and every kernel against scalar
// for every count up to three passes and one more.

#include <openssl/sha.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "tests/kit/kernels.h"
#include "tests/kit/random.h"
#include "tests/kit/sha256_answers.h"
#include "tests/kit/sha256_tail.h"

enum { LENGTH_MAX = 1200, STATES_MAX = 3 * 32 + 1, GUARD = 0xa5 };

static void check(const struct sha256_ops *sha, const void *data, size_t len, const char *expected)
{
	uint8_t digest[SHA256_DIGEST];
	char text[2 * SHA256_DIGEST + 1];

	sha256(sha, data, len, digest);
	hex_write(text, digest, sizeof(digest));
	cr_assert_str_eq(text, expected, "kernel %s, %zu octets", sha->name, len);
}

KERNEL_TEST(sha256, nist_examples)
{
	cr_assert_eq(sha256_examples_wrong(sha), 0, "kernel %s, example %u", sha->name,
		     sha256_examples_wrong(sha));
	check(sha, NULL, 0, sha256_examples[0].digest);
}

KERNEL_TEST(sha256, million_a)
{
	const size_t len = 1000000;
	char *const text = malloc(len);

	memset(text, 'a', len);
	check(sha, text, len, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	free(text);
}

KERNEL_TEST(sha256, every_length_as_openssl)
{
	struct random random = random_start();
	uint8_t data[LENGTH_MAX + 3], ours[SHA256_DIGEST], theirs[SHA256_DIGEST];

	random_fill(&random, data, sizeof(data));
	for (size_t len = 0; len <= LENGTH_MAX; len++) {
		const uint8_t *const at = data + len % 4; // at every alignment

		sha256(sha, at, len, ours);
		SHA256(at, len, theirs);
		cr_assert_arr_eq(ours, theirs, sizeof(ours),
				 "kernel %s, %zu octets, seed %#" PRIx64, sha->name, len,
				 random.seed);
	}
}

// States with a guard behind the last; at an odd word, since no kernel may ask for alignment.
struct states {
	_Alignas(64) uint32_t shift;
	uint32_t at[STATES_MAX + 1][8];
};

static void states_fill(struct states *ours, struct states *scalar, struct random *random,
			unsigned n)
{
	random_fill(random, ours->at, n * sizeof(ours->at[0]));
	memset(ours->at[n], GUARD, sizeof(ours->at[n]));
	memcpy(scalar, ours, sizeof(*scalar));
}

static void states_check(const struct sha256_ops *sha, const struct states *ours,
			 const struct states *scalar, unsigned n, const struct random *random)
{
	cr_assert_arr_eq(ours->at, scalar->at, (n + 1) * sizeof(ours->at[0]),
			 "kernel %s, %u states, seed %#" PRIx64, sha->name, n, random->seed);
}

static unsigned states_max(const struct sha256_ops *sha)
{
	cr_assert(3 * sha->lanes + 1 <= STATES_MAX);
	return 3 * sha->lanes + 1;
}

KERNEL_TEST(sha256, same_block_as_scalar)
{
	const struct sha256_ops *const scalar = sha256_find("scalar");
	struct random random = random_start();
	struct sha256_schedule schedule, before;
	struct states ours = {0}, theirs;
	uint8_t block[SHA256_BLOCK];

	for (unsigned n = 0; n <= states_max(sha); n++) {
		random_fill(&random, block, sizeof(block));
		sha256_expand(&schedule, block);
		before = schedule;
		states_fill(&ours, &theirs, &random, n);
		sha->compress_same(ours.at, &schedule, n);
		scalar->compress_same(theirs.at, &schedule, n);
		states_check(sha, &ours, &theirs, n, &random);
		cr_assert_arr_eq(&schedule, &before, sizeof(schedule));
	}
}

KERNEL_TEST(sha256, own_blocks_as_scalar)
{
	const struct sha256_ops *const scalar = sha256_find("scalar");
	struct random random = random_start();
	uint8_t data[STATES_MAX * SHA256_BLOCK + 7];
	struct states ours = {0}, theirs;

	for (unsigned n = 0; n <= states_max(sha); n++) {
		for (unsigned shift = 0; shift < 8; shift++) {
			const uint8_t(*const block)[SHA256_BLOCK] = (const void *)(data + shift);

			random_fill(&random, data, sizeof(data));
			states_fill(&ours, &theirs, &random, n);
			sha->compress_each(ours.at, block, n);
			scalar->compress_each(theirs.at, block, n);
			states_check(sha, &ours, &theirs, n, &random);
		}
	}
}

// Half a block of each state's own, half that all share: the block that both make.
KERNEL_TEST(sha256, halves_as_whole_blocks)
{
	const struct sha256_ops *const scalar = sha256_find("scalar");
	struct random random = random_start();
	uint8_t block[STATES_MAX][SHA256_BLOCK], rest[SHA256_BLOCK / 2];
	uint32_t half[STATES_MAX + 1][8], rest_words[8];
	struct states ours = {0}, theirs;
	struct sha256_tail tail;

	for (unsigned n = 0; n <= states_max(sha); n++) {
		random_fill(&random, block, sizeof(block));
		random_fill(&random, rest, sizeof(rest));
		for (unsigned i = 0; i < n; i++)
			memcpy(block[i] + sizeof(rest), rest, sizeof(rest));
		for (unsigned k = 0; k < 8; k++) {
			rest_words[k] = load32_be(rest + 4 * k);
			for (unsigned i = 0; i < n; i++)
				half[i][k] = load32_be(block[i] + 4 * k);
		}
		tail = tail_of(rest_words);
		states_fill(&ours, &theirs, &random, n);
		sha->compress_half(ours.at, (const uint32_t(*)[8])half, &tail, n);
		scalar->compress_each(theirs.at, (const uint8_t(*)[SHA256_BLOCK])block, n);
		states_check(sha, &ours, &theirs, n, &random);
	}
}

// The two shapes are one function: equal blocks give what the shared block gives.
KERNEL_TEST(sha256, both_shapes_agree)
{
	struct random random = random_start();
	struct states same = {0}, each;
	struct sha256_schedule schedule;
	uint8_t block[STATES_MAX][SHA256_BLOCK];

	for (unsigned n = 0; n <= states_max(sha); n++) {
		random_fill(&random, block[0], sizeof(block[0]));
		for (unsigned i = 1; i < n; i++)
			memcpy(block[i], block[0], sizeof(block[0]));
		sha256_expand(&schedule, block[0]);
		states_fill(&same, &each, &random, n);
		sha->compress_same(same.at, &schedule, n);
		sha->compress_each(each.at, block, n);
		states_check(sha, &same, &each, n, &random);
	}
}

KERNEL_TEST(sha256, finish_goes_on_from_blocks)
{
	struct random random = random_start();
	uint8_t data[4 * SHA256_BLOCK + 9], ours[SHA256_DIGEST], theirs[SHA256_DIGEST];

	random_fill(&random, data, sizeof(data));
	SHA256(data, sizeof(data), theirs);
	for (unsigned blocks = 0; blocks <= 4; blocks++) {
		const size_t before = blocks * SHA256_BLOCK;
		uint32_t state[1][8];

		memcpy(state, sha256_initial, sizeof(state));
		for (unsigned i = 0; i < blocks; i++)
			sha->compress_each(state, (const void *)(data + i * SHA256_BLOCK), 1);
		sha256_finish(sha, state[0], before, data + before, sizeof(data) - before);
		sha256_digest_write(ours, state[0]);
		cr_assert_arr_eq(ours, theirs, sizeof(ours), "kernel %s, %u blocks", sha->name,
				 blocks);
	}
}

Test(sha256, list_is_sound)
{
	unsigned n = 0;

	for (; sha256_kernels[n]; n++) {
		const struct sha256_ops *const sha = sha256_kernels[n];

		cr_assert(sha->lanes > 0);
		cr_assert_eq(sha256_find(sha->name), sha->usable() ? sha : NULL, "kernel %s",
			     sha->name);
		for (unsigned i = 0; i < n; i++)
			cr_assert_str_neq(sha->name, sha256_kernels[i]->name);
	}
	cr_assert(n > 0);
	cr_assert_str_eq(sha256_kernels[n - 1]->name, "scalar");
	cr_assert(sha256_kernels[n - 1]->usable());
}

Test(sha256, best_is_the_first_usable)
{
	unsigned n = 0;

	while (!sha256_kernels[n]->usable())
		n++;
	cr_assert_eq(sha256_best(), sha256_kernels[n]);
	cr_assert_null(sha256_find("no such kernel"));
	cr_assert_null(sha256_find(""));
}
