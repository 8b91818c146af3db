#pragma once
// The HTTP/2 door: requests in, answers out. Three listeners share it: the service interface
// (cleartext on loopback, or TLS 1.3 with client certificates) and the admin socket. A handler gets
// a whole request and answers it exactly once, now or later; a peer that went away in between makes
// no difference to it. Everything here: control thread only.
//
// Bodies come whole (HTTP_JSON), or line by line as they arrive (HTTP_NDJSON, see struct
// http_upload). What no handler should see is answered before: unknown path 404, method 405 with
// Allow, media type 415, body too long 413, role 403, too many requests under way 503 with
// Retry-After.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum http_method { HTTP_GET, HTTP_PUT, HTTP_POST, HTTP_DELETE, HTTP_METHODS };

enum http_body { HTTP_NONE, HTTP_JSON, HTTP_NDJSON };

// What a peer may do. Cleartext on loopback and the admin socket have all roles.
enum http_role {
	HTTP_ROLE_AUSF = 1,
	HTTP_ROLE_OPERATOR = 2,
	HTTP_ROLE_AF = 4,
	HTTP_ROLE_ANY = 7,
	HTTP_ROLE_ADMIN = 8, // the admin socket alone
};

enum { HTTP_SEGMENTS_MAX = 4 };

struct http_request {
	enum http_method method;
	// What the {…} of the route's pattern stand for, in order, percent-decoded, terminated.
	const char *segment[HTTP_SEGMENTS_MAX];
	const uint8_t *body; // JSON: the whole body, terminated by a zero behind it; else NULL
	size_t body_len;
	unsigned roles;      // of the peer
	const char *peer_af; // FQDN that the peer may act under as an AF; NULL: any
	const struct http_route *route;
};

// An upload of lines (application/x-ndjson). `line` gets each line without its end (\n or \r\n;
// empty lines are skipped), terminated. It returns 0; -EAGAIN to get the same line again after
// http_resume (the peer is held back by flow control); or another -errno after it has answered the
// request: the rest is discarded. `end` comes after the last line; `gone` instead of any further
// call when the peer went away before, or when the door has ended the request itself (a line too
// long, a peer too slow, no memory): nothing is owed then, and the request is gone. The request may
// also be answered between calls, while the upload is held: nothing more is called then.
struct http_upload {
	void *(*begin)(struct http_request *request); // NULL: it has answered the request
	int (*line)(void *upload, char *line, size_t len);
	void (*end)(void *upload);
	void (*gone)(void *upload);
};

struct http_route {
	enum http_method method;
	const char *pattern; // "/akma-push/v1/{afId}/pushes/{pushId}"
	unsigned roles;      // any of these
	enum http_body body;
	size_t body_max; // octets; HTTP_NDJSON: of one line; 0: the default of the configuration
	void (*handle)(struct http_request *request, void *app); // HTTP_NONE, HTTP_JSON
	const struct http_upload *upload;                        // HTTP_NDJSON
	const char *op; // label of the metrics: "register-anchorkey"
};

// Tables of routes, each ended by an entry without a pattern; a NULL ends the list. A literal
// segment goes before a {…} at the same place. `app` is handed to every handler. Returns 0 or
// -EINVAL for two routes that can't be told apart.
int http_routes(const struct http_route *const *tables, void *app);
void *http_app(const struct http_request *request);

// A request header (lower-case name) or NULL; a query parameter, percent-decoded, or NULL.
const char *http_header(const struct http_request *request, const char *name);
const char *http_query(const struct http_request *request, const char *name);
// The first query parameter that is none of `known` (NULL-terminated), or NULL: for a 400.
const char *http_query_unknown(const struct http_request *request, const char *const *known);

// Before the answer: a response header. Both strings are copied.
void http_set_header(struct http_request *request, const char *name, const char *value);

// The answer; body and type are copied and wiped later, body NULL for none. The request is gone
// afterwards.
void http_answer(struct http_request *request, int status, const char *type, const void *body,
		 size_t len);

// An answer of any length: `next` writes up to max octets and returns how many, 0 at the end,
// -EAGAIN when there are none yet, or -EIO to reset the stream. `done` is called once, whatever
// happened. Called as the peer takes it.
struct http_source {
	long (*next)(void *source, uint8_t *to, size_t max);
	void (*done)(void *source);
};
void http_answer_stream(struct http_request *request, int status, const char *type,
			const struct http_source *source, void *ctx);
// Has `next` called again after -EAGAIN; else it does nothing. The request as it was answered, and
// only until `done`. Until then nothing times out: it is not the peer that is waited for.
void http_more(struct http_request *request);

// Makes a held upload go on (see struct http_upload).
void http_resume(struct http_request *request);
