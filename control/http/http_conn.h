#pragma once
// One connection: a socket, TLS if the listener has it, and a session. What the session has to send
// leaves at the end of the loop's turn, through the server's one output buffer; only what the
// socket does not take is kept. Inside of the HTTP module; control thread only.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "control/http/http_server.h"
#include "control/loop.h"

struct door;
struct session;
struct tls_conn;

enum { CONN_IN = 64 * 1024, CONN_OUT = 128 * 1024 };

struct conn {
	struct http_server *server;
	int fd;
	struct loop_watch *watch;
	struct tls_conn *tls;    // NULL: in the clear
	struct session *session; // NULL: handshake
	http_authorize *authorize;
	void *authorize_ctx;
	bool ending;   // nothing more is read; closed when the rest is sent
	bool is_dirty; // in the server's list
	uint8_t *rest; // what the socket did not take
	size_t rest_len;
	size_t rest_at;
	unsigned wants;   // LOOP_… events that writing waits for
	uint64_t since_s; // opened, or last time the socket took something
	TAILQ_ENTRY(conn) all;
	TAILQ_ENTRY(conn) dirty;
};

TAILQ_HEAD(conn_list, conn);

struct http_server {
	struct loop *loop;
	struct door *door;
	struct loop_hook hook; // flushes at the end of a turn
	struct loop_timer *tick;
	struct loop_timer *drain_timer;
	struct listener *listeners;
	struct conn_list conns;
	struct conn_list dirty;
	bool draining;
	uint64_t drain_until_s;
	void (*drained)(void *ctx);
	void *drained_ctx;
	uint8_t in[CONN_IN];
	uint8_t out[CONN_OUT];
};

// Takes the descriptor over (closed on failure too). `peer` is NULL with TLS: known later.
int conn_open(struct http_server *server, int fd, struct tls_conn *tls,
	      const struct http_peer *peer, http_authorize *authorize, void *authorize_ctx);
void conn_close(struct conn *conn);
// Sends what is there, some of it at least; may close the connection. True when there is more.
bool conn_flush(struct conn *conn);
void conn_mark(struct conn *conn); // as dirty
// Once a second: time-outs; may close the connection.
void conn_tick(struct conn *conn);
