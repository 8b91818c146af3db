#include "control/http/http_server.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "control/http/http_conn.h"
#include "control/http/http_door.h"
#include "control/http/http_listener.h"
#include "control/http/http_session.h"
#include "control/http/http_timeouts.h"
#include "control/loop.h"

enum { TICK_MS = 1000, ANNOUNCED_MS = 100 };

void http_limits_default(struct http_limits *limits)
{
	*limits = (struct http_limits){
		.connections = 1024,
		.streams = 1024,
		.requests = 16384,
		.uploads = 64,
		.header_octets = 16 * 1024,
		.body_max = 1024 * 1024,
		.bodies = 256 * 1024 * 1024,
		.request_s = 30,
		.answer_s = 30,
		.open_s = 10,
		.idle_s = 600,
	};
}

static void drained(struct http_server *server)
{
	void (*call)(void *) = server->drained;

	server->drained = NULL;
	if (call != NULL)
		call(server->drained_ctx);
}

// The end of a turn: what was answered in it leaves.
static bool flush(void *ctx)
{
	struct http_server *server = ctx;
	struct conn_list dirty = TAILQ_HEAD_INITIALIZER(dirty);
	struct conn *conn;

	TAILQ_CONCAT(&dirty, &server->dirty, dirty);
	while ((conn = TAILQ_FIRST(&dirty)) != NULL) {
		TAILQ_REMOVE(&dirty, conn, dirty);
		conn->is_dirty = false;
		if (conn_flush(conn))
			conn_mark(conn);
	}
	if (server->draining && TAILQ_EMPTY(&server->conns))
		drained(server);
	return !TAILQ_EMPTY(&server->dirty);
}

static void close_all(struct http_server *server)
{
	struct conn *conn;

	while ((conn = TAILQ_FIRST(&server->conns)) != NULL)
		conn_close(conn);
}

static void read_clock(struct http_server *server)
{
	timeouts_tick(server->door, clock_mono_ns(&clock_system) / 1000000000,
		      (int64_t)clock_unix_s(&clock_system));
}

static void tick(void *ctx)
{
	struct http_server *server = ctx;
	struct conn *conn, *next;

	read_clock(server);
	for (conn = TAILQ_FIRST(&server->conns); conn != NULL; conn = next) {
		next = TAILQ_NEXT(conn, all);
		conn_tick(conn);
	}
	listeners_resume(server);
	if (server->draining && server->door->now_s >= server->drain_until_s) {
		close_all(server);
		drained(server);
	}
}

// The second step of the end: peers know, and what they sent before they knew has come.
static void refuse_new(void *ctx)
{
	struct http_server *server = ctx;
	struct conn *conn;

	TAILQ_FOREACH(conn, &server->conns, all)
	if (conn->session != NULL)
		session_refuse_new(conn->session);
}

struct http_server *http_server_new(struct loop *loop, const struct http_limits *limits)
{
	struct http_server *server = calloc(1, sizeof(*server));

	if (server == NULL)
		return NULL;
	server->loop = loop;
	TAILQ_INIT(&server->conns);
	TAILQ_INIT(&server->dirty);
	server->door = door_new(limits);
	if (server->door == NULL)
		goto err;
	server->tick = loop_timer_new(loop, tick, server);
	server->drain_timer = loop_timer_new(loop, refuse_new, server);
	if (server->tick == NULL || server->drain_timer == NULL)
		goto err;
	read_clock(server);
	loop_timer_repeat(server->tick, TICK_MS);
	server->hook = (struct loop_hook){.before = flush, .ctx = server};
	loop_hook_add(loop, &server->hook);
	return server;

err:
	loop_timer_free(server->tick);
	loop_timer_free(server->drain_timer);
	if (server->door != NULL)
		door_close(server->door);
	free(server);
	return NULL;
}

void http_server_free(struct http_server *server)
{
	if (server == NULL)
		return;
	listeners_close(server);
	close_all(server);
	loop_hook_del(server->loop, &server->hook);
	loop_timer_free(server->tick);
	loop_timer_free(server->drain_timer);
	door_close(server->door);
	mem_wipe(server->in, sizeof(server->in));
	free(server);
}

void http_server_drain(struct http_server *server, unsigned seconds, void (*call)(void *ctx),
		       void *ctx)
{
	struct conn *conn, *next;

	server->draining = true;
	server->drain_until_s = server->door->now_s + seconds;
	server->drained = call;
	server->drained_ctx = ctx;
	listeners_close(server);
	for (conn = TAILQ_FIRST(&server->conns); conn != NULL; conn = next) {
		next = TAILQ_NEXT(conn, all);
		if (conn->session == NULL)
			conn_close(conn);
		else
			session_announce_end(conn->session);
	}
	loop_timer_start(server->drain_timer, ANNOUNCED_MS);
}

void http_server_stats(const struct http_server *server, struct http_stats *stats)
{
	*stats = server->door->stats;
	stats->requests_now = server->door->n_exchanges;
}

bool http_server_op(const struct http_server *server, unsigned n, struct http_op_stats *stats)
{
	unsigned n_ops = route_n_ops();

	if (n > n_ops)
		return false;
	stats->op = route_op_name(n);
	memcpy(stats->by_class, server->door->by_class[n < n_ops ? n : ROUTE_OPS_MAX],
	       sizeof(stats->by_class));
	return true;
}
