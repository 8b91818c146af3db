// The whole chain for one message: context looked up, K_AF, message block, sealed, header written.
// Ours is the data plane's (dataplane/protect.c); beside it the same out of the parts that one
// would take instead, and the floor. All look up the same contexts, and every datagram is compared
// with the reference's, octet by octet, before anything is timed.

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "bench/bench.h"
#include "bench/chain.h"
#include "bench/floor.h"
#include "bench/peers.h"

enum { BURST = CHAIN_BURST, RUNNERS_MAX = 12 };

struct runner {
	struct bench_variant variant;
	struct chain *chain;
	struct protect *protect;
	void (*burst)(struct runner *r, const uint32_t handle[], unsigned n);
	unsigned burst_max;
	struct chain_walk walk;
	const struct sha256_floor *sha_floor; // with aead_floor: no datagrams are made
	const struct aead_floor *aead_floor;
	const struct peer_ops *ops;
	struct peer *peer;
};

// ---- Ours

static void ours(struct runner *r, const uint32_t handle[], unsigned n)
{
	chain_protect(r->chain, r->protect, handle, n);
}

// As if the table held K_AKMA instead of its pad states.
static void cold(struct runner *r, const uint32_t handle[], unsigned n)
{
	struct chain *const c = r->chain;
	struct target target[BURST];
	struct context made[BURST];
	struct hmac_key pads[BURST];
	uint8_t key[BURST][HMAC_KEY];

	chain_lookup(c, handle, n, target);
	for (unsigned i = 0; i < n; i++)
		memcpy(key[i], table_kakma(target[i].context), HMAC_KEY);
	hmac_key_init(c->protect.sha, (const uint8_t(*)[HMAC_KEY])key, n, pads);
	for (unsigned i = 0; i < n; i++) {
		made[i].kakma = pads[i];
		memcpy(made[i].ip, target[i].context->ip, sizeof(made[i].ip));
		made[i].port = target[i].context->port;
		target[i].context = &made[i];
	}
	protect_seal(r->protect, c->push, target, n, c->frame);
}

// ---- Theirs

// Header, peer and item of one datagram from its OKM, as protect.c has it.
static void frame_one(const struct chain *c, uint32_t handle, uint32_t ref,
		      const uint8_t okm[HMAC_MAC], struct frame *frame, struct aead_item *item)
{
	struct message_block block;

	memcpy(block.iv, okm + 16, MESSAGE_IV);
	frame_write_header(frame->data, &c->push->header, 0, okm + 28, ref);
	memcpy(frame->ip, chain_context(c, handle)->ip, sizeof(frame->ip));
	frame->port = chain_context(c, handle)->port;
	*item = (struct aead_item){
		.key = okm,
		.aad = frame->data,
		.in = c->push->payload,
		.out = frame->data + FRAME_HEADER,
		.len = (uint16_t)c->push->payload_len,
	};
	frame->len = (uint16_t)(FRAME_MIN + item->len);
	message_push_nonce(item->nonce, &block, ref, 0);
}

static void theirs(struct runner *r, const uint32_t handle[], unsigned n)
{
	struct chain *const c = r->chain;
	const struct hmac_key *pads[BURST];
	const uint8_t *kakma[BURST];
	struct target target[BURST];
	uint8_t kaf[BURST][HMAC_MAC], okm[BURST][HMAC_MAC];
	struct aead_item item[BURST];
	uint32_t ref[BURST];

	chain_lookup(c, handle, n, target);
	ref_of_places(&c->push->ref_key, handle, n, ref);
	for (unsigned i = 0; i < n; i++) {
		pads[i] = &target[i].context->kakma;
		kakma[i] = table_kakma(target[i].context);
		context_prefetch_key(target[i].next);
		context_prefetch_address(target[i].next);
	}
	r->ops->kaf(r->peer, kakma, pads, c->s, c->s_len, n, kaf);
	r->ops->okm(r->peer, (const uint8_t(*)[HMAC_KEY])kaf, c->info, sizeof(c->info), n, okm);
	for (unsigned i = 0; i < n; i++)
		frame_one(c, handle[i], ref[i], okm[i], c->frame[i], &item[i]);
	r->ops->seal(r->peer, 16, item, n);
}

// ---- The floor

// Contexts looked up, both lines of each read, and the instructions of the rest:
// K_AF, its pads, T(1), the seal. States are turned at the ends alone: pads in, T(1) out.
static void by_floor(struct runner *r, const uint32_t handle[], unsigned n)
{
	static const struct sha256_work work = {.turns = 3, .same = 2, .half = 4};
	struct target target[BURST];

	chain_lookup(r->chain, handle, n, target);
	for (unsigned i = 0; i < n; i++) {
		const volatile uint8_t *const context = (const void *)target[i].context;

		context_prefetch_key(target[i].next);
		context_prefetch_address(target[i].next);
		(void)context[0];
		(void)context[sizeof(struct context) / 2];
	}
	r->sha_floor->run(&work, n);
	r->aead_floor->run((unsigned)r->chain->push->payload_len, n);
}

// ---- Rounds

static unsigned run(void *state, uint64_t *ns)
{
	struct runner *const r = state;
	const uint64_t start = clock_mono_ns(&clock_system);
	uint32_t made[2 * BURST];

	for (unsigned done = 0; done < CHAIN_ROUND; done += r->burst_max)
		r->burst(r, chain_walk(&r->walk, &r->chain->table, r->burst_max, made),
			 r->burst_max);
	*ns = clock_mono_ns(&clock_system) - start;
	return CHAIN_ROUND;
}

// The datagrams of one burst by `r`, one behind the other.
static void make_burst(struct runner *r, const uint32_t handle[BURST], uint8_t *out, size_t len)
{
	struct chain *const c = r->chain;

	for (unsigned done = 0; done < BURST; done += r->burst_max) {
		r->burst(r, handle + done, r->burst_max);
		for (unsigned i = 0; i < r->burst_max; i++)
			memcpy(out + (done + i) * len, c->frame[i]->data, len);
	}
}

static bool is_right(struct runner *reference, struct runner *r)
{
	const size_t len = FRAME_MIN + r->chain->push->payload_len;
	uint8_t right[BURST * FRAME_MAX], made[BURST * FRAME_MAX];

	if (r->sha_floor)
		return true;
	make_burst(reference, r->chain->table.order, right, len);
	make_burst(r, r->chain->table.order, made, len);
	if (!memcmp(right, made, BURST * len))
		return true;
	fprintf(stderr, "akmapush-bench: %s makes other datagrams than %s\n", r->variant.name,
		reference->variant.name);
	return false;
}

// ---- The bench

// Ours with a cache of K_AFs that has room for all.
struct hot {
	struct protect protect;
	struct arena arena;
};

static bool hot_open(struct hot *hot, unsigned ues)
{
	uint64_t octets = (sizeof(struct hmac_key) + sizeof(uint64_t)) * ues;
	uint64_t room = 1;

	while (room < octets)
		room *= 2;
	room += room / 8;
	if (protect_init(&hot->protect, sha256_best(), aead_best()))
		return false;
	if (arena_init(&hot->arena, kaf_cache_size(room, 1), ARENA_PAGES_HUGE) ||
	    kaf_cache_init(&hot->protect.cache, room, 1, 0, &hot->arena)) {
		fprintf(stderr, "akmapush-bench: no memory for the cache of K_AFs\n");
		return false;
	}
	return kaf_cache_set_hot(&hot->protect.cache, 0, true);
}

struct line_up {
	struct runner runner[RUNNERS_MAX];
	unsigned n;
};

// Each begins its walk at another place: none finds what another has just fetched.
static void put(struct line_up *all, const struct bench_options *options, struct runner r)
{
	assert(all->n < RUNNERS_MAX);
	// The first is the reference.
	if (all->n && options->only && !strstr(r.variant.name, options->only))
		return;
	r.walk.at = all->n * ((r.walk.in_order ? options->ues : TABLE_ORDER) / RUNNERS_MAX);
	all->runner[all->n] = r;
	all->n++;
}

static void put_peers(struct line_up *all, const struct bench_options *options, struct chain *c)
{
	for (const struct peer_ops *const *ops = peers; *ops; ops++) {
		struct peer *const peer = (*ops)->open();

		if (peer)
			put(all, options,
			    (struct runner){
				    .variant.name = (*ops)->name,
				    .chain = c,
				    .burst = theirs,
				    .burst_max = (*ops)->burst_max,
				    .walk.in_order = true,
				    .ops = *ops,
				    .peer = peer,
			    });
	}
}

static void put_ours(struct line_up *all, const struct bench_options *options, struct chain *c,
		     struct protect *hot)
{
	const struct {
		const char *name;
		struct protect *protect;
		void (*burst)(struct runner *r, const uint32_t handle[], unsigned n);
		bool in_order;
	} all_ours[] = {
		{"warm", &c->protect, ours, true}, {"cold", &c->protect, cold, true},
		{"hot", hot, ours, true},          {"warm-random", &c->protect, ours, false},
		{"hot-random", hot, ours, false},
	};

	for (unsigned i = 0; i < sizeof(all_ours) / sizeof(all_ours[0]); i++)
		put(all, options,
		    (struct runner){
			    .variant.name = all_ours[i].name,
			    .chain = c,
			    .protect = all_ours[i].protect,
			    .burst = all_ours[i].burst,
			    .burst_max = BURST,
			    .walk.in_order = all_ours[i].in_order,
		    });
}

static bool uses(const struct line_up *all, const struct protect *protect)
{
	for (unsigned i = 0; i < all->n; i++) {
		if (all->runner[i].protect == protect)
			return true;
	}
	return false;
}

static void put_floors(struct line_up *all, const struct bench_options *options, struct chain *c)
{
	const struct sha256_floor *const sha = sha256_floor_best();
	const struct aead_floor *const aead = aead_floor_best();

	for (unsigned i = 0; sha && aead && i < 2; i++)
		put(all, options,
		    (struct runner){
			    .variant.name = i ? "floor-random" : "floor",
			    .chain = c,
			    .burst = by_floor,
			    .burst_max = BURST,
			    .walk.in_order = !i,
			    .sha_floor = sha,
			    .aead_floor = aead,
		    });
}

static int run_all(struct line_up *all, const struct chain *c, const struct bench_options *options)
{
	struct bench_variant *variant[RUNNERS_MAX];
	char what[64];
	unsigned rounds;

	for (unsigned i = 0; i < all->n; i++) {
		variant[i] = &all->runner[i].variant;
		variant[i]->state = &all->runner[i];
		variant[i]->run = run;
		if (!is_right(&all->runner[0], &all->runner[i]))
			return -EILSEQ;
	}
	rounds = bench_rounds(variant, all->n, options);
	if (!rounds)
		return -EIO;
	snprintf(what, sizeof(what), "\"ues\":%u,\"payload\":%u", c->table.ues, options->payload);
	bench_print("chain", what, variant, all->n, rounds, options->json);
	return 0;
}

static void close_all(struct line_up *all)
{
	for (unsigned i = 0; i < all->n; i++) {
		if (all->runner[i].peer)
			all->runner[i].ops->close(all->runner[i].peer);
	}
}

// All K_AFs into the cache: the figures are of hits.
static void fill_cache(struct chain *c, struct protect *protect)
{
	uint32_t handle[2 * BURST];
	unsigned n;

	for (unsigned from = 0; from < c->table.ues; from += n) {
		n = c->table.ues - from < BURST ? c->table.ues - from : BURST;
		for (unsigned i = 0; i < 2 * n; i++)
			handle[i] = (from + i) % c->table.ues;
		chain_protect(c, protect, handle, n);
	}
}

static int chain_run(const struct bench_options *options)
{
	static struct line_up all;
	struct hot hot;
	struct chain *const c = chain_open(options);
	int status = -ENOMEM;

	if (!c)
		return status;
	if (hot_open(&hot, options->ues)) {
		put_peers(&all, options, c);
		put_ours(&all, options, c, &hot.protect);
		put_floors(&all, options, c);
		if (uses(&all, &hot.protect))
			fill_cache(c, &hot.protect);
		status = run_all(&all, c, options);
		close_all(&all);
		arena_fini(&hot.arena);
		protect_fini(&hot.protect);
	}
	chain_close(c);
	return status;
}

const struct bench bench_chain = {
	.name = "chain",
	.help = "one protected message, from its context to the whole datagram",
	.run = chain_run,
};
