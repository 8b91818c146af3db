#include <stdio.h>
#include <string.h>

#include "control/api/answer.h"
#include "control/app.h"
#include "control/apply.h"
#include "control/json/json.h"
#include "control/json/problem.h"
#include "control/operations/operations.h"

bool health_is_good(const struct app *app, char *reason, size_t max)
{
	if (app->is_ending) {
		snprintf(reason, max, "the daemon is ending");
		return false;
	}
	if (apply_status(app)) {
		snprintf(reason, max, "the store refuses writes: %s", strerror(-apply_status(app)));
		return false;
	}
	return true;
}

static void get_health(struct http_request *request, void *app)
{
	char reason[128];
	struct json_writer *w;

	if (!health_is_good(app, reason, sizeof(reason))) {
		problem_answer_cause(request, PROBLEM_STORE_UNAVAILABLE, "%s", reason);
		return;
	}
	w = json_write();
	json_put_string(w, "status", "ok");
	answer_json(request, 200, w);
}

const struct http_route health_routes[] = {
	{HTTP_GET, "/health", HTTP_ROLE_ANY, HTTP_NONE, 0, get_health, NULL, "health"},
	{0},
};
