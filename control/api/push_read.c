// Pushes read, one or many.

#include <stdlib.h>
#include <string.h>

#include "control/api/answer.h"
#include "control/api/push_api.h"
#include "control/api/push_handlers.h"
#include "control/api/push_json.h"
#include "control/http/http.h"
#include "control/json/json.h"
#include "control/json/problem.h"
#include "control/push/push_catalog.h"
#include "control/push/push_view.h"
#include "control/registry/af.h"

void push_get(struct http_request *request, void *ctx)
{
	struct af *af = push_api_af(request, ctx);
	struct push_view view;
	uint8_t id[PUSH_ID];

	if (af && push_api_id(request, request->segment[1], id) &&
	    push_api_view(request, ctx, af->fqdn, id, &view))
		push_api_answer(request, 200, &view);
}

void push_get_any(struct http_request *request, void *ctx)
{
	struct push_view view;
	uint8_t id[PUSH_ID];

	if (push_api_id(request, request->segment[0], id) &&
	    push_api_view(request, ctx, NULL, id, &view))
		push_api_answer(request, 200, &view);
}

// ---- Lists

static void note_query(struct problem *problem, const char *name, const char *expected)
{
	problem_param(problem, PROBLEM_INVALID_QUERY_PARAM, name, "%s", expected);
}

static void read_state(struct http_request *request, struct push_catalog *catalog,
		       struct problem *problem)
{
	const char *state = http_query(request, "state");

	catalog->phase = NULL;
	if (!state)
		return;
	for (unsigned i = 0; push_phase_names[i]; i++) {
		if (!strcmp(push_phase_names[i], state))
			catalog->phase = push_phase_names[i];
	}
	if (!catalog->phase)
		note_query(problem, "state", "WAITING, RUNNING or FINISHED");
}

static void read_limit(struct http_request *request, struct push_catalog *catalog,
		       struct problem *problem)
{
	const char *limit = http_query(request, "limit");
	char *end;

	catalog->limit = PUSH_CATALOG_DEFAULT;
	if (!limit)
		return;
	catalog->limit = (unsigned)strtoul(limit, &end, 10);
	if (*limit < '0' || *limit > '9' || *end || strlen(limit) > 4 || !catalog->limit ||
	    catalog->limit > PUSH_CATALOG_MAX)
		note_query(problem, "limit", "1 to 1000");
}

static void write_push(void *ctx, const struct push_view *view)
{
	struct json_writer *w = ctx;

	json_open_object(w, NULL);
	push_json_write(w, view);
	json_close(w);
}

static void answer_list(struct http_request *request, struct app *app, struct push_catalog *catalog,
			const char *const *known)
{
	const char *unknown = http_query_unknown(request, known);
	struct problem problem;
	struct json_writer *w;
	size_t len;
	int error;

	problem_init(&problem);
	if (unknown)
		note_query(&problem, unknown, "not known here");
	read_state(request, catalog, &problem);
	read_limit(request, catalog, &problem);
	if (problem_is(&problem)) {
		problem_answer(request, &problem);
		return;
	}
	w = json_write();
	json_open_array(w, "pushes");
	error = push_catalog_each(app, catalog, write_push, w);
	json_close(w);
	if (!error) {
		answer_json(request, 200, w);
		return;
	}
	json_text_free(json_take(w, &len), 0);
	problem_answer_cause(request, problem_of_errno(error), "the pushes can't be read");
}

void push_list_own(struct http_request *request, void *ctx)
{
	static const char *const known[] = {"state", "limit", NULL};
	struct af *af = push_api_af(request, ctx);
	struct push_catalog catalog = {.fqdn = af ? af->fqdn : NULL};

	if (af)
		answer_list(request, ctx, &catalog, known);
}

void push_list_all(struct http_request *request, void *ctx)
{
	static const char *const known[] = {"af", "state", "limit", NULL};
	const char *af_id = http_query(request, "af");
	struct push_catalog catalog = {.fqdn = NULL};
	struct af *af = af_id ? af_find(ctx, af_id, strlen(af_id)) : NULL;

	if (af_id && !af) {
		problem_answer_cause(request, PROBLEM_AF_NOT_FOUND, "no such AF");
		return;
	}
	if (af)
		catalog.fqdn = af->fqdn;
	answer_list(request, ctx, &catalog, known);
}
