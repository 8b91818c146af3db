// akmapush_ue_load under any octets: once as they are, once with the check made right, so that the
// structure behind it is reached. What is taken can be saved, and comes back as the same octets.

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "ue/peer.h"

enum { CHECK = 16, BLOB_MAX = 9000 };

static const struct akmapush_ue_address function_ = {.octets = {[15] = 1}, .port = 1};
static const struct akmapush_ue_af afs[2] = {
	{"meters.example.com", {0xff, 0x41, 0x4b, 0x50, 1}, &function_, 1},
	{"locks.example.com", {0xff, 0x41, 0x4b, 0x50, 1}, NULL, 0},
};
static const struct akmapush_ue_config config = {
	.crypto = &akmapush_ue_crypto_openssl,
	.afs = afs,
	.n_afs = 2,
	.n_replies = 4,
	.reply_max = 64,
};
static const struct akmapush_ue_now now = {5000, 1800000000, true};

static uint64_t memory[1024];
static uint8_t first[BLOB_MAX], second[BLOB_MAX], blob[BLOB_MAX];

static void must(bool condition)
{
	if (!condition)
		abort();
}

static struct akmapush_ue *take(const uint8_t *octets, size_t n)
{
	struct akmapush_ue *ue = akmapush_ue_init(memory, sizeof(memory), &config);

	must(ue != NULL);
	return akmapush_ue_load(ue, &now, octets, n) == 0 ? ue : NULL;
}

// A genuine push for whatever key and AF the state has: new, and the first that is on a list.
static void push(struct akmapush_ue *ue, const uint8_t *kakma, unsigned af, const uint8_t *push_id)
{
	static uint8_t datagram[AKMAPUSH_UE_DATAGRAM_MAX], scratch[AKMAPUSH_UE_SEGMENT_MAX];
	uint8_t kaf[32], id[16];
	struct apue_push_fields fields = {.suite = 1,
					  .flags = APUE_FLAG_ACK_WANTED,
					  .segment_cnt = 1,
					  .push_id = id,
					  .expiry = UINT32_MAX};
	const struct akmapush_ue_now pause = {now.ms + 60008, now.unix_s + 60, true};
	struct akmapush_ue_address to;
	struct akmapush_ue_push got;
	size_t n;

	memcpy(id, push_id, sizeof(id));
	id[6] = 0x70 | (id[6] & 15);
	id[8] = 0x80 | (id[8] & 63);
	must(apue_kaf(config.crypto, kakma, &afs[af], kaf));
	n = apue_push_seal(config.crypto, kaf, &fields, datagram);
	must(n > 0);
	if (akmapush_ue_input(ue, datagram, n, NULL, &now, scratch, &got) >
	    AKMAPUSH_UE_ANSWERED_LAST)
		return;
	akmapush_ue_answer(ue, &got.id, 1, scratch, 5, &now);
	must(akmapush_ue_ack(ue, &got.id, &pause, datagram, sizeof(datagram), &to) <=
	     (af == 0 ? AKMAPUSH_UE_ACK_MIN + config.reply_max : 0));
	akmapush_ue_withdraw(ue, &got.id);
}

// A UE with hostile state still works: datagrams come, time passes, keys change; and what it saves
// it takes back.
static void use(struct akmapush_ue *ue)
{
	enum { KAKMA = 20, FIRST = 84 + 75 };
	static const uint8_t fresh[16] = {1, 0x9a, [6] = 0x70, [8] = 0x80};
	struct akmapush_ue_now later = {now.ms + 90000000, now.unix_s + 90000, true};
	uint8_t kakma[32] = {9};
	int32_t n;

	for (unsigned k = 0; k < 4; k++) {
		push(ue, first + KAKMA + 32 * (k & 1), k >> 1, fresh);
		push(ue, first + KAKMA + 32 * (k & 1), k >> 1, first + FIRST);
	}
	must(akmapush_ue_set_kakma(ue, kakma, &now) == 0);
	push(ue, kakma, 0, first + FIRST);
	akmapush_ue_poll(ue, &later);
	n = akmapush_ue_save(ue, &later, second, sizeof(second));
	must(n > 0 && (size_t)n <= akmapush_ue_state_max(&config));
	must(take(second, (size_t)n) != NULL);
}

static void round_trip(struct akmapush_ue *ue)
{
	int32_t n = akmapush_ue_save(ue, &now, first, sizeof(first)), m;

	must(n > 0 && (size_t)n <= akmapush_ue_state_max(&config));
	ue = take(first, (size_t)n);
	must(ue != NULL);
	m = akmapush_ue_save(ue, &now, second, sizeof(second));
	must(n == m && !memcmp(first, second, (size_t)n));
	use(ue);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	static const uint8_t no_key[32];
	struct akmapush_ue_octets all = {blob, n};
	struct akmapush_ue *ue = take(octets, n);
	uint8_t mac[32];

	if (ue)
		round_trip(ue);
	if (n + CHECK > sizeof(blob))
		return 0;
	memcpy(blob, octets, n);
	must(config.crypto->hmac_sha256(NULL, no_key, &all, 1, mac));
	memcpy(blob + n, mac, CHECK);
	ue = take(blob, n + CHECK);
	if (ue)
		round_trip(ue);
	return 0;
}
