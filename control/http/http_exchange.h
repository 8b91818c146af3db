#pragma once
// One request and its answer: the struct that the floors of the module hand to each other, its
// memory and its waiting. Inside of the HTTP module; control thread only.
//
// Floors, each of which calls only those below it:
//
//   http_server → http_listener → http_conn     sockets
//   http_session                                the HTTP/2 library
//   http_timeouts → http_request → http_upload  from header fields to a handler, and out of time
//   http_problem → http_answer                  what goes back
//   http_exchange → http_door                   memory, limits, counters
//
// An exchange belongs to its session while the stream is open (`session`), and to a handler while
// the handler owes the answer (`owed`); it goes back to the door when neither holds it. So a peer
// may leave at any time, and a handler may answer at any later time.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "control/http/http.h"
#include "control/http/http_door.h"
#include "control/http/http_path.h"
#include "control/http/http_text.h"

struct exchange;
struct session;

enum {
	EXCHANGE_HEADERS_MAX = 32,
	EXCHANGE_SET_MAX = 8, // headers that a handler sets
	EXCHANGE_PATH_MAX = 2048,
	EXCHANGE_UNWANTED_MAX = 4 << 20, // octets of a body that are taken behind its answer
};

enum exchange_state {
	EXCHANGE_HEADERS, // its header fields arrive
	EXCHANGE_BODY,    // its body arrives, to be handled as a whole
	EXCHANGE_UPLOAD,  // its lines arrive and are handled
	EXCHANGE_HANDLED, // a handler has it
	EXCHANGE_ANSWERED,
};

struct field {
	const char *name;
	const char *value;
};

// What the floors below the session want of it: a session gives one table to all its exchanges.
// None calls back into the exchange before it returns, and none is called when `session` is NULL.
struct exchange_ops {
	void (*answer)(struct exchange *x);            // status and fields are there: send it
	void (*more)(struct exchange *x);              // its source has more again
	void (*consume)(struct exchange *x, size_t n); // the peer may send n octets more
	void (*proceed)(struct exchange *x);           // 100 (Continue)
	void (*reset)(struct exchange *x);             // ends the stream before its time
};

struct exchange {
	struct http_request request;
	struct door *door;
	struct session *session; // NULL: the peer is gone
	const struct exchange_ops *ops;
	const struct http_peer *peer; // lives as long as the session
	int32_t stream_id;
	enum exchange_state state;
	bool owed;
	TAILQ_ENTRY(exchange) of_session;
	TAILQ_ENTRY(exchange) waiting; // in *waits, which is ordered by since_s
	struct exchange_list *waits;
	uint64_t since_s;

	unsigned op;
	bool is_head;
	bool too_large;   // header fields
	const char *path; // as it came, query included
	size_t path_len;
	size_t header_octets;
	unsigned n_headers;
	struct field headers[EXCHANGE_HEADERS_MAX];
	struct query query;

	uint8_t *body; // cap octets
	size_t body_len;
	size_t body_cap;
	size_t body_max; // of an upload: one line
	struct {
		void *ctx;
		size_t line_at;    // where in the body the next line starts
		size_t scanned;    // up to here there's no line end
		size_t unconsumed; // octets not given back to the peer's window
		bool held;         // the handler said -EAGAIN
		bool resumed;      // and then http_resume
		bool busy;         // inside of the handler's line()
		bool complete;     // the peer has sent all
	} upload;

	struct {
		int status;
		unsigned n_set;
		struct field set[EXCHANGE_SET_MAX];
		const char *type;
		const uint8_t *body;
		size_t len;
		size_t at; // sent so far
		const struct http_source *source;
		void *source_ctx;
		bool is_dry;  // the source said -EAGAIN
		bool is_sent; // all of it
	} answer;
	size_t n_unwanted; // octets of the body that came after the answer was decided
	struct text text;  // last: its octets need no clearing
};

static inline struct exchange *exchange_of(const struct http_request *request)
{
	return (struct exchange *)request;
}

// NULL when there are too many, or without memory. All of it waits for the peer to send.
struct exchange *exchange_new(struct door *door, struct session *session,
			      const struct exchange_ops *ops, const struct http_peer *peer,
			      int32_t stream_id);
void exchange_wait(struct exchange *x, struct exchange_list *list); // NULL: for nobody
void exchange_release(struct exchange *x);                          // if nobody holds it

// Room for n more octets of the body and a terminator. 0, -ENOMEM or -ENOSPC (the door's limit).
int exchange_body_room(struct exchange *x, size_t n);
void exchange_body_free(struct exchange *x);
// The upload is no more, for whatever reason: its body and its place among the uploads.
void exchange_upload_free(struct exchange *x);
