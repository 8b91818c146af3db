#include "tools/load/load_call.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "tools/h2client.h"
#include "tools/load/load_options.h"
#include "tools/load/load_run.h"
#include "tools/load/reply.h"

static bool is_over(int status, int tries)
{
	const struct timespec pause = {.tv_nsec = 100000000};
	const bool is_lost = status < 0 && load_options.retry;

	if (!is_lost && status != 429 && status != 503)
		return true;
	if (tries > (int)load_options.timeout_s * 10 || load_interrupted())
		return true;
	nanosleep(&pause, NULL);
	return false;
}

static void complain(const char *method, const char *path, int status, const char *body, size_t len)
{
	const struct h2_response response = {
		.status = status, .body = (const uint8_t *)body, .body_len = len};
	char cause[40], detail[160];

	if (status < 0) {
		fprintf(stderr, "%s %s: %s: %s\n", method, path, load_options_server(),
			status == -EINVAL ? "no such host, or a path too long" : strerror(-status));
		if (status == -ECONNREFUSED)
			fprintf(stderr, "Is akmapushd running there? See --server.\n");
		return;
	}
	reply_problem(&response, cause, sizeof(cause), detail, sizeof(detail));
	fprintf(stderr, "%s %s: %d %s %s\n", method, path, status, cause, detail);
}

static void on_timeout(void *arg)
{
	struct h2client **client = arg;

	h2client_stop(*client);
}

static int call_once(const struct h2_request *request, char **answer, size_t *answer_len)
{
	struct h2client *client;
	const struct h2client_options options = {
		.host = load_options.host,
		.port = load_options.port,
		.socket = load_options.socket,
		.connections = 1,
		.streams = 1,
		.tick = on_timeout,
		.arg = &client,
	};
	int r = h2client_open(&client, &options);

	if (r)
		return r;
	h2client_wake_at(client,
			 clock_mono_ns(&clock_system) + load_options.timeout_s * 1000000000);
	r = h2client_call(client, request, answer, answer_len);
	if (r == -ENOTCONN)
		r = h2client_error(client);
	h2client_close(client);
	return r;
}

int load_call(const char *method, const char *path, const char *json, char **answer,
	      size_t *answer_len)
{
	const struct h2_request request = {
		.method = method,
		.path = path,
		.content_type = json ? "application/json" : NULL,
		.body = json,
		.body_len = json ? strlen(json) : 0,
	};
	char *body = NULL;
	size_t len = 0;
	int status;

	for (int tries = 0;; tries++) {
		status = call_once(&request, &body, &len);
		if (is_over(status, tries))
			break;
		free(body);
		body = NULL;
	}
	if (status < 200 || status > 299)
		complain(method, path, status, body, body ? len : 0);
	if (answer) {
		*answer = body;
		*answer_len = len;
	} else {
		free(body);
	}
	return status;
}
