#include "control/api/push_api.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/api/answer.h"
#include "control/api/push_json.h"
#include "control/http/http.h"
#include "control/json/json.h"
#include "control/json/problem.h"
#include "control/push/push_view.h"
#include "control/registry/af.h"

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

void push_api_answer(struct http_request *request, int status, const struct push_view *view)
{
	struct json_writer *w = json_write();

	push_json_write(w, view);
	answer_json(request, status, w);
}

void push_api_created(struct http_request *request, struct app *app, const uint8_t id[PUSH_ID])
{
	char location[64 + AKMA_FQDN_MAX], text[PUSH_ID_TEXT + 1];
	struct push_view view;
	int error = push_view_get(app, id, &view);

	push_id_write(text, id);
	if (error) {
		problem_answer_cause(
			request, error == -ENOENT ? PROBLEM_PUSH_DELETED : problem_of_errno(error),
			"the request was accepted as push %s, which %s", text,
			error == -ENOENT ? "is over and was deleted" : "can't be read");
		return;
	}
	snprintf(location, sizeof(location), "/akma-push/v1/%s/pushes/%s", view.facts.fqdn, text);
	http_set_header(request, "location", location);
	push_api_answer(request, 201, &view);
}
