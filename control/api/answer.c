#include "control/api/answer.h"

#include <stdlib.h>

#include "control/apply.h"
#include "control/http/http.h"
#include "control/json/json.h"
#include "control/json/problem.h"

enum { RETRY_S = 1 };

void answer_json(struct http_request *request, int status, struct json_writer *w)
{
	size_t len;
	char *text = json_take(w, &len);

	if (!text) {
		problem_answer_cause(request, PROBLEM_INSUFFICIENT_RESOURCES,
				     "no memory for the answer");
		return;
	}
	http_answer(request, status, "application/json", text, len);
	json_text_free(text, len);
}

void answer_later(struct http_request *request, const char *why)
{
	struct problem problem;

	problem_init(&problem);
	problem_set(&problem, PROBLEM_NF_CONGESTION, "%s", why);
	problem.retry_after_s = RETRY_S;
	problem_answer(request, &problem);
}

void answer_congestion(struct http_request *request)
{
	answer_later(request, "the store's queue is full");
}

struct store_batch *answer_begin(struct http_request *request, size_t size, void **change)
{
	struct store_batch *batch;

	*change = calloc(1, size);
	if (!*change) {
		problem_answer_cause(request, PROBLEM_INSUFFICIENT_RESOURCES, "no memory");
		return NULL;
	}
	batch = apply_begin(http_app(request));
	if (batch)
		return batch;
	free(*change);
	answer_congestion(request);
	return NULL;
}
