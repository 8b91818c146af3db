// Nothing secret stays: keys that are erased, payloads that are over, what was derived on the
// stack.

#include <pthread.h>

#include "tests/kit/ue_kit.h"
#include "ue/builtin.h"

static struct kit kit;
static const char payload[] = "PIN of the lock is 3141592653";

static void setup(void)
{
	kit_init(&kit);
}

#define MEMORY(name) Test(ue_memory, name, .init = setup)

static bool holds(const void *memory, size_t size, const void *octets, size_t n)
{
	return memmem(memory, size, octets, n) != NULL;
}

static bool ue_holds(const void *octets, size_t n)
{
	return holds(kit.memory, sizeof(kit.memory), octets, n);
}

static bool pool_holds(const void *octets, size_t n)
{
	return holds(kit.pool, sizeof(kit.pool), octets, n);
}

static enum akmapush_ue_outcome feed(uint32_t tail, unsigned index)
{
	struct kit_push p = {.flags = APUE_FLAG_ACK_WANTED, .index = (uint8_t)index, .cnt = 2};

	kit_push_id(p.push_id, 0, tail);
	p.payload = payload + 15 * index;
	p.payload_len = index ? sizeof(payload) - 15 : 15;
	return kit_push(&kit, &p);
}

static void kaf_of(uint8_t number, unsigned af, uint8_t kaf[32])
{
	uint8_t kakma[32];

	memset(kakma, number, sizeof(kakma));
	cr_assert(apue_kaf(kit.config.crypto, kakma, &kit_afs[af], kaf));
}

MEMORY(an_erased_key_is_gone)
{
	uint8_t kakma[32], kaf[KIT_AFS][32];

	memset(kakma, 1, sizeof(kakma));
	for (unsigned i = 0; i < KIT_AFS; i++)
		kaf_of(1, i, kaf[i]);
	kit_authenticate(&kit, 2);
	cr_assert(ue_holds(kakma, 32));
	cr_assert(ue_holds(kaf[0], 32));
	kit_pass(&kit, 24 * 3600 * 1000);
	cr_assert(akmapush_ue_poll(kit.ue, &kit.now));
	cr_expect(!ue_holds(kakma, 32));
	for (unsigned i = 0; i < KIT_AFS; i++)
		cr_expect(!ue_holds(kaf[i], 32));
}

MEMORY(after_the_end_there_is_no_key_reply_or_payload)
{
	uint8_t kaf[32];

	kaf_of(1, 0, kaf);
	cr_assert_eq(feed(1, 0), AKMAPUSH_UE_SEGMENT);
	cr_assert_eq(feed(1, 1), AKMAPUSH_UE_DELIVERED);
	cr_assert_eq(akmapush_ue_answer(kit.ue, &kit.got.id, 1, "open sesame", 11, &kit.now), 0);
	cr_assert(ue_holds("open sesame", 11));
	akmapush_ue_fini(kit.ue);
	cr_expect(!ue_holds(kit.kakma, 32));
	cr_expect(!ue_holds(kaf, 32));
	cr_expect(!ue_holds("open sesame", 11));
	cr_expect(!pool_holds(payload, 15));
	cr_expect(!pool_holds(payload + 15, sizeof(payload) - 15));
}

MEMORY(a_delivered_payload_goes_with_the_next_datagram)
{
	cr_assert_eq(feed(1, 1), AKMAPUSH_UE_SEGMENT); // the last first: it waits at the end
	cr_assert_eq(feed(1, 0), AKMAPUSH_UE_DELIVERED);
	cr_expect_arr_eq(kit.got.payload, payload, sizeof(payload));
	cr_expect_gt(kit_ack(&kit), 0);
	cr_expect_arr_eq(kit.got.payload, payload, sizeof(payload), "until then it stays");
	kit.datagram_len = 0;
	kit_feed(&kit);
	cr_expect(!pool_holds(payload, 15));
	cr_expect(!pool_holds(payload + 15, sizeof(payload) - 15));
}

MEMORY(a_buffer_is_empty_when_its_push_is_over)
{
	kit_authenticate(&kit, 2);
	cr_assert_eq(feed(1, 1), AKMAPUSH_UE_SEGMENT);
	cr_assert(pool_holds(payload + 15, sizeof(payload) - 15));
	cr_assert_eq(feed(2, 0), AKMAPUSH_UE_SEGMENT); // a newer push
	cr_expect(!pool_holds(payload + 15, sizeof(payload) - 15));
	kit_authenticate(&kit, 3);
	cr_assert_eq(feed(2, 1), AKMAPUSH_UE_SEGMENT); // a newer key
	cr_expect(!pool_holds(payload, 15));
	kit_pass(&kit, 3601 * 1000); // expiry
	akmapush_ue_poll(kit.ue, &kit.now);
	cr_expect(!pool_holds(payload + 15, sizeof(payload) - 15));
}

MEMORY(one_ue_does_not_wipe_what_another_has_just_delivered)
{
	static uint64_t other_memory[4096];
	struct akmapush_ue *other =
		akmapush_ue_init(other_memory, sizeof(other_memory), &kit.config);

	cr_assert_eq(feed(1, 0), AKMAPUSH_UE_SEGMENT);
	cr_assert_eq(feed(1, 1), AKMAPUSH_UE_DELIVERED);
	akmapush_ue_fini(other);
	cr_expect_arr_eq(kit.got.payload, payload, sizeof(payload));
}

// The stack of a thread that does everything once is searched for what only the library knew.

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STACK_IS_PLAIN false
#elif defined(__has_feature)
#define STACK_IS_PLAIN (!__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer))
#else
#define STACK_IS_PLAIN true
#endif

static uint8_t stack[1 << 18] __attribute__((aligned(4096)));

static void run_on_stack(void *(*work)(void *), void *arg)
{
	pthread_attr_t attr;
	pthread_t thread;

	if (!STACK_IS_PLAIN)
		cr_skip_test("sanitizers lay out the stack");
	memset(stack, 0, sizeof(stack));
	cr_assert_eq(pthread_attr_init(&attr), 0);
	cr_assert_eq(pthread_attr_setstack(&attr, stack, sizeof(stack)), 0);
	cr_assert_eq(pthread_create(&thread, &attr, work, arg), 0);
	cr_assert_eq(pthread_join(thread, NULL), 0);
	pthread_attr_destroy(&attr);
}

static void *work(void *arg)
{
	uint8_t kausf[32] = {9};

	(void)arg;
	akmapush_ue_set_kausf(kit.ue, kausf, "imsi-001010000000001", &kit.now);
	akmapush_ue_input(kit.ue, kit.datagram, kit.datagram_len, &kit.source, &kit.now,
			  kit.scratch, &kit.got);
	akmapush_ue_answer(kit.ue, &kit.got.id, 1, "open sesame", 11, &kit.now);
	kit.ack_len =
		akmapush_ue_ack(kit.ue, &kit.got.id, &kit.now, kit.ack, sizeof(kit.ack), &kit.to);
	return NULL;
}

static void stack_is_free_of(const char *what, const void *octets, size_t n)
{
	cr_expect(!holds(stack, sizeof(stack), octets, n), "%s", what);
}

static void stack_is_free_of_block(const uint8_t kaf[32], uint8_t suite, uint8_t type,
				   const uint8_t *push_id)
{
	struct apue_block block;

	cr_assert(apue_block_derive(kit.config.crypto, kaf, suite, type, push_id, &block));
	stack_is_free_of("message key", block.key, 16);
	stack_is_free_of("iv", block.iv, 12);
}

MEMORY(nothing_secret_stays_on_the_stack)
{
	struct kit_push p = {.flags = APUE_FLAG_ACK_WANTED};
	uint8_t kaf[32], kakma[32], kausf[32] = {9};

	for (uint8_t suite = 1; suite <= 2; suite++) {
		setup();
		kit.config.crypto = &akmapush_ue_crypto_builtin;
		cr_assert(apue_kakma(kit.config.crypto, kausf, "imsi-001010000000001", kakma));
		p.suite = suite;
		kit_push_id(p.push_id, 0, suite);
		memcpy(kit.kakma, kakma, 32);
		kit_seal(&kit, &p);
		run_on_stack(work, NULL);
		cr_assert_eq(kit.ack_len, 48 + 11);
		kaf_of(1, 0, kaf);
		stack_is_free_of("K_AF of the old key", kaf, 32);
		cr_assert(apue_kaf(kit.config.crypto, kakma, &kit_afs[0], kaf));
		stack_is_free_of("K_AF", kaf, 32);
		stack_is_free_of("K_AKMA", kakma, 32);
		stack_is_free_of("payload", "open the valve", 14);
		stack_is_free_of_block(kaf, suite, APUE_PUSH, p.push_id);
		stack_is_free_of_block(kaf, suite, APUE_ACK, p.push_id);
	}
}

static void *encrypt(void *aes)
{
	static uint8_t blocks[64];

	apue_aes_encrypt4(aes, blocks);
	return NULL;
}

// Whatever of the cipher's state is left behind differs with the key.
MEMORY(the_cipher_leaves_the_same_stack_under_every_key)
{
	static uint8_t first[sizeof(stack)];
	static struct apue_aes aes;
	unsigned differ = 0;

	for (uint8_t key = 1; key <= 2; key++) {
		uint8_t octets[32];

		memset(octets, 0x5a * key, sizeof(octets));
		apue_aes_init(&aes, octets, sizeof(octets));
		memcpy(first, stack, sizeof(first));
		run_on_stack(encrypt, &aes);
	}
	for (size_t i = 0; i < sizeof(stack); i++)
		differ += first[i] != stack[i];
	cr_expect_leq(differ, 64, "%u octets", differ); // a register or two that was spilled
}
