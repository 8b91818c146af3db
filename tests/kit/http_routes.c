#include "tests/kit/http_routes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/http/http.h"
#include "control/json/json.h"
#include "control/json/problem.h"
#include "control/loop.h"

struct routes_seen routes_seen;

static const char small[] =
	"{\"kaf\":\"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\","
	"\"expiry\":\"2026-01-01T00:00:00.000Z\"}";

static void get_small(struct http_request *request, void *app)
{
	(void)app;
	routes_seen.requests++;
	http_answer(request, 200, "application/json", small, sizeof(small) - 1);
}

static void post_echo(struct http_request *request, void *app)
{
	struct problem problem;
	struct json *document;

	(void)app;
	routes_seen.requests++;
	problem_init(&problem);
	document = json_parse((const char *)request->body, request->body_len, &problem);
	if (document == NULL) {
		problem_answer(request, &problem);
		return;
	}
	json_free(document);
	http_set_header(request, "location", "/echo/1");
	http_answer(request, 201, "application/json", request->body, request->body_len);
}

static void post_short(struct http_request *request, void *app)
{
	(void)app;
	routes_seen.requests++;
	http_answer(request, 204, NULL, NULL, 0);
}

static void get_later(struct http_request *request, void *app)
{
	(void)app;
	routes_seen.requests++;
	if (routes_seen.n_later == sizeof(routes_seen.later) / sizeof(*routes_seen.later))
		http_answer(request, 503, NULL, NULL, 0);
	else
		routes_seen.later[routes_seen.n_later++] = request;
}

void routes_answer_later(void)
{
	while (routes_seen.n_later > 0)
		http_answer(routes_seen.later[--routes_seen.n_later], 200, "text/plain", "late", 4);
}

struct soon {
	struct loop_timer *timer;
	struct http_request *request;
};

static void soon_expired(void *ctx)
{
	struct soon *soon = ctx;

	http_answer(soon->request, 200, "text/plain", "soon", 4);
	loop_timer_free(soon->timer);
	free(soon);
}

static void get_soon(struct http_request *request, void *app)
{
	struct soon *soon;

	if (routes_seen.loop == NULL) {
		get_later(request, app);
		return;
	}
	soon = malloc(sizeof(*soon));
	routes_seen.requests++;
	soon->request = request;
	soon->timer = loop_timer_new(routes_seen.loop, soon_expired, soon);
	loop_timer_start(soon->timer, 20);
}

struct stream {
	uint64_t left;
	uint64_t fail_at; // octets left
};

static long stream_next(void *source, uint8_t *to, size_t max)
{
	struct stream *stream = source;
	size_t n = stream->left < max ? stream->left : max;

	if (stream->fail_at != 0 && stream->left <= stream->fail_at)
		return -EIO;
	memset(to, 'x', n);
	stream->left -= n;
	return (long)n;
}

static void stream_done(void *source)
{
	routes_seen.sources_done++;
	free(source);
}

static void get_stream(struct http_request *request, void *app)
{
	static const struct http_source source = {stream_next, stream_done};
	const char *octets = http_query(request, "octets"), *fail = http_query(request, "fail");
	struct stream *stream = malloc(sizeof(*stream));

	(void)app;
	routes_seen.requests++;
	stream->left = octets != NULL ? strtoull(octets, NULL, 10) : 0;
	stream->fail_at = fail != NULL ? strtoull(fail, NULL, 10) : 0;
	http_answer_stream(request, 200, "application/octet-stream", &source, stream);
}

static long tap_next(void *source, uint8_t *to, size_t max)
{
	struct routes_seen *seen = source;
	size_t n = seen->tap_octets < max ? seen->tap_octets : max;

	if (n == 0 && !seen->tap_over)
		return -EAGAIN;
	memset(to, 't', n);
	seen->tap_octets -= (unsigned)n;
	return (long)n;
}

static void tap_done(void *source)
{
	struct routes_seen *seen = source;

	seen->sources_done++;
	seen->tap = NULL;
}

static void get_tap(struct http_request *request, void *app)
{
	static const struct http_source source = {tap_next, tap_done};

	(void)app;
	routes_seen.requests++;
	routes_seen.tap = request;
	http_answer_stream(request, 200, "text/plain", &source, &routes_seen);
}

struct lines {
	struct http_request *request;
	unsigned n;
	bool was_held;
};

static void *lines_begin(struct http_request *request)
{
	struct lines *lines = calloc(1, sizeof(*lines));

	routes_seen.begun++;
	if (http_header(request, "x-refuse") != NULL) {
		problem_answer_cause(request, PROBLEM_AF_NOT_FOUND, NULL);
		free(lines);
		return NULL;
	}
	lines->request = request;
	return lines;
}

static int lines_line(void *upload, char *line, size_t len)
{
	struct lines *lines = upload;

	if (strlen(line) != len)
		abort();
	if (routes_seen.hold_each != 0 && (lines->n + 1) % routes_seen.hold_each == 0 &&
	    !lines->was_held) {
		lines->was_held = true;
		routes_seen.held = lines->request;
		return -EAGAIN;
	}
	lines->was_held = false;
	lines->n++;
	routes_seen.lines++;
	routes_seen.line_octets += len;
	if (lines->n == routes_seen.refuse_at) {
		problem_answer_cause(lines->request, PROBLEM_INVALID_MSG_FORMAT, "line %u",
				     lines->n);
		free(lines);
		return -EBADMSG;
	}
	return 0;
}

static void lines_end(void *upload)
{
	struct lines *lines = upload;
	char text[32];

	routes_seen.ended++;
	snprintf(text, sizeof(text), "%u", lines->n);
	http_answer(lines->request, 200, "text/plain", text, strlen(text));
	free(lines);
}

static void lines_gone(void *upload)
{
	routes_seen.gone++;
	if (routes_seen.held == ((struct lines *)upload)->request)
		routes_seen.held = NULL;
	free(upload);
}

static void get_thing(struct http_request *request, void *app)
{
	char text[256];

	(void)app;
	routes_seen.requests++;
	snprintf(text, sizeof(text), "%s|%s|%s", request->segment[0],
		 request->segment[1] != NULL ? request->segment[1] : "-",
		 http_query(request, "q") != NULL ? http_query(request, "q") : "-");
	http_answer(request, 200, "text/plain", text, strlen(text));
}

static void get_roles(struct http_request *request, void *app)
{
	char text[300];

	(void)app;
	snprintf(text, sizeof(text), "%u %s", request->roles,
		 request->peer_af != NULL ? request->peer_af : "-");
	http_answer(request, 200, "text/plain", text, strlen(text));
}

static const struct http_upload lines_upload = {lines_begin, lines_line, lines_end, lines_gone};

static const struct http_route routes[] = {
	{HTTP_GET, "/small", HTTP_ROLE_ANY, HTTP_NONE, .handle = get_small, .op = "small"},
	{HTTP_POST, "/echo", HTTP_ROLE_ANY, HTTP_JSON, .handle = post_echo, .op = "echo"},
	{HTTP_POST, "/short", HTTP_ROLE_ANY, HTTP_JSON, 16, .handle = post_short, .op = "short"},
	{HTTP_GET, "/later", HTTP_ROLE_ANY, HTTP_NONE, .handle = get_later, .op = "later"},
	{HTTP_GET, "/later/soon", HTTP_ROLE_ANY, HTTP_NONE, .handle = get_soon, .op = "soon"},
	{HTTP_GET, "/stream", HTTP_ROLE_ANY, HTTP_NONE, .handle = get_stream, .op = "stream"},
	{HTTP_GET, "/tap", HTTP_ROLE_ANY, HTTP_NONE, .handle = get_tap, .op = "tap"},
	{HTTP_POST, "/lines", HTTP_ROLE_ANY, HTTP_NDJSON, 1024, .upload = &lines_upload,
	 .op = "lines"},
	{.pattern = NULL},
};

static const struct http_route things[] = {
	{HTTP_GET, "/things/{a}/{b}", HTTP_ROLE_ANY, HTTP_NONE, .handle = get_thing, .op = "thing"},
	{HTTP_DELETE, "/things/{a}/{b}", HTTP_ROLE_ANY, HTTP_NONE, .handle = get_thing,
	 .op = "delete-thing"},
	{HTTP_GET, "/things/literal/{b}", HTTP_ROLE_ANY, HTTP_NONE, .handle = get_thing,
	 .op = "literal"},
	{HTTP_GET, "/op", HTTP_ROLE_OPERATOR, HTTP_NONE, .handle = get_roles, .op = "op"},
	{HTTP_GET, "/admin", HTTP_ROLE_ADMIN, HTTP_NONE, .handle = get_roles, .op = "admin"},
	{HTTP_GET, "/roles", HTTP_ROLE_ANY, HTTP_NONE, .handle = get_roles, .op = "roles"},
	{.pattern = NULL},
};

int routes_init(struct loop *loop)
{
	static const struct http_route *const tables[] = {routes, things, NULL};

	memset(&routes_seen, 0, sizeof(routes_seen));
	routes_seen.loop = loop;
	return http_routes(tables, NULL);
}
