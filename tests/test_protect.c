// What protects a burst leaves nothing secret on its stack: every SHA-256 kernel and every AEAD
// implementation, both suites, sealing and verifying, with and without a cache of K_AFs.

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/akma.h"
#include "dataplane/protect.h"
#include "tests/kit/random.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STACK_IS_PLAIN false
#elif defined(__has_feature)
#define STACK_IS_PLAIN (!__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer))
#else
#define STACK_IS_PLAIN true
#endif

enum { BURST = DP_BURST_MAX, TEXT = 100 };

static uint8_t stack[1 << 18] __attribute__((aligned(4096)));
static const char af_id[] = "meters.example.com\xff\x41\x4b\x50\x01";

// A push, its UEs, and what one burst of it is protected with.
struct burst {
	struct protect protect;
	struct dp_push *push;
	struct context contexts[BURST];
	struct frame frames[BURST], *frame[BURST];
	uint8_t octets[BURST][FRAME_MAX];
	unsigned n;
	unsigned verified;
};

static struct burst burst;

static void *work(void *arg)
{
	struct burst *const b = arg;
	struct part part = {.push = b->push};
	struct target target[BURST];
	struct ack ack[BURST], *acks[BURST];

	for (unsigned i = 0; i < b->n; i++) {
		target[i] = (struct target){.place = i, .handle = i, .context = &b->contexts[i]};
		ack[i] = (struct ack){.frame = {.aad = b->octets[i],
						.ciphertext = b->octets[i] + FRAME_HEADER,
						.reply_len = TEXT},
				      .part = &part,
				      .handle = i,
				      .context = &b->contexts[i],
				      .reply = b->octets[i] + FRAME_HEADER};
		acks[i] = &ack[i];
	}
	protect_seal(&b->protect, b->push, target, b->n, b->frame);
	b->verified = protect_verify(&b->protect, acks, b->n);
	return NULL;
}

static void run_on_stack(struct burst *b)
{
	pthread_attr_t attr;
	pthread_t thread;

	memset(stack, 0, sizeof(stack));
	cr_assert_eq(pthread_attr_init(&attr), 0);
	cr_assert_eq(pthread_attr_setstack(&attr, stack, sizeof(stack)), 0);
	cr_assert_eq(pthread_create(&thread, &attr, work, b), 0);
	cr_assert_eq(pthread_join(thread, NULL), 0);
	pthread_attr_destroy(&attr);
}

static void burst_open(struct burst *b, const struct sha256_ops *sha, const struct aead_ops *aead,
		       unsigned suite, struct random *random)
{
	static const uint8_t payload[TEXT];
	const uint32_t first = 0;
	const struct dp_push_spec spec = {
		.push_id = {1, [6] = 0x70, [8] = 0x80},
		.suite = (uint8_t)suite,
		.expiry = 1800000000,
		.af_id = af_id,
		.af_id_len = sizeof(af_id) - 1,
		.payload = payload,
		.payload_len = TEXT,
		.segment_size = DP_SEGMENT_MAX,
		.handles = &first,
		.n_handles = 1,
	};
	int error;

	memset(b, 0, sizeof(*b));
	cr_assert_eq(protect_init(&b->protect, sha, aead), 0);
	b->push = push_new(sha, 1, &spec, &error);
	cr_assert_not_null(b->push);
	for (unsigned i = 0; i < BURST; i++) {
		uint8_t kakma[1][AKMA_KEY];
		struct hmac_key pads;

		random_fill(random, kakma, sizeof(kakma));
		hmac_key_init(sha, (const uint8_t(*)[HMAC_KEY])kakma, 1, &pads);
		context_put_key(&b->contexts[i], &pads, UINT32_MAX);
		b->frames[i].data = b->octets[i];
		b->frame[i] = &b->frames[i];
	}
}

static void burst_close(struct burst *b)
{
	protect_fini(&b->protect);
	push_free(b->push);
}

static void is_gone(const char *what, const void *octets, size_t n, const struct burst *b,
		    unsigned suite)
{
	cr_expect_null(memmem(stack, sizeof(stack), octets, n), "%s of %u with %s, %s, suite %u",
		       what, b->n, b->protect.sha->name, b->protect.aead_ops->name, suite);
}

// Four lanes side by side hold one word of four UEs' states.
static void words_are_gone(const char *what, uint32_t words[BURST][8], const struct burst *b,
			   unsigned suite)
{
	for (unsigned i = 0; i < b->n; i++)
		is_gone(what, words[i], sizeof(words[i]), b, suite);
	for (unsigned i = 0; i + 4 <= b->n; i += 4) {
		for (unsigned k = 0; k < 8; k++) {
			const uint32_t row[4] = {words[i][k], words[i + 1][k], words[i + 2][k],
						 words[i + 3][k]};

			is_gone(what, row, sizeof(row), b, suite);
		}
	}
}

static void blocks_are_gone(const struct message_info *info, const uint8_t kaf[][AKMA_KEY],
			    const struct burst *b)
{
	static struct message_block block[BURST];

	message_blocks(sha256_find("scalar"), info, kaf, b->n, block);
	for (unsigned i = 0; i < b->n; i++) {
		is_gone("message key", message_key(&block[i], info->suite), 16, b, info->suite->id);
		is_gone("iv", block[i].iv, MESSAGE_IV, b, info->suite->id);
	}
}

static void nothing_stays(const struct burst *b, unsigned suite)
{
	static uint8_t kaf[BURST][AKMA_KEY];
	static uint32_t words[BURST][8], inner[BURST][8], outer[BURST][8];
	static struct hmac_key pads[BURST];
	const struct hmac_key *kakma[BURST];

	for (unsigned i = 0; i < b->n; i++)
		kakma[i] = &b->contexts[i].kakma;
	hmac_blocks(sha256_find("scalar"), kakma, b->push->kaf, b->n, kaf[0], AKMA_KEY);
	hmac_key_init(sha256_find("scalar"), (const uint8_t(*)[HMAC_KEY])kaf, b->n, pads);
	for (unsigned i = 0; i < b->n; i++) {
		is_gone("K_AF", kaf[i], AKMA_KEY, b, suite);
		for (unsigned k = 0; k < 8; k++)
			words[i][k] = load32_be(kaf[i] + 4 * k);
		memcpy(inner[i], pads[i].inner, sizeof(inner[i]));
		memcpy(outer[i], pads[i].outer, sizeof(outer[i]));
	}
	words_are_gone("K_AF's words", words, b, suite);
	words_are_gone("K_AF's inner pad", inner, b, suite);
	words_are_gone("K_AF's outer pad", outer, b, suite);
	blocks_are_gone(&b->push->push_info, (const uint8_t(*)[AKMA_KEY])kaf, b);
	blocks_are_gone(&b->push->ack_info, (const uint8_t(*)[AKMA_KEY])kaf, b);
}

static void check(const struct sha256_ops *sha, const struct aead_ops *aead, bool hot)
{
	static const unsigned counts[] = {1, 2, 7, 12, 33, BURST};
	struct random random = random_start();
	struct arena arena = {0};

	for (unsigned suite = 1; suite <= 2; suite++) {
		burst_open(&burst, sha, aead, suite, &random);
		if (hot) {
			cr_assert_eq(
				arena_init(&arena, kaf_cache_size(1 << 16, 1), ARENA_PAGES_SMALL),
				0);
			cr_assert_eq(kaf_cache_init(&burst.protect.cache, 1 << 16, 1, 0, &arena),
				     0);
			cr_assert(kaf_cache_set_hot(&burst.protect.cache, 0, true));
		}
		for (unsigned i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
			burst.n = counts[i];
			run_on_stack(&burst);
			cr_assert_eq(burst.verified, 0, "what was sealed is no acknowledgement");
			nothing_stays(&burst, suite);
		}
		burst_close(&burst);
		arena_fini(&arena);
	}
}

Test(protect, nothing_secret_stays_on_the_stack)
{
	if (!STACK_IS_PLAIN)
		cr_skip_test("sanitizers lay out the stack");
	for (const struct sha256_ops *const *sha = sha256_kernels; *sha; sha++) {
		if (!(*sha)->usable())
			continue; // tests/test_sha256.c names what was left out
		check(*sha, aead_best(), false);
		check(*sha, aead_best(), true);
	}
	for (const struct aead_ops *const *aead = aead_implementations; *aead; aead++) {
		if ((*aead)->usable() && strcmp((*aead)->name, "openssl"))
			check(sha256_best(), *aead, false);
	}
}

// What is looked for is there when nobody wipes it.
static void *leak(void *arg)
{
	uint8_t frame[8192]; // deep enough that the end of the thread does not come there

	memcpy(frame, arg, AKMA_KEY);
	__asm__ volatile("" : : "r"(frame) : "memory");
	return NULL;
}

Test(protect, a_leak_would_be_seen)
{
	uint8_t key[AKMA_KEY] = "a key that a function forgets..";
	pthread_attr_t attr;
	pthread_t thread;

	if (!STACK_IS_PLAIN)
		cr_skip_test("sanitizers lay out the stack");
	memset(stack, 0, sizeof(stack));
	pthread_attr_init(&attr);
	pthread_attr_setstack(&attr, stack, sizeof(stack));
	cr_assert_eq(pthread_create(&thread, &attr, leak, key), 0);
	pthread_join(thread, NULL);
	pthread_attr_destroy(&attr);
	cr_assert_not_null(memmem(stack, sizeof(stack), key, sizeof(key)));
}
