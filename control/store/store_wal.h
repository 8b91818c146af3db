#pragma once
// Taking back what a failed group left in the database's log. The log (files <number>.log) only
// grows, and all of it was synced with the last group that succeeded; so cutting it to what it was
// before the failed group gives exactly the state of a crash at that moment, which the database
// knows how to open. Writer thread only.

#include <stdint.h>

struct store_wal_mark {
	uint64_t number; // of the newest log; 0: there is none
	uint64_t len;
};

// Calls each for every log until one does not answer 0. Its last answer or -errno.
typedef int (*store_wal_fn)(int folder, const char *name, uint64_t number, void *ctx);
int store_wal_each(int folder, store_wal_fn each, void *ctx);

// Where the log ends. 0 or -errno. `folder` is the descriptor of the store's folder.
int store_wal_mark(int folder, struct store_wal_mark *mark);
// Cuts the log back to the mark; the database must be closed. 0 or -errno.
int store_wal_cut(int folder, const struct store_wal_mark *mark);
