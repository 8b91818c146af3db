#include "control/doors.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "base/log.h"
#include "control/api/routes.h"
#include "control/app.h"
#include "control/config/config.h"
#include "control/http/http_server.h"
#include "control/operations/operations.h"
#include "control/operations/trace.h"

enum { FILES_KEPT = 256 }; // from connections, for the store and the workers

static void authorize(void *ctx, const char *const *names, unsigned n, struct http_peer *peer)
{
	static const unsigned roles[] = {[CONFIG_ROLE_AUSF] = HTTP_ROLE_AUSF,
					 [CONFIG_ROLE_OPERATOR] = HTTP_ROLE_OPERATOR,
					 [CONFIG_ROLE_AF] = HTTP_ROLE_AF};
	const struct config *config = ctx;

	for (unsigned i = 0; i < n; i++) {
		for (unsigned j = 0; j < config->tls.n_clients; j++) {
			const struct config_client *client = &config->tls.clients[j];

			if (strcmp(names[i], client->name) != 0)
				continue;
			peer->roles = roles[client->role];
			strcpy(peer->af, client->af);
			return;
		}
	}
	log_warn("http", "a TLS client is in no tls.clients entry: %s", n ? names[0] : "no name");
}

static int listen_tls(struct app *app)
{
	const struct config *config = app->config;
	struct http_tls_files files = {config->tls.certificate, config->tls.key, config->tls.ca};

	if (!files.certificate)
		return 0;
	return http_listen_tls(app->http, config->tls.address, config->tls.port, &files, authorize,
			       (void *)config, NULL);
}

// Peers must not take the handles that the store needs to go on.
static uint32_t connections_max(const struct config *config)
{
	struct rlimit files;
	uint64_t room;

	if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur == RLIM_INFINITY)
		return config->http.connections_max;
	room = files.rlim_cur > 2 * FILES_KEPT ? files.rlim_cur - FILES_KEPT : files.rlim_cur / 2;
	if (room >= config->http.connections_max)
		return config->http.connections_max;
	log_warn("daemon",
		 "%llu files may be open: %llu connections at a time, not the %u of "
		 "http.connections_max (LimitNOFILE=, ulimit -n)",
		 (unsigned long long)files.rlim_cur, (unsigned long long)room,
		 config->http.connections_max);
	return (uint32_t)room;
}

int doors_open(struct app *app)
{
	static const struct http_route *const tables[] = {
		naanf_routes, af_routes,         group_routes,  ue_routes,
		push_routes,  push_admin_routes, health_routes, metrics_routes,
		admin_routes, trace_routes,      NULL};
	const struct config *config = app->config;
	struct http_limits limits;
	int error = http_routes(tables, app);

	if (error)
		return error;
	http_limits_default(&limits);
	limits.connections = connections_max(config);
	limits.streams = config->http.streams_max;
	limits.requests = config->http.requests_max;
	limits.body_max = config->http.body_max;
	app->http = http_server_new(app->loop, &limits);
	if (!app->http)
		return -ENOMEM;
	error = http_listen_clear(app->http, config->listen.address, config->listen.port, NULL);
	if (!error)
		error = listen_tls(app);
	if (!error)
		error = http_listen_unix(app->http, config->admin.socket);
	return error;
}
