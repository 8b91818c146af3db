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

enum { BURST = CHAIN_BURST, ACKS = 1 << 18, ACK = FRAME_MIN, STATUS_RECEIVED = 0 };

struct acks {
	struct bench_variant variant, sending;
	struct chain *chain;
	struct chain_walk walk; // of what is sent
	uint8_t (*octets)[ACK]; // [ACKS]
	unsigned at;
};

// ---- As UEs seal them

static void seal(struct acks *a, const uint32_t handle[], uint8_t octets[][ACK])
{
	const struct chain *const c = a->chain;
	const struct hmac_key *kakma[BURST];
	struct message_block block[BURST];
	struct aead_item item[BURST];
	uint8_t kaf[BURST][HMAC_MAC], salt[MESSAGE_SALT];

	for (unsigned i = 0; i < BURST; i++)
		kakma[i] = &chain_context(c, handle[i])->kakma;
	hmac_blocks(c->protect.sha, kakma, c->push->kaf, BURST, kaf[0], HMAC_MAC);
	message_blocks(c->protect.sha, &c->push->ack_info, (const uint8_t(*)[HMAC_KEY])kaf, BURST,
		       block);
	for (unsigned i = 0; i < BURST; i++) {
		const uint32_t ref = ref_of_place(&c->push->ref_key, handle[i]);
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
	unsigned n = 0;

	for (unsigned i = 0; i < BURST; i++) {
		if (frame_parse_ack(&ack[n].frame, octets[i], ACK) != REASON_RX)
			continue;
		ack[n].part = &part;
		ack[n].handle = ref_to_place(&c->push->ref_key, ack[n].frame.ref);
		ack[n].context = chain_context(c, ack[n].handle);
		protect_prefetch(&c->protect, c->push, ack[n].handle, ack[n].context);
		ack[n].reply = octets[i] + FRAME_HEADER;
		all[n] = &ack[n];
		n++;
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

	for (unsigned done = 0; done < CHAIN_ROUND; done += BURST)
		chain_protect(a->chain, &a->chain->protect,
			      chain_walk(&a->walk, &a->chain->table, BURST, NULL), BURST);
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

static int run_all(struct acks *a, const struct bench_options *options)
{
	struct bench_variant *variant[] = {&a->sending, &a->variant};
	char what[64];
	unsigned rounds;

	if (!is_right(a))
		return -EILSEQ;
	rounds = bench_rounds(variant, 2, options);
	if (!rounds)
		return -EIO;
	snprintf(what, sizeof(what), "\"ues\":%u,\"payload\":%u", a->chain->table.ues,
		 options->payload);
	bench_print("ack", what, variant, 2, rounds, options->json);
	return 0;
}

static int ack_run(const struct bench_options *options)
{
	static struct acks a;
	int status = -ENOMEM;

	a.chain = chain_open(options);
	if (!a.chain)
		return status;
	a.sending = (struct bench_variant){.name = "send", .state = &a, .run = run_send};
	a.variant = (struct bench_variant){.name = "verify", .state = &a, .run = run_verify};
	a.octets = calloc(ACKS, sizeof(a.octets[0]));
	for (unsigned i = 0; a.octets && i < ACKS; i += BURST)
		seal(&a, a.chain->table.order + i, a.octets + i);
	if (a.octets)
		status = run_all(&a, options);
	free(a.octets);
	chain_close(a.chain);
	return status;
}

const struct bench bench_ack = {
	.name = "ack",
	.help = "an acknowledgement verified, beside a message sent",
	.run = ack_run,
};
