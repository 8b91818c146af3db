#include "control/http/http_listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "control/http/http.h"
#include "control/http/http_conn.h"
#include "control/http/http_door.h"
#include "control/http/http_tls.h"
#include "control/loop.h"

enum { BACKLOG = 1024, ACCEPTS_MAX = 64 };

struct listener {
	struct http_server *server;
	struct listener *next;
	int fd;
	struct loop_watch *watch;
	struct tls *tls;
	http_authorize *authorize;
	void *authorize_ctx;
	struct sockaddr_un path; // of a UNIX socket; sun_path[0] = 0: none
	ino_t inode;             // of its file: another's is not removed
};

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static int address_parse(const char *text, uint16_t port, union address *address, socklen_t *len)
{
	memset(address, 0, sizeof(*address));
	if (inet_pton(AF_INET, text, &address->v4.sin_addr) == 1) {
		address->v4.sin_family = AF_INET;
		address->v4.sin_port = htons(port);
		*len = sizeof(address->v4);
		return 0;
	}
	if (inet_pton(AF_INET6, text, &address->v6.sin6_addr) == 1) {
		address->v6.sin6_family = AF_INET6;
		address->v6.sin6_port = htons(port);
		*len = sizeof(address->v6);
		return 0;
	}
	return -EINVAL;
}

static bool is_loopback(const union address *address)
{
	if (address->any.sa_family == AF_INET)
		return ntohl(address->v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr);
}

static int socket_listen(const union address *address, socklen_t len, uint16_t *bound)
{
	int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	union address name;
	socklen_t name_len = sizeof(name);
	int status, on = 1;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    (address->any.sa_family == AF_INET6 &&
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0) ||
	    bind(fd, &address->any, len) < 0 || listen(fd, BACKLOG) < 0 ||
	    getsockname(fd, &name.any, &name_len) < 0) {
		status = -errno;
		close(fd);
		return status;
	}
	if (bound != NULL) // the port lies at the same place in both
		*bound = ntohs(name.v4.sin_port);
	return fd;
}

// Whether the peer of a UNIX socket is root or ourselves.
static bool peer_is_ours(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	       (peer.uid == 0 || peer.uid == geteuid());
}

static bool admits(const struct listener *listener, int fd)
{
	const struct door *door = listener->server->door;

	return door->stats.connections_now < door->limits.connections &&
	       (listener->path.sun_path[0] == '\0' || peer_is_ours(fd));
}

static void welcome(struct listener *listener, int fd)
{
	const struct http_peer clear = {.roles = HTTP_ROLE_ANY};
	const struct http_peer admin = {.roles = HTTP_ROLE_ANY | HTTP_ROLE_ADMIN};
	bool is_unix = listener->path.sun_path[0] != '\0';
	struct tls_conn *tls = NULL;
	int on = 1;

	if (!is_unix) // answers leave in whole bundles, there's nothing to wait for
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (listener->tls != NULL) {
		tls = tls_accept(listener->tls, fd);
		if (tls == NULL) {
			close(fd);
			return;
		}
	}
	conn_open(listener->server, fd, tls,
		  tls != NULL ? NULL
		  : is_unix   ? &admin
			      : &clear,
		  listener->authorize, listener->authorize_ctx);
}

static void ready(void *ctx, unsigned events)
{
	struct listener *listener = ctx;
	struct http_stats *stats = &listener->server->door->stats;

	(void)events;
	for (unsigned i = 0; i < ACCEPTS_MAX; i++) {
		int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0 &&
		    (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
			log_warn("http", "accept: %s; trying again in a second", strerror(errno));
			loop_watch_set(listener->watch, 0); // until listeners_resume
		}
		if (fd < 0)
			return;
		if (!admits(listener, fd)) {
			stats->connections_refused++;
			close(fd);
			continue;
		}
		stats->connections++;
		welcome(listener, fd);
	}
}

void listeners_resume(struct http_server *server)
{
	for (struct listener *l = server->listeners; l != NULL; l = l->next)
		loop_watch_set(l->watch, LOOP_READ);
}

static void listener_close(struct listener *listener)
{
	struct stat file;

	loop_watch_free(listener->watch);
	if (listener->fd >= 0)
		close(listener->fd);
	if (listener->path.sun_path[0] != '\0' && lstat(listener->path.sun_path, &file) == 0 &&
	    file.st_ino == listener->inode)
		unlink(listener->path.sun_path);
	tls_free(listener->tls);
	free(listener);
}

void listeners_close(struct http_server *server)
{
	while (server->listeners != NULL) {
		struct listener *listener = server->listeners;

		server->listeners = listener->next;
		listener_close(listener);
	}
}

// Begins to accept; takes the listener over, failed or not.
static int start(struct http_server *server, struct listener *listener)
{
	listener->server = server;
	listener->watch = loop_watch_new(server->loop, listener->fd, LOOP_READ, ready, listener);
	if (listener->watch == NULL) {
		listener_close(listener);
		return -ENOMEM;
	}
	listener->next = server->listeners;
	server->listeners = listener;
	return 0;
}

static int listen_tcp(struct http_server *server, struct listener *listener, const char *text,
		      const union address *address, socklen_t len, uint16_t *bound)
{
	listener->fd = socket_listen(address, len, bound);
	if (listener->fd < 0) {
		int status = listener->fd;

		log_error("http", "can't listen on %s port %u: %s", text,
			  ntohs(address->v4.sin_port), strerror(-status));
		listener_close(listener);
		return status;
	}
	return start(server, listener);
}

int http_listen_clear(struct http_server *server, const char *text, uint16_t port, uint16_t *bound)
{
	struct listener *listener;
	union address address;
	socklen_t len;

	if (address_parse(text, port, &address, &len) < 0) {
		log_error("http", "%s is no IPv4 or IPv6 address", text);
		return -EINVAL;
	}
	if (!is_loopback(&address)) {
		log_error("http", "%s: in the clear only on loopback; use TLS", text);
		return -EPERM;
	}
	listener = calloc(1, sizeof(*listener));
	if (listener == NULL)
		return -ENOMEM;
	return listen_tcp(server, listener, text, &address, len, bound);
}

int http_listen_tls(struct http_server *server, const char *text, uint16_t port,
		    const struct http_tls_files *files, http_authorize *authorize, void *ctx,
		    uint16_t *bound)
{
	struct listener *listener;
	union address address;
	socklen_t len;

	if (address_parse(text, port, &address, &len) < 0) {
		log_error("http", "%s is no IPv4 or IPv6 address", text);
		return -EINVAL;
	}
	listener = calloc(1, sizeof(*listener));
	if (listener == NULL)
		return -ENOMEM;
	listener->fd = -1;
	listener->authorize = authorize;
	listener->authorize_ctx = ctx;
	listener->tls = tls_new(files);
	if (listener->tls == NULL) {
		listener_close(listener);
		return -EINVAL;
	}
	return listen_tcp(server, listener, text, &address, len, bound);
}

// A socket file that nobody listens on is what a killed process left: removed.
static int clear_path(const struct sockaddr_un *path)
{
	struct stat file;
	int fd, status;

	if (lstat(path->sun_path, &file) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(file.st_mode))
		return -EEXIST;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	status = connect(fd, (const struct sockaddr *)path, sizeof(*path)) == 0 ? 0 : -errno;
	close(fd);
	if (status != -ECONNREFUSED)
		return -EADDRINUSE;
	return unlink(path->sun_path) == 0 ? 0 : -errno;
}

static int unix_listen(const struct sockaddr_un *path)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	mode_t mask;
	int status;

	if (fd < 0)
		return -errno;
	mask = umask(0177); // the file is born with mode 0600
	status = bind(fd, (const struct sockaddr *)path, sizeof(*path)) == 0 ? 0 : -errno;
	umask(mask);
	if (status == 0 && listen(fd, BACKLOG) < 0)
		status = -errno;
	if (status == 0)
		return fd;
	close(fd);
	return status;
}

int http_listen_unix(struct http_server *server, const char *path)
{
	struct listener *listener = calloc(1, sizeof(*listener));
	struct stat file;
	int status;

	if (listener == NULL)
		return -ENOMEM;
	listener->fd = -1;
	listener->path.sun_family = AF_UNIX;
	status = strlen(path) < sizeof(listener->path.sun_path) ? 0 : -ENAMETOOLONG;
	if (status == 0) {
		strcpy(listener->path.sun_path, path);
		status = clear_path(&listener->path);
	}
	if (status == 0)
		status = listener->fd = unix_listen(&listener->path);
	if (status < 0) {
		log_error("http", "can't listen on %s: %s", path, strerror(-status));
		listener_close(listener);
		return status;
	}
	if (lstat(path, &file) == 0)
		listener->inode = file.st_ino;
	return start(server, listener);
}
