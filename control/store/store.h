#pragma once
// The durable store: tables of key and value, written in batches. The control thread fills a batch
// and commits it; the writer thread gathers what has come and makes each group durable with one
// sync (group commit); the outcome comes back to the control thread through store_poll, in the
// order of the commits. A batch is durable whole or not at all. When a batch fails, so does, with
// the same error, every batch that was committed before the control thread was told (one may rely
// on another); what is committed from then on, the `done` that tells it included, is tried again.
//
// Tables marked sealed hold key material: their values are sealed (AES-256-GCM) under a key derived
// from the key-encryption key and a salt made new at each start, with a counter as nonce, bound to
// table and key. Values of the other tables are protected by nothing but the file system.
// Control thread only, but for what says otherwise.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Keys are octet strings; numbers in them big-endian, so that scans go upwards. In META the names
// that start with "store/" are the store's own.
#define STORE_TABLES(X)                                                                            \
	X(META, "meta", false)               /* name → value */                                  \
	X(IDENTITY, "identity", false)       /* handle → SUPI, GPSI, twin */                     \
	X(CONTEXT, "context", true)          /* handle → A-KID, K_AKMA, time */                  \
	X(ADDRESS, "address", false)         /* handle → address, port */                        \
	X(AF, "af", false)                   /* FQDN → registration */                           \
	X(GROUP, "group", false)             /* external group id → number, properties */        \
	X(MEMBER, "member", false)           /* group number, handle → nothing */                \
	X(PUSH, "push", true)                /* push_id → the accepted push */                   \
	X(TARGET, "target", false)           /* push_id, chunk → handles */                      \
	X(PROGRESS, "progress", false)       /* push_id, chunk → states */                       \
	X(REPLY, "reply", true)              /* push_id, place → reply */                        \
	X(IDEMPOTENCY, "idempotency", false) /* FQDN, key → digest, push_id, time */

enum store_table {
#define X(table, name, sealed) STORE_##table,
	STORE_TABLES(X)
#undef X
		STORE_TABLE_COUNT,
};

struct store;
struct store_batch;

struct store_config {
	const char *path;     // folder; made at the first start, its parent must exist
	const char *kek_path; // 32 octets, mode 0600; made at the first start
	unsigned queue_max;   // batches queued, at most; 0: default
	uint64_t room_min;    // free octets on the file system below which writes are refused; 0:
			      // default
	bool verify;          // read and check everything before the store opens
};

enum { STORE_ERROR_MAX = 512, STORE_KEY_MAX = 600, STORE_VALUE_MAX = 1 << 20 };

// Opens or makes the store. On failure -errno, and `error` says what, where and how to go on:
//   -ENOENT parent or the key file of a store that has one missing, -ENOTDIR, -EACCES, -EPERM key
//   file readable by others (or memory can't be locked), -EKEYREJECTED wrong key, -EBADMSG damaged,
//   -EBUSY in use, -EPROTO written by a later version, -ENOMEM, -EIO, -ENOSPC.
// The lists of files, their indexes and the log are always checked; the rest when it is read
// (-EBADMSG then), or here with `verify`.
int store_open(const struct store_config *config, struct store **store,
	       char error[STORE_ERROR_MAX]);
// Commits what is queued, flushes, closes. Outcomes not yet polled are delivered first; every batch
// was committed or aborted before.
void store_close(struct store *store);

// A new batch, or NULL when the queue is full (answer 503 and Retry-After) or without memory. Full:
// queue_max batches (or 256 MiB) are begun, queued or not yet polled.
struct store_batch *store_begin(struct store *store);
// A key has 1 to STORE_KEY_MAX octets, a value up to STORE_VALUE_MAX.
void store_put(struct store_batch *batch, enum store_table table, const void *key, size_t key_len,
	       const void *value, size_t value_len);
void store_del(struct store_batch *batch, enum store_table table, const void *key, size_t key_len);
// All keys that start with prefix (which may be empty), but for what the batch puts after it.
void store_del_prefix(struct store_batch *batch, enum store_table table, const void *prefix,
		      size_t prefix_len);

// Hands the batch to the writer; it is gone. `done` is called once from store_poll: 0 durable;
// -ENOSPC no room, -EIO the disk failed, -ENOMEM: nothing of the batch is in the store. `done` may
// begin and commit batches, not poll.
typedef void (*store_done)(void *ctx, int status);
void store_commit(struct store_batch *batch, store_done done, void *ctx);
void store_abort(struct store_batch *batch);

int store_fd(const struct store *store);  // readable when store_poll has something
unsigned store_poll(struct store *store); // delivers outcomes; returns how many

// Reads see what is durable. Length of the value (up to max octets copied), -ENOENT, -EBADMSG
// (damaged), -EIO.
ssize_t store_get(struct store *store, enum store_table table, const void *key, size_t key_len,
		  void *value, size_t max);

// Calls `each` for the keys from `from` (inclusive) to `to` (exclusive; NULL: to the end) in order,
// until it returns non-zero, which is returned; else 0, -EBADMSG, -EIO or -ENOMEM. Keys and values
// last as long as the call of `each`, which may read the store. Any thread: several may scan at a
// time (the start reads a table in parts).
typedef int (*store_each)(void *ctx, const uint8_t *key, size_t key_len, const uint8_t *value,
			  size_t value_len);
int store_scan(struct store *store, enum store_table table, const void *from, size_t from_len,
	       const void *to, size_t to_len, store_each each, void *ctx);

// For metrics: monotonic counts since start, and the queue now.
struct store_stats {
	uint64_t groups, batches, failed, bytes; // durable groups, durable and failed batches
	uint64_t sync_ns_sum;                    // time in commits
	uint32_t queued;
};
void store_stats(const struct store *store, struct store_stats *stats);

// The name of a table, as in the list above.
const char *store_table_name(enum store_table table);
