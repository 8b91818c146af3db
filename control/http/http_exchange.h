#pragma once
// One request and its answer, and the door that all of them share. Inside of the HTTP module.
//
// An exchange belongs to its session while the stream is open (`session`), and to a handler while
// the handler owes the answer (`owed`); it goes back to the door's pool when neither holds it. So a
// peer may leave at any time, and a handler may answer at any later time. Control thread only.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "control/http/http.h"
#include "control/http/http_path.h"
#include "control/http/http_route.h"
#include "control/http/http_server.h"
#include "control/http/http_text.h"
#include "control/json/problem.h"

struct session;

enum {
	EXCHANGE_HEADERS_MAX = 32,
	EXCHANGE_SET_MAX = 8, // headers that a handler sets
	EXCHANGE_PATH_MAX = 2048,
	EXCHANGE_POOL = 4096, // kept for reuse
	ANSWER_FIELDS_MAX = EXCHANGE_SET_MAX + 4,
	SESSION_WINDOW = 256 * 1024, // of a stream: what a held upload has in memory
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

TAILQ_HEAD(exchange_list, exchange);

struct exchange {
	struct http_request request;
	struct door *door;
	struct session *session; // NULL: the peer is gone
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
	} answer;
	struct text text; // last: its octets need no clearing
};

struct door {
	struct http_limits limits;
	struct http_stats stats;
	uint64_t by_class[ROUTE_OPS_MAX + 1][6];
	uint64_t now_s;                // monotonic, read once a second
	struct exchange_list arriving; // the peer is to send
	struct exchange_list leaving;  // the peer is to take
	struct exchange_list pool;
	unsigned n_pool;
	unsigned n_exchanges;
	bool closed; // goes with its last exchange
	char date[32];
};

struct door *door_new(const struct http_limits *limits); // NULL without memory
void door_close(struct door *door);
// Once a second: time-outs and the date.
void door_tick(struct door *door, uint64_t now_s, int64_t unix_s);

// For the session. exchange_new gives NULL when there are too many.
struct exchange *exchange_new(struct door *door, struct session *session, int32_t stream_id);
void exchange_header(struct exchange *x, const char *name, size_t name_len, const char *value,
		     size_t value_len);
void exchange_begin(struct exchange *x, bool complete); // the header fields are complete
void exchange_data(struct exchange *x, const uint8_t *octets, size_t n);
void exchange_end(struct exchange *x);    // the peer has sent all
void exchange_closed(struct exchange *x); // the stream is over

// Among the files of the exchange.
static inline struct exchange *exchange_of(const struct http_request *request)
{
	return (struct exchange *)request;
}
void exchange_wait(struct exchange *x, struct exchange_list *list); // NULL: for nobody
void exchange_release(struct exchange *x);                          // if nobody holds it
void exchange_refuse(struct exchange *x, enum problem_cause cause, const char *detail);
// Room for n more octets and a terminator. 0, -ENOMEM or -ENOSPC (the door's limit).
int exchange_body_room(struct exchange *x, size_t n);
void exchange_body_free(struct exchange *x);
void upload_begin(struct exchange *x, bool complete);
void upload_data(struct exchange *x, const uint8_t *octets, size_t n);
void upload_end(struct exchange *x);
void upload_gone(struct exchange *x);
void upload_answered(struct exchange *x);
// For the session: octets of a fixed answer that are left, and that n of them were taken; the next
// octets of a stream, 0 at its end or -EIO.
bool answer_is_stream(const struct exchange *x);
size_t answer_left(const struct exchange *x);
void answer_sent(struct exchange *x, size_t n);
long answer_fill(struct exchange *x, uint8_t *to, size_t max);
void answer_closed(struct exchange *x);
