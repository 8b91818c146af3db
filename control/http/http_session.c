#include "control/http/http_session.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>

#include <nghttp2/nghttp2.h>

#include "base/text.h"
#include "control/http/http_answer.h"
#include "control/http/http_exchange.h"
#include "control/http/http_request.h"

enum {
	CONNECTION_WINDOW = 4 * 1024 * 1024,
	STREAM_WINDOW = 256 * 1024, // what a held upload has in memory
	FIELDS_MAX = EXCHANGE_SET_MAX + 4,
	// A peer may reset so many streams at once, and then so many a second.
	RESET_BURST = 1000,
	RESET_RATE = 100,
};

struct session {
	nghttp2_session *ng;
	struct door *door;
	struct http_peer peer;
	void (*wake)(void *owner);
	void *owner;
	struct exchange_list exchanges;
	unsigned n_exchanges;
	uint64_t idle_since;
	bool is_open;
	// What the library serialised last and did not fit whole.
	const uint8_t *piece;
	size_t piece_len;
	// Where session_send writes now.
	uint8_t *out;
	size_t out_len;
	size_t out_max;
};

static nghttp2_session_callbacks *callbacks;
static nghttp2_option *option;

// ---- The payload of answers

// The payload of a fixed answer goes from the exchange to the output in one copy, and into no
// buffer of the library, which would not be wiped.
static int on_send_data(nghttp2_session *ng, nghttp2_frame *frame, const uint8_t *head, size_t n,
			nghttp2_data_source *source, void *ctx)
{
	struct exchange *x = source->ptr;
	struct session *session = ctx;
	uint8_t *to = session->out + session->out_len;

	(void)ng;
	assert(frame->data.padlen == 0); // no padding was asked for
	if (session->out_max - session->out_len < 9 + n)
		return NGHTTP2_ERR_WOULDBLOCK;
	memcpy(to, head, 9);
	memcpy(to + 9, x->answer.body + x->answer.at, n);
	session->out_len += 9 + n;
	answer_sent(x, n);
	return 0;
}

static ssize_t on_read(nghttp2_session *ng, int32_t stream_id, uint8_t *to, size_t max,
		       uint32_t *flags, nghttp2_data_source *source, void *ctx)
{
	struct exchange *x = source->ptr;
	size_t left = answer_left(x);
	long n;

	(void)ng;
	(void)stream_id;
	(void)ctx;
	if (!answer_is_stream(x)) {
		*flags |= NGHTTP2_DATA_FLAG_NO_COPY;
		*flags |= left <= max ? NGHTTP2_DATA_FLAG_EOF : 0;
		return (ssize_t)(left < max ? left : max);
	}
	n = answer_fill(x, to, max);
	if (n == -EAGAIN)
		return NGHTTP2_ERR_DEFERRED;
	if (n < 0)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	*flags |= n == 0 ? NGHTTP2_DATA_FLAG_EOF : 0;
	return n;
}

static void wake_owner(struct session *session)
{
	session->wake(session->owner);
}

// ---- What an exchange asks for

// After a whole answer the peer is only told to keep the rest of its body (RFC 9113 8.1).
static void reset(struct exchange *x)
{
	nghttp2_submit_rst_stream(x->session->ng, NGHTTP2_FLAG_NONE, x->stream_id,
				  x->answer.is_sent ? NGHTTP2_NO_ERROR : NGHTTP2_INTERNAL_ERROR);
	wake_owner(x->session);
}

static nghttp2_nv field_of(const char *name, size_t name_len, const char *value)
{
	return (nghttp2_nv){(uint8_t *)name, (uint8_t *)value, name_len, strlen(value),
			    NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

#define FIELD(name, value) field_of(name, sizeof(name) - 1, value)

static size_t make_fields(struct exchange *x, nghttp2_nv fields[FIELDS_MAX])
{
	// The library takes no copies: what it points to lives as long as the stream.
	char *number = text_take(&x->text, 32);
	int status = x->answer.status;
	size_t n = 0;

	if (number == NULL)
		return 0;
	uint_write(number, (uint64_t)status);
	fields[n++] = FIELD(":status", number);
	fields[n++] = FIELD("date", x->door->date);
	if (x->answer.type != NULL)
		fields[n++] = FIELD("content-type", x->answer.type);
	if (!answer_is_stream(x) && status != 204 && status != 304 && !x->is_head) {
		uint_write(number + 8, x->answer.len);
		fields[n++] = FIELD("content-length", number + 8);
	}
	for (unsigned i = 0; i < x->answer.n_set; i++)
		fields[n++] = field_of(x->answer.set[i].name, strlen(x->answer.set[i].name),
				       x->answer.set[i].value);
	return n;
}

static void send_answer(struct exchange *x)
{
	nghttp2_session *ng = x->session->ng;
	nghttp2_nv fields[FIELDS_MAX];
	nghttp2_data_provider provider = {.source.ptr = x, .read_callback = on_read};
	bool has_body = answer_is_stream(x) || x->answer.len > 0;
	size_t n = make_fields(x, fields);

	if (n == 0 ||
	    nghttp2_submit_response(ng, x->stream_id, fields, n, has_body ? &provider : NULL) != 0)
		reset(x);
	wake_owner(x->session);
}

static void more(struct exchange *x)
{
	nghttp2_session_resume_data(x->session->ng, x->stream_id);
	wake_owner(x->session);
}

static void consume(struct exchange *x, size_t n)
{
	if (n == 0)
		return;
	nghttp2_session_consume_stream(x->session->ng, x->stream_id, n);
	wake_owner(x->session);
}

static void proceed(struct exchange *x)
{
	const nghttp2_nv status = FIELD(":status", "100");

	nghttp2_submit_headers(x->session->ng, NGHTTP2_FLAG_NONE, x->stream_id, NULL, &status, 1,
			       NULL);
	wake_owner(x->session);
}

static const struct exchange_ops ops = {.answer = send_answer,
					.more = more,
					.consume = consume,
					.proceed = proceed,
					.reset = reset};

// ---- What the library tells

static struct exchange *exchange_at(nghttp2_session *ng, int32_t stream_id)
{
	return nghttp2_session_get_stream_user_data(ng, stream_id);
}

static int on_begin_headers(nghttp2_session *ng, const nghttp2_frame *frame, void *ctx)
{
	int32_t id = frame->hd.stream_id;
	struct session *session = ctx;
	struct exchange *x;

	if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
		return 0;
	x = exchange_new(session->door, session, &ops, &session->peer, id);
	if (x == NULL) {
		session->door->stats.requests_refused++;
		return nghttp2_submit_rst_stream(ng, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
	}
	nghttp2_session_set_stream_user_data(ng, id, x);
	TAILQ_INSERT_TAIL(&session->exchanges, x, of_session);
	session->n_exchanges++;
	return 0;
}

static int on_header(nghttp2_session *ng, const nghttp2_frame *frame, const uint8_t *name,
		     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
		     void *ctx)
{
	struct exchange *x = exchange_at(ng, frame->hd.stream_id);

	(void)flags;
	(void)ctx;
	if (x != NULL)
		request_header(x, (const char *)name, name_len, (const char *)value, value_len);
	return 0;
}

static int on_frame_recv(nghttp2_session *ng, const nghttp2_frame *frame, void *ctx)
{
	bool complete = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
	struct session *session = ctx;
	struct exchange *x;

	switch (frame->hd.type) {
	case NGHTTP2_SETTINGS:
		session->is_open = true;
		return 0;
	case NGHTTP2_HEADERS:
	case NGHTTP2_DATA:
		break;
	default:
		return 0;
	}
	x = exchange_at(ng, frame->hd.stream_id);
	if (x == NULL)
		return 0;
	if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
		request_begin(x, complete);
	else if (complete)
		request_end(x);
	return 0;
}

static int on_data_chunk(nghttp2_session *ng, uint8_t flags, int32_t stream_id,
			 const uint8_t *octets, size_t n, void *ctx)
{
	struct exchange *x = exchange_at(ng, stream_id);

	(void)flags;
	(void)ctx;
	// Only its own stream waits for a held upload: the connection's window opens at once.
	nghttp2_session_consume_connection(ng, n);
	if (x != NULL)
		request_data(x, octets, n);
	return 0;
}

static void detach(struct session *session, struct exchange *x)
{
	TAILQ_REMOVE(&session->exchanges, x, of_session);
	session->n_exchanges--;
	session->idle_since = session->door->now_s;
	request_closed(x);
}

static int on_stream_close(nghttp2_session *ng, int32_t stream_id, uint32_t error, void *ctx)
{
	struct exchange *x = exchange_at(ng, stream_id);

	(void)error;
	if (x != NULL) {
		nghttp2_session_set_stream_user_data(ng, stream_id, NULL);
		detach(ctx, x);
	}
	return 0;
}

static int on_frame_send(nghttp2_session *ng, const nghttp2_frame *frame, void *ctx)
{
	struct session *session = ctx;
	struct exchange *x;

	if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code != NGHTTP2_NO_ERROR)
		session->door->stats.connections_bad++;
	if ((frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS) &&
	    frame->hd.flags & NGHTTP2_FLAG_END_STREAM &&
	    nghttp2_session_get_stream_remote_close(ng, frame->hd.stream_id) == 0) {
		x = exchange_at(ng, frame->hd.stream_id);
		if (x != NULL)
			request_answered(x);
	}
	return 0;
}

// ---- Life

// One set for all sessions, made once and kept.
static void prepare(void)
{
	if (nghttp2_session_callbacks_new(&callbacks) != 0 || nghttp2_option_new(&option) != 0) {
		callbacks = NULL;
		return;
	}
	nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data_chunk);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
	nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_send);
	nghttp2_session_callbacks_set_send_data_callback(callbacks, on_send_data);
	nghttp2_option_set_no_auto_window_update(option, 1);
	nghttp2_option_set_no_closed_streams(option, 1);
	nghttp2_option_set_stream_reset_rate_limit(option, RESET_BURST, RESET_RATE);
}

static int submit_settings(struct session *session)
{
	const struct http_limits *limits = &session->door->limits;
	const nghttp2_settings_entry settings[] = {
		{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits->streams},
		{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW},
		{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, (uint32_t)limits->header_octets},
		{NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
	};
	int status = nghttp2_submit_settings(session->ng, NGHTTP2_FLAG_NONE, settings,
					     sizeof(settings) / sizeof(*settings));

	if (status == 0)
		status = nghttp2_session_set_local_window_size(session->ng, NGHTTP2_FLAG_NONE, 0,
							       CONNECTION_WINDOW);
	return status;
}

struct session *session_new(struct door *door, const struct http_peer *peer,
			    void (*wake)(void *owner), void *owner)
{
	static once_flag once = ONCE_FLAG_INIT;
	struct session *session = calloc(1, sizeof(*session));

	call_once(&once, prepare);
	if (session == NULL || callbacks == NULL)
		goto err;
	session->door = door;
	session->peer = *peer;
	session->wake = wake;
	session->owner = owner;
	session->idle_since = door->now_s;
	TAILQ_INIT(&session->exchanges);
	if (nghttp2_session_server_new2(&session->ng, callbacks, session, option) != 0)
		goto err;
	if (submit_settings(session) != 0)
		goto err_ng;
	return session;

err_ng:
	nghttp2_session_del(session->ng);
err:
	free(session);
	return NULL;
}

void session_free(struct session *session)
{
	struct exchange *x;

	// Before the exchanges go: deleting the library's session still calls for nothing of them.
	nghttp2_session_del(session->ng);
	while ((x = TAILQ_FIRST(&session->exchanges)) != NULL)
		detach(session, x);
	free(session);
}

int session_recv(struct session *session, const uint8_t *octets, size_t n)
{
	ssize_t taken = nghttp2_session_mem_recv(session->ng, octets, n);

	return taken == (ssize_t)n ? 0 : -EPROTO;
}

static void put_piece(struct session *session)
{
	size_t room = session->out_max - session->out_len;
	size_t n = session->piece_len < room ? session->piece_len : room;

	memcpy(session->out + session->out_len, session->piece, n);
	session->out_len += n;
	session->piece += n;
	session->piece_len -= n;
}

size_t session_send(struct session *session, uint8_t *to, size_t max)
{
	assert(max >= SESSION_SEND_MIN);
	session->out = to;
	session->out_len = 0;
	session->out_max = max;
	while (session->out_len < max) {
		ssize_t n;

		if (session->piece_len > 0) {
			put_piece(session);
			continue;
		}
		n = nghttp2_session_mem_send(session->ng, &session->piece);
		if (n <= 0)
			break; // nothing left, no room for a payload, or no memory
		session->piece_len = (size_t)n;
	}
	session->out = NULL;
	return session->out_len;
}

bool session_is_done(const struct session *session)
{
	return session->piece_len == 0 && nghttp2_session_want_read(session->ng) == 0 &&
	       nghttp2_session_want_write(session->ng) == 0;
}

bool session_is_open(const struct session *session)
{
	return session->is_open;
}

unsigned session_n_exchanges(const struct session *session)
{
	return session->n_exchanges;
}

uint64_t session_idle_since(const struct session *session)
{
	return session->idle_since;
}

void session_announce_end(struct session *session)
{
	nghttp2_submit_shutdown_notice(session->ng);
	wake_owner(session);
}

void session_refuse_new(struct session *session)
{
	nghttp2_submit_goaway(session->ng, NGHTTP2_FLAG_NONE,
			      nghttp2_session_get_last_proc_stream_id(session->ng),
			      NGHTTP2_NO_ERROR, NULL, 0);
	wake_owner(session);
}
