// The whole chain for one message: context looked up, K_AF, message block, sealed, header written.
// Ours is the data plane's (dataplane/protect.c); beside it the same out of the parts that one
// would take instead. All look up the same contexts, and every datagram is compared with the
// reference's, octet by octet, before anything is timed.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "bench/bench.h"
#include "bench/peers.h"
#include "bench/table.h"
#include "crypto/akma.h"
#include "dataplane/protect.h"

enum { BURST = 64, ROUND = 2048, AHEAD = 16, RUNNERS_MAX = 8, S_MAX = 64 };

// 33 octets of FQDN: the KDF's S has 41.
static const char af_id[] = "meters.telemetry.operator.example\xff\x41\x4b\x50\x01";

struct chain {
	struct table table;
	struct protect protect;
	struct protect hot;
	struct arena cache;
	struct dp_push *push;
	uint8_t s[S_MAX]; // of K_AF
	unsigned s_len;
	uint8_t info[MESSAGE_INFO + 1]; // of T(1)
	uint8_t payload[AEAD_TEXT_MAX];
	struct frame frames[BURST];
	struct frame *frame[BURST];
	uint8_t octets[BURST][FRAME_MAX];
};

struct runner {
	struct bench_variant variant;
	struct chain *chain;
	void (*burst)(struct runner *r, const uint32_t handle[], unsigned n);
	unsigned burst_max;
	bool in_order; // handles ascending, else at random
	unsigned at;
	const struct peer_ops *ops;
	struct peer *peer;
};

static const struct context *context_of(const struct chain *c, uint32_t handle)
{
	return &c->table.contexts[handle];
}

// ---- Ours

static void lookup(const struct chain *c, const uint32_t handle[], unsigned n,
		   struct target *target)
{
	for (unsigned i = 0; i < n; i++) {
		if (i + AHEAD < n)
			context_prefetch(context_of(c, handle[i + AHEAD]));
		target[i] = (struct target){handle[i], handle[i], context_of(c, handle[i])};
	}
}

static void warm(struct runner *r, const uint32_t handle[], unsigned n)
{
	struct chain *const c = r->chain;
	struct target target[BURST];

	lookup(c, handle, n, target);
	protect_seal(&c->protect, c->push, target, n, c->frame);
}

// The AF is hot, all K_AFs are in its cache.
static void hot(struct runner *r, const uint32_t handle[], unsigned n)
{
	struct chain *const c = r->chain;
	struct target target[BURST];

	lookup(c, handle, n, target);
	protect_seal(&c->hot, c->push, target, n, c->frame);
}

// As if the table held K_AKMA instead of its pad states.
static void cold(struct runner *r, const uint32_t handle[], unsigned n)
{
	struct chain *const c = r->chain;
	struct target target[BURST];
	struct context made[BURST];
	struct hmac_key pads[BURST];
	uint8_t key[BURST][HMAC_KEY];

	lookup(c, handle, n, target);
	for (unsigned i = 0; i < n; i++)
		memcpy(key[i], table_kakma(target[i].context), HMAC_KEY);
	hmac_key_init(c->protect.sha, (const uint8_t(*)[HMAC_KEY])key, n, pads);
	for (unsigned i = 0; i < n; i++) {
		made[i].kakma = pads[i];
		memcpy(made[i].ip, target[i].context->ip, sizeof(made[i].ip));
		made[i].port = target[i].context->port;
		target[i].context = &made[i];
	}
	protect_seal(&c->protect, c->push, target, n, c->frame);
}

// ---- Theirs

// Header, peer and item of one datagram from its OKM, as protect.c has it.
static void frame_one(const struct chain *c, uint32_t handle, const uint8_t okm[HMAC_MAC],
		      struct frame *frame, struct aead_item *item)
{
	const uint32_t ref = ref_of_place(&c->push->ref_key, handle);
	struct message_block block;

	memcpy(block.iv, okm + 16, MESSAGE_IV);
	frame_write_header(frame->data, &c->push->header, 0, okm + 28, ref);
	memcpy(frame->ip, context_of(c, handle)->ip, sizeof(frame->ip));
	frame->port = context_of(c, handle)->port;
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

	lookup(c, handle, n, target);
	for (unsigned i = 0; i < n; i++) {
		pads[i] = &target[i].context->kakma;
		kakma[i] = table_kakma(target[i].context);
	}
	r->ops->kaf(r->peer, kakma, pads, c->s, c->s_len, n, kaf);
	r->ops->okm(r->peer, (const uint8_t(*)[HMAC_KEY])kaf, c->info, sizeof(c->info), n, okm);
	for (unsigned i = 0; i < n; i++)
		frame_one(c, handle[i], okm[i], c->frame[i], &item[i]);
	r->ops->seal(r->peer, 16, item, n);
}

// ---- Rounds

// The next n handles of the walk; a pointer into the order, or `made`.
static const uint32_t *walk(struct runner *r, unsigned n, uint32_t made[BURST])
{
	const struct table *const t = &r->chain->table;
	const unsigned end = r->in_order ? t->ues : TABLE_ORDER;

	if (r->at + n > end)
		r->at = 0;
	r->at += n;
	if (!r->in_order)
		return t->order + r->at - n;
	for (unsigned i = 0; i < n; i++)
		made[i] = r->at - n + i;
	return made;
}

static unsigned run(void *state, uint64_t *ns)
{
	struct runner *const r = state;
	const uint64_t start = clock_mono_ns(&clock_system);
	uint32_t made[BURST];

	for (unsigned done = 0; done < ROUND; done += r->burst_max)
		r->burst(r, walk(r, r->burst_max, made), r->burst_max);
	*ns = clock_mono_ns(&clock_system) - start;
	return ROUND;
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

	make_burst(reference, r->chain->table.order, right, len);
	make_burst(r, r->chain->table.order, made, len);
	if (!memcmp(right, made, BURST * len))
		return true;
	fprintf(stderr, "akmapush-bench: %s makes other datagrams than %s\n", r->variant.name,
		reference->variant.name);
	return false;
}

// ---- Open and close

static int chain_open_push(struct chain *c, unsigned payload)
{
	const uint32_t first = 0;
	struct dp_push_spec spec = {
		.push_id = {1, [6] = 0x70, [8] = 0x80},
		.secret = {2},
		.suite = 1,
		.expiry = 1800000000,
		.af_id = af_id,
		.af_id_len = sizeof(af_id) - 1,
		.payload = c->payload,
		.payload_len = payload,
		.segment_size = DP_SEGMENT_MAX,
		.handles = &first,
		.n_handles = 1,
	};
	int error = 0;

	c->push = push_new(c->protect.sha, 1, &spec, &error);
	if (!c->push)
		return error;
	c->s[0] = AKMA_FC_KAF;
	memcpy(c->s + 1, af_id, spec.af_id_len);
	store16_be(c->s + 1 + spec.af_id_len, (uint16_t)spec.af_id_len);
	c->s_len = (unsigned)spec.af_id_len + 3;
	memcpy(c->info, c->push->push_info.info, MESSAGE_INFO);
	c->info[MESSAGE_INFO] = 1;
	return 0;
}

// A cache with room for all, filled.
static bool hot_open(struct chain *c)
{
	uint64_t octets = (sizeof(struct hmac_key) + sizeof(uint64_t)) * c->table.ues;
	uint64_t room = 1;

	while (room < octets)
		room *= 2;
	room += room / 8;
	if (protect_init(&c->hot, sha256_best(), aead_best()))
		return false;
	if (arena_init(&c->cache, kaf_cache_size(room, 1), ARENA_PAGES_HUGE) ||
	    kaf_cache_init(&c->hot.cache, room, 1, 0, &c->cache)) {
		fprintf(stderr, "akmapush-bench: no memory for the cache of K_AFs\n");
		return false;
	}
	return kaf_cache_set_hot(&c->hot.cache, 0, true);
}

static struct chain *chain_open(const struct bench_options *options)
{
	struct chain *const c = calloc(1, sizeof(*c));

	if (!c || !table_open(&c->table, sha256_best(), options->ues)) {
		free(c);
		return NULL;
	}
	for (unsigned i = 0; i < BURST; i++) {
		c->frames[i].data = c->octets[i];
		c->frame[i] = &c->frames[i];
	}
	if (!protect_init(&c->protect, sha256_best(), aead_best()) &&
	    !chain_open_push(c, options->payload) && hot_open(c))
		return c;
	table_close(&c->table);
	free(c);
	return NULL;
}

static void chain_close(struct chain *c)
{
	push_free(c->push);
	protect_fini(&c->protect);
	protect_fini(&c->hot);
	arena_fini(&c->cache);
	table_close(&c->table);
	free(c);
}

struct line_up {
	struct runner runner[RUNNERS_MAX];
	unsigned n;
};

static void put(struct line_up *all, const struct bench_options *options, struct runner r)
{
	// The first is the reference.
	if (all->n && options->only && !strstr(r.variant.name, options->only))
		return;
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
				    .ops = *ops,
				    .peer = peer,
			    });
	}
}

static void put_ours(struct line_up *all, const struct bench_options *options, struct chain *c)
{
	static const struct {
		const char *name;
		void (*burst)(struct runner *r, const uint32_t handle[], unsigned n);
		bool in_order;
	} ours[] = {
		{"warm", warm, false}, {"warm-in-order", warm, true}, {"cold", cold, false},
		{"hot", hot, false},   {"hot-in-order", hot, true},
	};

	for (unsigned i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		put(all, options,
		    (struct runner){
			    .variant.name = ours[i].name,
			    .chain = c,
			    .burst = ours[i].burst,
			    .burst_max = BURST,
			    .in_order = ours[i].in_order,
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

static int chain_run(const struct bench_options *options)
{
	static struct line_up all;
	struct chain *const c = chain_open(options);
	int status;

	if (!c)
		return -ENOMEM;
	put_peers(&all, options, c);
	put_ours(&all, options, c);
	status = run_all(&all, c, options);
	for (unsigned i = 0; i < all.n; i++) {
		if (all.runner[i].peer)
			all.runner[i].ops->close(all.runner[i].peer);
	}
	chain_close(c);
	return status;
}

const struct bench bench_chain = {
	.name = "chain",
	.help = "one protected message, from its context to the whole datagram",
	.run = chain_run,
};
