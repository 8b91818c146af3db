// control/store/store.h in memory: batches take effect, and their outcomes are told, at store_poll.

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/kit/service_world.h"

struct entry {
	size_t key_len, value_len;
	uint8_t *key, *value;
};

struct table {
	struct entry *entries; // ascending
	unsigned n, room;
};

struct op {
	enum { PUT, DEL, DEL_PREFIX } kind;
	enum store_table table;
	struct entry entry;
};

struct store_batch {
	struct op *ops;
	unsigned n;
	store_done done;
	void *ctx;
	struct store_batch *next;
};

static struct table tables[STORE_TABLE_COUNT];
static struct store_batch *first, **end = &first;
static int outcome;
static bool is_full;

void fake_store_fail(int status)
{
	outcome = status;
}

void fake_store_refuse(bool full)
{
	is_full = full;
}

static int compare(const struct entry *e, const void *key, size_t len)
{
	size_t n = e->key_len < len ? e->key_len : len;
	int c = n ? memcmp(e->key, key, n) : 0;

	return c ? c : (e->key_len > len) - (e->key_len < len);
}

static unsigned lower(const struct table *t, const void *key, size_t len)
{
	unsigned at = 0, n = t->n;

	while (n > 0) {
		if (compare(&t->entries[at + n / 2], key, len) < 0) {
			at += n / 2 + 1;
			n -= n / 2 + 1;
		} else {
			n /= 2;
		}
	}
	return at;
}

static void entry_free(struct entry *e)
{
	free(e->key);
	free(e->value);
}

static void erase(struct table *t, unsigned at)
{
	entry_free(&t->entries[at]);
	memmove(&t->entries[at], &t->entries[at + 1], (--t->n - at) * sizeof(*t->entries));
}

static uint8_t *copy(const void *octets, size_t n)
{
	uint8_t *c = malloc(n + 1);

	if (n)
		memcpy(c, octets, n);
	return c;
}

void fake_store_write(enum store_table table, const void *key, size_t key_len, const void *value,
		      size_t value_len)
{
	struct table *t = &tables[table];
	unsigned at = lower(t, key, key_len);

	if (at < t->n && !compare(&t->entries[at], key, key_len))
		erase(t, at);
	if (t->n == t->room) {
		t->room = t->room ? 2 * t->room : 64;
		t->entries = reallocarray(t->entries, t->room, sizeof(*t->entries));
	}
	memmove(&t->entries[at + 1], &t->entries[at], (t->n++ - at) * sizeof(*t->entries));
	t->entries[at] =
		(struct entry){key_len, value_len, copy(key, key_len), copy(value, value_len)};
}

bool fake_store_has(enum store_table table, const void *key, size_t key_len)
{
	unsigned at = lower(&tables[table], key, key_len);

	return at < tables[table].n && !compare(&tables[table].entries[at], key, key_len);
}

unsigned fake_store_count(enum store_table table)
{
	return tables[table].n;
}

// ---- store.h

int store_open(const struct store_config *config, struct store **store, char error[STORE_ERROR_MAX])
{
	(void)config;
	error[0] = 0;
	*store = (struct store *)tables;
	return 0;
}

void store_close(struct store *store)
{
	store_poll(store);
	for (int i = 0; i < STORE_TABLE_COUNT; i++) {
		while (tables[i].n)
			erase(&tables[i], tables[i].n - 1);
		free(tables[i].entries);
		tables[i] = (struct table){0};
	}
}

struct store_batch *store_begin(struct store *store)
{
	(void)store;
	return is_full ? NULL : calloc(1, sizeof(struct store_batch));
}

static void add(struct store_batch *batch, struct op op)
{
	batch->ops = reallocarray(batch->ops, batch->n + 1, sizeof(op));
	batch->ops[batch->n++] = op;
}

void store_put(struct store_batch *batch, enum store_table table, const void *key, size_t key_len,
	       const void *value, size_t value_len)
{
	assert(key_len <= STORE_KEY_MAX && value_len <= STORE_VALUE_MAX);
	add(batch, (struct op){PUT,
			       table,
			       {key_len, value_len, copy(key, key_len), copy(value, value_len)}});
}

void store_del(struct store_batch *batch, enum store_table table, const void *key, size_t key_len)
{
	add(batch, (struct op){DEL, table, {key_len, 0, copy(key, key_len), NULL}});
}

void store_del_prefix(struct store_batch *batch, enum store_table table, const void *prefix,
		      size_t prefix_len)
{
	add(batch, (struct op){DEL_PREFIX, table, {prefix_len, 0, copy(prefix, prefix_len), NULL}});
}

void store_commit(struct store_batch *batch, store_done done, void *ctx)
{
	batch->done = done;
	batch->ctx = ctx;
	*end = batch;
	end = &batch->next;
}

void store_abort(struct store_batch *batch)
{
	for (unsigned i = 0; i < batch->n; i++)
		entry_free(&batch->ops[i].entry);
	free(batch->ops);
	free(batch);
}

static void perform(const struct op *op)
{
	struct table *t = &tables[op->table];
	const struct entry *e = &op->entry;
	unsigned at = lower(t, e->key, e->key_len);

	if (op->kind == PUT)
		fake_store_write(op->table, e->key, e->key_len, e->value, e->value_len);
	else if (op->kind == DEL && fake_store_has(op->table, e->key, e->key_len))
		erase(t, at);
	while (op->kind == DEL_PREFIX && at < t->n && t->entries[at].key_len >= e->key_len &&
	       !memcmp(t->entries[at].key, e->key, e->key_len))
		erase(t, at);
}

int store_fd(const struct store *store)
{
	(void)store;
	return -1;
}

unsigned store_poll(struct store *store)
{
	unsigned n = 0;

	(void)store;
	for (; first; n++) {
		struct store_batch *batch = first;

		first = batch->next;
		if (!first)
			end = &first;
		for (unsigned i = 0; !outcome && i < batch->n; i++)
			perform(&batch->ops[i]);
		batch->done(batch->ctx, outcome);
		store_abort(batch);
	}
	return n;
}

ssize_t store_get(struct store *store, enum store_table table, const void *key, size_t key_len,
		  void *value, size_t max)
{
	unsigned at = lower(&tables[table], key, key_len);
	const struct entry *e = &tables[table].entries[at];

	(void)store;
	if (!fake_store_has(table, key, key_len))
		return -ENOENT;
	if (e->value_len)
		memcpy(value, e->value, e->value_len < max ? e->value_len : max);
	return (ssize_t)e->value_len;
}

int store_scan(struct store *store, enum store_table table, const void *from, size_t from_len,
	       const void *to, size_t to_len, store_each each, void *ctx)
{
	const struct table *t = &tables[table];

	(void)store;
	for (unsigned at = lower(t, from, from_len); at < t->n; at++) {
		const struct entry *e = &t->entries[at];
		int error;

		if (to && compare(e, to, to_len) >= 0)
			break;
		error = each(ctx, e->key, e->key_len, e->value, e->value_len);
		if (error)
			return error;
	}
	return 0;
}

void store_stats(const struct store *store, struct store_stats *stats)
{
	(void)store;
	*stats = (struct store_stats){0};
}
