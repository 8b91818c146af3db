#pragma once
// Pushes: accepted, waiting, running, finished. What was accepted is in the store before its answer
// and goes on after any end of the process. Pushes of one AF start in the order of their push_ids;
// at most PUSH_LISTS_PER_AF with more than one target run at a time, at most PUSH_SINGLES_PER_UE
// with one target are outstanding for one UE. Control thread only.

#include <stdbool.h>
#include <stdint.h>

struct af;
struct app;
struct dp_event;

enum { PUSH_LISTS_PER_AF = 16, PUSH_SINGLES_PER_UE = 16 };

// From the store, at start, after UEs, AFs and groups: makes app->pushes, starts nothing. 0 or
// -errno (logged).
int push_load(struct app *app);
void push_resume(struct app *app); // once the workers run: what was running goes on
// After store_close, whose last outcomes come here, and before dp_close.
void push_close(struct app *app);

// From the loop.
void push_event(struct app *app, const struct dp_event *event); // DP_EVENT_DONE, DP_EVENT_REPLY
void push_tick(struct app *app); // every second: checkpoints, expiry of what waits, retention
// Too many replies wait for the store: events are to stay with the data plane for now.
bool push_is_full(const struct app *app);
// Progress of all running pushes into the store, for an orderly end after dp_stop; false when its
// queue is full: poll the store and come again.
bool push_checkpoint(struct app *app);

// The AF was suspended: its pushes end, their targets NOT_ALLOWED. Part of a change's apply:
// -EAGAIN as there. push_suspend_af is also called for an AF that is deleted.
int push_suspend_af(struct app *app, const struct af *af);

struct push_stats {
	uint64_t accepted, refused, finished;
	uint64_t strangers_refused; // of those refused: too many identities not known or allowed
	uint32_t waiting, running;
};
void push_stats(const struct app *app, struct push_stats *stats);
