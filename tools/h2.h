#pragma once
// A request of HTTP/2 and what came of it. No thread of its own.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { H2_BODY_MAX = 16 << 20 }; // of an answer that is collected

struct h2_response {
	int status;             // HTTP status, or -errno when there is no answer: -ECONNREFUSED,
				// -ECONNRESET, -EMSGSIZE (body too long), -EPROTO
	bool unasked;           // with an error: the server certainly did nothing
	unsigned retry_after_s; // 0: none said
	const char *location;   // "" when absent
	const uint8_t *body;    // what was collected; terminated by a zero behind it
	size_t body_len;
};

struct h2_request {
	const char *method, *path;   // static, or alive until the end, like all that is pointed to
	const char *content_type;    // NULL without a body
	const char *idempotency_key; // NULL: no such header
	const void *body;
	size_t body_len;
	// Instead of body: writes up to max octets and returns how many, 0 at the end.
	size_t (*read)(void *body_arg, uint8_t *to, size_t max);
	// Takes the answer's body as it comes, instead of collecting it. May be NULL.
	void (*data)(void *body_arg, const uint8_t *octets, size_t n);
	void *body_arg;
	void (*done)(void *arg, const struct h2_response *response);
	void *arg;
};
