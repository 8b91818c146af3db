#pragma once
// A worker: one thread, one shard of the UEs, one back end. Its round is the data plane's table of
// contents: commands, uplink, downlink. Everything here is the worker's alone, but for the rings
// (control at their other end), the counters (control reads) and `stop`.

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/ring.h"
#include "crypto/aead.h"
#include "crypto/sha256.h"
#include "dataplane/context.h"
#include "dataplane/dp.h"
#include "dataplane/io.h"
#include "dataplane/lap.h"
#include "dataplane/pace.h"
#include "dataplane/push.h"
#include "dataplane/queue.h"
#include "dataplane/running.h"

enum {
	WORKER_COMMANDS = 8192,
	WORKER_COMMAND_BURST = 256, // commands applied between two bursts
	// 16 lists for each of them, some milliseconds: a storm of registrations while hundreds of
	// lists run does not stop all else, what is passed over is left to the next laps.
	WORKER_LOOKS = 16 * WORKER_COMMAND_BURST,
	WORKER_EVENTS = 8192,
	WORKER_REPLIES = 1024,
};

enum command_kind {
	COMMAND_PUT_KEY,
	COMMAND_DEL_KEY,
	COMMAND_PUT_ADDRESS,
	COMMAND_DEL_ADDRESS,
	COMMAND_START,
	COMMAND_STOP,
	COMMAND_AF_RATE,
	COMMAND_TUNE,
	COMMAND_FENCE,
};

struct command {
	enum command_kind kind;
	uint32_t handle; // or the AF's place
	union {
		struct {
			struct hmac_key kakma; // wiped when applied
			uint32_t expiry;
		} key;
		struct dp_address address;
		struct dp_push *push; // to start
		struct {
			uint8_t push_id[MESSAGE_PUSH_ID]; // it may be over and freed by then
			enum dp_state state;
		} stop;
		uint64_t rate;
		struct dp_tuning tuning;
		uint64_t token;
	};
};

// Of a worker to control: a fence passed, or a part over.
struct worker_event {
	enum dp_event_kind kind;
	uint64_t token;
	struct dp_push *push;
};

struct worker_reply {
	struct dp_push *push;
	uint32_t place;
	uint8_t status;
	uint16_t len;
	uint8_t octets[DP_REPLY_MAX];
};

// The parts that an AF's pace holds.
struct af_line {
	struct line line;
	unsigned promised; // tokens, to parts that have been called out of the line to take a turn
};

struct worker {
	unsigned index, n_workers;
	const struct clock *clock;
	const struct sha256_ops *sha;
	const struct aead_ops *aead_ops;
	struct aead *aead;
	const struct io_ops *io_ops;
	struct io *io;
	struct context *contexts; // of all handles; written for the slots of this worker

	// Read once a round.
	uint64_t now_ns;
	uint32_t now_s;

	struct dp_tuning tuning;
	struct lap_pauses pauses;
	struct pace pace;        // of all pushes: this worker's share
	struct pace *pace_af;    // [DP_AF_MAX], likewise
	struct af_line *line_af; // [DP_AF_MAX]
	struct line ready, ending;
	uint64_t send_again_ns; // the back end was full
	struct due due;
	struct running running;
	unsigned looks; // into lists for UEs with a new key or address, left in this round

	struct ring commands; // control → worker: struct command
	struct ring events;   // worker → control: struct worker_event
	struct ring replies;  // worker → control: struct worker_reply
	bool told;            // an event or reply went out in this round
	int event_fd;

	_Atomic uint64_t counts[REASON_COUNT];
	uint64_t io_failed; // of the back end, already counted
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
int worker_start(struct worker *worker); // 0 or -errno
void worker_stop(struct worker *worker); // it has ended
bool worker_turn(struct worker *worker); // one round; whether it did anything

// Applies one command; false when it has to wait for room in the event ring.
bool worker_apply(struct worker *worker, struct command *command);

// ---- For the stages

static inline void worker_count(struct worker *worker, enum reason reason, uint64_t n)
{
	uint64_t now = atomic_load_explicit(&worker->counts[reason], memory_order_relaxed);

	atomic_store_explicit(&worker->counts[reason], now + n, memory_order_relaxed);
}

// downlink.c: one burst of a part's walk; false when the back end is full or has no buffers.
bool worker_send(struct worker *worker, struct part *part);

// turns.c: the turn of one part; whether it did anything.
bool worker_downlink(struct worker *worker);
// When downlink has work next, if nothing else happens.
uint64_t worker_downlink_ns(const struct worker *worker);
// A part that stands nowhere, its walk over, goes where it belongs now.
void worker_schedule(struct worker *worker, struct part *part);
// Nothing of a part is sent from here on; its open targets become `state`.
void worker_sweep(struct worker *worker, struct part *part, enum dp_state state);
// No target of the part is open any more.
void worker_settled(struct worker *worker, struct part *part);
void worker_make_due(struct worker *worker, uint32_t handle);
void worker_set_af_rate(struct worker *worker, unsigned af, uint64_t rate);

// uplink.c: what has arrived; whether there was anything.
bool worker_uplink(struct worker *worker);
