#pragma once
// The database under the store, as this project needs it: tables, atomic groups, one sync a group.
// It knows neither seals nor queues. One thread writes; any thread reads, beside it.
// Texts of errors go into error[STORE_ERROR_MAX] and name the file where the database does.

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "control/store/store.h"

struct store_engine;
struct store_batch;

enum store_engine_mode {
	STORE_ENGINE_MAKE,  // made if it is not there
	STORE_ENGINE_WRITE, // must be there
	STORE_ENGINE_READ,  // changes no file but the database's own log
};

// 0; -EBADMSG damaged, -EPROTO a table nobody knows, -ENOSPC, -EACCES, -EBUSY, -ENOMEM, -EIO.
int store_engine_open(const char *path, enum store_engine_mode mode, struct store_engine **engine,
		      char *error);
// Nobody reads or writes any more. What was not flushed stays in the log.
void store_engine_close(struct store_engine *engine);

// All operations of the n batches, in order, as one group: durable when it returns 0. After -ENOSPC
// or -EIO the database refuses all writes, and whether the group is in its log is not known.
int store_engine_write(struct store_engine *engine, struct store_batch *const batch[], unsigned n,
		       char *error);
// Moves what is in memory into files, so that the next start has no log to read.
int store_engine_flush(struct store_engine *engine, char *error);
// Grows with every durable operation.
uint64_t store_engine_sequence(const struct store_engine *engine);

// Calls `each` with the value; returns what it returned, or -ENOENT, -EBADMSG, -EIO.
int store_engine_get(struct store_engine *engine, enum store_table table, const void *key,
		     size_t key_len, store_each each, void *ctx, char *error);
// As store_scan.
int store_engine_scan(struct store_engine *engine, enum store_table table, const void *from,
		      size_t from_len, const void *to, size_t to_len, store_each each, void *ctx,
		      char *error);
