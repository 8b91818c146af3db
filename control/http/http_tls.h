#pragma once
// TLS 1.3 of one listener and its connections. http_tls.c is the only file of the module that knows
// the TLS library. Inside of the HTTP module; control thread only.

#include <stddef.h>
#include <sys/types.h>

#include "control/http/http_server.h"

struct tls;      // of a listener
struct tls_conn; // of a connection

// NULL when a file is missing or wrong, which is logged.
struct tls *tls_new(const struct http_tls_files *files);
void tls_free(struct tls *tls);

struct tls_conn *tls_accept(struct tls *tls, int fd); // NULL without memory
void tls_close(struct tls_conn *conn);                // the descriptor stays the caller's

// As read(2) and send(2) on a non-blocking socket: octets, 0 at the end (read), -EAGAIN when more
// has to be read or written first (*events becomes LOOP_READ or LOOP_WRITE), -EPROTO when the
// connection is broken.
ssize_t tls_read(struct tls_conn *conn, void *to, size_t max, unsigned *events);
ssize_t tls_write(struct tls_conn *conn, const void *from, size_t n, unsigned *events);
// 0 when the handshake is over: HTTP/2 was agreed on, the peer's certificate is good.
int tls_handshake(struct tls_conn *conn, unsigned *events);
void tls_authorize(struct tls_conn *conn, http_authorize *authorize, void *ctx,
		   struct http_peer *peer);
