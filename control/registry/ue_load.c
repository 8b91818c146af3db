// UEs from the store, at start. Threads read and take apart records, each a part of the handles,
// and hand over blocks of them; the control thread puts them into the tables as they come.

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/log.h"
#include "control/app.h"
#include "control/config/config.h"
#include "control/registry/record.h"
#include "control/registry/ue.h"
#include "control/registry/ue_registry.h"
#include "control/store/store.h"

enum { THREADS_MAX = 4, BLOCK_ITEMS = 1024, BLOCKS_MAX = 16, PROGRESS_EVERY = 5000000 };

struct block {
	struct block *next;
	unsigned n;
	_Alignas(max_align_t) uint8_t items[];
};

// How one table is read: `parse` in a reader's thread, `put` in the control thread.
struct table {
	enum store_table table;
	const char *name;
	size_t item_size;
	bool is_secret; // its blocks are wiped
	int (*parse)(void *item, uint32_t handle, const uint8_t *value, size_t len);
	int (*put)(struct app *app, void *ctx, const void *item);
};

// One reading of a table: blocks on their way from the readers.
struct reading {
	const struct table *table;
	struct store *store;
	pthread_mutex_t lock;
	pthread_cond_t filled, taken;
	struct block *first, **end;
	unsigned n_blocks, n_readers;
	int error; // the first
};

struct reader {
	struct reading *reading;
	pthread_t thread;
	uint32_t from, to; // handles; UINT32_MAX: to the end
	struct block *block;
};

// ---- Readers

// Gives the error that ends the reading, if there is one.
static int hand_over(struct reading *reading, struct block *block)
{
	int error;

	pthread_mutex_lock(&reading->lock);
	while (reading->n_blocks == BLOCKS_MAX && !reading->error)
		pthread_cond_wait(&reading->taken, &reading->lock);
	block->next = NULL;
	*reading->end = block;
	reading->end = &block->next;
	reading->n_blocks++;
	pthread_cond_signal(&reading->filled);
	error = reading->error;
	pthread_mutex_unlock(&reading->lock);
	return error;
}

static struct block *block_new(const struct table *table)
{
	struct block *block = malloc(sizeof(*block) + BLOCK_ITEMS * table->item_size);

	if (block)
		block->n = 0;
	return block;
}

static void block_free(const struct table *table, struct block *block)
{
	if (table->is_secret)
		mem_wipe(block->items, BLOCK_ITEMS * table->item_size);
	free(block);
}

static int each_record(void *ctx, const uint8_t *key, size_t key_len, const uint8_t *value,
		       size_t value_len)
{
	struct reader *reader = ctx;
	const struct table *table = reader->reading->table;
	int error;

	if (key_len != 4)
		return -EBADMSG;
	if (!reader->block)
		reader->block = block_new(table);
	if (!reader->block)
		return -ENOMEM;
	error = table->parse(reader->block->items + reader->block->n * table->item_size,
			     load32_be(key), value, value_len);
	if (error)
		return error;
	if (++reader->block->n < BLOCK_ITEMS)
		return 0;
	error = hand_over(reader->reading, reader->block);
	reader->block = NULL;
	return error;
}

static void *read_part(void *ctx)
{
	struct reader *reader = ctx;
	struct reading *reading = reader->reading;
	uint8_t from[4], to[4];
	int error;

	store32_be(from, reader->from);
	store32_be(to, reader->to);
	error = store_scan(reading->store, reading->table->table, from, sizeof(from),
			   reader->to == UINT32_MAX ? NULL : to, sizeof(to), each_record, reader);
	if (reader->block)
		hand_over(reading, reader->block);
	pthread_mutex_lock(&reading->lock);
	if (error && !reading->error)
		reading->error = error;
	reading->n_readers--;
	pthread_cond_broadcast(&reading->filled);
	pthread_mutex_unlock(&reading->lock);
	return NULL;
}

// ---- The control thread

// The next block, or NULL when all readers are through.
static struct block *take(struct reading *reading)
{
	struct block *block;

	pthread_mutex_lock(&reading->lock);
	while (!reading->first && reading->n_readers > 0)
		pthread_cond_wait(&reading->filled, &reading->lock);
	block = reading->first;
	if (block) {
		reading->first = block->next;
		if (!reading->first)
			reading->end = &reading->first;
		reading->n_blocks--;
		pthread_cond_broadcast(&reading->taken);
	}
	pthread_mutex_unlock(&reading->lock);
	return block;
}

static void note_error(struct reading *reading, int error)
{
	pthread_mutex_lock(&reading->lock);
	if (!reading->error)
		reading->error = error;
	pthread_cond_broadcast(&reading->taken);
	pthread_mutex_unlock(&reading->lock);
}

// 0, or the error, after which nothing more is put.
static int put_block(struct app *app, struct reading *reading, void *ctx, const struct block *block)
{
	const struct table *table = reading->table;

	for (unsigned i = 0; i < block->n; i++) {
		int error = table->put(app, ctx, block->items + i * table->item_size);

		if (error) {
			note_error(reading, error);
			return error;
		}
	}
	return 0;
}

static unsigned start_readers(struct reading *reading, struct reader *readers, unsigned n,
			      uint32_t n_handles)
{
	unsigned started = 0;

	reading->n_readers = n;
	for (unsigned i = 0; i < n; i++) {
		struct reader *r = &readers[started];

		*r = (struct reader){.reading = reading,
				     .from = (uint32_t)((uint64_t)n_handles * i / n),
				     .to = i + 1 == n
						   ? UINT32_MAX
						   : (uint32_t)((uint64_t)n_handles * (i + 1) / n)};
		if (pthread_create(&r->thread, NULL, read_part, r)) {
			note_error(reading, -EAGAIN);
			pthread_mutex_lock(&reading->lock);
			reading->n_readers -= n - i;
			pthread_mutex_unlock(&reading->lock);
			break;
		}
		started++;
	}
	return started;
}

// Reads a table whole, in n parts of the handles.
static int read_table(struct app *app, const struct table *table, unsigned n, uint32_t n_handles,
		      void *ctx)
{
	struct reading reading = {.table = table,
				  .store = app->store,
				  .lock = PTHREAD_MUTEX_INITIALIZER,
				  .filled = PTHREAD_COND_INITIALIZER,
				  .taken = PTHREAD_COND_INITIALIZER};
	struct reader readers[THREADS_MAX];
	uint64_t n_read = 0;
	struct block *block;
	unsigned started;
	int error = 0;

	assert(n <= THREADS_MAX);
	reading.end = &reading.first;
	started = start_readers(&reading, readers, n, n_handles);
	while ((block = take(&reading))) {
		if (!error)
			error = put_block(app, &reading, ctx, block);
		if ((n_read + block->n) / PROGRESS_EVERY != n_read / PROGRESS_EVERY)
			log_info("ue", "%s: %llu read", table->name,
				 (unsigned long long)(n_read + block->n));
		n_read += block->n;
		block_free(table, block);
	}
	for (unsigned i = 0; i < started; i++)
		pthread_join(readers[i].thread, NULL);
	if (reading.error)
		log_error("ue", "%s can't be read from the store: %s", table->name,
			  strerror(-reading.error));
	return reading.error;
}

// ---- Tables

struct identity_item {
	uint32_t handle;
	struct record_identity identity;
};

static int parse_identity(void *at, uint32_t handle, const uint8_t *value, size_t len)
{
	struct identity_item *item = at;

	item->handle = handle;
	return record_identity_read(value, len, &item->identity);
}

static int bind_one(struct app *app, uint32_t handle, enum dp_identity kind, const char *id)
{
	int error = *id ? dp_bind(app->dp, handle, kind, id, strlen(id)) : 0;

	return error == -EEXIST || error == -EINVAL ? -EBADMSG : error;
}

static int put_identity(struct app *app, void *ctx, const void *at)
{
	const struct identity_item *item = at;
	const struct record_identity *identity = &item->identity;
	struct ue_registry *ues = app->ues;
	int error;

	(void)ctx;
	if (item->handle >= dp_handles(app->dp))
		return -EBADMSG;
	error = bind_one(app, item->handle, DP_SUPI, identity->supi);
	if (!error)
		error = bind_one(app, item->handle, DP_GPSI, identity->gpsi);
	if (error || identity->twin == DP_NONE)
		return error;
	// Each of twins names the other, in one batch: the second makes them so.
	if (identity->twin >= dp_handles(app->dp) || identity->twin == item->handle)
		return -EBADMSG;
	if (identity->twin > item->handle)
		return 0;
	if (ues->twin[identity->twin] || ues->twin[item->handle])
		return -EBADMSG;
	ue_link(app, identity->twin, item->handle);
	return 0;
}

struct context_item {
	uint32_t handle;
	struct record_context context;
};

static int parse_context(void *at, uint32_t handle, const uint8_t *value, size_t len)
{
	struct context_item *item = at;

	item->handle = handle;
	return record_context_read(value, len, &item->context);
}

// Of two contexts of a subscriber, or two subscribers with one A-KID, the newer one holds: an older
// one is in the store still when the newer was under way as it was overtaken.
static int put_context(struct app *app, void *ctx, const void *at)
{
	const struct context_item *item = at;
	const struct record_context *context = &item->context;
	uint64_t *stamps = ctx;
	uint32_t first, other;

	if (item->handle >= dp_handles(app->dp))
		return -EBADMSG;
	first = ue_first(app, item->handle);
	if (stamps[first] >= context->stamp)
		return 0;
	other = dp_find(app->dp, DP_AKID, context->akid, strlen(context->akid));
	if (other != DP_NONE && ue_first(app, other) != first &&
	    stamps[ue_first(app, other)] >= context->stamp)
		return 0;
	stamps[first] = context->stamp;
	if (context->stamp > app->ues->stamp)
		app->ues->stamp = context->stamp;
	return ue_apply_context(app, first, context);
}

struct address_item {
	uint32_t handle;
	struct dp_address address;
};

static int parse_address(void *at, uint32_t handle, const uint8_t *value, size_t len)
{
	struct address_item *item = at;

	item->handle = handle;
	return record_address_read(value, len, &item->address);
}

// Of twins that both have one the first's holds, as when they became twins, whichever is read
// first.
static int put_address(struct app *app, void *ctx, const void *at)
{
	const struct address_item *item = at;
	uint32_t first;

	(void)ctx;
	if (item->handle >= dp_handles(app->dp))
		return -EBADMSG;
	first = ue_first(app, item->handle);
	if (item->handle != first && bit_is(app->ues->addressed, first))
		return 0;
	return ue_apply_address(app, item->handle, &item->address);
}

static const struct table identities = {
	STORE_IDENTITY, "identities",   sizeof(struct identity_item),
	false,          parse_identity, put_identity};
static const struct table contexts = {STORE_CONTEXT, "contexts",    sizeof(struct context_item),
				      true,          parse_context, put_context};
static const struct table addresses = {STORE_ADDRESS, "addresses",   sizeof(struct address_item),
				       false,         parse_address, put_address};

static unsigned n_threads(uint32_t n_handles)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (n_handles < BLOCK_ITEMS || cpus < 2)
		return 1;
	return cpus < THREADS_MAX ? (unsigned)cpus : THREADS_MAX;
}

static int is_there(void *ctx, const uint8_t *key, size_t key_len, const uint8_t *value,
		    size_t value_len)
{
	(void)ctx;
	(void)key;
	(void)key_len;
	(void)value;
	(void)value_len;
	return 1;
}

// How many handles the store knows: one more than the highest, found by halving; or -errno.
static int64_t count_handles(struct app *app)
{
	uint64_t n = 0;

	for (int bit = 31; bit >= 0; bit--) {
		uint8_t from[4];
		int found;

		store32_be(from, (uint32_t)(n + (1ull << bit) - 1));
		found = store_scan(app->store, STORE_IDENTITY, from, sizeof(from), NULL, 0,
				   is_there, NULL);
		if (found < 0)
			return found;
		n += found ? 1ull << bit : 0;
	}
	return (int64_t)n;
}

// The handles of the store count as given.
static int give_handles(struct app *app)
{
	int64_t n = count_handles(app);

	if (n < 0) {
		log_error("ue", "identities can't be read from the store: %s", strerror((int)-n));
		return (int)n;
	}
	if (n <= app->ues->max)
		return dp_set_handles(app->dp, (uint32_t)n);
	log_error("ue", "the store has %lld UEs, dataplane.ues is %u: make it larger", (long long)n,
		  app->ues->max);
	return -ENOSPC;
}

int ue_load(struct app *app)
{
	struct ue_stats stats;
	uint64_t *stamps;
	uint32_t n;
	int error;

	app->ues = ue_registry_new(app->config->dataplane.ues);
	if (!app->ues)
		return -ENOMEM;
	error = give_handles(app);
	n = dp_handles(app->dp);
	if (!error)
		error = read_table(app, &identities, n_threads(n), n, NULL);
	if (error)
		return error;
	stamps = calloc(n ? n : 1, sizeof(*stamps));
	if (!stamps)
		return -ENOMEM;
	error = read_table(app, &contexts, n_threads(n), n, stamps);
	free(stamps);
	if (!error)
		error = read_table(app, &addresses, n_threads(n), n, NULL);
	if (error)
		return error;
	ue_stats(app, &stats);
	if (stats.handles > 0)
		log_info("ue", "%u UEs named, %u registered, %u with an address", stats.handles,
			 stats.registered, stats.addressed);
	return 0;
}
