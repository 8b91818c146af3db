// Sealing and opening, each message under a key of its own: our implementations, the peers and the
// floors. What each makes is compared with OpenSSL's.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/burst.h"
#include "bench/floor.h"
#include "bench/peers.h"

enum { BURST = 64, KEY = 16, VARIANTS_MAX = BENCH_VARIANTS_MAX, SEALED = AEAD_TEXT_MAX + AEAD_TAG };

// Everybody's input, and the place of everybody's output.
struct aead_input {
	unsigned len;
	uint8_t key[BURST][KEY];
	uint8_t aad[BURST][AEAD_AAD];
	uint8_t text[BURST][AEAD_TEXT_MAX];
	uint8_t sealed[BURST][SEALED]; // as OpenSSL does
	uint8_t out[BURST][SEALED];
	struct aead_item seal[BURST], open[BURST];
};

struct aead_variant {
	struct aead_input *input;
	const struct aead_ops *ops; // with `aead`, or
	const struct peer_ops *peer_ops;
	struct aead *aead;
	struct peer *peer;
	const struct aead_floor *floor;
};

// ---- Variants

static void seal(void *state)
{
	struct aead_variant *const v = state;

	v->ops->seal(v->aead, KEY, v->input->seal, BURST);
}

static void open_all(void *state)
{
	struct aead_variant *const v = state;

	v->ops->open_burst(v->aead, KEY, v->input->open, BURST);
}

static void peer_seal(void *state)
{
	struct aead_variant *const v = state;
	const unsigned n = v->peer_ops->burst_max;

	for (unsigned i = 0; i < BURST; i += n)
		v->peer_ops->seal(v->peer, KEY, v->input->seal + i, n < BURST - i ? n : BURST - i);
}

static void peer_open(void *state)
{
	struct aead_variant *const v = state;
	const unsigned n = v->peer_ops->burst_max;

	for (unsigned i = 0; i < BURST; i += n)
		v->peer_ops->open_burst(v->peer, KEY, v->input->open + i,
					n < BURST - i ? n : BURST - i);
}

static void floor_run(void *state)
{
	const struct aead_variant *const v = state;

	v->floor->run(v->input->len, BURST);
}

static bool is_sealed(void *state)
{
	struct aead_input *const in = ((struct aead_variant *)state)->input;
	bool right = true;

	for (unsigned i = 0; i < BURST; i++)
		right = right && !memcmp(in->out[i], in->sealed[i], in->len + AEAD_TAG);
	memset(in->out, 0, sizeof(in->out)); // for the next
	return right;
}

static bool is_opened(void *state)
{
	struct aead_input *const in = ((struct aead_variant *)state)->input;
	bool right = true;

	for (unsigned i = 0; i < BURST; i++) {
		right = right && in->open[i].ok && !memcmp(in->out[i], in->text[i], in->len);
		in->open[i].ok = false;
	}
	memset(in->out, 0, sizeof(in->out));
	return right;
}

// ---- Input

static void octets_write(uint8_t *octets, size_t n, unsigned seed)
{
	for (size_t i = 0; i < n; i++)
		octets[i] = (uint8_t)((seed = seed * 1664525 + 1013904223) >> 24);
}

static void items_init(struct aead_input *in)
{
	for (unsigned i = 0; i < BURST; i++) {
		in->seal[i] = (struct aead_item){
			.key = in->key[i],
			.aad = in->aad[i],
			.in = in->text[i],
			.out = in->out[i],
			.len = (uint16_t)in->len,
		};
		octets_write(in->seal[i].nonce, AEAD_NONCE, 4 + i);
		in->open[i] = in->seal[i];
		in->open[i].in = in->sealed[i];
	}
}

static bool input_init(struct aead_input *in, unsigned len)
{
	struct aead_variant openssl = {.input = in, .ops = aead_find("openssl")};

	in->len = len;
	octets_write(in->key[0], sizeof(in->key), 1);
	octets_write(in->aad[0], sizeof(in->aad), 2);
	octets_write(in->text[0], sizeof(in->text), 3);
	items_init(in);
	openssl.aead = openssl.ops->open(AEAD_AAD);
	if (!openssl.aead)
		return false;
	seal(&openssl);
	openssl.ops->close(openssl.aead);
	memcpy(in->sealed, in->out, sizeof(in->sealed));
	memset(in->out, 0, sizeof(in->out));
	return true;
}

// ---- The benches

struct aead_bench {
	struct aead_input input;
	struct aead_variant variant[VARIANTS_MAX];
	unsigned n;
};

static void add_peers(struct burst_bench *bench, struct aead_bench *all, bool opening)
{
	for (const struct peer_ops *const *ops = peers; *ops; ops++) {
		struct aead_variant *const v = &all->variant[all->n];

		*v = (struct aead_variant){
			.input = &all->input, .peer_ops = *ops, .peer = (*ops)->open()};
		if (!v->peer)
			continue;
		all->n++;
		burst_add(bench,
			  &(struct burst_variant){.name = (*ops)->name,
						  .state = v,
						  .items = BURST,
						  .run = opening ? peer_open : peer_seal,
						  .is_right = opening ? is_opened : is_sealed});
	}
}

static void add_own(struct burst_bench *bench, struct aead_bench *all, bool opening)
{
	for (const struct aead_ops *const *ops = aead_implementations; *ops; ops++) {
		struct aead_variant *const v = &all->variant[all->n];

		if (!(*ops)->usable())
			continue;
		*v = (struct aead_variant){
			.input = &all->input, .ops = *ops, .aead = (*ops)->open(AEAD_AAD)};
		if (!v->aead)
			continue;
		all->n++;
		burst_add(bench,
			  &(struct burst_variant){.name = (*ops)->name,
						  .state = v,
						  .items = BURST,
						  .run = opening ? open_all : seal,
						  .is_right = opening ? is_opened : is_sealed});
	}
}

static void add_floors(struct burst_bench *bench, struct aead_bench *all)
{
	for (const struct aead_floor *const *floor = aead_floors; *floor; floor++) {
		struct aead_variant *const v = &all->variant[all->n];

		if (!(*floor)->usable())
			continue;
		*v = (struct aead_variant){.input = &all->input, .floor = *floor};
		all->n++;
		burst_add(bench, &(struct burst_variant){.prefix = "floor",
							 .name = (*floor)->name,
							 .state = v,
							 .items = BURST,
							 .run = floor_run});
	}
}

static void close_all(struct aead_bench *all)
{
	while (all->n--) {
		struct aead_variant *const v = &all->variant[all->n];

		if (v->peer)
			v->peer_ops->close(v->peer);
		else if (v->aead)
			v->ops->close(v->aead);
	}
}

static int run(const char *name, const struct bench_options *options, bool opening)
{
	static struct aead_bench all;
	struct burst_bench *const bench = burst_open(name, options);
	char what[64];
	int status;

	if (!bench)
		return -ENOMEM;
	if (!input_init(&all.input, options->payload)) {
		burst_close(bench);
		return -ENOMEM;
	}
	add_peers(bench, &all, opening);
	add_own(bench, &all, opening);
	add_floors(bench, &all);
	snprintf(what, sizeof(what), "\"payload\":%u,\"burst\":%u", options->payload, BURST);
	status = burst_run(bench, what);
	close_all(&all);
	burst_close(bench);
	return status;
}

static int seal_run(const struct bench_options *options)
{
	return run("seal", options, false);
}

static int open_run(const struct bench_options *options)
{
	return run("open", options, true);
}

const struct bench bench_seal = {
	.name = "seal",
	.help = "AES-128-GCM, a key for each message: implementations, OpenSSL, ipsec-mb, floors",
	.run = seal_run,
};

const struct bench bench_open = {
	.name = "open",
	.help = "the same, the other way: tags verified, texts opened",
	.run = open_run,
};
