#pragma once
// A worker: one thread, one shard of the UEs, one back end. Here is what it has, what it counts and
// what it tells control; what it does is in run.c and below. Everything is the worker's alone, but
// for the rings (control at their other end), the counters (control reads) and `stop`.

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/ring.h"
#include "dataplane/context.h"
#include "dataplane/dp.h"
#include "dataplane/io/io.h"
#include "dataplane/lap.h"
#include "dataplane/mail.h"
#include "dataplane/pace.h"
#include "dataplane/protect.h"
#include "dataplane/push.h"
#include "dataplane/queue.h"
#include "dataplane/running.h"
#include "dataplane/trace.h"

enum {
	// 16 lists for each of a burst of commands, some milliseconds: a storm of registrations
	// while hundreds of lists run does not stop all else, what is passed over is left to the
	// next laps.
	WORKER_LOOKS = 4096,
};

// The parts that an AF's pace holds.
struct af_line {
	struct line line;
	unsigned promised; // tokens, to parts that have been called out of the line to take a turn
};

struct worker {
	unsigned index, n_workers;
	int cpu; // where its thread runs; negative: anywhere
	const struct clock *clock;
	struct protect protect;
	const struct io_ops *io_ops;
	struct io *io;
	struct context *contexts; // of all handles; written for the slots of this worker

	// Read once a round; seconds of Unix time once a millisecond.
	uint64_t now_ns;
	uint32_t now_s;
	uint64_t look_s_ns; // when next

	struct dp_tuning tuning;
	struct lap_pauses pauses;
	struct pace pace;        // of all pushes: this worker's share
	struct pace *pace_af;    // [DP_AF_MAX], likewise
	struct af_line *line_af; // [DP_AF_MAX]
	struct line ready, quiet;
	uint64_t send_again_ns; // the back end was full
	struct due due;
	struct running running;
	unsigned looks; // into lists for UEs with a new key or address, left in this round

	struct ring commands; // control → worker: struct command
	struct ring events;   // worker → control: struct worker_event
	struct ring replies;  // worker → control: struct worker_reply
	struct trace trace;
	bool told; // an event, reply or copy went out in this round
	int event_fd;

	_Atomic uint64_t counts[REASON_COUNT];
	struct io_counts io_counted; // of the back end, already counted
	atomic_bool stop;
	pthread_t thread;
	bool has_thread;
};

struct worker_config {
	const struct dp_config *dp;
	unsigned index;
	const struct sha256_ops *sha;
	const struct aead_ops *aead_ops;
	struct context *contexts;
};

// Octets that worker_open takes from the arena.
size_t worker_size(const struct dp_config *config);
int worker_open(struct worker *worker, const struct worker_config *config, struct arena *arena,
		char error[DP_ERROR_MAX]);
void worker_close(struct worker *worker);

// Takes from now on what control may change while it runs.
void worker_tune(struct worker *worker, const struct dp_tuning *tuning);

static inline void worker_count(struct worker *worker, enum reason reason, uint64_t n)
{
	uint64_t now = atomic_load_explicit(&worker->counts[reason], memory_order_relaxed);

	atomic_store_explicit(&worker->counts[reason], now + n, memory_order_relaxed);
}

// Shows what the cache of K_AFs has done since.
static inline void worker_count_kafs(struct worker *worker)
{
	const struct protect *const p = &worker->protect;

	atomic_store_explicit(&worker->counts[REASON_KAF_CACHED], p->cached, memory_order_relaxed);
	atomic_store_explicit(&worker->counts[REASON_KAF_MISSED], p->missed, memory_order_relaxed);
}

// An event for control; false, and nothing told, when control is behind with its events.
bool worker_tell(struct worker *worker, const struct worker_event *event);
// The place for a reply, or NULL when control is behind; worker_push_reply makes it visible.
struct worker_reply *worker_reserve_reply(struct worker *worker);
void worker_push_reply(struct worker *worker);
// Copies a datagram of a traced UE, or counts that there is no room.
void worker_hold_copy(struct worker *worker, const struct frame *frame, uint32_t handle,
		      enum reason reason, uint64_t time_ns);
void worker_give_copies(struct worker *worker); // of the burst, to control
// Wakes control when anything was told since the last time.
void worker_wake_control(struct worker *worker);
