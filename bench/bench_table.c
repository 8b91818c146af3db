// The table of UEs as the daemon uses it: contexts by handle, as a burst of the data plane looks
// them up, and handles by identity, as control finds them; beside plain reads of the same lines.
// What a reader finds is compared with the handle that it should be before anything is timed.

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "bench/bench.h"
#include "bench/chain.h"
#include "bench/subscribers.h"
#include "bench/table.h"

enum { BURST = CHAIN_BURST, ROUND = CHAIN_ROUND, READERS_MAX = 8 };

struct reader {
	struct bench_variant variant;
	const struct table *table;
	struct subscribers *subscribers; // of those who find by identity
	enum dp_identity kind;
	struct chain_walk walk;
	// The handles of n UEs as what was read tells them; handle[n] to [2n - 1] come next.
	void (*burst)(struct reader *r, const uint32_t handle[], unsigned n, uint32_t found[]);
	uint64_t keys; // all that was read of keys, added up, so that it is read
	uint64_t none; // 0, which the compiler does not know
};

// ---- Plain reads: a word of each of the two cache lines

static uint64_t key_word(const struct context *context)
{
	uint64_t word;

	memcpy(&word, &context->kakma, sizeof(word));
	return word;
}

static void array(struct reader *r, const uint32_t handle[], unsigned n, uint32_t found[])
{
	const struct context *const contexts = r->table->contexts;

	for (unsigned i = 0; i < n; i++) {
		r->keys += key_word(&contexts[handle[i]]);
		found[i] = table_handle(&contexts[handle[i]]);
	}
}

// Each address waits for the word before it: a whole way to memory and back.
static void array_dependent(struct reader *r, const uint32_t handle[], unsigned n, uint32_t found[])
{
	const struct context *const contexts = r->table->contexts;

	for (unsigned i = 0; i < n; i++) {
		const struct context *const context = &contexts[handle[i] + (r->keys & r->none)];

		r->keys += key_word(context) + context->port;
		found[i] = table_handle(context);
	}
}

// ---- As the data plane looks contexts up: a burst, and ahead to the next

static bool is_usable(const struct context *context)
{
	return context->has == (CONTEXT_HAS_KEY | CONTEXT_HAS_ADDRESS) && context->expiry;
}

static void read_burst(struct reader *r, const struct context *const target[], unsigned n,
		       uint32_t found[])
{
	for (unsigned i = 0; i < n; i++) {
		r->keys += key_word(target[i]);
		found[i] = table_handle(target[i]);
	}
}

static void context(struct reader *r, const uint32_t handle[], unsigned n, uint32_t found[])
{
	const struct context *const contexts = r->table->contexts, *target[BURST];
	unsigned usable = 0;

	for (unsigned i = 0; i < n; i++) {
		context_prefetch_key(&contexts[handle[i + n]]);
		context_prefetch_address(&contexts[handle[i + n]]);
		if (is_usable(&contexts[handle[i]]))
			target[usable++] = &contexts[handle[i]];
	}
	read_burst(r, target, usable, found);
}

static void context_no_prefetch(struct reader *r, const uint32_t handle[], unsigned n,
				uint32_t found[])
{
	const struct context *const contexts = r->table->contexts, *target[BURST];
	unsigned usable = 0;

	for (unsigned i = 0; i < n; i++) {
		if (is_usable(&contexts[handle[i]]))
			target[usable++] = &contexts[handle[i]];
	}
	read_burst(r, target, usable, found);
}

// ---- Rounds

static unsigned run_by_handle(void *state, uint64_t *ns)
{
	struct reader *const r = state;
	const uint64_t start = clock_mono_ns(&clock_system);
	uint32_t made[2 * BURST], found[BURST];

	for (unsigned done = 0; done < ROUND; done += BURST)
		r->burst(r, chain_walk(&r->walk, r->table, BURST, made), BURST, found);
	*ns = clock_mono_ns(&clock_system) - start;
	return ROUND;
}

// The identities are texts in a buffer by then, as a request's are.
static unsigned run_by_identity(void *state, uint64_t *ns)
{
	static struct subscriber_text text[ROUND];
	struct reader *const r = state;
	const uint32_t *handle[ROUND / BURST];
	uint64_t start;
	unsigned wrong = 0;

	for (unsigned i = 0; i < ROUND; i++) {
		if (i % BURST == 0)
			handle[i / BURST] = chain_walk(&r->walk, r->table, BURST, NULL);
		subscriber_text(&text[i], r->kind, handle[i / BURST][i % BURST]);
	}
	start = clock_mono_ns(&clock_system);
	for (unsigned i = 0; i < ROUND; i++)
		wrong += subscribers_find(r->subscribers, r->kind, &text[i]) !=
			 handle[i / BURST][i % BURST];
	*ns = clock_mono_ns(&clock_system) - start;
	return wrong ? 0 : ROUND;
}

static void by_identity(struct reader *r, const uint32_t handle[], unsigned n, uint32_t found[])
{
	struct subscriber_text text;

	for (unsigned i = 0; i < n; i++) {
		subscriber_text(&text, r->kind, handle[i]);
		found[i] = subscribers_find(r->subscribers, r->kind, &text);
	}
}

static bool is_right(struct reader *r)
{
	const uint32_t *const order = r->table->order;
	uint32_t found[BURST];

	for (unsigned at = 0; at < ROUND; at += BURST) {
		memset(found, 0xff, sizeof(found));
		r->burst(r, order + at, BURST, found);
		if (memcmp(found, order + at, sizeof(found))) {
			fprintf(stderr, "akmapush-bench: %s finds other UEs than it looked for\n",
				r->variant.name);
			return false;
		}
	}
	return true;
}

// ---- The bench

static const struct reader readers[] = {
	{.variant.name = "array", .burst = array},
	{.variant.name = "array-dependent", .burst = array_dependent},
	{.variant.name = "context", .burst = context},
	{.variant.name = "context-no-prefetch", .burst = context_no_prefetch},
	{.variant.name = "context-in-order", .burst = context, .walk.in_order = true},
	{.variant.name = "directory", .burst = by_identity, .kind = DP_SUPI},
	{.variant.name = "directory-akid", .burst = by_identity, .kind = DP_AKID},
};
enum { READERS = sizeof(readers) / sizeof(readers[0]) };

static_assert(TABLE_ORDER % (READERS_MAX * BURST) == 0 && (int)READERS <= (int)READERS_MAX,
	      "walks start at whole bursts");

static bool is_wanted(const struct reader *r, const struct bench_options *options)
{
	return r == &readers[0] || !options->only || strstr(r->variant.name, options->only);
}

// Every walk has a start of its own: none finds in the cache what another has just brought.
static void reader_init(struct reader *r, unsigned i, const struct table *table,
			struct subscribers *subscribers)
{
	*r = readers[i];
	r->table = table;
	r->subscribers = subscribers;
	r->variant.state = r;
	r->variant.run = r->burst == by_identity ? run_by_identity : run_by_handle;
	r->walk.at = r->walk.in_order ? 0 : i * (TABLE_ORDER / READERS_MAX);
}

static int run_all(struct bench_variant *variant[], unsigned n, const struct bench_options *options)
{
	const unsigned rounds = bench_rounds(variant, n, options);
	char what[64];

	if (!rounds)
		return -EIO;
	snprintf(what, sizeof(what), "\"ues\":%u,\"payload\":%u", options->ues, options->payload);
	bench_print("table", what, variant, n, rounds, options->json);
	return 0;
}

static int table_run_with(const struct table *table, struct subscribers *subscribers,
			  const struct bench_options *options)
{
	static struct reader reader[READERS];
	struct bench_variant *variant[READERS];
	unsigned n = 0;

	for (unsigned i = 0; i < READERS; i++) {
		if (!is_wanted(&readers[i], options) ||
		    (readers[i].burst == by_identity &&
		     !subscribers_has(subscribers, readers[i].kind)))
			continue;
		reader_init(&reader[n], i, table, subscribers);
		if (!is_right(&reader[n]))
			return -EILSEQ;
		variant[n] = &reader[n].variant;
		n++;
	}
	return run_all(variant, n, options);
}

// Of the kinds that a wanted reader looks for.
static bool fill(struct subscribers *subscribers, const struct bench_options *options)
{
	for (unsigned i = 0; i < READERS; i++) {
		if (readers[i].burst == by_identity && is_wanted(&readers[i], options) &&
		    !subscribers_put(subscribers, readers[i].kind, options->ues))
			return false;
	}
	return true;
}

static int table_run(const struct bench_options *options)
{
	static struct subscribers subscribers;
	struct table table;
	int status = -ENOMEM;

	if (!table_open(&table, sha256_best(), options->ues))
		return status;
	if (fill(&subscribers, options))
		status = table_run_with(&table, &subscribers, options);
	subscribers_close(&subscribers);
	table_close(&table);
	return status;
}

const struct bench bench_table = {
	.name = "table",
	.help = "the table of UEs: contexts by handle, handles by identity",
	.run = table_run,
};
