#include "control/http/http_conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "control/http/http_door.h"
#include "control/http/http_session.h"
#include "control/http/http_tls.h"
#include "control/loop.h"

enum {
	// Of one connection in a turn. A TLS read takes a whole record, so what is not read is in
	// the socket and shows in the next turn.
	READS_MAX = 4,
	WRITES_MAX = 4,
};

void conn_mark(struct conn *conn)
{
	if (conn->is_dirty)
		return;
	conn->is_dirty = true;
	TAILQ_INSERT_TAIL(&conn->server->dirty, conn, dirty);
}

static void wake(void *owner)
{
	conn_mark(owner);
}

void conn_close(struct conn *conn)
{
	struct http_server *server = conn->server;

	if (conn->session != NULL)
		session_free(conn->session);
	// Last, for handlers that session_free told may have marked it.
	if (conn->is_dirty)
		TAILQ_REMOVE(&server->dirty, conn, dirty);
	TAILQ_REMOVE(&server->conns, conn, all);
	server->door->stats.connections_now--;
	loop_watch_free(conn->watch);
	tls_close(conn->tls);
	close(conn->fd);
	if (conn->rest != NULL) {
		mem_wipe(conn->rest, conn->rest_len);
		free(conn->rest);
	}
	free(conn);
}

static ssize_t receive(struct conn *conn)
{
	unsigned events = 0;
	ssize_t n;

	if (conn->tls != NULL)
		return tls_read(conn->tls, conn->server->in, CONN_IN, &events);
	n = recv(conn->fd, conn->server->in, CONN_IN, 0);
	return n >= 0 ? n : -errno;
}

static ssize_t transmit(struct conn *conn, const uint8_t *octets, size_t n)
{
	ssize_t sent;

	conn->wants = LOOP_WRITE;
	if (conn->tls != NULL)
		return tls_write(conn->tls, octets, n, &conn->wants);
	sent = send(conn->fd, octets, n, MSG_NOSIGNAL);
	return sent >= 0 ? sent : -errno;
}

// How many of the octets the socket took, or -errno when it is broken.
static ssize_t transmit_some(struct conn *conn, const uint8_t *octets, size_t n)
{
	size_t at = 0;

	while (at < n) {
		ssize_t sent = transmit(conn, octets + at, n - at);

		if (sent == -EAGAIN)
			break;
		if (sent < 0)
			return sent;
		at += (size_t)sent;
	}
	if (at > 0)
		conn->since_s = conn->server->door->now_s;
	conn->server->door->stats.octets_out += at;
	return (ssize_t)at;
}

static int send_rest(struct conn *conn)
{
	ssize_t n;

	if (conn->rest == NULL)
		return 0;
	n = transmit_some(conn, conn->rest + conn->rest_at, conn->rest_len - conn->rest_at);
	if (n < 0)
		return (int)n;
	conn->rest_at += (size_t)n;
	if (conn->rest_at < conn->rest_len)
		return -EAGAIN;
	mem_wipe(conn->rest, conn->rest_len);
	free(conn->rest);
	conn->rest = NULL;
	return 0;
}

static int keep_rest(struct conn *conn, const uint8_t *octets, size_t n)
{
	conn->rest = malloc(n);
	if (conn->rest == NULL)
		return -ENOMEM;
	memcpy(conn->rest, octets, n);
	conn->rest_len = n;
	conn->rest_at = 0;
	return -EAGAIN;
}

// 0: all is sent; 1: there is more, another turn; -EAGAIN: the socket is full; else it is broken.
static int send_some(struct conn *conn)
{
	uint8_t *out = conn->server->out;
	int status = send_rest(conn);

	for (unsigned i = 0; status == 0 && i < WRITES_MAX; i++) {
		size_t n = session_send(conn->session, out, CONN_OUT);
		ssize_t sent;

		if (n == 0)
			return 0;
		sent = transmit_some(conn, out, n);
		if (sent < 0)
			status = (int)sent;
		else if ((size_t)sent < n)
			status = keep_rest(conn, out + sent, n - (size_t)sent);
		mem_wipe(out, n);
	}
	return status == 0 ? 1 : status;
}

bool conn_flush(struct conn *conn)
{
	unsigned reads = conn->ending ? 0 : LOOP_READ;
	int status;

	if (conn->session == NULL)
		return false;
	status = send_some(conn);
	if ((status < 0 && status != -EAGAIN) ||
	    (status == 0 && (conn->ending || session_is_done(conn->session)))) {
		conn_close(conn);
		return false;
	}
	loop_watch_set(conn->watch, status == -EAGAIN ? reads | conn->wants : reads);
	return status > 0;
}

// What the peer sent last may still be answered by a GOAWAY; then it is over.
static void end(struct conn *conn)
{
	conn->ending = true;
	conn_mark(conn);
}

static void read_session(struct conn *conn)
{
	struct door *door = conn->server->door;

	for (unsigned i = 0; i < READS_MAX; i++) {
		ssize_t n = receive(conn);
		int status;

		if (n == -EAGAIN || n == -EINTR)
			return;
		if (n <= 0) {
			conn_close(conn);
			return;
		}
		conn_mark(conn);
		door->stats.octets_in += (uint64_t)n;
		status = session_recv(conn->session, conn->server->in, (size_t)n);
		mem_wipe(conn->server->in, (size_t)n); // keys come this way
		if (status < 0) {
			door->stats.connections_bad++;
			end(conn);
			return;
		}
		if (n < CONN_IN && conn->tls == NULL)
			return; // the socket is empty
	}
}

static int start_session(struct conn *conn, const struct http_peer *peer)
{
	conn->session = session_new(conn->server->door, peer, wake, conn);
	if (conn->session == NULL)
		return -ENOMEM;
	if (conn->server->draining)
		session_refuse_new(conn->session);
	conn_mark(conn); // our SETTINGS
	return 0;
}

static void handshake(struct conn *conn)
{
	unsigned events = LOOP_READ;
	int status = tls_handshake(conn->tls, &events);
	struct http_peer peer;

	if (status == -EAGAIN) {
		loop_watch_set(conn->watch, events);
		return;
	}
	if (status == 0) {
		tls_authorize(conn->tls, conn->authorize, conn->authorize_ctx, &peer);
		status = start_session(conn, &peer);
	}
	if (status < 0) {
		conn->server->door->stats.handshakes_failed++;
		conn_close(conn);
		return;
	}
	read_session(conn); // what came with the last handshake message is in no socket any more
}

static void ready(void *ctx, unsigned events)
{
	struct conn *conn = ctx;

	if (conn->session == NULL) {
		handshake(conn);
		return;
	}
	if (events & LOOP_WRITE || conn->wants == LOOP_READ)
		conn_mark(conn);
	if (events & LOOP_READ && !conn->ending)
		read_session(conn);
}

int conn_open(struct http_server *server, int fd, struct tls_conn *tls,
	      const struct http_peer *peer, http_authorize *authorize, void *authorize_ctx)
{
	struct conn *conn = calloc(1, sizeof(*conn));

	if (conn == NULL) {
		tls_close(tls);
		close(fd);
		return -ENOMEM;
	}
	conn->server = server;
	conn->fd = fd;
	conn->tls = tls;
	conn->authorize = authorize;
	conn->authorize_ctx = authorize_ctx;
	conn->since_s = server->door->now_s;
	TAILQ_INSERT_TAIL(&server->conns, conn, all);
	server->door->stats.connections_now++;
	conn->watch = loop_watch_new(server->loop, fd, LOOP_READ, ready, conn);
	if (conn->watch == NULL || (peer != NULL && start_session(conn, peer) < 0)) {
		conn_close(conn);
		return -ENOMEM;
	}
	return 0;
}

void conn_tick(struct conn *conn)
{
	struct door *door = conn->server->door;
	const struct http_limits *limits = &door->limits;
	struct session *session = conn->session;
	bool stuck = conn->rest != NULL && conn->since_s + limits->answer_s < door->now_s;
	bool late = (session == NULL || !session_is_open(session)) &&
		    conn->since_s + limits->open_s < door->now_s;

	if (stuck || late) {
		conn_close(conn);
		return;
	}
	if (session == NULL || conn->ending || session_n_exchanges(session) > 0 ||
	    session_idle_since(session) + limits->idle_s >= door->now_s)
		return;
	door->stats.connections_idle++;
	session_refuse_new(session);
	end(conn);
}
