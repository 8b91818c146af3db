#pragma once
// Uploads of many lines, as POST /ues and POST …/members take them: each line is a JSON object that
// becomes part of a store batch; batches go through apply.h a few at a time while the next is
// filled; a line that is wrong is counted and reported and the others count. The answer comes when
// all is durable and applied. Control thread only.
//
// A user embeds struct bulk in its own structure and gives the operations; an item is what a good
// line leaves to be applied.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/json/problem.h"

struct app;
struct bulk;
struct bulk_change;
struct http_request;
struct json_reader;
struct json_writer;
struct store_batch;

enum { BULK_LINE_MAX = 4096, BULK_BATCH_LINES = 1000, BULK_BATCHES_MAX = 4, BULK_ERRORS_MAX = 100 };

struct bulk_ops {
	size_t item_size;
	// Reads a line, fills batch and item. What is wrong is noted in the reader's problem; the
	// batch may keep names that were given then, but nothing else.
	void (*line)(struct bulk *bulk, const struct json_reader *reader, struct store_batch *batch,
		     void *item);
	// As in struct change, for one item; items in their order.
	int (*apply)(struct bulk *bulk, void *item);
	// The end of its batch, for one item: status as in struct change.
	void (*done)(struct bulk *bulk, const void *item, int status);
	// The members of the answer, but for failed and errors.
	void (*answer)(const struct bulk *bulk, struct json_writer *w);
	void (*free)(struct bulk *bulk);
};

struct bulk_error {
	uint64_t line;
	enum problem_cause cause;
	char detail[176];
};

struct bulk {
	const struct bulk_ops *ops;
	struct app *app;
	struct http_request *request; // NULL: answered, or the peer is gone
	struct bulk_change *open;     // being filled
	uint64_t n_lines, n_failed;
	struct bulk_error *errors;
	unsigned n_errors, n_batches; // batches under way
	int status;                   // of the first batch that failed
	bool is_held, is_ended;
};

// The upload's memory comes from calloc and belongs to bulk from here on.
void bulk_init(struct bulk *bulk, const struct bulk_ops *ops, struct app *app,
	       struct http_request *request);

// The members of struct http_upload, but for begin.
int bulk_line(void *bulk, char *line, size_t len);
void bulk_end(void *bulk);
void bulk_gone(void *bulk);
