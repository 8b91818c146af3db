#pragma once
// The store's contract (control/store/store.h) without a disk: tables in memory, a queue of batches
// that the test lets through, refuses or forgets. What was let through survives push_store_crash;
// what was not is gone. One thread.

#include "control/store/store.h"

struct store *push_store_new(void);
void push_store_free(struct store *store);

// From now on outcomes have this status (0: durable).
void push_store_fail(struct store *store, int status);
// store_get gives this instead of what is there, or is not; 0: no more.
void push_store_fail_reads(struct store *store, int error);
// store_poll lets at most n batches through; UINT32_MAX: all.
void push_store_hold(struct store *store, uint32_t n);
// Queued batches, at most; store_begin gives NULL then.
void push_store_queue_max(struct store *store, uint32_t n);
// The process has died: queued batches are forgotten, nobody is told.
void push_store_crash(struct store *store);
unsigned push_store_count(const struct store *store, enum store_table table);
