// K_AF of many UEs for one AF: our kernels from pad states (warm) and from K_AKMA (cold), the
// peers, and the floors. What each makes is compared with OpenSSL's HMAC().

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "bench/burst.h"
#include "bench/floor.h"
#include "bench/peers.h"
#include "crypto/akma.h"

enum {
	BURST = 256,
	KERNELS_MAX = 5,
	PEERS_MAX = 4,
	FLOORS_MAX = 4,
};

static const char fqdn[] = "valves.meters.utility.example.com"; // S has 41 octets with it
static const uint8_t ua_star_id[AKMA_UA_STAR_ID] = {0xff, 0x41, 0x4b, 0x50, 0x01};

// Everybody's input, and the place of everybody's output.
struct kaf_input {
	uint8_t kakma[BURST][AKMA_KEY];
	struct hmac_key pads[BURST];
	const uint8_t *kakma_at[BURST];
	const struct hmac_key *pads_at[BURST];
	uint8_t s[HMAC_MESSAGE_MAX];
	unsigned s_len;
	struct hmac_message message;
	uint8_t right[BURST][AKMA_KEY];
	uint8_t kaf[BURST][AKMA_KEY];
};

struct kaf_variant {
	struct kaf_input *input;
	const struct sha256_ops *sha;
	const struct peer_ops *ops;
	struct peer *peer;
};

struct kaf_floor {
	const struct sha256_floor *sha;
	struct sha256_work work;
};

struct kaf_bench {
	struct kaf_input input;
	struct kaf_variant kernel[KERNELS_MAX], peer[PEERS_MAX];
	struct kaf_floor floor[FLOORS_MAX];
	unsigned n_peers;
};

// ---- Input

// S = FC || P0 || L0                                                           TS 33.220 B.2.1
static void s_write(struct kaf_input *input, const struct akma_af_id *af_id)
{
	input->s[0] = AKMA_FC_KAF;
	memcpy(input->s + 1, af_id->octets, af_id->len);
	store16_be(input->s + 1 + af_id->len, af_id->len);
	input->s_len = 1 + af_id->len + 2;
}

static void keys_write(struct kaf_input *input)
{
	for (unsigned i = 0; i < BURST; i++) {
		for (unsigned k = 0; k < AKMA_KEY; k++)
			input->kakma[i][k] = (uint8_t)(i * 167 + k * 59 + (i ^ k) * 13);
		input->kakma_at[i] = input->kakma[i];
		input->pads_at[i] = &input->pads[i];
	}
	hmac_key_init(sha256_find("scalar"), input->kakma, BURST, input->pads);
}

static void by_peer(void *state);

static void input_init(struct kaf_input *input)
{
	struct kaf_variant openssl = {.input = input, .ops = peer_find("openssl-plain")};
	struct akma_af_id af_id;

	akma_af_id_init(&af_id, fqdn, ua_star_id);
	akma_kaf_message(&input->message, &af_id);
	s_write(input, &af_id);
	keys_write(input);
	openssl.peer = openssl.ops->open();
	by_peer(&openssl);
	openssl.ops->close(openssl.peer);
	memcpy(input->right, input->kaf, sizeof(input->right));
	memset(input->kaf, 0, sizeof(input->kaf));
}

// ---- Variants

static void by_peer(void *state)
{
	const struct kaf_variant *const v = state;
	struct kaf_input *const in = v->input;

	for (unsigned i = 0, n; i < BURST; i += n) {
		n = BURST - i < v->ops->burst_max ? BURST - i : v->ops->burst_max;
		v->ops->kaf(v->peer, in->kakma_at + i, in->pads_at + i, in->s, in->s_len, n,
			    in->kaf + i);
	}
}

static void warm(void *state)
{
	const struct kaf_variant *const v = state;

	akma_kaf(v->sha, v->input->pads_at, &v->input->message, BURST, v->input->kaf);
}

static void cold(void *state)
{
	const struct kaf_variant *const v = state;

	hmac_keys(v->sha, (const uint8_t(*)[HMAC_KEY])v->input->kakma,
		  hmac_text(&v->input->message), BURST, v->input->kaf[0], AKMA_KEY);
}

static void floor_run(void *state)
{
	const struct kaf_floor *const f = state;

	f->sha->run(&f->work, BURST);
}

// The place is cleared for the next.
static bool is_right(void *state)
{
	struct kaf_input *const in = ((struct kaf_variant *)state)->input;
	const bool right = !memcmp(in->kaf, in->right, sizeof(in->kaf));

	memset(in->kaf, 0, sizeof(in->kaf));
	return right;
}

// ---- The bench

static void add_peers(struct burst_bench *bench, struct kaf_bench *all)
{
	for (const struct peer_ops *const *ops = peers; *ops; ops++) {
		struct kaf_variant *const v = &all->peer[all->n_peers];

		*v = (struct kaf_variant){
			.input = &all->input, .ops = *ops, .peer = (*ops)->open()};
		if (!v->peer)
			continue;
		all->n_peers++;
		burst_add(bench, &(struct burst_variant){.name = (*ops)->name,
							 .state = v,
							 .items = BURST,
							 .run = by_peer,
							 .is_right = is_right});
	}
}

static void add(struct burst_bench *bench, const char *prefix, struct kaf_variant *v,
		void (*run)(void *state))
{
	burst_add(bench, &(struct burst_variant){.prefix = prefix,
						 .name = v->sha->name,
						 .state = v,
						 .items = BURST,
						 .run = run,
						 .is_right = is_right});
}

static void add_kernels(struct burst_bench *bench, struct kaf_bench *all)
{
	struct kaf_variant *v = all->kernel;

	for (const struct sha256_ops *const *sha = sha256_kernels; *sha; sha++) {
		if (!(*sha)->usable() || v == all->kernel + KERNELS_MAX)
			continue;
		*v = (struct kaf_variant){.input = &all->input, .sha = *sha};
		add(bench, "warm", v, warm);
		add(bench, "cold", v, cold);
		v++;
	}
}

static void add_floor(struct burst_bench *bench, const char *prefix, struct kaf_floor *floor)
{
	burst_add(bench, &(struct burst_variant){.prefix = prefix,
						 .name = floor->sha->name,
						 .state = floor,
						 .items = BURST,
						 .run = floor_run});
}

// Warm: both pads brought in, S, which is the same for all, and the inner digest; K_AF goes out.
// Cold: K_AKMA comes in, and both pads are made of it; its inner and outer states stay where they
// are.
static void add_floors(struct burst_bench *bench, struct kaf_bench *all)
{
	static const struct sha256_work warm_work = {.turns = 3, .same = 1, .half = 1};
	static const struct sha256_work cold_work = {.turns = 2, .same = 1, .half = 3};
	struct kaf_floor *f = all->floor;

	for (const struct sha256_floor *const *sha = sha256_floors; *sha; sha++) {
		if (!(*sha)->usable() || f == all->floor + FLOORS_MAX)
			continue;
		f[0] = (struct kaf_floor){*sha, warm_work};
		f[1] = (struct kaf_floor){*sha, cold_work};
		add_floor(bench, "floor-warm", f++);
		add_floor(bench, "floor-cold", f++);
	}
}

static int kaf_run(const struct bench_options *options)
{
	static struct kaf_bench all;
	struct burst_bench *const bench = burst_open("kaf", options);
	char what[64];
	int status;

	if (!bench)
		return -ENOMEM;
	input_init(&all.input);
	add_peers(bench, &all);
	add_kernels(bench, &all);
	add_floors(bench, &all);
	snprintf(what, sizeof(what), "\"payload\":%u,\"burst\":%u", all.input.s_len, BURST);
	status = burst_run(bench, what);
	while (all.n_peers--)
		all.peer[all.n_peers].ops->close(all.peer[all.n_peers].peer);
	burst_close(bench);
	return status;
}

const struct bench bench_kaf = {
	.name = "kaf",
	.help = "K_AF of many UEs: kernels warm and cold, OpenSSL, ipsec-mb, floors",
	.run = kaf_run,
};
