// A server of the test routes, for scripts: http_door [--tls CERT KEY CA] [--unix PATH].
// Prints "clear PORT" (and "tls PORT") and runs until SIGTERM, then drains. Clients whose
// certificate is named ausf, operator or af.<name> get that role.

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/http/http.h"
#include "control/http/http_server.h"
#include "control/loop.h"
#include "tests/kit/http_routes.h"

static struct loop *loop;
static struct http_server *server;

static void drained(void *ctx)
{
	(void)ctx;
	loop_stop(loop);
}

static void terminate(void *ctx, int number)
{
	(void)ctx;
	(void)number;
	http_server_drain(server, 5, drained, NULL);
}

static void authorize(void *ctx, const char *const *names, unsigned n, struct http_peer *peer)
{
	(void)ctx;
	for (unsigned i = 0; i < n; i++) {
		if (strcmp(names[i], "ausf") == 0)
			peer->roles |= HTTP_ROLE_AUSF;
		if (strcmp(names[i], "operator") == 0)
			peer->roles |= HTTP_ROLE_OPERATOR;
		if (strncmp(names[i], "af.", 3) == 0) {
			peer->roles |= HTTP_ROLE_AF;
			snprintf(peer->af, sizeof(peer->af), "%s", names[i]);
		}
	}
}

static int listen_as_asked(int argc, char **argv)
{
	uint16_t port;

	if (http_listen_clear(server, "127.0.0.1", 0, &port) < 0)
		return -1;
	printf("clear %u\n", port);
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--tls") == 0 && i + 3 < argc) {
			struct http_tls_files files = {argv[i + 1], argv[i + 2], argv[i + 3]};

			if (http_listen_tls(server, "127.0.0.1", 0, &files, authorize, NULL,
					    &port) < 0)
				return -1;
			printf("tls %u\n", port);
			i += 3;
		} else if (strcmp(argv[i], "--unix") == 0 && i + 1 < argc) {
			if (http_listen_unix(server, argv[++i]) < 0)
				return -1;
			printf("unix\n");
		}
	}
	printf("ready\n");
	fflush(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	struct http_limits limits;
	struct loop_signal *term;
	int status;

	http_limits_default(&limits);
	loop = loop_new();
	server = http_server_new(loop, &limits);
	term = loop_signal_new(loop, SIGTERM, terminate, NULL);
	if (routes_init(loop) < 0 || listen_as_asked(argc, argv) < 0)
		return 2;
	status = loop_run(loop);
	loop_signal_free(term);
	http_server_free(server);
	loop_free(loop);
	return status < 0;
}
