#pragma once
// Durable, then applied, then answered: the one way a change comes about.
//
// A handler checks the request, fills a store batch and commits it together with a change. When the
// group is durable, `apply` puts the change into memory and gives the data plane its commands; when
// a fence has shown that every worker has applied them, `done` answers the request. Changes are
// applied in the order of their commits. A change that could not be made durable is never applied.
// Control thread only.

#include <stdbool.h>
#include <stdint.h>

struct app;
struct apply;
struct dp_event;
struct store_batch;

struct change {
	// 0, or -EAGAIN when the data plane's queue was full: called again, so what is done once
	// must not be done twice. NULL: nothing to apply (no fence is waited for then, only order
	// kept).
	int (*apply)(struct change *change, struct app *app);
	// The end, called exactly once; the change is the callee's again. status 0, or -errno of
	// the store (nothing was applied then).
	void (*done)(struct change *change, struct app *app, int status);
	struct change *next;
	int status;
	uint64_t token;
};

struct apply *apply_new(struct app *app);
void apply_free(struct apply *apply);

// A batch to fill, or NULL when store or apply queue are full: answer 503 (NF_CONGESTION).
struct store_batch *apply_begin(struct app *app);
void apply_commit(struct app *app, struct store_batch *batch, struct change *change);

// From the loop: when the store has outcomes, and for each DP_EVENT_FENCE. apply_poll returns
// whether it wants to come again soon: the data plane's queues were full.
bool apply_poll(struct app *app);
void apply_fence(struct app *app, const struct dp_event *event);
// How the last commit ended: 0, or the store's -errno. While it failed, apply_tick (every second)
// tries a write of its own, so that the end of the trouble is seen.
int apply_status(const struct app *app);
void apply_tick(struct app *app);
bool apply_is_idle(const struct app *app); // nothing under way: an orderly end may go on
