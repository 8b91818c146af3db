#include "control/api/bulk.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "control/app.h"
#include "control/apply.h"
#include "control/http/http.h"
#include "control/json/json.h"
#include "control/store/store.h"

struct bulk_change {
	struct change change;
	struct bulk *bulk;
	struct store_batch *batch;
	unsigned n, n_applied;
	_Alignas(max_align_t) uint8_t items[];
};

static void *item_at(struct bulk_change *b, unsigned i)
{
	return b->items + i * b->bulk->ops->item_size;
}

void bulk_init(struct bulk *bulk, const struct bulk_ops *ops, struct app *app,
	       struct http_request *request)
{
	bulk->ops = ops;
	bulk->app = app;
	bulk->request = request;
}

// ---- The end

static void bulk_free(struct bulk *bulk)
{
	const struct bulk_ops *ops = bulk->ops;

	free(bulk->errors);
	bulk->errors = NULL;
	ops->free(bulk);
}

static void answer_problem(struct bulk *bulk, enum problem_cause cause, const char *detail)
{
	struct http_request *request = bulk->request;

	bulk->request = NULL;
	if (request)
		problem_answer_cause(request, cause, "%s", detail);
}

static void answer_summary(struct bulk *bulk)
{
	struct json_writer *w = json_write();
	struct http_request *request = bulk->request;
	size_t len;
	char *text;

	bulk->ops->answer(bulk, w);
	json_put_uint(w, "failed", bulk->n_failed);
	json_open_array(w, "errors");
	for (unsigned i = 0; i < bulk->n_errors; i++) {
		json_open_object(w, NULL);
		json_put_uint(w, "line", bulk->errors[i].line);
		json_put_string(w, "cause", problem_name(bulk->errors[i].cause));
		json_put_string(w, "detail", bulk->errors[i].detail);
		json_close(w);
	}
	json_close(w);
	text = json_take(w, &len);
	if (!text) {
		answer_problem(bulk, PROBLEM_INSUFFICIENT_RESOURCES, "no memory for the answer");
		return;
	}
	bulk->request = NULL;
	http_answer(request, 200, "application/json", text, len);
	json_text_free(text, len);
}

// A batch that was not durable ends the upload: what came before it counts, the rest does not.
static void answer_failure(struct bulk *bulk)
{
	char detail[128];

	snprintf(detail, sizeof(detail), "the store: %s; lines before may have been stored",
		 strerror(-bulk->status));
	answer_problem(bulk, problem_of_errno(bulk->status), detail);
}

// Answers and goes when the last line was seen and the last batch is through.
static void end_if_over(struct bulk *bulk)
{
	if (!bulk->is_ended || bulk->n_batches > 0)
		return;
	if (bulk->request && bulk->status)
		answer_failure(bulk);
	else if (bulk->request)
		answer_summary(bulk);
	bulk_free(bulk);
}

// ---- Batches

static int apply_batch(struct change *change, struct app *app)
{
	struct bulk_change *b = (struct bulk_change *)change;

	(void)app;
	for (; b->n_applied < b->n; b->n_applied++) {
		if (b->bulk->ops->apply(b->bulk, item_at(b, b->n_applied)))
			return -EAGAIN;
	}
	return 0;
}

static void batch_done(struct change *change, struct app *app, int status)
{
	struct bulk_change *b = (struct bulk_change *)change;
	struct bulk *bulk = b->bulk;

	(void)app;
	for (unsigned i = 0; i < b->n; i++)
		bulk->ops->done(bulk, item_at(b, i), status);
	bulk->n_batches--;
	if (status && !bulk->status)
		bulk->status = status;
	free(b);
	if (bulk->is_held && bulk->request) {
		bulk->is_held = false;
		http_resume(bulk->request);
		return; // which may have ended the upload
	}
	end_if_over(bulk);
}

static void commit_open(struct bulk *bulk)
{
	struct bulk_change *b = bulk->open;

	if (!b)
		return;
	bulk->open = NULL;
	bulk->n_batches++;
	apply_commit(bulk->app, b->batch, &b->change);
}

// Opens a batch: 0, -EAGAIN when it has to wait for one under way, -EBUSY when the store's queue is
// full of others', -ENOMEM.
static int open_batch(struct bulk *bulk)
{
	struct bulk_change *b;

	if (bulk->open)
		return 0;
	if (bulk->n_batches >= BULK_BATCHES_MAX)
		return -EAGAIN;
	b = calloc(1, sizeof(*b) + BULK_BATCH_LINES * bulk->ops->item_size);
	if (!b)
		return -ENOMEM;
	b->batch = apply_begin(bulk->app);
	if (!b->batch) {
		free(b);
		return bulk->n_batches > 0 ? -EAGAIN : -EBUSY;
	}
	b->bulk = bulk;
	b->change.apply = apply_batch;
	b->change.done = batch_done;
	bulk->open = b;
	return 0;
}

// ---- Lines

static void note_error(struct bulk *bulk, const struct problem *problem)
{
	struct bulk_error *e;

	bulk->n_failed++;
	if (!bulk->errors)
		bulk->errors = calloc(BULK_ERRORS_MAX, sizeof(*bulk->errors));
	if (!bulk->errors || bulk->n_errors == BULK_ERRORS_MAX)
		return;
	e = &bulk->errors[bulk->n_errors++];
	e->line = bulk->n_lines;
	e->cause = problem->cause;
	if (problem->n_params > 0)
		snprintf(e->detail, sizeof(e->detail), "%s: %s", problem->params[0].param,
			 problem->params[0].reason);
	else
		snprintf(e->detail, sizeof(e->detail), "%.175s", problem->detail);
}

static void read_line(struct bulk *bulk, const char *line, size_t len)
{
	struct bulk_change *b = bulk->open;
	struct problem problem;
	struct json_reader reader = {.pointer = "", .problem = &problem};
	struct json *document;

	problem_init(&problem);
	bulk->n_lines++;
	document = json_parse(line, len, &problem);
	if (document) {
		reader.object = document;
		bulk->ops->line(bulk, &reader, b->batch, item_at(b, b->n));
		json_free(document);
	}
	if (problem_is(&problem)) {
		note_error(bulk, &problem);
		return;
	}
	if (++b->n == BULK_BATCH_LINES)
		commit_open(bulk);
}

// The upload is over before its end: nothing more comes from the door.
static int give_up(struct bulk *bulk, enum problem_cause cause, const char *detail)
{
	if (bulk->status)
		answer_failure(bulk);
	else
		answer_problem(bulk, cause, detail);
	bulk_end(bulk);
	return -EIO;
}

int bulk_line(void *ctx, char *line, size_t len)
{
	struct bulk *bulk = ctx;

	if (bulk->status)
		return give_up(bulk, PROBLEM_STORE_UNAVAILABLE, "");
	switch (open_batch(bulk)) {
	case 0:
		break;
	case -EAGAIN:
		bulk->is_held = true;
		return -EAGAIN;
	case -EBUSY:
		return give_up(bulk, PROBLEM_NF_CONGESTION,
			       "the store's queue is full; lines before may have been stored");
	default:
		return give_up(bulk, PROBLEM_INSUFFICIENT_RESOURCES, "no memory");
	}
	read_line(bulk, line, len);
	return 0;
}

void bulk_end(void *ctx)
{
	struct bulk *bulk = ctx;

	commit_open(bulk);
	bulk->is_ended = true;
	end_if_over(bulk);
}

void bulk_gone(void *ctx)
{
	struct bulk *bulk = ctx;

	bulk->request = NULL;
	bulk_end(bulk);
}
