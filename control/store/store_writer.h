#pragma once
// The writer thread and the two queues to and from it: batches go in, come out with their outcome,
// in the same order. It takes what has gathered during the last sync as the next group.

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/ring.h"
#include "base/wake.h"
#include "control/store/store_disk.h"

enum {
	STORE_GROUP_MAX = 1000,       // batches
	STORE_GROUP_OCTETS = 8 << 20, // a larger batch is a group of its own
};

struct store_writer {
	struct store_disk *disk;
	pthread_t thread;
	struct ring in, out; // of struct store_batch *
	struct wake work;    // wakes the writer
	struct wake outcome; // wakes the control thread
	atomic_bool is_ending;
	uint32_t failures; // groups failed since the start
	int last_failure;
	struct store_batch *group[STORE_GROUP_MAX];
	// Counts, read by other threads.
	_Atomic uint64_t n_groups, n_batches, n_failed, n_octets, sync_ns;
};

// Queues for `max` batches. 0, -ENOMEM, -errno.
int store_writer_start(struct store_writer *writer, struct store_disk *disk, uint32_t max);
// Ends when the queue is empty.
void store_writer_end(struct store_writer *writer);

// Control thread: there must be room, which whoever counts the batches knows.
void store_writer_push(struct store_writer *writer, struct store_batch *batch);
struct store_batch *store_writer_take(struct store_writer *writer); // NULL: no outcome now
