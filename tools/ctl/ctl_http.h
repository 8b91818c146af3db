#pragma once
// The way to the daemon: HTTP/2 over its UNIX socket, one request at a time, a connection for each.
// A request that takes long ends when ctl_interrupted is set. One thread.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { CTL_PATH_MAX = 1024, CTL_STALL_S = 120 };

struct ctl_request {
	const char *method; // "GET"
	const char *path;   // with the query, encoded
	const char *type;   // media type of the body, NULL for none
	const char *idempotency_key;
	const void *body;
	size_t body_len;
	// Instead of `body`: gives up to max octets, 0 at the end, -1 to break off.
	ssize_t (*read)(void *arg, void *octets, size_t max);
	// Takes a good answer line by line, without its end; others are collected. False to end.
	bool (*line)(void *arg, const char *line, size_t len);
	void *arg;
	unsigned stall_s; // nothing moves so long and it is broken; 0: CTL_STALL_S
};

struct ctl_response {
	int status; // 0: none
	char *body; // terminated; what ctl_response_free frees
	size_t body_len;
	unsigned retry_after_s;
	const char *error; // why there is no answer
};

// 0 when there is an answer, whatever its status; -ECANCELED when interrupted or `read` or `line`
// broke off; -ENOTCONN when nobody listens or may be reached, and -EPROTO when the connection broke
// or nothing moved for stall_s: `error` says more. -ENOMEM.
int ctl_http(const char *socket, const struct ctl_request *request, struct ctl_response *response);
void ctl_response_free(struct ctl_response *response); // wiped; also after a failure

// Appends text to a path, percent-encoded as a segment; false when it does not fit.
bool ctl_path_add(char path[CTL_PATH_MAX], const char *text);
