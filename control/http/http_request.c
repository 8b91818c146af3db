// From header fields to a handler: every check that a handler should not have to make.

#include "control/http/http_request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "control/http/http_answer.h"
#include "control/http/http_exchange.h"
#include "control/http/http_problem.h"
#include "control/http/http_upload.h"

static const char *const method_names[HTTP_METHODS] = {
	[HTTP_GET] = "GET", [HTTP_PUT] = "PUT", [HTTP_POST] = "POST", [HTTP_DELETE] = "DELETE"};

static enum http_method method_of(const char *name)
{
	unsigned method = 0;

	while (method < HTTP_METHODS && strcmp(method_names[method], name) != 0)
		method++;
	return (enum http_method)method;
}

static void pseudo_header(struct exchange *x, const char *name, const char *value, size_t len)
{
	if (strcmp(name, ":method") == 0) {
		x->request.method = method_of(value);
		x->is_head = strcmp(value, "HEAD") == 0;
	} else if (strcmp(name, ":path") == 0) {
		x->path_len = len;
		x->path = len <= EXCHANGE_PATH_MAX ? text_copy(&x->text, value, len) : NULL;
	}
}

void request_header(struct exchange *x, const char *name, size_t name_len, const char *value,
		    size_t value_len)
{
	struct field *field = &x->headers[x->n_headers];

	if (x->state != EXCHANGE_HEADERS)
		return; // trailers
	x->header_octets += name_len + value_len + 32;
	if (x->header_octets > x->door->limits.header_octets ||
	    x->n_headers == EXCHANGE_HEADERS_MAX) {
		x->too_large = true;
		return;
	}
	if (*name == ':') {
		pseudo_header(x, name, value, value_len);
		return;
	}
	field->name = text_copy(&x->text, name, name_len);
	field->value = text_copy(&x->text, value, value_len);
	if (field->name == NULL || field->value == NULL)
		x->too_large = true;
	else
		x->n_headers++;
}

static void refuse_method(struct exchange *x, unsigned methods)
{
	char allow[40] = "";

	for (unsigned m = 0; m < HTTP_METHODS; m++) {
		if (!(methods & 1u << m))
			continue;
		if (*allow != '\0')
			strcat(allow, ", ");
		strcat(allow, method_names[m]);
	}
	http_set_header(&x->request, "allow", allow);
	problem_refuse(x, PROBLEM_METHOD_NOT_ALLOWED, NULL);
}

// Path and query to a route; false: the request was refused.
static bool find_route(struct exchange *x)
{
	struct http_request *request = &x->request;
	const char *query = x->path != NULL ? memchr(x->path, '?', x->path_len) : NULL;
	size_t path_len = query != NULL ? (size_t)(query - x->path) : x->path_len;
	struct route_match match = {0};
	struct path path;
	int status = -EBADMSG;

	if (x->path_len > EXCHANGE_PATH_MAX) {
		problem_refuse(x, PROBLEM_URI_TOO_LONG, NULL);
		return false;
	}
	if (x->path != NULL)
		status = path_parse(&path, &x->text, x->path, path_len);
	if (status == 0)
		status = route_find(&path, request->method, &match);
	switch (status) {
	case 0:
		break;
	case -ENOENT:
		problem_refuse(x, PROBLEM_RESOURCE_URI_STRUCTURE_NOT_FOUND, NULL);
		return false;
	case -EPERM:
		refuse_method(x, match.methods);
		return false;
	case -EBADMSG:
		problem_refuse(x, PROBLEM_INVALID_MSG_FORMAT, "the path is malformed");
		return false;
	default:
		problem_refuse(x, PROBLEM_NF_CONGESTION, "no memory");
		return false;
	}
	request->route = match.route;
	memcpy(request->segment, match.segment, sizeof(request->segment));
	x->op = match.op;
	if (query != NULL &&
	    query_parse(&x->query, &x->text, query + 1, x->path_len - path_len - 1) < 0) {
		problem_refuse(x, PROBLEM_INVALID_QUERY_PARAM, "the query is malformed");
		return false;
	}
	return true;
}

// "application/json" with any parameters, but no other charset than utf-8.
static bool media_type_is(const char *value, const char *type)
{
	size_t len = strlen(type);
	const char *charset;

	if (strncasecmp(value, type, len) != 0)
		return false;
	value += len + strspn(value + len, " \t");
	if (*value != '\0' && *value != ';')
		return false;
	charset = strcasestr(value, "charset=");
	if (charset == NULL)
		return true;
	charset += strlen("charset=");
	charset += *charset == '"';
	return strncasecmp(charset, "utf-8", 5) == 0 && strchr("\"; \t", charset[5]) != NULL;
}

static bool takes_media_type(const struct exchange *x)
{
	const char *type = http_header(&x->request, "content-type");

	switch (x->request.route->body) {
	case HTTP_JSON:
		return type != NULL && media_type_is(type, "application/json");
	case HTTP_NDJSON:
		return type != NULL && (media_type_is(type, "application/x-ndjson") ||
					media_type_is(type, "application/ndjson"));
	default:
		return true;
	}
}

static bool is_too_long(const struct exchange *x)
{
	const char *length = http_header(&x->request, "content-length");

	// The library has checked that it is a number, and will hold the peer to it.
	return x->request.route->body == HTTP_JSON && length != NULL &&
	       strtoull(length, NULL, 10) > x->body_max;
}

// What the peer and the door allow; false: the request was refused.
static bool admit(struct exchange *x)
{
	const struct http_route *route = x->request.route;
	const struct http_limits *limits = &x->door->limits;

	x->body_max = route->body_max != 0 ? route->body_max : limits->body_max;
	if (!(x->request.roles & route->roles))
		problem_refuse(x, PROBLEM_NOT_AUTHORIZED, NULL);
	else if (x->door->n_exchanges > limits->requests)
		problem_refuse(x, PROBLEM_NF_CONGESTION, "too many requests are under way");
	else if (route->body == HTTP_NDJSON && x->door->stats.uploads_now >= limits->uploads)
		problem_refuse(x, PROBLEM_NF_CONGESTION, "too many uploads are under way");
	else if (!takes_media_type(x))
		problem_refuse(x, PROBLEM_UNSUPPORTED_MEDIA_TYPE,
			       route->body == HTTP_JSON ? "expected application/json"
							: "expected application/x-ndjson");
	else if (is_too_long(x))
		problem_refuse(x, PROBLEM_PAYLOAD_TOO_LARGE, NULL);
	else
		return true;
	return false;
}

static bool identify(struct exchange *x)
{
	const struct http_peer *peer = x->peer;

	x->request.roles = peer->roles;
	if (peer->af[0] == '\0')
		return true;
	x->request.peer_af = text_copy(&x->text, peer->af, strlen(peer->af));
	if (x->request.peer_af == NULL)
		problem_refuse(x, PROBLEM_NF_CONGESTION, "no memory");
	return x->request.peer_af != NULL;
}

static void handle(struct exchange *x)
{
	exchange_wait(x, NULL);
	x->state = EXCHANGE_HANDLED;
	x->owed = true;
	x->request.route->handle(&x->request, route_app());
}

void request_begin(struct exchange *x, bool complete)
{
	const char *expect;

	x->door->stats.requests++;
	if (x->too_large) {
		problem_refuse(x, PROBLEM_HEADERS_TOO_LARGE, NULL);
		return;
	}
	if (!find_route(x) || !identify(x) || !admit(x))
		return;
	expect = http_header(&x->request, "expect");
	if (!complete && expect != NULL && strcasecmp(expect, "100-continue") == 0)
		x->ops->proceed(x);
	if (x->request.route->body == HTTP_NDJSON) {
		upload_begin(x, complete);
	} else if (x->request.route->body == HTTP_NONE) {
		handle(x);
	} else {
		x->state = EXCHANGE_BODY;
		if (complete)
			request_end(x);
	}
}

// An answer may overtake the body it is to. What is left of the body is taken all the same, for
// some clients lose the answer when they may not end what they began; but not without bounds: the
// peer has until the answer's time-out, and this many octets.
static void end_unwanted(struct exchange *x)
{
	if (x->answer.is_sent && x->n_unwanted > EXCHANGE_UNWANTED_MAX)
		x->ops->reset(x);
}

void request_answered(struct exchange *x)
{
	x->answer.is_sent = true;
	end_unwanted(x);
}

void request_data(struct exchange *x, const uint8_t *octets, size_t n)
{
	int status;

	if (x->state == EXCHANGE_UPLOAD) {
		upload_data(x, octets, n);
		return;
	}
	x->ops->consume(x, n);
	if (x->state != EXCHANGE_BODY) {
		x->n_unwanted += n;
		end_unwanted(x);
		return;
	}
	status = n <= x->body_max - x->body_len ? exchange_body_room(x, n) : -EMSGSIZE;
	if (status < 0) {
		exchange_body_free(x);
		problem_refuse(
			x, status == -EMSGSIZE ? PROBLEM_PAYLOAD_TOO_LARGE : PROBLEM_NF_CONGESTION,
			status == -EMSGSIZE ? NULL : "no memory for the body");
		return;
	}
	memcpy(x->body + x->body_len, octets, n);
	x->body_len += n;
}

void request_end(struct exchange *x)
{
	if (x->state == EXCHANGE_UPLOAD)
		upload_end(x);
	if (x->state != EXCHANGE_BODY)
		return;
	if (exchange_body_room(x, 0) < 0) {
		problem_refuse(x, PROBLEM_NF_CONGESTION, "no memory for the body");
		return;
	}
	x->body[x->body_len] = '\0';
	x->request.body = x->body;
	x->request.body_len = x->body_len;
	handle(x);
}

void request_closed(struct exchange *x)
{
	x->session = NULL;
	exchange_wait(x, NULL);
	if (x->state != EXCHANGE_ANSWERED)
		x->door->stats.requests_gone++;
	if (x->state == EXCHANGE_UPLOAD)
		upload_gone(x);
	if (x->state == EXCHANGE_ANSWERED)
		answer_closed(x);
	exchange_release(x);
}

void *http_app(const struct http_request *request)
{
	(void)request;
	return route_app();
}

const char *http_header(const struct http_request *request, const char *name)
{
	const struct exchange *x = exchange_of(request);

	for (unsigned i = 0; i < x->n_headers; i++)
		if (strcmp(x->headers[i].name, name) == 0)
			return x->headers[i].value;
	return NULL;
}

const char *http_query(const struct http_request *request, const char *name)
{
	const struct query *query = &exchange_of(request)->query;

	for (unsigned i = 0; i < query->n; i++)
		if (strcmp(query->params[i].name, name) == 0)
			return query->params[i].value;
	return NULL;
}

static bool is_one_of(const char *name, const char *const *known)
{
	for (; *known != NULL; known++)
		if (strcmp(name, *known) == 0)
			return true;
	return false;
}

const char *http_query_unknown(const struct http_request *request, const char *const *known)
{
	const struct query *query = &exchange_of(request)->query;

	for (unsigned i = 0; i < query->n; i++)
		if (!is_one_of(query->params[i].name, known))
			return query->params[i].name;
	return NULL;
}
