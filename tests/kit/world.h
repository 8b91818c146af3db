#pragma once
// A small world for tests of the data plane: a data plane on the back end `mem`, a clock that the
// test turns, and devices made of the UE library, which shares no code with what is tested. A tap
// on everything sent checks the product's first invariant: no pair of key and nonce seals two
// texts, through restarts of the data plane included. All choices come from one seed.

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "dataplane/dp.h"
#include "dataplane/io/io_mem.h"
#include "tests/kit/random.h"
#include "ue/akmapush_ue.h"

enum { WORLD_DEVICES_MAX = 96, WORLD_PUSHES_MAX = 64, WORLD_KEYS_MAX = 8 };

struct world;

struct world_clock {
	struct clock clock; // first: the functions cast
	_Atomic uint64_t mono_ns, unix_ms;
};

struct world_device {
	struct akmapush_ue *ue;
	void *pool_memory;
	struct akmapush_ue_pool *pool;
	struct akmapush_ue_config config;
	uint32_t handle;
	uint8_t ip[16];
	uint8_t kakma[WORLD_KEYS_MAX][32]; // all it has ever had, the current one last
	unsigned n_keys;
	bool deaf;      // drops what it gets
	uint8_t status; // what its application answers: 1, 2; 0: nothing
	unsigned delivered[WORLD_PUSHES_MAX];
};

struct world_push {
	struct dp_push_spec spec;
	struct dp_push *push;
	uint8_t *payload;
	uint32_t *handles;
	uint8_t *checkpoint;                 // states; NULL before the first
	bool done;                           // DP_EVENT_DONE came
	bool stopped;                        // nothing of it may be sent any more
	enum dp_state stop;                  // what its open targets became then
	unsigned replies[WORLD_DEVICES_MAX]; // by place in handles
};

struct world_config {
	uint64_t seed;
	unsigned n_devices, n_workers;
	uint32_t lost, twice, delayed; // of a million
	bool threads;                  // workers run by themselves; else world_step turns them
};

struct world {
	struct random random;
	struct world_clock clock;
	struct io_mem *net;
	struct dp *dp;
	struct dp_config config;
	struct world_device devices[WORLD_DEVICES_MAX];
	unsigned n_devices;
	struct world_push pushes[WORLD_PUSHES_MAX];
	unsigned n_pushes;
	uint64_t fence_passed;  // the last token
	uint64_t taps;          // datagrams the tap saw
	unsigned other_replies; // that no device of the world gave
	struct sealed_table *sealed;
	bool threads;
	pthread_mutex_t lock; // of what the tap shares with the test
	char failure[256];    // the first thing the tap found wrong; empty: nothing
};

// Devices with addresses and keys, known to the data plane, none running. Asserts on trouble.
void world_open(struct world *world, const struct world_config *config);
void world_close(struct world *world);

// A push to the devices at `first` .. `first + n - 1`, of random content; its number.
unsigned world_push_new(struct world *world, unsigned first, unsigned n, uint32_t validity_s,
			bool ack_wanted, size_t payload_len, uint16_t segment_size);
void world_push_start(struct world *world, unsigned push);
void world_push_stop(struct world *world, unsigned push, enum dp_state state);
enum dp_state world_state(const struct world *world, unsigned push, unsigned device);

// New keys: at the device at once; world_register tells the data plane.
void world_authenticate(struct world *world, unsigned device);
void world_register(struct world *world, unsigned device);

// A round of every worker, a step of the net, events taken, `ms` on the clock.
void world_step(struct world *world, uint64_t ms);
// Steps of about `ms` until all started pushes are done; false after `steps` of them.
bool world_run(struct world *world, uint64_t ms, unsigned steps);
// Commands given so far are applied.
void world_fence(struct world *world);

void world_checkpoint(struct world *world); // states of all running pushes are kept
// The process dies and comes back: a new data plane, contexts loaded, pushes gone on with from
// their checkpoints.
void world_restart(struct world *world);
