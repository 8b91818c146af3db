// /akma-push/v1/{afId}/pushes: the resource read and recalled; what its handlers share.

#include "control/push/push_api.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/api/answer.h"
#include "control/api/routes.h"
#include "control/app.h"
#include "control/apply.h"
#include "control/http/http.h"
#include "control/json/json.h"
#include "control/json/problem.h"
#include "control/push/push_catalog.h"
#include "control/push/push_registry.h"
#include "control/push/push_view.h"
#include "control/registry/af.h"
#include "control/store/store.h"

// ---- Shared

// An AF acts under its own name only, whether there is another or not.
static bool is_own(const struct http_request *request, const char *af_id)
{
	char own[AKMA_FQDN_MAX + 1], asked[AKMA_FQDN_MAX + 1];

	if (!request->peer_af)
		return true;
	return akma_fqdn_parse(request->peer_af, strlen(request->peer_af), own) >= 0 &&
	       akma_fqdn_parse(af_id, strlen(af_id), asked) >= 0 && !strcmp(own, asked);
}

struct af *push_api_af(struct http_request *request, struct app *app)
{
	const char *af_id = request->segment[0];
	struct af *af;

	if (!is_own(request, af_id)) {
		problem_answer_cause(request, PROBLEM_NOT_AUTHORIZED,
				     "an AF acts under its own name only");
		return NULL;
	}
	af = af_find(app, af_id, strlen(af_id));
	if (!af)
		problem_answer_cause(request, PROBLEM_AF_NOT_FOUND, "no such AF");
	return af;
}

bool push_api_sees_supi(const struct http_request *request, const struct af *af)
{
	return af->trusted || request->roles & HTTP_ROLE_ADMIN;
}

static void answer_not_found(struct http_request *request)
{
	problem_answer_cause(request, PROBLEM_PUSH_NOT_FOUND, "no such push");
}

bool push_api_id(struct http_request *request, const char *segment, uint8_t id[PUSH_ID])
{
	if (push_id_parse(segment, id))
		return true;
	answer_not_found(request);
	return false;
}

bool push_api_view(struct http_request *request, struct app *app, const char *fqdn,
		   const uint8_t id[PUSH_ID], struct push_view *view)
{
	int error = push_view_get(app, id, view);

	if (!error && (!fqdn || !strcmp(view->facts.fqdn, fqdn)))
		return true;
	if (!error || error == -ENOENT)
		answer_not_found(request);
	else
		problem_answer_cause(request, problem_of_errno(error), "the push can't be read");
	return false;
}

static void answer_view(struct http_request *request, int status, const struct push_view *view)
{
	struct json_writer *w = json_write();

	push_view_write(w, view);
	answer_json(request, status, w);
}

void push_api_created(struct http_request *request, struct app *app, const uint8_t id[PUSH_ID])
{
	char location[64 + AKMA_FQDN_MAX], text[PUSH_ID_TEXT + 1];
	struct push_view view;

	if (!push_api_view(request, app, NULL, id, &view))
		return;
	push_id_write(text, id);
	snprintf(location, sizeof(location), "/akma-push/v1/%s/pushes/%s", view.facts.fqdn, text);
	http_set_header(request, "location", location);
	answer_view(request, 201, &view);
}

// ---- GET

static void get_push(struct http_request *request, void *ctx)
{
	struct af *af = push_api_af(request, ctx);
	struct push_view view;
	uint8_t id[PUSH_ID];

	if (af && push_api_id(request, request->segment[1], id) &&
	    push_api_view(request, ctx, af->fqdn, id, &view))
		answer_view(request, 200, &view);
}

static void get_any_push(struct http_request *request, void *ctx)
{
	struct push_view view;
	uint8_t id[PUSH_ID];

	if (push_api_id(request, request->segment[0], id) &&
	    push_api_view(request, ctx, NULL, id, &view))
		answer_view(request, 200, &view);
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
	error = push_catalog_write(app, catalog, w);
	json_close(w);
	if (!error) {
		answer_json(request, 200, w);
		return;
	}
	json_text_free(json_take(w, &len), 0);
	problem_answer_cause(request, problem_of_errno(error), "the pushes can't be read");
}

static void list_pushes(struct http_request *request, void *ctx)
{
	static const char *const known[] = {"state", "limit", NULL};
	struct af *af = push_api_af(request, ctx);
	struct push_catalog catalog = {.fqdn = af ? af->fqdn : NULL};

	if (af)
		answer_list(request, ctx, &catalog, known);
}

static void list_all_pushes(struct http_request *request, void *ctx)
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

// ---- DELETE

struct recall {
	struct change change;
	struct http_request *request;
	uint8_t id[PUSH_ID];
};

static int apply_recall(struct change *change, struct app *app)
{
	struct recall *recall = (struct recall *)change;
	struct push *push = push_find(app, recall->id);

	return push ? push_stop(app, push, DP_RECALLED) : 0;
}

static void recall_done(struct change *change, struct app *app, int status)
{
	struct recall *recall = (struct recall *)change;
	struct push *push = push_find(app, recall->id);

	if (push)
		push->stop_asked = false;
	if (status)
		problem_answer_cause(recall->request, problem_of_errno(status), "%s",
				     strerror(-status));
	else
		http_answer(recall->request, 204, NULL, NULL, 0);
	free(recall);
}

static void recall_push(struct http_request *request, struct app *app, struct push *push)
{
	struct store_batch *batch;
	struct recall *recall;

	batch = answer_begin(request, sizeof(*recall), (void **)&recall);
	if (!batch)
		return;
	*recall = (struct recall){.change = {.apply = apply_recall, .done = recall_done},
				  .request = request};
	memcpy(recall->id, push->facts.id, PUSH_ID);
	push_put_stop(batch, recall->id, DP_RECALLED);
	push->stop_asked = true;
	apply_commit(app, batch, &recall->change);
}

static void delete_push(struct http_request *request, void *ctx)
{
	struct af *af = push_api_af(request, ctx);
	struct push_view view;
	uint8_t id[PUSH_ID];
	struct push *push;

	if (!af || !push_api_id(request, request->segment[1], id) ||
	    !push_api_view(request, ctx, af->fqdn, id, &view))
		return;
	push = push_find(ctx, id);
	if (!push_may_stop(push))
		problem_answer_cause(request, PROBLEM_PUSH_FINISHED, "the push is over");
	else
		recall_push(request, ctx, push);
}

// ---- Routes

#define PUSHES "/akma-push/v1/{afId}/pushes"
enum { PUSH_ROLES = HTTP_ROLE_AF };

const struct http_route push_routes[] = {
	{HTTP_POST, PUSHES, PUSH_ROLES, HTTP_JSON, .handle = push_post, .op = "push"},
	{HTTP_GET, PUSHES, PUSH_ROLES, HTTP_NONE, .handle = list_pushes, .op = "list-pushes"},
	{HTTP_GET, PUSHES "/{pushId}", PUSH_ROLES, HTTP_NONE, .handle = get_push, .op = "get-push"},
	{HTTP_PUT, PUSHES "/{pushId}", PUSH_ROLES, HTTP_JSON, .handle = push_put,
	 .op = "replace-push"},
	{HTTP_DELETE, PUSHES "/{pushId}", PUSH_ROLES, HTTP_NONE, .handle = delete_push,
	 .op = "recall-push"},
	{HTTP_GET, PUSHES "/{pushId}/results", PUSH_ROLES, HTTP_NONE, .handle = push_results,
	 .op = "push-results"},
	{HTTP_POST, "/akma-push/v1/{afId}/push-info", PUSH_ROLES, HTTP_JSON, .handle = push_info,
	 .op = "push-info"},
	{0},
};

const struct http_route push_admin_routes[] = {
	{HTTP_GET, "/admin/v1/pushes", HTTP_ROLE_ADMIN, HTTP_NONE, .handle = list_all_pushes,
	 .op = "admin-pushes"},
	{HTTP_GET, "/admin/v1/pushes/{pushId}", HTTP_ROLE_ADMIN, HTTP_NONE, .handle = get_any_push,
	 .op = "admin-push"},
	{0},
};
