#pragma once
// An HTTP/2 client for load: many connections, many requests at a time on each, one thread, one
// event loop. The only place of tools/ that knows the HTTP/2 and event libraries.
//
// The caller hands in a request whenever there is room (a free stream on a connection that is not
// down) and is called back exactly once for each, with an answer or with the error that ended it.
// `room` says that streams became free; so the queue of what is still to be asked stays where it is
// known best, with the caller. A lost connection ends its requests with an error, comes back by
// itself when asked to, and repeats nothing: whether a request may be repeated, the caller knows.
//
// Callbacks run in h2client_run, and may call everything but h2client_close.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/h2.h"

struct h2client;

enum {
	H2_CONNECTIONS_MAX = 1024,
	H2_STREAMS_MAX = 10000,
};

struct h2client_options {
	const char *host; // name or address
	uint16_t port;
	const char *socket;      // instead: path of a UNIX socket
	unsigned connections;    // 1..H2_CONNECTIONS_MAX
	unsigned streams;        // requests at a time on each, 1..H2_STREAMS_MAX
	bool reconnect;          // lost connections come back, after a growing pause
	void (*room)(void *arg); // may be NULL
	void (*tick)(void *arg); // at the time that h2client_wake_at set; may be NULL
	void *arg;
};

// Starts to connect. 0, -ENOMEM, or -EINVAL for options out of range or a name that is not known.
int h2client_open(struct h2client **client, const struct h2client_options *options);
// Requests under way end without a callback.
void h2client_close(struct h2client *client);

// Whether there is a free stream.
bool h2client_has_room(const struct h2client *client);
// Whether all connections are down and do not come back.
bool h2client_is_down(const struct h2client *client);
// -errno of the last connection that was lost; 0 if none was.
int h2client_error(const struct h2client *client);
// 0; -EAGAIN without room; -ENOTCONN when all connections are down for good.
int h2client_request(struct h2client *client, const struct h2_request *request);

void h2client_wake_at(struct h2client *client, uint64_t mono_ns);
void h2client_run(struct h2client *client); // until h2client_stop
void h2client_stop(struct h2client *client);

// One request and its answer, inside the call; not from a callback. request->done and arg are not
// used. Returns the status or -errno; -ETIMEDOUT when a tick stopped the client before: it can only
// be closed then. The body is the caller's, to be freed, NULL on error; terminated; body and
// body_len may be NULL.
int h2client_call(struct h2client *client, const struct h2_request *request, char **body,
		  size_t *body_len);
