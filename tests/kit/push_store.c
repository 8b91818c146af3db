#include "tests/kit/push_store.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct octets {
	size_t len;
	uint8_t at[];
};

struct entry {
	struct octets *key, *value;
};

struct map {
	struct entry *entries; // ascending
	size_t n, room;
};

enum op_kind { OP_PUT, OP_DEL, OP_DEL_PREFIX };

struct op {
	struct op *next;
	enum op_kind kind;
	enum store_table table;
	struct octets *key, *value;
};

struct store_batch {
	struct store *store;
	struct store_batch *next;
	struct op *first, **end;
	store_done done;
	void *ctx;
};

struct store {
	struct map map[STORE_TABLE_COUNT];
	struct store_batch *first, **end;
	uint32_t queued, queue_max, hold;
	int status, read_error;
};

static struct octets *octets_new(const void *at, size_t len)
{
	struct octets *octets = malloc(sizeof(*octets) + len);

	assert(octets);
	octets->len = len;
	if (len)
		memcpy(octets->at, at, len);
	return octets;
}

// ---- Maps

static int compare(const struct octets *a, const void *key, size_t len)
{
	size_t least = a->len < len ? a->len : len;
	int order = least ? memcmp(a->at, key, least) : 0;

	return order ? order : (a->len > len) - (a->len < len);
}

// The first entry not below the key.
static size_t map_at(const struct map *map, const void *key, size_t len)
{
	size_t low = 0, high = map->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (compare(map->entries[middle].key, key, len) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool map_has(const struct map *map, size_t at, const void *key, size_t len)
{
	return at < map->n && !compare(map->entries[at].key, key, len);
}

static void map_put(struct map *map, const struct octets *key, const struct octets *value)
{
	size_t at = map_at(map, key->at, key->len);

	if (map_has(map, at, key->at, key->len)) {
		free(map->entries[at].value);
		map->entries[at].value = octets_new(value->at, value->len);
		return;
	}
	if (map->n == map->room) {
		map->room = 2 * map->room + 16;
		map->entries = reallocarray(map->entries, map->room, sizeof(*map->entries));
		assert(map->entries);
	}
	memmove(map->entries + at + 1, map->entries + at, (map->n - at) * sizeof(*map->entries));
	map->entries[at] =
		(struct entry){octets_new(key->at, key->len), octets_new(value->at, value->len)};
	map->n++;
}

static void map_del(struct map *map, size_t at)
{
	free(map->entries[at].key);
	free(map->entries[at].value);
	map->n--;
	memmove(map->entries + at, map->entries + at + 1, (map->n - at) * sizeof(*map->entries));
}

// ---- The test's side

struct store *push_store_new(void)
{
	struct store *store = calloc(1, sizeof(*store));

	assert(store);
	store->end = &store->first;
	store->queue_max = store->hold = UINT32_MAX;
	return store;
}

void push_store_free(struct store *store)
{
	push_store_crash(store);
	for (int table = 0; table < STORE_TABLE_COUNT; table++) {
		while (store->map[table].n)
			map_del(&store->map[table], store->map[table].n - 1);
		free(store->map[table].entries);
	}
	free(store);
}

void push_store_fail(struct store *store, int status)
{
	store->status = status;
}

void push_store_hold(struct store *store, uint32_t n)
{
	store->hold = n;
}

void push_store_queue_max(struct store *store, uint32_t n)
{
	store->queue_max = n;
}

unsigned push_store_count(const struct store *store, enum store_table table)
{
	return (unsigned)store->map[table].n;
}

// ---- Batches

struct store_batch *store_begin(struct store *store)
{
	struct store_batch *batch;

	if (store->queued >= store->queue_max)
		return NULL;
	batch = calloc(1, sizeof(*batch));
	assert(batch);
	batch->store = store;
	batch->end = &batch->first;
	return batch;
}

static void add_op(struct store_batch *batch, enum op_kind kind, enum store_table table,
		   struct octets *key, struct octets *value)
{
	struct op *op = malloc(sizeof(*op));

	assert(op && key->len <= STORE_KEY_MAX && (!value || value->len <= STORE_VALUE_MAX));
	*op = (struct op){NULL, kind, table, key, value};
	*batch->end = op;
	batch->end = &op->next;
}

void store_put(struct store_batch *batch, enum store_table table, const void *key, size_t key_len,
	       const void *value, size_t value_len)
{
	add_op(batch, OP_PUT, table, octets_new(key, key_len), octets_new(value, value_len));
}

void store_del(struct store_batch *batch, enum store_table table, const void *key, size_t key_len)
{
	add_op(batch, OP_DEL, table, octets_new(key, key_len), NULL);
}

void store_del_prefix(struct store_batch *batch, enum store_table table, const void *prefix,
		      size_t prefix_len)
{
	add_op(batch, OP_DEL_PREFIX, table, octets_new(prefix, prefix_len), NULL);
}

void store_abort(struct store_batch *batch)
{
	struct op *op;

	while ((op = batch->first)) {
		batch->first = op->next;
		free(op->key);
		free(op->value);
		free(op);
	}
	free(batch);
}

void store_commit(struct store_batch *batch, store_done done, void *ctx)
{
	struct store *store = batch->store;

	assert(done);
	batch->done = done;
	batch->ctx = ctx;
	*store->end = batch;
	store->end = &batch->next;
	store->queued++;
}

static void apply_op(struct store *store, const struct op *op)
{
	struct map *map = &store->map[op->table];
	size_t at = map_at(map, op->key->at, op->key->len);

	if (op->kind == OP_PUT)
		map_put(map, op->key, op->value);
	else if (op->kind == OP_DEL && map_has(map, at, op->key->at, op->key->len))
		map_del(map, at);
	while (op->kind == OP_DEL_PREFIX && at < map->n &&
	       map->entries[at].key->len >= op->key->len &&
	       !memcmp(map->entries[at].key->at, op->key->at, op->key->len))
		map_del(map, at);
}

static struct store_batch *take_batch(struct store *store)
{
	struct store_batch *batch = store->first;

	if (!batch)
		return NULL;
	store->first = batch->next;
	if (!store->first)
		store->end = &store->first;
	store->queued--;
	return batch;
}

// Batches that outcomes commit wait for the next poll.
unsigned store_poll(struct store *store)
{
	uint32_t most = store->queued < store->hold ? store->queued : store->hold;
	unsigned n = 0;

	for (; n < most; n++) {
		struct store_batch *batch = take_batch(store);

		for (struct op *op = batch->first; op && !store->status; op = op->next)
			apply_op(store, op);
		batch->done(batch->ctx, store->status);
		store_abort(batch);
	}
	return n;
}

void push_store_fail_reads(struct store *store, int error)
{
	store->read_error = error;
}

void push_store_crash(struct store *store)
{
	struct store_batch *batch;

	while ((batch = take_batch(store)))
		store_abort(batch);
}

// ---- Reads

ssize_t store_get(struct store *store, enum store_table table, const void *key, size_t key_len,
		  void *value, size_t max)
{
	const struct map *map = &store->map[table];
	size_t at = map_at(map, key, key_len);
	const struct octets *found;

	if (store->read_error)
		return store->read_error;
	if (!map_has(map, at, key, key_len))
		return -ENOENT;
	found = map->entries[at].value;
	memcpy(value, found->at, found->len < max ? found->len : max);
	return (ssize_t)found->len;
}

int store_scan(struct store *store, enum store_table table, const void *from, size_t from_len,
	       const void *to, size_t to_len, store_each each, void *ctx)
{
	const struct map *map = &store->map[table];

	for (size_t at = map_at(map, from, from_len); at < map->n; at++) {
		const struct entry *e = &map->entries[at];
		int status;

		if (to && compare(e->key, to, to_len) >= 0)
			return 0;
		status = each(ctx, e->key->at, e->key->len, e->value->at, e->value->len);
		if (status)
			return status;
	}
	return 0;
}

int store_fd(const struct store *store)
{
	(void)store;
	return -1;
}

void store_stats(const struct store *store, struct store_stats *stats)
{
	*stats = (struct store_stats){.queued = store->queued};
}
