#include "tools/h2client.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"
#include "tools/h2client_session.h"

enum {
	OUTPUT_MAX = 1 << 18, // octets that wait for the kernel before we stop making more
	PAUSE_MIN_MS = 50,    // before a lost connection is tried again
	PAUSE_MAX_MS = 1000,
};

struct connection {
	struct h2client *client;
	struct bufferevent *bev;   // NULL while down
	struct h2session *session; // the same
	struct event *again;
	unsigned pause_ms;
	bool is_connected;
	bool is_down; // for good
};

struct h2client {
	struct h2client_options options;
	struct event_base *base;
	struct event *flush, *tick;
	struct sockaddr_storage address;
	socklen_t address_len;
	char authority[280];
	struct connection *connections;
	unsigned turn; // where the next request looks first
	int error;     // that the last connection was lost with
	bool has_news; // streams became free, or connections went
};

static void flush_soon(struct h2client *client)
{
	event_active(client->flush, EV_TIMEOUT, 0);
}

// Ends what is open on the connection, then has it come back or stay down.
static void connection_lost(struct connection *c, int error)
{
	struct h2client *client = c->client;
	struct h2session *session = c->session;

	bufferevent_free(c->bev);
	c->session = NULL;
	c->bev = NULL;
	client->error = error;
	if (client->options.reconnect) {
		event_add(c->again, &(struct timeval){.tv_usec = c->pause_ms * 1000});
		c->pause_ms = c->pause_ms * 2 > PAUSE_MAX_MS ? PAUSE_MAX_MS - 1 : c->pause_ms * 2;
	} else {
		c->is_down = true;
	}
	if (session) {
		h2session_fail(session, error, !c->is_connected);
		h2session_close(session);
	}
	client->has_news = true;
	flush_soon(client);
}

static void connection_flush(struct connection *c)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);
	const uint8_t *octets;
	long n = 0;

	while (evbuffer_get_length(out) < OUTPUT_MAX) {
		n = h2session_output(c->session, &octets);
		if (n <= 0)
			break;
		evbuffer_add(out, octets, (size_t)n);
	}
	if (n < 0 || (h2session_is_over(c->session) && evbuffer_get_length(out) == 0))
		connection_lost(c, -ECONNRESET);
}

static void on_readable(struct bufferevent *bev, void *arg)
{
	struct connection *c = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	size_t len = evbuffer_get_length(in);
	int r = h2session_input(c->session, evbuffer_pullup(in, -1), len);

	if (r) {
		connection_lost(c, r);
		return;
	}
	evbuffer_drain(in, len);
	c->client->has_news = true;
	flush_soon(c->client);
}

static void on_written(struct bufferevent *bev, void *arg)
{
	struct connection *c = arg;

	(void)bev;
	if (h2session_has_output(c->session) || h2session_is_over(c->session))
		flush_soon(c->client);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct connection *c = arg;
	int error = EVUTIL_SOCKET_ERROR();

	(void)bev;
	if (what & BEV_EVENT_CONNECTED) {
		c->is_connected = true;
		c->pause_ms = PAUSE_MIN_MS;
	} else if (what & BEV_EVENT_ERROR) {
		connection_lost(c, error ? -error : -ECONNRESET);
	} else if (what & BEV_EVENT_EOF) {
		connection_lost(c, -ECONNRESET);
	}
}

// Requests are taken at once: they wait in the session until the connection stands.
static void connection_up(struct connection *c)
{
	struct h2client *client = c->client;
	int on = 1;

	c->bev = bufferevent_socket_new(client->base, -1, BEV_OPT_CLOSE_ON_FREE);
	if (!c->bev) {
		c->is_down = true;
		return;
	}
	c->is_connected = false;
	c->session = h2session_open(client->options.streams);
	if (!c->session) {
		connection_lost(c, -ENOMEM);
		return;
	}
	bufferevent_setcb(c->bev, on_readable, on_written, on_event, c);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
	client->has_news = true;
	flush_soon(client);
	if (bufferevent_socket_connect(c->bev, (struct sockaddr *)&client->address,
				       (int)client->address_len)) {
		if (c->bev) // else the event has told of it already
			connection_lost(c, -errno);
		return;
	}
	if (c->bev)
		setsockopt(bufferevent_getfd(c->bev), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	struct connection *c = arg;

	(void)fd, (void)what;
	connection_up(c);
}

// Once per round of the loop: what this round asked for leaves together.
static void on_flush(evutil_socket_t fd, short what, void *arg)
{
	struct h2client *client = arg;

	(void)fd, (void)what;
	if (client->has_news && client->options.room) {
		client->has_news = false;
		client->options.room(client->options.arg);
	}
	for (unsigned i = 0; i < client->options.connections; i++) {
		if (client->connections[i].session)
			connection_flush(&client->connections[i]);
	}
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct h2client *client = arg;

	(void)fd, (void)what;
	if (client->options.tick)
		client->options.tick(client->options.arg);
}

static int resolve_unix(struct h2client *client)
{
	struct sockaddr_un *address = (struct sockaddr_un *)&client->address;

	if (strlen(client->options.socket) >= sizeof(address->sun_path))
		return -EINVAL;
	address->sun_family = AF_UNIX;
	strcpy(address->sun_path, client->options.socket);
	client->address_len = sizeof(*address);
	strcpy(client->authority, "localhost");
	return 0;
}

static int resolve(struct h2client *client)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found;
	char port[8];

	if (client->options.socket)
		return resolve_unix(client);
	snprintf(port, sizeof(port), "%u", client->options.port);
	if (getaddrinfo(client->options.host, port, &hints, &found))
		return -EINVAL;
	memcpy(&client->address, found->ai_addr, found->ai_addrlen);
	client->address_len = found->ai_addrlen;
	freeaddrinfo(found);
	snprintf(client->authority, sizeof(client->authority),
		 strchr(client->options.host, ':') ? "[%s]:%s" : "%s:%s", client->options.host,
		 port);
	return 0;
}

static int loop_open(struct h2client *client)
{
	struct event_config *config = event_config_new();

	if (!config)
		return -ENOMEM;
	event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
	client->base = event_base_new_with_config(config);
	event_config_free(config);
	if (!client->base)
		return -ENOMEM;
	client->flush = event_new(client->base, -1, 0, on_flush, client);
	client->tick = event_new(client->base, -1, 0, on_tick, client);
	return client->flush && client->tick ? 0 : -ENOMEM;
}

static int connections_init(struct h2client *client)
{
	unsigned n = client->options.connections;

	client->connections = calloc(n, sizeof(*client->connections));
	if (!client->connections)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++) {
		struct connection *c = &client->connections[i];

		c->client = client;
		c->pause_ms = PAUSE_MIN_MS;
		c->again = event_new(client->base, -1, 0, on_again, c);
		if (!c->again)
			return -ENOMEM;
	}
	return 0;
}

int h2client_open(struct h2client **out, const struct h2client_options *options)
{
	struct h2client *client;
	int r;

	if (options->connections < 1 || options->connections > H2_CONNECTIONS_MAX ||
	    options->streams < 1 || options->streams > H2_STREAMS_MAX)
		return -EINVAL;
	client = calloc(1, sizeof(*client));
	if (!client)
		return -ENOMEM;
	client->options = *options;
	signal(SIGPIPE, SIG_IGN); // a peer that is gone when we write is an error, not the end
	r = resolve(client);
	if (r == 0)
		r = loop_open(client);
	if (r == 0)
		r = connections_init(client);
	if (r) {
		h2client_close(client);
		return r;
	}
	for (unsigned i = 0; i < options->connections; i++)
		connection_up(&client->connections[i]);
	*out = client;
	return 0;
}

static void connection_fini(struct connection *c)
{
	if (c->bev)
		bufferevent_free(c->bev);
	if (c->session)
		h2session_close(c->session);
	if (c->again)
		event_free(c->again);
}

void h2client_close(struct h2client *client)
{
	for (unsigned i = 0; client->connections && i < client->options.connections; i++)
		connection_fini(&client->connections[i]);
	free(client->connections);
	if (client->tick)
		event_free(client->tick);
	if (client->flush)
		event_free(client->flush);
	if (client->base)
		event_base_free(client->base);
	free(client);
}

// The next connection in turn with a free stream.
static struct connection *connection_next(const struct h2client *client)
{
	for (unsigned i = 0; i < client->options.connections; i++) {
		struct connection *c =
			&client->connections[(client->turn + i) % client->options.connections];

		if (c->session && h2session_has_room(c->session))
			return c;
	}
	return NULL;
}

bool h2client_has_room(const struct h2client *client)
{
	return connection_next(client) != NULL;
}

bool h2client_is_down(const struct h2client *client)
{
	for (unsigned i = 0; i < client->options.connections; i++) {
		if (!client->connections[i].is_down)
			return false;
	}
	return true;
}

int h2client_error(const struct h2client *client)
{
	return client->error;
}

int h2client_request(struct h2client *client, const struct h2_request *request)
{
	struct connection *c;

	while ((c = connection_next(client))) {
		client->turn =
			(unsigned)(c - client->connections + 1) % client->options.connections;
		flush_soon(client);
		if (h2session_request(c->session, client->authority, request))
			return 0;
	}
	return h2client_is_down(client) ? -ENOTCONN : -EAGAIN;
}

void h2client_wake_at(struct h2client *client, uint64_t mono_ns)
{
	uint64_t now_ns = clock_mono_ns(&clock_system);
	uint64_t us = mono_ns > now_ns ? (mono_ns - now_ns) / 1000 : 0;
	const struct timeval pause = {.tv_sec = (time_t)(us / 1000000),
				      .tv_usec = (suseconds_t)(us % 1000000)};

	event_add(client->tick, &pause);
}

void h2client_run(struct h2client *client)
{
	event_base_loop(client->base, EVLOOP_NO_EXIT_ON_EMPTY);
}

void h2client_stop(struct h2client *client)
{
	event_base_loopbreak(client->base);
}

struct call {
	struct h2client *client;
	int status;
	char *body;
	size_t body_len;
};

static void on_call_done(void *arg, const struct h2_response *response)
{
	struct call *call = arg;

	call->status = response->status;
	call->body = malloc(response->body_len + 1);
	if (call->body) {
		if (response->body_len)
			memcpy(call->body, response->body, response->body_len);
		call->body[response->body_len] = 0;
		call->body_len = response->body_len;
	}
	h2client_stop(call->client);
}

int h2client_call(struct h2client *client, const struct h2_request *request, char **body,
		  size_t *body_len)
{
	struct call call = {.client = client};
	struct h2_request mine = *request;
	int r;

	mine.done = on_call_done;
	mine.arg = &call;
	r = h2client_request(client, &mine);
	if (r)
		return r;
	h2client_run(client);
	if (body && call.status > 0) {
		*body = call.body;
		if (body_len)
			*body_len = call.body_len;
	} else {
		free(call.body);
	}
	return call.status ? call.status : -ETIMEDOUT;
}
