#pragma once
// The parts of the data plane, as the files behind dp.h share them. Control thread only.

#include "base/arena.h"
#include "dataplane/directory.h"
#include "dataplane/dp.h"
#include "dataplane/worker.h"

enum { PLANE_FENCES = 64 };

struct dp {
	struct dp_config config;
	const struct sha256_ops *sha;
	const struct aead_ops *aead;
	struct directory directory;
	struct arena contexts_arena, workers_arena;
	struct context *contexts;
	struct dp_tuning tuning;
	bool started;
	unsigned fences[PLANE_FENCES]; // workers that have yet to pass, by token
	unsigned next_worker;          // whose events are polled next
	struct ring *reply_held;       // its front is in the caller's hands
	struct ring *copy_held;        // likewise, of a trace
	unsigned n_traced;             // handles
	struct worker workers[];       // [config.n_workers]
};

// Queues a command for a worker; before the start it is applied here. False: no room.
bool plane_give(struct dp *dp, struct worker *worker, struct command *command);
// The same command for all workers, or for none.
bool plane_give_all(struct dp *dp, const struct command *command);
