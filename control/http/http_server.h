#pragma once
// The server behind http.h: listeners, limits, counters, an orderly end. Connections, sessions and
// requests are its own; it reads and writes only from the loop, and everything that is answered in
// one turn of the loop leaves in one write per connection. Control thread only.
//
// Protection: all counts and sizes of struct http_limits; time-outs for peers that are slow to send
// a request, slow to take an answer, or idle; floods of SETTINGS, PING and resets end the
// connection (limits of the HTTP/2 library). What a limit on requests or memory refuses gets 503
// with Retry-After.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_server;
struct loop;

struct http_limits {
	unsigned connections;
	unsigned streams;     // concurrent, of one connection
	unsigned requests;    // under way, of all connections
	unsigned uploads;     // of lines, under way, of all connections
	size_t header_octets; // of one request: names, values, 32 for each field (RFC 9113 6.5.2)
	size_t body_max;      // of a request whose route says nothing else
	size_t bodies;        // octets of all bodies under way
	unsigned request_s;   // a request is complete within this; an upload of lines moves
	unsigned answer_s;    // a peer takes something of an answer within this
	unsigned open_s;      // TLS handshake and first SETTINGS
	unsigned idle_s;      // a connection without a request
};

void http_limits_default(struct http_limits *limits);

// NULL without memory.
struct http_server *http_server_new(struct loop *loop, const struct http_limits *limits);
// Closes everything at once. Requests that are not answered yet may still be (into nothing).
void http_server_free(struct http_server *server);

// Listeners. Addresses are numeric (IPv4 or IPv6); port 0 takes a free one, *bound says which
// (NULL: not asked). Failures are logged; 0 or -errno. -EPERM when the address is not a loopback
// address.
int http_listen_clear(struct http_server *server, const char *address, uint16_t port,
		      uint16_t *bound);

// TLS 1.3, ALPN h2, a client certificate of `ca` is required. The names of a client's certificate
// (DNS names of subjectAltName, then common names) come to `authorize`, which fills in what the
// peer may do; a peer left without roles gets 403 for everything.
struct http_peer {
	unsigned roles; // HTTP_ROLE_…
	char af[256];   // the FQDN an AF acts under; "": any
};
typedef void http_authorize(void *ctx, const char *const *names, unsigned n,
			    struct http_peer *peer);
struct http_tls_files {
	const char *certificate; // PEM, with its chain
	const char *key;         // PEM
	const char *ca;          // PEM
};
int http_listen_tls(struct http_server *server, const char *address, uint16_t port,
		    const struct http_tls_files *files, http_authorize *authorize, void *ctx,
		    uint16_t *bound);

// Mode 0600; peers of uid 0 or our own only, with all roles. -EADDRINUSE when another process
// listens there, -EEXIST when something else than a socket is there.
int http_listen_unix(struct http_server *server, const char *path);

// An orderly end: no new connections and requests, what is under way is finished, for `seconds` at
// most; then everything is closed and `drained` called, once, from the loop.
void http_server_drain(struct http_server *server, unsigned seconds, void (*drained)(void *ctx),
		       void *ctx);

struct http_stats {
	uint64_t connections;         // accepted
	uint64_t connections_refused; // limit, credentials of the UNIX socket
	uint64_t handshakes_failed;
	uint64_t connections_idle; // closed for idleness
	uint64_t connections_bad;  // ended for breaking the protocol, floods included
	uint64_t requests;
	uint64_t requests_gone;    // the peer went away before the answer
	uint64_t requests_slow;    // ended by request_s
	uint64_t answers_slow;     // ended by answer_s
	uint64_t requests_refused; // by a limit on requests, uploads or memory
	uint64_t octets_in;
	uint64_t octets_out;
	uint64_t connections_now;
	uint64_t requests_now;
	uint64_t uploads_now;
	uint64_t bodies_now; // octets
};
void http_server_stats(const struct http_server *server, struct http_stats *stats);

// Answers by operation and status class, n = 0, 1, … until false. by_class[1..5] are 1xx to 5xx.
// Operations are those of http_routes, the last is "" for requests that met no route.
struct http_op_stats {
	const char *op;
	uint64_t by_class[6];
};
bool http_server_op(const struct http_server *server, unsigned n, struct http_op_stats *stats);
