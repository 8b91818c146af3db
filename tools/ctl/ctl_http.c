#include "tools/ctl/ctl_http.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "tools/ctl/ctl.h"
#include "tools/h2client.h"

enum { LINE_LEN_MAX = 1 << 20, TICK_MS = 100 };

enum ending { ENDING_NONE, ENDING_ANSWERED, ENDING_BROKEN_OFF, ENDING_STALLED, ENDING_TOO_LONG };

// One request under way. In line mode the response's body is the line that is not whole yet.
struct exchange {
	struct h2client *client;
	const struct ctl_request *request;
	struct ctl_response *response;
	size_t room;
	uint64_t moved_ns; // when something last moved
	enum ending ending;
	int error; // -errno that the connection ended with
	bool is_unasked;
};

void ctl_response_free(struct ctl_response *response)
{
	if (response->body)
		mem_wipe(response->body, response->body_len);
	free(response->body);
	response->body = NULL;
}

static void end(struct exchange *x, enum ending ending)
{
	if (x->ending == ENDING_NONE)
		x->ending = ending;
	h2client_stop(x->client);
}

// ---- In and out

static bool collect(struct exchange *x, const void *octets, size_t n)
{
	struct ctl_response *response = x->response;
	size_t need = response->body_len + n + 1;

	if (need > x->room) {
		char *grown = realloc(response->body, 2 * need + 4096);

		if (!grown)
			return false;
		response->body = grown;
		x->room = 2 * need + 4096;
	}
	if (n)
		memcpy(response->body + response->body_len, octets, n);
	response->body_len += n;
	response->body[response->body_len] = '\0';
	return true;
}

// Hands on what makes a whole line and keeps the rest, which is the body when the answer is a
// refusal: that is one object without an end of line.
static void on_data(void *arg, const uint8_t *octets, size_t n)
{
	struct exchange *x = arg;
	const uint8_t *line_end;

	x->moved_ns = clock_mono_ns(&clock_system);
	while (x->ending == ENDING_NONE && (line_end = memchr(octets, '\n', n))) {
		size_t len = (size_t)(line_end - octets);

		if (!collect(x, octets, len) ||
		    !x->request->line(x->request->arg, x->response->body, x->response->body_len))
			end(x, ENDING_BROKEN_OFF);
		x->response->body_len = 0;
		octets += len + 1;
		n -= len + 1;
	}
	if (x->ending != ENDING_NONE)
		return;
	if (x->response->body_len + n > LINE_LEN_MAX || !collect(x, octets, n))
		end(x, ENDING_TOO_LONG);
}

// Breaking off stops the client before what ends the body can leave.
static size_t on_read(void *arg, uint8_t *to, size_t max)
{
	struct exchange *x = arg;
	ssize_t n = x->request->read(x->request->arg, to, max);

	x->moved_ns = clock_mono_ns(&clock_system);
	if (n >= 0)
		return (size_t)n;
	end(x, ENDING_BROKEN_OFF);
	return 0;
}

static void on_tick(void *arg)
{
	struct exchange *x = arg;
	uint64_t now_ns = clock_mono_ns(&clock_system);
	unsigned stall_s = x->request->stall_s ? x->request->stall_s : CTL_STALL_S;

	if (ctl_interrupted)
		end(x, ENDING_BROKEN_OFF);
	else if (now_ns - x->moved_ns > stall_s * 1000000000ull)
		end(x, ENDING_STALLED);
	else
		h2client_wake_at(x->client, now_ns + TICK_MS * 1000000ull);
}

static void on_done(void *arg, const struct h2_response *response)
{
	struct exchange *x = arg;

	x->is_unasked = response->unasked;
	x->response->retry_after_s = response->retry_after_s;
	if (response->status < 0)
		x->error = response->status;
	else
		x->response->status = response->status;
	if (x->error == 0 && !x->request->line && !collect(x, response->body, response->body_len))
		end(x, ENDING_TOO_LONG);
	end(x, ENDING_ANSWERED);
}

// ---- A request

static int broken(struct ctl_response *response, const char *error)
{
	response->error = error;
	return -EPROTO;
}

static int outcome(const struct exchange *x)
{
	struct ctl_response *response = x->response;

	switch (x->ending) {
	case ENDING_BROKEN_OFF:
		return -ECANCELED;
	case ENDING_STALLED:
		return broken(response, "nothing moves any more");
	case ENDING_TOO_LONG:
		return broken(response, "the answer is too long");
	default:
		break;
	}
	if (x->error == 0)
		return 0;
	if (x->error == -EMSGSIZE)
		return broken(response, "the answer is too long");
	response->error = strerror(-x->error);
	return x->is_unasked ? -ENOTCONN : -EPROTO;
}

static void run(struct exchange *x)
{
	const struct ctl_request *request = x->request;
	const struct h2_request h2 = {
		.method = request->method,
		.path = request->path,
		.content_type = request->type,
		.idempotency_key = request->idempotency_key,
		.body = request->body,
		.body_len = request->body_len,
		.read = request->read ? on_read : NULL,
		.data = request->line ? on_data : NULL,
		.body_arg = x,
		.done = on_done,
		.arg = x,
	};

	if (h2client_request(x->client, &h2)) {
		x->error = h2client_error(x->client) ? h2client_error(x->client) : -ENOTCONN;
		x->is_unasked = true;
		return;
	}
	x->moved_ns = clock_mono_ns(&clock_system);
	h2client_wake_at(x->client, x->moved_ns + TICK_MS * 1000000ull);
	h2client_run(x->client);
}

int ctl_http(const char *socket, const struct ctl_request *request, struct ctl_response *response)
{
	struct exchange x = {.request = request, .response = response};
	const struct h2client_options options = {
		.socket = socket, .connections = 1, .streams = 1, .tick = on_tick, .arg = &x};
	int error;

	*response = (struct ctl_response){.error = ""};
	error = h2client_open(&x.client, &options);
	if (error == -EINVAL)
		response->error = "the path is too long for a socket";
	if (error)
		return error == -EINVAL ? -ENOTCONN : error;
	if (collect(&x, "", 0))
		run(&x);
	else
		error = -ENOMEM;
	h2client_close(x.client);
	if (!error)
		error = outcome(&x);
	// A last line without an end.
	if (!error && request->line && response->status == 200 && response->body_len &&
	    !request->line(request->arg, response->body, response->body_len))
		error = -ECANCELED;
	return error;
}

bool ctl_path_add(char path[CTL_PATH_MAX], const char *text)
{
	size_t n = strlen(path);

	for (; *text; text++) {
		bool is_plain = isalnum((unsigned char)*text) || strchr("-._~@", *text);

		if (n + 4 > CTL_PATH_MAX)
			return false;
		if (is_plain)
			path[n++] = *text;
		else
			n += (size_t)sprintf(path + n, "%%%02X", (unsigned char)*text);
	}
	path[n] = '\0';
	return true;
}
