#include "tools/h2client_session.h"

#include <assert.h>
#include <errno.h>
#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOW = 1 << 20 }; // octets that a connection and a stream may have on the way to us

struct stream {
	struct h2session *owner;
	struct stream *next_free;
	bool is_open;
	struct h2_request request;
	size_t sent;
	struct h2_response response;
	char location[256];
	uint8_t *body;
	size_t capacity;
	int error; // that we ended it with
};

struct h2session {
	nghttp2_session *session;
	struct stream *streams, *free;
	unsigned n_streams;
	bool is_draining; // no new requests
};

// The stream is free before the callback runs, so that the callback can take it; the octets of the
// answer stay as they are until the next answer comes.
static void stream_end(struct stream *s, int error, bool unasked)
{
	struct h2_request request = s->request;
	struct h2_response response = s->response;

	if (error || response.status == 0)
		response =
			(struct h2_response){.status = error ? error : -EPROTO, .unasked = unasked};
	response.location = s->location;
	response.body = s->body;
	if (s->body)
		s->body[response.body_len] = 0;
	s->is_open = false;
	s->next_free = s->owner->free;
	s->owner->free = s;
	request.done(request.arg, &response);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
		     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
		     void *arg)
{
	struct stream *s = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);

	(void)flags, (void)arg;
	if (!s)
		return 0;
	if (name_len == 7 && memcmp(name, ":status", 7) == 0)
		s->response.status = atoi((const char *)value);
	else if (name_len == 11 && memcmp(name, "retry-after", 11) == 0)
		s->response.retry_after_s = (unsigned)strtoul((const char *)value, NULL, 10);
	else if (name_len == 8 && memcmp(name, "location", 8) == 0 &&
		 value_len < sizeof(s->location))
		memcpy(s->location, value, value_len + 1);
	return 0;
}

static bool body_has_room(struct stream *s, size_t more)
{
	size_t need = s->response.body_len + more + 1;
	size_t capacity = s->capacity ? s->capacity : 1024;
	uint8_t *body;

	if (need <= s->capacity)
		return true;
	if (need > H2_BODY_MAX)
		return false;
	while (capacity < need)
		capacity *= 2;
	body = realloc(s->body, capacity);
	if (!body)
		return false;
	s->body = body;
	s->capacity = capacity;
	return true;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
		   size_t len, void *arg)
{
	struct stream *s = nghttp2_session_get_stream_user_data(session, id);

	(void)flags, (void)arg;
	if (!s || s->error)
		return 0;
	if (s->request.data) {
		s->request.data(s->request.body_arg, data, len);
		return 0;
	}
	if (!body_has_room(s, len)) {
		s->error = -EMSGSIZE;
		return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
	}
	memcpy(s->body + s->response.body_len, data, len);
	s->response.body_len += len;
	return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *arg)
{
	struct stream *s = nghttp2_session_get_stream_user_data(session, id);
	int error;

	(void)arg;
	if (!s)
		return 0;
	// A server may answer before it has read all, and reset the rest with NO_ERROR.
	error = s->error ? s->error : code != NGHTTP2_NO_ERROR ? -ECONNRESET : 0;
	stream_end(s, error, code == NGHTTP2_REFUSED_STREAM);
	return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	struct h2session *s = arg;

	(void)session;
	if (frame->hd.type == NGHTTP2_GOAWAY)
		s->is_draining = true;
	return 0;
}

static ssize_t on_read_body(nghttp2_session *session, int32_t id, uint8_t *to, size_t max,
			    uint32_t *flags, nghttp2_data_source *source, void *arg)
{
	struct stream *s = source->ptr;
	size_t n;

	(void)session, (void)id, (void)arg;
	if (s->request.read) {
		n = s->request.read(s->request.body_arg, to, max);
		if (n == 0)
			*flags |= NGHTTP2_DATA_FLAG_EOF;
		return (ssize_t)n;
	}
	n = s->request.body_len - s->sent;
	n = n < max ? n : max;
	memcpy(to, (const uint8_t *)s->request.body + s->sent, n);
	s->sent += n;
	if (s->sent == s->request.body_len)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)n;
}

static int session_start(struct h2session *s)
{
	const nghttp2_settings_entry settings[] = {
		{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
		{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW},
	};
	nghttp2_session_callbacks *callbacks;
	nghttp2_option *option;
	int r;

	if (nghttp2_session_callbacks_new(&callbacks))
		return -ENOMEM;
	if (nghttp2_option_new(&option)) {
		nghttp2_session_callbacks_del(callbacks);
		return -ENOMEM;
	}
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
	// A stream that is closed has no use for being remembered.
	nghttp2_option_set_no_closed_streams(option, 1);
	r = nghttp2_session_client_new2(&s->session, callbacks, s, option);
	nghttp2_option_del(option);
	nghttp2_session_callbacks_del(callbacks);
	if (r)
		return -ENOMEM;
	nghttp2_submit_settings(s->session, NGHTTP2_FLAG_NONE, settings, 2);
	nghttp2_session_set_local_window_size(s->session, NGHTTP2_FLAG_NONE, 0, WINDOW);
	return 0;
}

struct h2session *h2session_open(unsigned n_streams)
{
	struct h2session *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->n_streams = n_streams;
	s->streams = calloc(n_streams, sizeof(*s->streams));
	if (!s->streams || session_start(s)) {
		free(s->streams);
		free(s);
		return NULL;
	}
	for (unsigned i = n_streams; i-- > 0;) {
		s->streams[i].owner = s;
		s->streams[i].next_free = s->free;
		s->free = &s->streams[i];
	}
	return s;
}

void h2session_close(struct h2session *s)
{
	nghttp2_session_del(s->session);
	for (unsigned i = 0; i < s->n_streams; i++)
		free(s->streams[i].body);
	free(s->streams);
	free(s);
}

void h2session_fail(struct h2session *s, int error, bool unasked)
{
	s->is_draining = true;
	for (unsigned i = 0; i < s->n_streams; i++) {
		if (s->streams[i].is_open)
			stream_end(&s->streams[i], error, unasked);
	}
}

bool h2session_has_room(const struct h2session *s)
{
	return s->free && !s->is_draining;
}

static nghttp2_nv field(const char *name, const char *value)
{
	return (nghttp2_nv){(uint8_t *)name, (uint8_t *)value, strlen(name), strlen(value),
			    NGHTTP2_NV_FLAG_NO_COPY_NAME};
}

static int stream_submit(struct stream *s, const char *authority)
{
	const struct h2_request *request = &s->request;
	const bool has_body = request->read || request->body_len;
	const nghttp2_data_provider provider = {.source.ptr = s, .read_callback = on_read_body};
	nghttp2_nv fields[6] = {
		field(":method", request->method),
		field(":scheme", "http"),
		field(":authority", authority),
		field(":path", request->path),
	};
	unsigned n = 4;

	if (request->content_type)
		fields[n++] = field("content-type", request->content_type);
	if (request->idempotency_key)
		fields[n++] = field("idempotency-key", request->idempotency_key);
	return nghttp2_submit_request(s->owner->session, NULL, fields, n,
				      has_body ? &provider : NULL, s);
}

bool h2session_request(struct h2session *session, const char *authority,
		       const struct h2_request *request)
{
	struct stream *s = session->free;

	assert(h2session_has_room(session));
	s->request = *request;
	s->sent = 0;
	s->error = 0;
	s->location[0] = 0;
	memset(&s->response, 0, sizeof(s->response));
	if (stream_submit(s, authority) < 0) {
		// Its stream numbers are used up: it ends when what is open is answered.
		session->is_draining = true;
		nghttp2_submit_goaway(session->session, NGHTTP2_FLAG_NONE, 0, NGHTTP2_NO_ERROR,
				      NULL, 0);
		return false;
	}
	session->free = s->next_free;
	s->is_open = true;
	return true;
}

int h2session_input(struct h2session *s, const uint8_t *octets, size_t n)
{
	return nghttp2_session_mem_recv(s->session, octets, n) < 0 ? -EPROTO : 0;
}

long h2session_output(struct h2session *s, const uint8_t **octets)
{
	return nghttp2_session_mem_send(s->session, octets);
}

bool h2session_has_output(const struct h2session *s)
{
	return nghttp2_session_want_write(s->session);
}

bool h2session_is_over(const struct h2session *s)
{
	return !nghttp2_session_want_read(s->session) && !nghttp2_session_want_write(s->session);
}
