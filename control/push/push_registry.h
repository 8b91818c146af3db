#pragma once
// The pushes that are not over, in memory: a few hundred octets each, whatever their lists. What
// runs has its list in the data plane as well; what waits has it in the store alone. A push that is
// over is in the store alone, until its retention ends. Control thread only.
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
struct loop_timer;
struct push_replies;
struct push_retention;

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
	bool stop_stored;         // the suspension's is, and will not be asked for again
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

struct push_registry {
	struct app *app;
	uint32_t running_max, live_max;
	uint32_t n_live, n_running, n_waiting;
	uint64_t n_accepted, n_refused, n_strangers_refused, n_over;

	struct push_list_head *by_id, *by_dp, *by_handle; // tables of mask + 1 heads
	struct push_queue_head *by_fqdn;
	uint32_t mask;
	struct push_queue_tailq ready;
	struct push_tailq running, ending;
	bool starts;      // from push_resume on
	bool end_blocked; // nothing ends before the next tick: the store is in trouble

	// Of others, who make and free what is behind a pointer.
	struct push_replies *replies;     // push_reply.c
	struct push_retention *retention; // push_retention.c
	uint64_t checkpoint_at_ns;        // push_progress.c
	unsigned checkpoint;              // round
	bool checkpoint_goes_on, checkpoint_failed;
	struct loop_hook *hook; // push_run.c
	struct loop_timer *timer, *checkpoint_timer;
};

struct push_registry *push_registry_new(struct app *app); // NULL without memory
// With all pushes in it.
void push_registry_free(struct push_registry *pushes);

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
