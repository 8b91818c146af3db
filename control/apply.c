#include "control/apply.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "control/app.h"
#include "control/store/store.h"
#include "dataplane/dp.h"

// Few fences are out at a time: while they are, what is applied gathers behind the next.
enum { CHANGES_MAX = 1 << 16, FENCES_MAX = 4 };

// One list of changes in the order of their commits. Its front is applied and waits for a fence,
// then come those that are durable, then those that the writer has. One fence serves all that one
// poll applied.
struct apply {
	struct app *app;
	struct change *first, **end; // all
	struct change **durable_end; // behind the last with an outcome
	struct change **applied_end; // behind the last that was applied
	unsigned n;
	uint64_t token;   // of the fence that what is applied now will wait for
	uint64_t fenced;  // the last token that came back
	bool wants_fence; // something was applied since the last fence was sent
	int status;       // of the last outcome
	bool is_polling;  // a change's callback may commit another
};

struct apply *apply_new(struct app *app)
{
	struct apply *apply = calloc(1, sizeof(*apply));

	if (!apply)
		return NULL;
	apply->app = app;
	apply->end = apply->durable_end = apply->applied_end = &apply->first;
	apply->token = 1;
	return apply;
}

void apply_free(struct apply *apply)
{
	free(apply);
}

struct store_batch *apply_begin(struct app *app)
{
	return app->apply->n < CHANGES_MAX ? store_begin(app->store) : NULL;
}

// Outcomes come in the order of the commits: this one is that of the first change without one.
static void note_outcome(void *ctx, int status)
{
	struct apply *apply = ctx;
	struct change *change = *apply->durable_end;

	assert(change);
	if (status != apply->status)
		log_write(status ? LOG_ERROR : LOG_INFO, "store", "%s%s",
			  status ? "changes are refused: " : "changes are taken again",
			  status ? strerror(-status) : "");
	apply->status = status;
	change->status = status;
	apply->durable_end = &change->next;
}

void apply_commit(struct app *app, struct store_batch *batch, struct change *change)
{
	struct apply *apply = app->apply;

	change->next = NULL;
	change->status = 0;
	change->token = 0;
	*apply->end = change;
	apply->end = &change->next;
	apply->n++;
	store_commit(batch, note_outcome, apply);
}

// Applies what is durable, in order, as far as the data plane takes it. What failed or has nothing
// to apply only keeps its place: it waits for the fences of those before it.
static void apply_durable(struct apply *apply)
{
	while (apply->applied_end != apply->durable_end) {
		struct change *change = *apply->applied_end;

		change->token = apply->wants_fence ? apply->token : apply->token - 1;
		if (change->status == 0 && change->apply) {
			apply->wants_fence = true;
			change->token = apply->token;
			if (change->apply(change, apply->app))
				return;
		}
		apply->applied_end = &change->next;
	}
}

// False when the data plane had no room for it.
static bool send_fence(struct apply *apply)
{
	if (!apply->wants_fence || apply->token - apply->fenced > FENCES_MAX)
		return true; // the next fence that comes back makes way for it
	if (!dp_fence(apply->app->dp, apply->token))
		return false;
	apply->wants_fence = false;
	apply->token++;
	return true;
}

// Ends the changes whose fence has come back. `done` frees them, and may commit others.
static void finish(struct apply *apply)
{
	while (apply->applied_end != &apply->first && apply->first->token <= apply->fenced) {
		struct change *change = apply->first;
		int status = change->status;

		apply->first = change->next;
		if (apply->end == &change->next)
			apply->end = &apply->first;
		if (apply->durable_end == &change->next)
			apply->durable_end = &apply->first;
		if (apply->applied_end == &change->next)
			apply->applied_end = &apply->first;
		apply->n--;
		change->done(change, apply->app, status);
	}
}

bool apply_poll(struct app *app)
{
	struct apply *apply = app->apply;
	bool is_refused;

	assert(!apply->is_polling);
	apply->is_polling = true;
	store_poll(app->store);
	apply_durable(apply);
	is_refused = !send_fence(apply);
	finish(apply);
	apply->is_polling = false;
	return is_refused || apply->applied_end != apply->durable_end;
}

void apply_fence(struct app *app, const struct dp_event *event)
{
	struct apply *apply = app->apply;

	assert(event->token > apply->fenced && event->token < apply->token);
	apply->fenced = event->token;
	finish(apply);
}

int apply_status(const struct app *app)
{
	return app->apply->status;
}

static void probe_done(struct change *change, struct app *app, int status)
{
	(void)app;
	(void)status;
	free(change);
}

void apply_tick(struct app *app)
{
	struct store_batch *batch;
	struct change *change;

	if (!app->apply->status || app->apply->n > 0)
		return;
	change = calloc(1, sizeof(*change));
	batch = change ? apply_begin(app) : NULL;
	if (!batch) {
		free(change);
		return;
	}
	change->done = probe_done;
	store_put(batch, STORE_META, "probe", 5, "", 0);
	apply_commit(app, batch, change);
}

bool apply_is_idle(const struct app *app)
{
	return app->apply->n == 0;
}
