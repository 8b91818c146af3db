// akmapush_ue_input under hostile and under genuine datagrams. The input is a list of commands:
//
//	0 len16 octets   a raw datagram
//	1 form           a datagram that this harness seals: suite, flags, segments, key, AF,
// push_id 	                 and payload from the octets, so that what lies behind the tag is
// reached 	2 s8 time passes, in units of 700 ms; bit 7: hours 	3                a new
// primary authentication 	4 save, restart, load 	5 status len     answers the last push 6 the
// clock becomes trusted, or ceases to be
//
// It aborts when a push is delivered twice, or what a UE says of itself is out of bounds.

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "ue/peer.h"

enum { IDS = 256, AFS = 2 };

static const struct akmapush_ue_address function_ = {.octets = {[15] = 1}, .port = 1};
static const struct akmapush_ue_af afs[AFS] = {
	{"a.example", {0xff, 'A', 'K', 'P', 1}, &function_, 1},
	{"b.example", {0xff, 'A', 'K', 'P', 1}, &function_, 1},
};

static uint64_t memory[2048], pool[1024];
static uint8_t datagram[1400], scratch[AKMAPUSH_UE_SEGMENT_MAX], out[AKMAPUSH_UE_DATAGRAM_MAX];
static uint8_t blob[12000];
static uint8_t delivered[AFS][IDS];

struct run {
	const uint8_t *octets;
	size_t n;
	struct akmapush_ue_config config;
	struct akmapush_ue *ue;
	struct akmapush_ue_now now;
	struct akmapush_ue_push push;
	uint8_t key; // number of the current one
};

static void must(bool condition)
{
	if (!condition)
		abort();
}

static uint8_t next(struct run *run)
{
	if (run->n == 0)
		return 0;
	run->n--;
	return *run->octets++;
}

static void delivered_once(struct run *run)
{
	const struct akmapush_ue_push_id *id = &run->push.id;

	must(id->af < AFS);
	must(run->push.persist);
	must(run->push.payload_len <= AKMAPUSH_UE_PAYLOAD_MAX);
	must(delivered[id->af][id->octets[15]]++ == 0);
	for (size_t i = 0; i < run->push.payload_len; i++)
		scratch[0] ^= run->push.payload[i]; // all of it can be read
}

static void feed(struct run *run, size_t len)
{
	uint8_t *exact = malloc(len ? len : 1);
	enum akmapush_ue_outcome outcome;
	struct akmapush_ue_address to;
	int32_t n;

	must(exact != NULL);
	memcpy(exact, datagram, len);
	outcome =
		akmapush_ue_input(run->ue, exact, len, &function_, &run->now, scratch, &run->push);
	free(exact);
	must(outcome < AKMAPUSH_UE_OUTCOME_CNT);
	if (outcome == AKMAPUSH_UE_DELIVERED)
		delivered_once(run);
	n = akmapush_ue_ack(run->ue, &run->push.id, &run->now, out, sizeof(out), &to);
	must(n <= (int32_t)sizeof(out) && n >= -60008);
	must(n <= 0 || outcome <= AKMAPUSH_UE_ANSWERED_LAST);
}

static void raw(struct run *run)
{
	size_t len = (size_t)next(run) << 8 | next(run);

	len %= sizeof(datagram);
	for (size_t i = 0; i < len; i++)
		datagram[i] = next(run);
	feed(run, len);
}

static void sealed(struct run *run)
{
	uint8_t id[16] = {0, 1, 2, 3, 4, 0, 0x70, 0, 0x80}, kakma[32], kaf[32], payload[1184];
	uint8_t form = next(run), segment = next(run);
	struct apue_push_fields fields = {
		.suite = 1 + (form & 1),
		.flags = form >> 1 & 3,
		.segment_cnt = segment & 15,
		.segment_index = segment >> 4,
		.push_id = id,
		.payload = payload,
	};
	size_t len;

	memset(kakma, run->key - (form >> 3 & 3), sizeof(kakma));
	must(apue_kaf(run->config.crypto, kakma, &afs[form >> 5 & 1], kaf));
	id[15] = next(run);
	id[5] = id[15] / 4;
	fields.expiry = 17000000 + next(run) * 100u;
	fields.ref = next(run);
	fields.payload_len = next(run) * (form >> 6);
	memset(payload, 'x', sizeof(payload));
	len = apue_push_seal(run->config.crypto, kaf, &fields, datagram);
	if (len)
		feed(run, len);
}

static void restart(struct run *run)
{
	int32_t n = akmapush_ue_save(run->ue, &run->now, blob, sizeof(blob));

	must(n > 0 && (size_t)n <= akmapush_ue_state_max(&run->config));
	akmapush_ue_fini(run->ue);
	run->ue = akmapush_ue_init(memory, sizeof(memory), &run->config);
	must(run->ue != NULL);
	must(akmapush_ue_load(run->ue, &run->now, blob, (size_t)n) == 0);
}

static void pass(struct run *run)
{
	uint8_t amount = next(run);
	uint64_t ms = (amount & 127) * (amount & 128 ? 3600000ull : 700ull);

	run->now.ms += ms;
	run->now.unix_s += (uint32_t)(ms / 1000);
	akmapush_ue_poll(run->ue, &run->now);
}

static void authenticate(struct run *run)
{
	uint8_t kakma[32];

	memset(kakma, ++run->key, sizeof(kakma));
	must(akmapush_ue_set_kakma(run->ue, kakma, &run->now) == 0);
}

static void answer(struct run *run)
{
	uint8_t status = next(run), len = next(run);

	memset(scratch, 'r', sizeof(scratch));
	akmapush_ue_answer(run->ue, &run->push.id, status, scratch, len, &run->now);
}

static void command(struct run *run)
{
	switch (next(run) % 8) {
	case 0:
		raw(run);
		break;
	case 2:
		pass(run);
		break;
	case 3:
		if (run->key < 200) // keys do not come again
			authenticate(run);
		break;
	case 4:
		restart(run);
		break;
	case 5:
		answer(run);
		break;
	case 6:
		run->now.trusted = !run->now.trusted;
		break;
	default:
		sealed(run);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	struct run run = {.octets = octets, .n = n, .now = {1000, 17000000, true}};

	run.config.crypto = &akmapush_ue_crypto_openssl;
	run.config.afs = afs;
	run.config.n_afs = AFS;
	run.config.n_replies = 3;
	run.config.reply_max = 100;
	run.config.list_max = n % 2 ? 5 : 64;
	run.config.pool = akmapush_ue_pool_init(pool, sizeof(pool), 2, 3000);
	run.ue = akmapush_ue_init(memory, sizeof(memory), &run.config);
	must(run.config.pool && run.ue);
	memset(delivered, 0, sizeof(delivered));
	authenticate(&run);
	while (run.n > 0)
		command(&run);
	akmapush_ue_fini(run.ue);
	return 0;
}
