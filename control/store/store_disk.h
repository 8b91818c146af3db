#pragma once
// The database as something that heals: after a write that failed (a full or failing disk) it takes
// the group back out of the log, opens the database again, for reading alone if nothing else works,
// and tries to write again later. So a group that failed is never in the store, one that succeeded
// always is, and reads go on. The writer thread writes; any thread reads beside it.

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "control/store/store_engine.h"
#include "control/store/store_folder.h"
#include "control/store/store_wal.h"

struct store_disk {
	const struct store_folder *folder;
	uint64_t room_min;
	// Readers hold `lock` shared while they use `engine`, which is NULL when nothing opens. Its
	// kind (readers first) lets a scan's callback read too.
	pthread_rwlock_t lock;
	struct store_engine *engine;
	// Of the writer:
	bool is_writable;
	bool is_cut_pending; // the failed group is still in the log, behind the mark
	struct store_wal_mark mark;
	int last;            // outcome of the last group: transitions are logged
	uint64_t retry_ns;   // when to open again for writing
	uint64_t horizon_ns; // when the horizon was written
};

int store_disk_open(struct store_disk *disk, const struct store_folder *folder, uint64_t room_min,
		    enum store_engine_mode mode, char *error);
// Flushes and closes.
void store_disk_close(struct store_disk *disk);

// One group of n batches of `octets` in all: 0 durable; -ENOSPC, -EIO: nothing of it is there.
int store_disk_write(struct store_disk *disk, struct store_batch *const batch[], unsigned n,
		     uint64_t octets);

// As the engine's, -EIO when nothing opens; what is wrong goes to the log.
int store_disk_get(struct store_disk *disk, enum store_table table, const void *key, size_t key_len,
		   store_each each, void *ctx);
int store_disk_scan(struct store_disk *disk, enum store_table table, const void *from,
		    size_t from_len, const void *to, size_t to_len, store_each each, void *ctx);
