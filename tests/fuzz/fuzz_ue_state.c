// akmapush_ue_load under any octets: once as they are, once with the check made right, so that the
// structure behind it is reached. What is taken can be saved, and comes back as the same octets.

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "ue/peer.h"

enum { CHECK = 16, BLOB_MAX = 9000 };

static const struct akmapush_ue_af afs[2] = {
	{"meters.example.com", {0xff, 0x41, 0x4b, 0x50, 1}, NULL, 0},
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

// A UE with hostile state still works: time passes, keys change, datagrams come.
static void use(struct akmapush_ue *ue)
{
	static uint8_t datagram[64] = {0x11, 1, 1, 0, [14] = 0x70, [16] = 0x80, [28] = 0xff};
	struct akmapush_ue_now later = {now.ms + 90000000, now.unix_s + 90000, true};
	uint8_t scratch[AKMAPUSH_UE_SEGMENT_MAX], kakma[32] = {9};
	struct akmapush_ue_push push;

	must(akmapush_ue_input(ue, datagram, sizeof(datagram), NULL, &now, scratch, &push) >
	     AKMAPUSH_UE_ANSWERED_LAST);
	must(akmapush_ue_set_kakma(ue, kakma, &now) == 0);
	akmapush_ue_poll(ue, &later);
	must(akmapush_ue_save(ue, &later, first, sizeof(first)) > 0);
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
