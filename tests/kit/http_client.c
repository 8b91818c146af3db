#include "tests/kit/http_client.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nghttp2/nghttp2.h>

#include "control/loop.h"

enum { REPLIES_MAX = 8192, IDLE_TURNS = 30 };

struct exchange {
	struct reply reply;
	char *body;
	size_t len, at;
	bool open_end;
	size_t unconsumed;
};

struct client {
	int fd;
	nghttp2_session *ng;
	struct exchange *exchanges[REPLIES_MAX];
	bool over;
	int goaway;
	uint64_t uploaded;
};

static struct exchange *at(nghttp2_session *ng, int32_t id)
{
	return nghttp2_session_get_stream_user_data(ng, id);
}

static ssize_t on_send(nghttp2_session *ng, const uint8_t *octets, size_t n, int flags, void *ctx)
{
	struct client *client = ctx;
	ssize_t sent = send(client->fd, octets, n, MSG_NOSIGNAL);

	(void)ng;
	(void)flags;
	if (sent >= 0)
		return sent;
	return errno == EAGAIN ? NGHTTP2_ERR_WOULDBLOCK : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static ssize_t on_read(nghttp2_session *ng, int32_t id, uint8_t *to, size_t max, uint32_t *flags,
		       nghttp2_data_source *source, void *ctx)
{
	struct client *client = ctx;
	struct exchange *x = source->ptr;
	size_t n = x->len - x->at < max ? x->len - x->at : max;

	(void)ng;
	(void)id;
	if (n == 0 && x->open_end)
		return NGHTTP2_ERR_DEFERRED;
	memcpy(to, x->body + x->at, n);
	x->at += n;
	client->uploaded += n;
	if (x->at == x->len && !x->open_end)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)n;
}

static void copy(char *to, size_t size, const uint8_t *from)
{
	snprintf(to, size, "%s", (const char *)from);
}

static int on_header(nghttp2_session *ng, const nghttp2_frame *frame, const uint8_t *name,
		     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
		     void *ctx)
{
	struct exchange *x = at(ng, frame->hd.stream_id);

	(void)name_len;
	(void)value_len;
	(void)flags;
	(void)ctx;
	if (x == NULL)
		return 0;
	if (strcmp((const char *)name, ":status") == 0)
		x->reply.status = atoi((const char *)value);
	if (strcmp((const char *)name, "allow") == 0)
		copy(x->reply.allow, sizeof(x->reply.allow), value);
	if (strcmp((const char *)name, "content-type") == 0)
		copy(x->reply.type, sizeof(x->reply.type), value);
	if (strcmp((const char *)name, "retry-after") == 0)
		copy(x->reply.retry_after, sizeof(x->reply.retry_after), value);
	if (strcmp((const char *)name, "location") == 0)
		copy(x->reply.location, sizeof(x->reply.location), value);
	return 0;
}

static int on_data(nghttp2_session *ng, uint8_t flags, int32_t id, const uint8_t *octets, size_t n,
		   void *ctx)
{
	struct exchange *x = at(ng, id);

	(void)flags;
	(void)ctx;
	nghttp2_session_consume_connection(ng, n);
	if (x == NULL)
		return 0;
	for (size_t i = 0; i < n && x->reply.len + i + 1 < sizeof(x->reply.body); i++)
		x->reply.body[x->reply.len + i] = (char)octets[i];
	x->reply.len += n;
	if (x->reply.paused)
		x->unconsumed += n;
	else
		nghttp2_session_consume_stream(ng, id, n);
	return 0;
}

static int on_close(nghttp2_session *ng, int32_t id, uint32_t error, void *ctx)
{
	struct exchange *x = at(ng, id);

	(void)ctx;
	if (x != NULL) {
		x->reply.closed = true;
		x->reply.error = error;
	}
	return 0;
}

static int on_frame(nghttp2_session *ng, const nghttp2_frame *frame, void *ctx)
{
	struct client *client = ctx;

	(void)ng;
	if (frame->hd.type == NGHTTP2_GOAWAY)
		client->goaway = (int)frame->goaway.error_code;
	return 0;
}

static nghttp2_session *session_new(struct client *client)
{
	nghttp2_session_callbacks *callbacks;
	nghttp2_option *option;
	nghttp2_session *ng;

	nghttp2_session_callbacks_new(&callbacks);
	nghttp2_session_callbacks_set_send_callback(callbacks, on_send);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
	nghttp2_option_new(&option);
	nghttp2_option_set_no_auto_window_update(option, 1);
	nghttp2_option_set_peer_max_concurrent_streams(option, 100000);
	nghttp2_session_client_new2(&ng, callbacks, client, option);
	nghttp2_option_del(option);
	nghttp2_session_callbacks_del(callbacks);
	nghttp2_submit_settings(ng, NGHTTP2_FLAG_NONE, NULL, 0);
	return ng;
}

struct client *client_open(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct client *client = calloc(1, sizeof(*client));

	client->goaway = -1;
	client->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(client->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		abort();
	fcntl(client->fd, F_SETFL, O_NONBLOCK);
	setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	client->ng = session_new(client);
	return client;
}

void client_close(struct client *client)
{
	nghttp2_session_del(client->ng);
	close(client->fd);
	for (unsigned i = 0; i < REPLIES_MAX && client->exchanges[i] != NULL; i++) {
		free(client->exchanges[i]->body);
		free(client->exchanges[i]);
	}
	free(client);
}

int client_fd(const struct client *client)
{
	return client->fd;
}

static nghttp2_nv field(const char *name, const char *value)
{
	return (nghttp2_nv){(uint8_t *)name, (uint8_t *)value, strlen(name), strlen(value),
			    NGHTTP2_NV_FLAG_NONE};
}

struct reply *client_send(struct client *client, const struct client_request *request, int *id)
{
	struct exchange *x = calloc(1, sizeof(*x));
	nghttp2_data_provider provider = {.source.ptr = x, .read_callback = on_read};
	bool has_body = request->body != NULL || request->open_end;
	nghttp2_nv fields[8];
	unsigned n = 0;
	int32_t stream;

	fields[n++] = field(":method", request->method != NULL ? request->method : "GET");
	fields[n++] = field(":scheme", "http");
	fields[n++] = field(":authority", "localhost");
	fields[n++] = field(":path", request->path);
	if (request->type != NULL)
		fields[n++] = field("content-type", request->type);
	if (request->header != NULL)
		fields[n++] = field(request->header, request->value);
	if (request->body != NULL) {
		x->len = request->body_len != 0 ? request->body_len : strlen(request->body);
		x->body = malloc(x->len + 1);
		memcpy(x->body, request->body, x->len);
	}
	x->open_end = request->open_end;
	x->reply.paused = request->no_window;
	stream =
		nghttp2_submit_request(client->ng, NULL, fields, n, has_body ? &provider : NULL, x);
	assert(stream > 0 && stream / 2 < REPLIES_MAX);
	client->exchanges[stream / 2] = x;
	if (id != NULL)
		*id = stream;
	return &x->reply;
}

void client_more(struct client *client, int id, const char *body, size_t len, bool end)
{
	struct exchange *x = client->exchanges[id / 2];

	x->body = realloc(x->body, x->len + len + 1);
	memcpy(x->body + x->len, body, len);
	x->len += len;
	x->open_end = !end;
	nghttp2_session_resume_data(client->ng, id);
}

void client_reset(struct client *client, int id)
{
	nghttp2_submit_rst_stream(client->ng, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
}

void client_ping(struct client *client)
{
	nghttp2_submit_ping(client->ng, NGHTTP2_FLAG_NONE, NULL);
}

void client_unpause(struct client *client, int id)
{
	struct exchange *x = client->exchanges[id / 2];

	x->reply.paused = false;
	nghttp2_session_consume_stream(client->ng, id, x->unconsumed);
	x->unconsumed = 0;
}

static bool move(struct client *client)
{
	static uint8_t in[256 * 1024];
	ssize_t n;

	if (client->over)
		return false;
	if (nghttp2_session_send(client->ng) != 0)
		client->over = true;
	n = recv(client->fd, in, sizeof(in), 0);
	if (n == 0 || (n < 0 && errno != EAGAIN))
		client->over = true;
	if (n > 0 && nghttp2_session_mem_recv(client->ng, in, (size_t)n) < 0)
		client->over = true;
	if (n > 0)
		nghttp2_session_send(client->ng);
	return n > 0;
}

bool client_pump(struct client *client, struct loop *loop, const struct reply *done)
{
	for (unsigned idle = 0; idle < IDLE_TURNS && !(done != NULL && done->closed); idle++) {
		if (move(client))
			idle = 0;
		loop_turn(loop, false);
		if (idle > 5)
			poll(NULL, 0, 2);
	}
	return !client->over;
}

bool client_is_over(const struct client *client)
{
	return client->over;
}

int client_goaway(const struct client *client)
{
	return client->goaway;
}

uint64_t client_uploaded(const struct client *client)
{
	return client->uploaded;
}
