// The engine on RocksDB's C API; the only file that knows it. A table is a column family; the
// default column family, which RocksDB insists on, stays empty.

#include <assert.h>
#include <errno.h>
#include <rocksdb/c.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "control/store/store_batch.h"
#include "control/store/store_engine.h"
#include "control/store/store_error.h"

enum {
	FAMILIES = STORE_TABLE_COUNT + 1,
	DEFAULT = STORE_TABLE_COUNT, // index of the default column family
	WRITE_BUFFER = 64 << 20,     // of one table
	WRITE_BUFFERS = 192 << 20,   // of all tables
	LOG_TOTAL = 256 << 20,       // what a start after a crash has to read, at most
	BLOCK_CACHE = 32 << 20,
	READ_AHEAD = 1 << 20,
	NO_LOG = 6, // above every level of RocksDB's own log
};

struct store_engine {
	rocksdb_t *db;
	rocksdb_column_family_handle_t *family[FAMILIES];
	rocksdb_options_t *options;
	rocksdb_block_based_table_options_t *blocks;
	rocksdb_cache_t *cache;
	rocksdb_writeoptions_t *write;
	rocksdb_writebatch_t *group;
};

static const char *const names[FAMILIES] = {
#define X(table, name, sealed) name,
	STORE_TABLES(X)
#undef X
		"default",
};

// Takes RocksDB's text over. Its C API gives no code, but its texts start with one.
static int failed(char *text, char *error)
{
	char *const old_name = strstr(text, ".ldb");
	static const struct {
		const char *part;
		int status;
	} kinds[] = {
		{"No space left", -ENOSPC},       {"Disk quota exceeded", -ENOSPC},
		{"Corruption", -EBADMSG},         {"No such file", -EBADMSG},
		{"Invalid argument", -EBADMSG},   {"Not implemented", -EBADMSG},
		{"Permission denied", -EACCES},   {"Read-only file system", -EACCES},
		{"Cannot allocate", -ENOMEM},     {"Memory limit", -ENOMEM},
		{"Resource temporarily", -EBUSY}, {"lock hold by", -EBUSY},
	};

	if (old_name) // of a missing table file it names the form of long ago, which it tried last
		memcpy(old_name, ".sst", 4);
	store_error(error, 0, "%s", text);
	rocksdb_free(text);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strstr(error, kinds[i].part))
			return kinds[i].status;
	}
	return -EIO;
}

// What the C API has no function for. A log that takes its 70 MiB in advance would make a nearly
// full disk full.
static void set_unnamed_options(rocksdb_options_t *options)
{
	char *text = NULL;

	rocksdb_get_options_from_string(options, "allow_fallocate=false", options, &text);
	assert(!text);
}

static void set_options(struct store_engine *engine, enum store_engine_mode mode)
{
	rocksdb_options_t *const o = engine->options;

	rocksdb_options_set_create_if_missing(o, mode == STORE_ENGINE_MAKE);
	rocksdb_options_set_create_missing_column_families(o, mode != STORE_ENGINE_READ);
	rocksdb_options_set_paranoid_checks(o, 1);
	// A log that ends early is a crash; damage before its end would lose what was acknowledged.
	rocksdb_options_set_wal_recovery_mode(o, rocksdb_tolerate_corrupted_tail_records_recovery);
	rocksdb_options_set_write_buffer_size(o, WRITE_BUFFER);
	rocksdb_options_set_db_write_buffer_size(o, WRITE_BUFFERS);
	rocksdb_options_set_max_total_wal_size(o, LOG_TOTAL);
	rocksdb_options_set_max_background_jobs(o, 2);
	rocksdb_options_set_max_open_files(o, -1); // all opened, and so looked at, at the start
	rocksdb_options_set_level_compaction_dynamic_level_bytes(o, 1);
	rocksdb_options_set_compression(o, rocksdb_lz4_compression);
	rocksdb_options_set_bytes_per_sync(o, 1 << 20);
	// Debian builds RocksDB with its asserts: on a full disk the second line of its own log
	// would abort the process.
	rocksdb_options_set_info_log_level(o, NO_LOG);
	rocksdb_options_set_keep_log_file_num(o, 1);
	rocksdb_options_set_stats_dump_period_sec(o, 0);
	rocksdb_options_set_stats_persist_period_sec(o, 0);
	rocksdb_block_based_options_set_block_cache(engine->blocks, engine->cache);
	rocksdb_options_set_block_based_table_factory(o, engine->blocks);
	rocksdb_writeoptions_set_sync(engine->write, 1);
	set_unnamed_options(o);
}

static bool is_known(const char *name)
{
	for (unsigned i = 0; i < FAMILIES; i++) {
		if (!strcmp(name, names[i]))
			return true;
	}
	return false;
}

// RocksDB refuses to open without naming every column family: one that is not ours is a later
// version's.
static int check_families(const struct store_engine *engine, const char *path, char *error)
{
	char *text = NULL, **list;
	size_t n;
	int status = 0;

	list = rocksdb_list_column_families(engine->options, path, &n, &text);
	if (text)
		status = failed(text, error);
	for (size_t i = 0; i < n && !status; i++) {
		if (is_known(list[i]))
			continue;
		status = store_error(error, -EPROTO, "unknown table '%s'", list[i]);
	}
	rocksdb_list_column_families_destroy(list, n);
	return status;
}

static int open_db(struct store_engine *engine, const char *path, enum store_engine_mode mode,
		   char *error)
{
	const rocksdb_options_t *options[FAMILIES];
	char *text = NULL;

	for (unsigned i = 0; i < FAMILIES; i++)
		options[i] = engine->options;
	if (mode == STORE_ENGINE_READ)
		engine->db = rocksdb_open_for_read_only_column_families(
			engine->options, path, FAMILIES, names, options, engine->family, 0, &text);
	else
		engine->db = rocksdb_open_column_families(engine->options, path, FAMILIES, names,
							  options, engine->family, &text);
	return text ? failed(text, error) : 0;
}

int store_engine_open(const char *path, enum store_engine_mode mode, struct store_engine **engine,
		      char *error)
{
	struct store_engine *const e = calloc(1, sizeof(*e));
	int status = 0;

	if (!e) {
		return store_error(error, -ENOMEM, "out of memory");
	}
	e->options = rocksdb_options_create();
	e->blocks = rocksdb_block_based_options_create();
	e->cache = rocksdb_cache_create_lru(BLOCK_CACHE);
	e->write = rocksdb_writeoptions_create();
	e->group = rocksdb_writebatch_create();
	set_options(e, mode);
	if (mode != STORE_ENGINE_MAKE)
		status = check_families(e, path, error);
	if (!status)
		status = open_db(e, path, mode, error);
	if (status) {
		store_engine_close(e);
		return status;
	}
	*engine = e;
	return 0;
}

void store_engine_close(struct store_engine *engine)
{
	for (unsigned i = 0; engine->db && i < FAMILIES; i++)
		rocksdb_column_family_handle_destroy(engine->family[i]);
	if (engine->db)
		rocksdb_close(engine->db);
	rocksdb_writebatch_destroy(engine->group);
	rocksdb_writeoptions_destroy(engine->write);
	rocksdb_options_destroy(engine->options);
	rocksdb_block_based_options_destroy(engine->blocks);
	rocksdb_cache_destroy(engine->cache);
	free(engine);
}

// Every key that starts with the prefix is below the next prefix of the same length; one of octets
// 0xff alone has none, and no key is longer than STORE_KEY_MAX.
static void delete_prefix(struct store_engine *engine, const struct store_op *op)
{
	uint8_t end[STORE_KEY_MAX + 1];
	size_t len = op->key_len;

	while (len && op->key[len - 1] == 0xff)
		len--;
	if (len) {
		memcpy(end, op->key, len);
		end[len - 1]++;
	} else {
		len = sizeof(end);
		memset(end, 0xff, len);
	}
	rocksdb_writebatch_delete_range_cf(engine->group, engine->family[op->table],
					   (const char *)op->key, op->key_len, (const char *)end,
					   len);
}

static void add_op(struct store_engine *engine, const struct store_op *op)
{
	rocksdb_column_family_handle_t *const family = engine->family[op->table];
	const char *const key = (const char *)op->key;

	switch (op->kind) {
	case STORE_OP_PUT:
		rocksdb_writebatch_put_cf(engine->group, family, key, op->key_len,
					  (const char *)op->value, op->value_len);
		break;
	case STORE_OP_DEL:
		rocksdb_writebatch_delete_cf(engine->group, family, key, op->key_len);
		break;
	case STORE_OP_DEL_PREFIX:
		delete_prefix(engine, op);
		break;
	}
}

int store_engine_write(struct store_engine *engine, struct store_batch *const batch[], unsigned n,
		       char *error)
{
	char *text = NULL;

	rocksdb_writebatch_clear(engine->group);
	for (unsigned i = 0; i < n; i++) {
		struct store_op op;

		for (size_t at = 0; store_batch_next(batch[i], &at, &op);)
			add_op(engine, &op);
	}
	rocksdb_write(engine->db, engine->write, engine->group, &text);
	return text ? failed(text, error) : 0;
}

int store_engine_flush(struct store_engine *engine, char *error)
{
	rocksdb_flushoptions_t *const options = rocksdb_flushoptions_create();
	char *text = NULL;

	rocksdb_flushoptions_set_wait(options, 1);
	for (unsigned i = 0; i < STORE_TABLE_COUNT && !text; i++)
		rocksdb_flush_cf(engine->db, options, engine->family[i], &text);
	rocksdb_flushoptions_destroy(options);
	return text ? failed(text, error) : 0;
}

uint64_t store_engine_sequence(const struct store_engine *engine)
{
	return rocksdb_get_latest_sequence_number(engine->db);
}

int store_engine_get(struct store_engine *engine, enum store_table table, const void *key,
		     size_t key_len, store_each each, void *ctx, char *error)
{
	rocksdb_readoptions_t *const options = rocksdb_readoptions_create();
	rocksdb_pinnableslice_t *slice;
	char *text = NULL;
	const char *value;
	size_t len;
	int result;

	slice = rocksdb_get_pinned_cf(engine->db, options, engine->family[table], key, key_len,
				      &text);
	rocksdb_readoptions_destroy(options);
	if (text)
		return failed(text, error);
	if (!slice)
		return -ENOENT;
	value = rocksdb_pinnableslice_value(slice, &len);
	result = each(ctx, key, key_len, (const uint8_t *)value, len);
	rocksdb_pinnableslice_destroy(slice);
	return result;
}

static int walk(rocksdb_iterator_t *it, store_each each, void *ctx, char *error)
{
	char *text = NULL;

	for (; rocksdb_iter_valid(it); rocksdb_iter_next(it)) {
		size_t key_len, value_len;
		const char *const key = rocksdb_iter_key(it, &key_len);
		const char *const value = rocksdb_iter_value(it, &value_len);
		const int result =
			each(ctx, (const uint8_t *)key, key_len, (const uint8_t *)value, value_len);

		if (result)
			return result;
	}
	rocksdb_iter_get_error(it, &text);
	return text ? failed(text, error) : 0;
}

int store_engine_scan(struct store_engine *engine, enum store_table table, const void *from,
		      size_t from_len, const void *to, size_t to_len, store_each each, void *ctx,
		      char *error)
{
	rocksdb_readoptions_t *const options = rocksdb_readoptions_create();
	rocksdb_iterator_t *it;
	int result;

	rocksdb_readoptions_set_fill_cache(options, 0); // a scan comes by once
	rocksdb_readoptions_set_readahead_size(options, READ_AHEAD);
	if (to)
		rocksdb_readoptions_set_iterate_upper_bound(options, to, to_len);
	it = rocksdb_create_iterator_cf(engine->db, options, engine->family[table]);
	if (from_len)
		rocksdb_iter_seek(it, from, from_len);
	else
		rocksdb_iter_seek_to_first(it);
	result = walk(it, each, ctx, error);
	rocksdb_iter_destroy(it);
	rocksdb_readoptions_destroy(options);
	return result;
}
