#pragma once
// The pushes that are not over, in memory: a few hundred octets each, whatever their lists. What
// runs has its list in the data plane as well; what waits has it in the store alone. A push that is
// over is in the store alone, until its retention ends. For push*.c; control thread only.
//
//   accepted ──► WAITING ──► RUNNING ──► ENDING ──► (over: the store's)
//                   └─ stopped or expired ─┘
//
// A push that is reserved (its acceptance is on its way to the store) counts for the limits, but
// nobody finds it yet.

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "control/push/push.h"
#include "control/push/push_record.h"

struct app;
struct loop_hook;
struct store_batch;

enum push_phase { PUSH_RESERVED, PUSH_WAITING, PUSH_RUNNING, PUSH_ENDING };

enum {
	PUSH_LIVE_PER_RUNNING = 2, // pushes that are not over, for each that may run
	PUSH_BATCH_OCTETS = 1 << 20,
	PUSH_FQDN_HEADS = 1024,
	PUSH_WORK_MAX = 64, // pushes started or steps of ends in one go
};

struct push {
	struct push_facts facts;
	struct push_queue *queue; // of its AF
	uint32_t handle;          // of a single one
	enum push_phase phase;
	uint8_t stop;             // state that open targets get from now on; 0: it was not stopped
	bool stop_asked;          // a stop is on its way to the store
	bool was_run;             // the store has, or may get, states of it
	bool may_reply;           // there are, or may be, replies in the store
	bool is_troubled;         // logged once that it could not be read or started
	struct dp_push *dp;       // running, or to map places of an end
	struct push_counts noted; // at the last checkpoint; while it never ran, as accepted
	uint64_t sent_before;     // datagrams before the last start of the program
	uint64_t *hashes;         // of the chunks of states that the store has; NULL: none yet
	unsigned checkpoint;      // round it was last looked at

	// While it ends.
	uint32_t end_chunk;          // the next one to write
	unsigned end_pending;        // batches under way
	bool end_failed, end_parked; // parked: in no list, until the store has told
	struct push_counts end_counts;

	TAILQ_ENTRY(push) of_af; // by push_id
	TAILQ_ENTRY(push) turn;  // in the list of its phase
	LIST_ENTRY(push) by_id, by_dp, by_handle;
};
TAILQ_HEAD(push_tailq, push);
LIST_HEAD(push_list_head, push);

// An AF that has pushes here.
struct push_queue {
	struct app *app;
	char fqdn[AKMA_FQDN_MAX + 1];
	struct push_tailq pushes;  // all but reserved ones, by push_id
	struct push_tailq waiting; // by push_id
	unsigned n_lists;          // running, of more than one target
	uint32_t n_users;          // pushes that point here, reserved ones included
	bool is_ready;
	TAILQ_ENTRY(push_queue) ready; // something may start
	LIST_ENTRY(push_queue) by_fqdn;
};
TAILQ_HEAD(push_queue_tailq, push_queue);
LIST_HEAD(push_queue_head, push_queue);

struct push_replies;
struct push_retention;

struct push_registry {
	struct app *app;
	uint32_t running_max, live_max;
	uint32_t n_live, n_running, n_waiting;
	uint64_t n_accepted, n_refused, n_over;

	struct push_list_head *by_id, *by_dp, *by_handle; // tables of mask + 1 heads
	struct push_queue_head *by_fqdn;
	uint32_t mask;
	struct push_queue_tailq ready;
	struct push_tailq running, ending;
	bool starts;      // from push_resume on
	bool end_blocked; // nothing ends before the next tick: the store is in trouble

	// push_progress.c
	uint64_t checkpoint_at_ns;
	struct loop_timer *checkpoint_timer;
	unsigned checkpoint; // round
	bool checkpoint_goes_on, checkpoint_failed;

	struct push_asks *asks;           // push_ask.c
	struct push_replies *replies;     // push_reply.c
	struct push_retention *retention; // push_retention.c
	struct loop_hook *hook;
	struct loop_timer *timer;
};

struct push_registry *push_registry_new(struct app *app); // NULL without memory

// A push that is about to be stored: NULL without memory.
struct push *push_reserve(struct app *app, const struct push_facts *facts, uint32_t handle);
// It is durable: it waits for its turn.
void push_enter(struct app *app, struct push *push);
// Takes it out and frees it, its data plane part included.
void push_forget(struct app *app, struct push *push);

struct push *push_find(const struct app *app, const uint8_t id[PUSH_ID]);    // or NULL
struct push *push_of_dp(const struct app *app, const struct dp_push *dp);    // or NULL
struct push_queue *push_queue_find(const struct app *app, const char *fqdn); // or NULL
unsigned push_singles(const struct app *app, uint32_t handle);               // outstanding for a UE
void push_queue_ready(struct app *app, struct push_queue *queue);
// Changes the phase and the list it is in.
void push_set_phase(struct app *app, struct push *push, enum push_phase phase);
// Gives it a part in the data plane, found by push_of_dp.
void push_set_dp(struct app *app, struct push *push, struct dp_push *dp);

static inline bool push_is_single(const struct push *push)
{
	return push->facts.n_targets == 1;
}

// Whether a stop can be asked for: it is there, and nobody has done so yet.
bool push_may_stop(const struct push *push);

// What a target's state is, as it is told: a stop or the end makes open targets final.
enum dp_state push_told_state(const struct push *push, enum dp_state state);
// Targets by state and datagrams, as told now.
void push_told_counts(const struct push *push, struct push_counts *counts);
// "WAITING", "RUNNING", "FINISHED".
const char *push_told_phase(const struct push *push);

// ---- push_material.c

// What a push needs to run: its secret, payload and list. Secrets are wiped by push_material_free.
struct push_material {
	uint8_t secret[PUSH_SECRET];
	uint8_t payload[DP_PAYLOAD_MAX];
	struct push_list list;
};
void push_material_free(struct push_material *material); // NULL is fine

// From the store; NULL with -EBADMSG, -EIO, -ENOMEM in *error.
struct push_material *push_material_load(struct app *app, const struct push_facts *facts,
					 int *error);
// The push's part in the data plane, not started. 0, or -errno.
int push_make_dp(struct app *app, struct push *push, const struct push_material *material);

// ---- push_run.c

// Starts it if it is the next of its AF and there is room; else it waits for its turn.
void push_try_start(struct app *app, struct push *push, const struct push_material *material);

// A durable stop of an accepted push: 0, or -EAGAIN as in a change's apply.
int push_stop(struct app *app, struct push *push, enum dp_state state);
void push_put_stop(struct store_batch *batch, const uint8_t id[PUSH_ID], enum dp_state state);

void push_loop_leave(struct push_registry *pushes);
// Starts and ends what can be started and ended; true when there is more to do at once.
bool push_work(struct app *app);

// ---- push_ask.c

int push_asks_init(struct push_registry *pushes); // 0, -ENOMEM
void push_asks_free(struct push_registry *pushes);

// ---- push_end.c

// One step of the front of those that end; false when nothing can be done now.
bool push_end_step(struct app *app);
// What waits past its expiry ends.
void push_expire(struct app *app);

// ---- push_progress.c

void push_checkpoint_tick(struct app *app); // starts a round when one is due
bool push_checkpoint_step(struct app *app); // some pushes; true when there are more to look at
// States by place at the last checkpoint laid over `states`: 0, -EBADMSG, -EIO.
int push_read_places(struct app *app, const struct push_facts *facts, uint8_t *states,
		     uint32_t n_places);
uint32_t push_place_chunks(uint32_t n_places);

// ---- push_reply.c

int push_replies_init(struct push_registry *pushes); // 0, -ENOMEM
void push_replies_free(struct push_registry *pushes);
void push_replies_add(struct app *app, struct push *push, const struct dp_event *event);
// Hands what waits to the store; false when the store took not all of it now.
bool push_replies_flush(struct app *app);
bool push_replies_are_full(const struct push_registry *pushes);

// ---- push_retention.c

int push_retention_init(struct push_registry *pushes); // 0, -ENOMEM
void push_retention_free(struct push_registry *pushes);
void push_retention_tick(struct app *app); // deletes what is too old, a bounded part at a time
