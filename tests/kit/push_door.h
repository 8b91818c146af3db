#pragma once
// The door's contract (control/http/http.h) without connections: a test asks, handlers answer, the
// test looks at the answer. Roles and bodies are checked as little as is needed to find the
// handler.

#include "control/http/http.h"

struct answer {
	bool is_there;
	int status;
	char *body; // terminated; streams are read to their end
	size_t len;
	char location[400], retry_after[32];
};

struct ask {
	enum http_method method;
	const char *path; // with its query
	const char *body; // NULL: none; NDJSON line by line
	const char *idempotency_key;
	const char *peer_af;
	unsigned roles; // 0: all but ADMIN
};

// Finds the handler and calls it. The answer is filled in when it comes, at once or later; it has
// to live until then, and is released by door_forget.
void door_ask(const struct http_route *const *tables, void *app, const struct ask *ask,
	      struct answer *answer);
void door_forget(struct answer *answer);
