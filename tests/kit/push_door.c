#include "tests/kit/push_door.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_MAX_OCTETS = 2048, STREAM_STEP = 1000 };

// The public part comes first: a handler's request is one of these.
struct exchange {
	struct http_request request;
	struct ask ask;
	struct answer *answer;
	void *app;
	char path[PATH_MAX_OCTETS], *query;
	char value[PATH_MAX_OCTETS]; // of the query parameter last asked for
	char *body;
};

static struct exchange *exchange_of(const struct http_request *request)
{
	return (struct exchange *)request;
}

// ---- Routes

// Cuts the path where the pattern has a {…}; what it stands for goes into segment.
static bool match(const char *pattern, char *path, const char *segment[HTTP_SEGMENTS_MAX])
{
	unsigned n = 0;

	while (*pattern && *path) {
		if (*pattern == '{') {
			segment[n++] = path;
			path += strcspn(path, "/");
			pattern += strcspn(pattern, "}") + 1;
			if (*path && *pattern) {
				*path++ = 0;
				pattern++;
			}
			continue;
		}
		if (*pattern++ != *path++)
			return false;
	}
	return !*pattern && !*path;
}

static const struct http_route *find_route(const struct http_route *const *tables,
					   struct exchange *x)
{
	char path[PATH_MAX_OCTETS];

	strcpy(path, x->path);
	for (; *tables; tables++) {
		for (const struct http_route *route = *tables; route->pattern; route++) {
			strcpy(x->path, path);
			memset(x->request.segment, 0, sizeof(x->request.segment));
			if (route->method == x->request.method &&
			    match(route->pattern, x->path, x->request.segment))
				return route;
		}
	}
	fprintf(stderr, "no route: %s\n", path);
	abort();
}

// ---- Asking

static void upload(const struct http_route *route, struct http_request *request)
{
	char *text = strdup(exchange_of(request)->ask.body), *line, *rest;
	void *ctx = route->upload->begin(request);

	for (line = strtok_r(text, "\n", &rest); ctx && line; line = strtok_r(NULL, "\n", &rest)) {
		int status = route->upload->line(ctx, line, strlen(line));

		assert(!status); // tests keep uploads below what holds them back
	}
	if (ctx)
		route->upload->end(ctx);
	free(text);
}

static void fill_in(struct exchange *x, const struct ask *ask)
{
	const char *query = strchr(ask->path, '?');

	strcpy(x->path, ask->path);
	if (query) {
		x->path[query - ask->path] = 0;
		x->query = strdup(query + 1);
	}
	x->body = strdup(ask->body ? ask->body : "");
	x->request.method = ask->method;
	x->request.body = (const uint8_t *)x->body;
	x->request.body_len = strlen(x->body);
	x->request.roles = ask->roles ? ask->roles : HTTP_ROLE_ANY;
	x->request.peer_af = ask->peer_af;
}

void door_ask(const struct http_route *const *tables, void *app, const struct ask *ask,
	      struct answer *answer)
{
	struct exchange *x = calloc(1, sizeof(*x));
	const struct http_route *route;

	assert(x && strlen(ask->path) < sizeof(x->path));
	memset(answer, 0, sizeof(*answer));
	x->ask = *ask;
	x->answer = answer;
	x->app = app;
	fill_in(x, ask);
	route = find_route(tables, x);
	x->request.route = route;
	if (route->body == HTTP_NDJSON)
		upload(route, &x->request);
	else
		route->handle(&x->request, app);
}

void door_forget(struct answer *answer)
{
	free(answer->body);
	memset(answer, 0, sizeof(*answer));
}

// ---- What handlers call

void *http_app(const struct http_request *request)
{
	return exchange_of(request)->app;
}

const char *http_header(const struct http_request *request, const char *name)
{
	return strcmp(name, "idempotency-key") ? NULL : exchange_of(request)->ask.idempotency_key;
}

static const char *next_parameter(const char *at)
{
	at = strchr(at, '&');
	return at ? at + 1 : NULL;
}

const char *http_query(const struct http_request *request, const char *name)
{
	struct exchange *x = exchange_of(request);
	size_t len = strlen(name);

	for (const char *at = x->query; at; at = next_parameter(at)) {
		if (strncmp(at, name, len) || at[len] != '=')
			continue;
		snprintf(x->value, sizeof(x->value), "%.*s", (int)strcspn(at + len + 1, "&"),
			 at + len + 1);
		return x->value;
	}
	return NULL;
}

const char *http_query_unknown(const struct http_request *request, const char *const *known)
{
	for (const char *at = exchange_of(request)->query; at; at = next_parameter(at)) {
		const char *const *name = known;

		while (*name && (strncmp(at, *name, strlen(*name)) || at[strlen(*name)] != '='))
			name++;
		if (!*name)
			return at;
	}
	return NULL;
}

void http_set_header(struct http_request *request, const char *name, const char *value)
{
	struct answer *answer = exchange_of(request)->answer;

	if (!strcmp(name, "location"))
		snprintf(answer->location, sizeof(answer->location), "%s", value);
	if (!strcmp(name, "retry-after"))
		snprintf(answer->retry_after, sizeof(answer->retry_after), "%s", value);
}

static void end(struct http_request *request, int status)
{
	struct exchange *x = exchange_of(request);

	assert(!x->answer->is_there);
	x->answer->is_there = true;
	x->answer->status = status;
	free(x->query);
	free(x->body);
	free(x);
}

void http_answer(struct http_request *request, int status, const char *type, const void *body,
		 size_t len)
{
	struct answer *answer = exchange_of(request)->answer;

	(void)type;
	answer->body = calloc(1, len + 1);
	answer->len = len;
	if (len)
		memcpy(answer->body, body, len);
	end(request, status);
}

void http_answer_stream(struct http_request *request, int status, const char *type,
			const struct http_source *source, void *ctx)
{
	struct answer *answer = exchange_of(request)->answer;
	long n = 1;

	(void)type;
	while (n > 0) {
		answer->body = realloc(answer->body, answer->len + STREAM_STEP + 1);
		assert(answer->body);
		n = source->next(ctx, (uint8_t *)answer->body + answer->len, STREAM_STEP);
		assert(n >= 0);
		answer->len += (size_t)n;
		answer->body[answer->len] = 0;
	}
	source->done(ctx);
	end(request, status);
}

void http_resume(struct http_request *request)
{
	(void)request;
}
