#include "control/store/store.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "control/store/store_batch.h"
#include "control/store/store_disk.h"
#include "control/store/store_error.h"
#include "control/store/store_folder.h"
#include "control/store/store_kek.h"
#include "control/store/store_meta.h"
#include "control/store/store_seal.h"
#include "control/store/store_writer.h"

enum { QUEUE_DEFAULT = 1 << 16, FREE_MAX = 1024 };

static const uint64_t room_min_default = 256 << 20, queue_octets_max = 256 << 20;

struct store {
	struct store_folder folder;
	struct store_disk disk;
	struct store_seal *seal;
	struct store_opener *opener; // of store_get
	struct store_writer writer;
	// Of the control thread:
	uint32_t queue_max;
	uint32_t n_open;   // batches begun, neither committed nor aborted
	uint32_t n_queued; // batches committed, outcome not delivered
	uint64_t octets;   // in those
	uint32_t seen;     // failures it was told of
	bool is_polling;
	struct store_batch *free;
	uint32_t n_free;
};

static const struct {
	const char *name;
	bool sealed;
} tables[STORE_TABLE_COUNT] = {
#define X(table, name, sealed) {name, sealed},
	STORE_TABLES(X)
#undef X
};

const char *store_table_name(enum store_table table)
{
	return tables[table].name;
}

// ---- Opening and closing

static int get_key(struct store *store, const char *path, char *error)
{
	uint8_t *const key = store_seal_kek(store->seal);
	const int status = store_kek_read(path, key, error);

	if (status != -ENOENT)
		return status;
	if (store->folder.is_new)
		return store_kek_make(path, key, error);
	return store_error(error, -ENOENT,
			   "%s: there is no key file, but a store in %s that was made "
			   "with one: restore the key file from its back-up",
			   path, store->folder.path);
}

static int open_database(struct store *store, const struct store_config *config, char *error)
{
	return store_disk_open(&store->disk, &store->folder,
			       config->room_min ? config->room_min : room_min_default,
			       store->folder.is_new ? STORE_ENGINE_MAKE : STORE_ENGINE_WRITE,
			       error);
}

static int skip(void *ctx, const uint8_t *key, size_t key_len, const uint8_t *value,
		size_t value_len)
{
	(void)ctx, (void)key, (void)key_len, (void)value, (void)value_len;
	return 0;
}

static int verify(struct store *store, char *error)
{
	for (unsigned table = 0; table < STORE_TABLE_COUNT; table++) {
		const int status = store_scan(store, table, NULL, 0, NULL, 0, skip, NULL);

		if (!status)
			continue;
		return store_error(error, status,
				   "%s: table %s: %s (the lines before this one say "
				   "which file): " STORE_RESTORE,
				   store->folder.path, tables[table].name,
				   status == -EBADMSG ? "damaged" : strerror(-status));
	}
	return 0;
}

// Everything between an open folder and a running writer.
static int start(struct store *store, const struct store_config *config, char *error)
{
	int status = 0;

	if (store->folder.is_new)
		status = store_folder_begin(&store->folder, error);
	if (!status)
		status = get_key(store, config->kek_path, error);
	if (!status)
		status = open_database(store, config, error);
	if (!status)
		status = store_meta_open(&store->disk, store->seal, config->kek_path, error);
	if (!status && config->verify)
		status = verify(store, error);
	if (!status && store->folder.is_new)
		status = store_folder_finish(&store->folder, error);
	return status;
}

static int start_writer(struct store *store, const struct store_config *config, char *error)
{
	int status;

	store->queue_max = config->queue_max ? config->queue_max : QUEUE_DEFAULT;
	status = store_writer_start(&store->writer, &store->disk, store->queue_max);
	if (status)
		return store_error(error, status, "%s: the writer thread: %s", store->folder.path,
				   strerror(-status));
	return 0;
}

static int make_seal(struct store *store, char *error)
{
	int status = store_seal_new(&store->seal);

	if (!status) {
		store->opener = store_opener_new(store->seal);
		status = store->opener ? 0 : -ENOMEM;
	}
	if (status)
		return store_error(error, status,
				   "no locked memory for keys: %s (ulimit -l, "
				   "LimitMEMLOCK=)",
				   strerror(-status));
	return 0;
}

// What store_open has made so far, in any state.
static void release(struct store *store)
{
	if (store->disk.folder)
		store_disk_close(&store->disk);
	if (store->opener)
		store_opener_free(store->opener);
	if (store->seal)
		store_seal_free(store->seal);
	store_folder_close(&store->folder);
	free(store);
}

int store_open(const struct store_config *config, struct store **store, char error[STORE_ERROR_MAX])
{
	struct store *const s = calloc(1, sizeof(*s));
	int status;

	if (!s)
		return store_error(error, -ENOMEM, "out of memory");
	status = store_folder_open(&s->folder, config->path, error);
	if (!status)
		status = make_seal(s, error);
	if (!status)
		status = start(s, config, error);
	if (!status)
		status = start_writer(s, config, error);
	if (status) {
		release(s);
		return status;
	}
	if (s->folder.is_new)
		log_info("store", "%s: new, made with the key in %s", config->path,
			 config->kek_path);
	*error = '\0';
	*store = s;
	return 0;
}

void store_close(struct store *store)
{
	struct pollfd fd = {.fd = store_fd(store), .events = POLLIN};

	while (store->n_queued) {
		if (!store_poll(store))
			poll(&fd, 1, -1);
	}
	assert(!store->n_open);
	store_writer_end(&store->writer);
	while (store->free) {
		struct store_batch *const batch = store->free;

		store->free = batch->next;
		store_batch_free(batch);
	}
	release(store);
}

// ---- Writing

struct store_batch *store_begin(struct store *store)
{
	struct store_batch *batch = store->free;

	if (store->n_open + store->n_queued >= store->queue_max ||
	    store->octets >= queue_octets_max)
		return NULL;
	if (batch) {
		store->free = batch->next;
		store->n_free--;
	} else {
		batch = store_batch_new();
	}
	if (!batch)
		return NULL;
	batch->store = store;
	store->n_open++;
	return batch;
}

void store_put(struct store_batch *batch, enum store_table table, const void *key, size_t key_len,
	       const void *value, size_t value_len)
{
	const bool sealed = tables[table].sealed;
	uint8_t *at;

	assert(key_len && value_len <= STORE_VALUE_MAX);
	at = store_batch_add(batch, STORE_OP_PUT, table, key, key_len,
			     value_len + (sealed ? STORE_SEAL_MORE : 0));
	if (!at)
		return;
	if (sealed)
		store_seal_put(batch->store->seal, table, key, key_len, value, value_len, at);
	else if (value_len)
		memcpy(at, value, value_len);
}

void store_del(struct store_batch *batch, enum store_table table, const void *key, size_t key_len)
{
	assert(key_len);
	store_batch_add(batch, STORE_OP_DEL, table, key, key_len, 0);
}

void store_del_prefix(struct store_batch *batch, enum store_table table, const void *prefix,
		      size_t prefix_len)
{
	store_batch_add(batch, STORE_OP_DEL_PREFIX, table, prefix, prefix_len, 0);
}

static void recycle(struct store *store, struct store_batch *batch)
{
	if (store->n_free >= FREE_MAX) {
		store_batch_free(batch);
		return;
	}
	store_batch_clear(batch);
	batch->next = store->free;
	store->free = batch;
	store->n_free++;
}

void store_commit(struct store_batch *batch, store_done done, void *ctx)
{
	struct store *const store = batch->store;

	batch->done = done;
	batch->ctx = ctx;
	batch->seen = store->seen;
	store->n_open--;
	store->n_queued++;
	store->octets += batch->len;
	store_writer_push(&store->writer, batch);
}

void store_abort(struct store_batch *batch)
{
	batch->store->n_open--;
	recycle(batch->store, batch);
}

int store_fd(const struct store *store)
{
	return store->writer.outcome.fd;
}

static void deliver(struct store *store, struct store_batch *batch)
{
	const store_done done = batch->done;
	void *const ctx = batch->ctx;
	const int status = batch->status;

	store->n_queued--;
	store->octets -= batch->len;
	if (status)
		store->seen = batch->failures;
	recycle(store, batch); // `done` may begin the next one
	if (done)
		done(ctx, status);
}

unsigned store_poll(struct store *store)
{
	struct store_batch *batch;
	unsigned n = 0;

	assert(!store->is_polling);
	store->is_polling = true;
	wake_disarm(&store->writer.outcome);
	// Callbacks may commit more, so an end is set.
	while (n < store->queue_max && (batch = store_writer_take(&store->writer))) {
		deliver(store, batch);
		n++;
	}
	wake_arm(&store->writer.outcome);
	if (!ring_is_empty(&store->writer.out))
		wake_signal(&store->writer.outcome);
	store->is_polling = false;
	return n;
}

// ---- Reading

struct get {
	struct store *store;
	enum store_table table;
	uint8_t *value;
	size_t max;
	size_t len;
};

// A value as it was put. -EBADMSG with a line in the log: a seal that does not fit is rare and
// grave.
static int unseal(struct store *store, struct store_opener *opener, enum store_table table,
		  const uint8_t *key, size_t key_len, const uint8_t **value, size_t *len)
{
	const ssize_t n = store_opener_open(opener, table, key, key_len, *value, *len, value);

	if (n < 0) {
		log_error("store",
			  "%s: table %s: a value was not sealed by this store: "
			  "damaged, " STORE_RESTORE,
			  store->folder.path, tables[table].name);
		return (int)n;
	}
	*len = (size_t)n;
	return 0;
}

static int copy_out(void *ctx, const uint8_t *key, size_t key_len, const uint8_t *value, size_t len)
{
	struct get *const get = ctx;
	int status = 0;

	if (tables[get->table].sealed)
		status = unseal(get->store, get->store->opener, get->table, key, key_len, &value,
				&len);
	if (status)
		return status;
	get->len = len;
	if (len > get->max)
		len = get->max;
	if (len)
		memcpy(get->value, value, len);
	return 0;
}

ssize_t store_get(struct store *store, enum store_table table, const void *key, size_t key_len,
		  void *value, size_t max)
{
	struct get get = {.store = store, .table = table, .value = value, .max = max};
	const int status = store_disk_get(&store->disk, table, key, key_len, copy_out, &get);

	return status ? status : (ssize_t)get.len;
}

struct scan {
	struct store *store;
	struct store_opener *opener;
	enum store_table table;
	store_each each;
	void *ctx;
};

static int open_and_pass(void *ctx, const uint8_t *key, size_t key_len, const uint8_t *value,
			 size_t len)
{
	const struct scan *const scan = ctx;
	const int status =
		unseal(scan->store, scan->opener, scan->table, key, key_len, &value, &len);

	return status ? status : scan->each(scan->ctx, key, key_len, value, len);
}

int store_scan(struct store *store, enum store_table table, const void *from, size_t from_len,
	       const void *to, size_t to_len, store_each each, void *ctx)
{
	struct scan scan = {.store = store, .table = table, .each = each, .ctx = ctx};
	int result;

	if (!tables[table].sealed)
		return store_disk_scan(&store->disk, table, from, from_len, to, to_len, each, ctx);
	scan.opener = store_opener_new(store->seal);
	if (!scan.opener)
		return -ENOMEM;
	result = store_disk_scan(&store->disk, table, from, from_len, to, to_len, open_and_pass,
				 &scan);
	store_opener_free(scan.opener);
	return result;
}

void store_stats(const struct store *store, struct store_stats *stats)
{
	const struct store_writer *const writer = &store->writer;

	*stats = (struct store_stats){
		.groups = atomic_load_explicit(&writer->n_groups, memory_order_relaxed),
		.batches = atomic_load_explicit(&writer->n_batches, memory_order_relaxed),
		.failed = atomic_load_explicit(&writer->n_failed, memory_order_relaxed),
		.bytes = atomic_load_explicit(&writer->n_octets, memory_order_relaxed),
		.sync_ns_sum = atomic_load_explicit(&writer->sync_ns, memory_order_relaxed),
		.queued = store->n_queued,
	};
}
