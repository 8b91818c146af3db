// ProblemDetails as an answer; apart from problem.c, so that tools have the notes without the door.

#include "control/http/http_problem.h"

#include <stdarg.h>
#include <stdio.h>

#include "control/http/http_exchange.h"
#include "control/json/json.h"
#include "control/json/problem.h"

static const char *title(enum problem_cause cause)
{
	static const char *const titles[] = {
#define X(cause, status, title) [PROBLEM_##cause] = title,
		PROBLEM_CAUSES(X)
#undef X
	};

	return titles[cause];
}

static char *details(const struct problem *problem, int status, size_t *len)
{
	struct json_writer *w = json_write();

	json_put_string(w, "title", title(problem->cause));
	json_put_uint(w, "status", (uint64_t)status);
	if (problem->detail[0] != '\0')
		json_put_string(w, "detail", problem->detail);
	json_put_string(w, "cause", problem_name(problem->cause));
	if (problem->n_params > 0) {
		json_open_array(w, "invalidParams");
		for (unsigned i = 0; i < problem->n_params; i++) {
			json_open_object(w, NULL);
			json_put_string(w, "param", problem->params[i].param);
			json_put_string(w, "reason", problem->params[i].reason);
			json_close(w);
		}
		json_close(w);
	}
	return json_take(w, len);
}

void problem_answer(struct http_request *request, const struct problem *problem)
{
	int status = problem_status(problem->cause);
	unsigned retry_after_s = problem->retry_after_s;
	size_t len = 0;
	char seconds[16];
	char *text;

	if (retry_after_s == 0 && status == 503)
		retry_after_s = 1;
	if (retry_after_s > 0) {
		snprintf(seconds, sizeof(seconds), "%u", retry_after_s);
		http_set_header(request, "retry-after", seconds);
	}
	text = details(problem, status, &len);
	http_answer(request, status, "application/problem+json", text, len);
	json_text_free(text, len);
}

void problem_answer_cause(struct http_request *request, enum problem_cause cause,
			  const char *detail, ...)
{
	struct problem problem;
	va_list args;

	problem_init(&problem);
	problem.cause = cause;
	if (detail != NULL) {
		va_start(args, detail);
		vsnprintf(problem.detail, sizeof(problem.detail), detail, args);
		va_end(args);
	}
	problem_answer(request, &problem);
}

void problem_refuse(struct exchange *x, enum problem_cause cause, const char *detail)
{
	x->owed = true;
	if (problem_status(cause) == 503)
		x->door->stats.requests_refused++;
	if (detail != NULL)
		problem_answer_cause(&x->request, cause, "%s", detail);
	else
		problem_answer_cause(&x->request, cause, NULL);
}
