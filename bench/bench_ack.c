// What an acknowledgement costs until it is known to be genuine: read, matched with its target, the
// context looked up, keys derived, opened; beside what a message costs to send. The
// acknowledgements are sealed as UEs would, before the clock runs.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "bench/bench.h"
#include "bench/chain.h"

enum { BURST = CHAIN_BURST, ACKS = 1 << 21, ACK = FRAME_MIN, STATUS_RECEIVED = 0 };

// Acknowledgements of UEs in the order of their handles, as those come that have just been sent to,
// or at random; and messages sent in the same order.
struct acks {
	struct bench_variant sending, verifying;
	struct chain *chain;
	struct chain_walk walk; // of what is sent
	uint8_t (*octets)[ACK]; // [ACKS]
	unsigned at;
};

static uint32_t handle_of(const struct acks *a, unsigned i)
{
	const struct table *const table = &a->chain->table;

	return a->walk.in_order ? i % table->ues : table->order[i];
}

// ---- As UEs seal them

static void seal(struct acks *a, unsigned from)
{
	const struct chain *const c = a->chain;
	const struct hmac_key *kakma[BURST];
	struct message_block block[BURST];
	struct aead_item item[BURST];
	uint8_t kaf[BURST][HMAC_MAC], salt[MESSAGE_SALT];
	uint8_t(*const octets)[ACK] = a->octets + from;

	for (unsigned i = 0; i < BURST; i++)
		kakma[i] = &chain_context(c, handle_of(a, from + i))->kakma;
	hmac_blocks(c->protect.sha, kakma, c->push->kaf, BURST, kaf[0], HMAC_MAC);
	message_blocks(c->protect.sha, &c->push->ack_info, (const uint8_t(*)[HMAC_KEY])kaf, BURST,
		       block);
	for (unsigned i = 0; i < BURST; i++) {
		const uint32_t ref = ref_of_place(&c->push->ref_key, handle_of(a, from + i));
		uint8_t *const d = octets[i];

		memcpy(d, (const uint8_t[]){0x12, c->push->suite->id, 0, 0}, 4);
		message_ack_salt(c->protect.sha, kaf[i], d, c->push->push_id, ref, STATUS_RECEIVED,
				 NULL, 0, salt);
		memcpy(d + 4, salt, 4);
		memcpy(d + 8, c->push->push_id, MESSAGE_PUSH_ID);
		store32_be(d + 24, ref);
		d[28] = STATUS_RECEIVED;
		memcpy(d + 29, salt + 4, 3);
		item[i] = (struct aead_item){.key = message_key(&block[i], c->push->suite),
					     .aad = d,
					     .in = d + FRAME_HEADER,
					     .out = d + FRAME_HEADER};
		message_ack_nonce(item[i].nonce, &block[i], salt);
	}
	c->protect.aead_ops->seal(c->protect.aead, c->push->suite->key_len, item, BURST);
}

// ---- As the data plane verifies them

// How many of a burst are genuine.
static unsigned verify(struct acks *a, uint8_t octets[][ACK])
{
	struct chain *const c = a->chain;
	struct part part = {.push = c->push};
	struct ack ack[BURST], *all[BURST];
	uint32_t place[BURST];
	unsigned n = 0;

	for (unsigned i = 0; i < BURST; i++) {
		if (frame_parse_ack(&ack[n].frame, octets[i], ACK) != REASON_RX)
			continue;
		ack[n].part = &part;
		ack[n].reply = octets[i] + FRAME_HEADER;
		place[n] = ack[n].frame.ref;
		all[n] = &ack[n];
		n++;
	}
	ref_to_places(&c->push->ref_key, place, n, place);
	for (unsigned i = 0; i < n; i++) {
		ack[i].handle = place[i];
		ack[i].context = chain_context(c, place[i]);
		protect_prefetch(&c->protect, c->push, place[i], ack[i].context);
	}
	return n ? protect_verify(&c->protect, all, n) : 0;
}

static unsigned run_verify(void *state, uint64_t *ns)
{
	struct acks *const a = state;
	const uint64_t start = clock_mono_ns(&clock_system);
	unsigned genuine = 0;

	for (unsigned done = 0; done < CHAIN_ROUND; done += BURST) {
		genuine += verify(a, a->octets + a->at);
		a->at = (a->at + BURST) % ACKS;
	}
	*ns = clock_mono_ns(&clock_system) - start;
	return genuine == CHAIN_ROUND ? genuine : 0;
}

static unsigned run_send(void *state, uint64_t *ns)
{
	struct acks *const a = state;
	const uint64_t start = clock_mono_ns(&clock_system);
	uint32_t made[2 * BURST];

	for (unsigned done = 0; done < CHAIN_ROUND; done += BURST)
		chain_protect(a->chain, &a->chain->protect,
			      chain_walk(&a->walk, &a->chain->table, BURST, made), BURST);
	*ns = clock_mono_ns(&clock_system) - start;
	return CHAIN_ROUND;
}

// ---- The bench

// All are genuine; one whose octet is flipped is not.
static bool is_right(struct acks *a)
{
	unsigned good = verify(a, a->octets), bad;

	a->octets[3][ACK - 1] ^= 1;
	bad = verify(a, a->octets);
	a->octets[3][ACK - 1] ^= 1;
	if (good == BURST && bad == BURST - 1)
		return true;
	fprintf(stderr, "akmapush-bench: of %d genuine ACKs %u verify, %u when one is forged\n",
		BURST, good, bad);
	return false;
}

// What is sent begins far from where the acknowledgements do.
static bool open_acks(struct acks *a, struct chain *chain, bool in_order)
{
	a->chain = chain;
	a->walk.in_order = in_order;
	a->walk.at = (in_order ? chain->table.ues : TABLE_ORDER) / 2;
	a->sending = (struct bench_variant){
		.name = in_order ? "send" : "send-random", .state = a, .run = run_send};
	a->verifying = (struct bench_variant){
		.name = in_order ? "verify" : "verify-random", .state = a, .run = run_verify};
	a->octets = calloc(ACKS, sizeof(a->octets[0]));
	for (unsigned i = 0; a->octets && i < ACKS; i += BURST)
		seal(a, i);
	return a->octets && is_right(a);
}

static int run_all(struct acks a[2], const struct bench_options *options)
{
	struct bench_variant *variant[] = {&a[0].sending, &a[0].verifying, &a[1].sending,
					   &a[1].verifying};
	const unsigned rounds = bench_rounds(variant, 4, options);
	char what[64];

	if (!rounds)
		return -EIO;
	snprintf(what, sizeof(what), "\"ues\":%u,\"payload\":%u", a->chain->table.ues,
		 options->payload);
	bench_print("ack", what, variant, 4, rounds, options->json);
	return 0;
}

static int ack_run(const struct bench_options *options)
{
	static struct acks a[2];
	struct chain *const chain = chain_open(options);
	int status = -ENOMEM;

	if (!chain)
		return status;
	if (open_acks(&a[0], chain, true) && open_acks(&a[1], chain, false))
		status = run_all(a, options);
	free(a[0].octets);
	free(a[1].octets);
	chain_close(chain);
	return status;
}

const struct bench bench_ack = {
	.name = "ack",
	.help = "an acknowledgement verified, beside a message sent",
	.run = ack_run,
};
