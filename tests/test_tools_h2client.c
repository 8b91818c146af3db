// The HTTP/2 client against nghttpd on loopback.
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "tools/h2client.h"

enum { LARGE = 300000, REQUESTS = 2000 };

// A test that hangs crashes. (Criterion's own time-outs leak a little under AddressSanitizer.)
static void bound(void)
{
	alarm(30);
}

// ---- A server of files in a folder of its own, which also gives back what is posted to it

struct server {
	char folder[64];
	uint16_t port;
	pid_t pid;
};

static void write_file(const struct server *server, const char *name, size_t n)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", server->folder, name);
	file = fopen(path, "w");
	cr_assert_not_null(file);
	for (size_t i = 0; i < n; i++)
		fputc('a' + (int)(i % 26), file);
	fclose(file);
}

static bool answers(uint16_t port)
{
	const struct h2client_options options = {
		.host = "127.0.0.1", .port = port, .connections = 1, .streams = 1};
	const struct h2_request request = {.method = "GET", .path = "/small"};
	struct h2client *client;
	int status;

	cr_assert_eq(h2client_open(&client, &options), 0);
	status = h2client_call(client, &request, NULL, NULL);
	h2client_close(client);
	return status == 200;
}

static void server_start(struct server *server)
{
	char port[8];

	snprintf(port, sizeof(port), "%u", server->port);
	server->pid = fork();
	if (server->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execlp("nghttpd", "nghttpd", "--no-tls", "--echo-upload", "-a", "127.0.0.1", "-d",
		       server->folder, port, NULL);
		_exit(127);
	}
	for (unsigned i = 0; i < 100; i++) {
		if (answers(server->port))
			return;
		usleep(20000);
	}
	cr_assert_fail("nghttpd does not answer");
}

static void server_stop(struct server *server)
{
	kill(server->pid, SIGKILL);
	waitpid(server->pid, NULL, 0);
}

static void server_open(struct server *server)
{
	strcpy(server->folder, "/tmp/akmapush-test-XXXXXX");
	cr_assert_not_null(mkdtemp(server->folder));
	server->port = (uint16_t)(11000 + getpid() % 9000);
	write_file(server, "small", 10);
	write_file(server, "large", LARGE);
	server_start(server);
}

static void server_close(struct server *server)
{
	char path[128];

	server_stop(server);
	snprintf(path, sizeof(path), "%s/small", server->folder);
	unlink(path);
	snprintf(path, sizeof(path), "%s/large", server->folder);
	unlink(path);
	rmdir(server->folder);
}

// ---- Many requests, as the load generator makes them

struct many {
	struct h2client *client;
	unsigned asked, good, bad, under_way, most;
	int last_status;
	unsigned kill_after; // answers; 0: never
	struct server *server;
	bool until_good; // ask again what went wrong
};

static void on_done(void *arg, const struct h2_response *response)
{
	struct many *m = arg;

	m->under_way--;
	m->last_status = response->status;
	if (response->status == 200) {
		cr_assert_eq(response->body_len, 10);
		cr_assert_eq(memcmp(response->body, "abcdefghij", 11), 0);
		m->good++;
	} else {
		m->bad++;
		m->asked -= m->until_good;
	}
	if (m->kill_after && m->good == m->kill_after) {
		m->kill_after = 0;
		server_stop(m->server);
	}
	if (m->good == REQUESTS || (!m->until_good && m->good + m->bad == REQUESTS))
		h2client_stop(m->client);
}

static void on_room(void *arg)
{
	struct many *m = arg;
	const struct h2_request request = {
		.method = "GET", .path = "/small", .done = on_done, .arg = m};

	while (m->asked < REQUESTS && h2client_has_room(m->client)) {
		cr_assert_eq(h2client_request(m->client, &request), 0);
		m->asked++;
		m->under_way++;
		m->most = m->under_way > m->most ? m->under_way : m->most;
	}
	if (h2client_is_down(m->client))
		h2client_stop(m->client);
}

static void open_many(struct many *m, bool reconnect)
{
	const struct h2client_options options = {
		.host = "127.0.0.1",
		.port = m->server->port,
		.connections = 3,
		.streams = 20,
		.reconnect = reconnect,
		.room = on_room,
		.arg = m,
	};

	cr_assert_eq(h2client_open(&m->client, &options), 0);
}

Test(tools_h2client, many_streams_on_many_connections, .init = bound)
{
	struct server server;
	struct many m = {.server = &server};

	server_open(&server);
	open_many(&m, false);
	h2client_run(m.client);
	cr_assert_eq(m.good, REQUESTS);
	cr_assert_eq(m.most, 60); // and never more
	cr_assert(h2client_has_room(m.client));
	h2client_close(m.client);
	server_close(&server);
}

Test(tools_h2client, a_lost_server_ends_every_request_once, .init = bound)
{
	struct server server;
	struct many m = {.server = &server, .kill_after = 500};

	server_open(&server);
	open_many(&m, false);
	h2client_run(m.client);
	cr_assert_geq(m.good, 500);
	cr_assert_eq(m.under_way, 0);
	cr_assert_eq(m.good + m.bad, m.asked);
	cr_assert(m.last_status == -ECONNRESET || m.last_status == -EPIPE, "%d", m.last_status);
	cr_assert(h2client_is_down(m.client));
	cr_assert_eq(h2client_request(m.client, &(struct h2_request){.method = "GET"}), -ENOTCONN);
	h2client_close(m.client);
	server_close(&server);
}

static void on_tick_start_server(void *arg)
{
	struct many *m = arg;

	server_start(m->server);
}

Test(tools_h2client, connections_come_back, .init = bound)
{
	struct server server;
	struct many m = {.server = &server, .kill_after = 500, .until_good = true};
	const struct h2client_options options = {
		.host = "127.0.0.1",
		.port = 0,
		.connections = 3,
		.streams = 20,
		.reconnect = true,
		.room = on_room,
		.tick = on_tick_start_server,
		.arg = &m,
	};
	struct h2client_options mine = options;

	server_open(&server);
	mine.port = server.port;
	cr_assert_eq(h2client_open(&m.client, &mine), 0);
	h2client_wake_at(m.client, clock_mono_ns(&clock_system) + 700000000);
	h2client_run(m.client);
	cr_assert_eq(m.good, REQUESTS);
	h2client_close(m.client);
	server_close(&server);
}

Test(tools_h2client, nobody_there, .init = bound)
{
	const struct h2client_options tcp = {
		.host = "127.0.0.1", .port = 9, .connections = 1, .streams = 1};
	const struct h2client_options path = {
		.socket = "/nonexistent/socket", .connections = 2, .streams = 1};
	const struct h2_request request = {.method = "GET", .path = "/"};
	struct h2client *client;

	cr_assert_eq(h2client_open(&client, &tcp), 0);
	cr_assert_eq(h2client_call(client, &request, NULL, NULL), -ECONNREFUSED);
	cr_assert(h2client_is_down(client));
	h2client_close(client);
	cr_assert_eq(h2client_open(&client, &path), 0);
	cr_assert_eq(h2client_call(client, &request, NULL, NULL), -ENOTCONN);
	cr_assert_eq(h2client_error(client), -ENOENT);
	h2client_close(client);
}

Test(tools_h2client, options_out_of_range)
{
	const struct h2client_options wrong[] = {
		{.host = "127.0.0.1", .port = 1, .connections = 0, .streams = 1},
		{.host = "127.0.0.1", .port = 1, .connections = 1, .streams = 0},
		{.host = "127.0.0.1", .port = 1, .connections = 1, .streams = H2_STREAMS_MAX + 1},
		{.host = "no such.name", .port = 1, .connections = 1, .streams = 1},
	};
	struct h2client *client;

	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		cr_assert_eq(h2client_open(&client, &wrong[i]), -EINVAL, "%u", i);
}

// ---- Bodies

static size_t read_lines(void *arg, uint8_t *to, size_t max)
{
	size_t *left = arg, n = *left < max ? *left : max;

	for (size_t i = 0; i < n; i++)
		to[i] = (uint8_t)('a' + (LARGE - *left + i) % 26);
	*left -= n;
	return n;
}

static void check_alphabet(const char *body, size_t len)
{
	cr_assert_eq(len, LARGE);
	for (size_t i = 0; i < len; i++)
		cr_assert_eq(body[i], 'a' + (char)(i % 26), "octet %zu", i);
	cr_assert_eq(body[len], 0);
}

Test(tools_h2client, bodies_of_any_length_both_ways, .init = bound)
{
	struct server server;
	struct h2client *client;
	size_t left = LARGE, len;
	const struct h2_request requests[] = {
		{.method = "GET", .path = "/large"},
		{.method = "POST",
		 .path = "/echo",
		 .content_type = "text/plain",
		 .read = read_lines,
		 .body_arg = &left},
	};
	struct h2client_options options = {.host = "127.0.0.1", .connections = 1, .streams = 4};
	char *body;

	server_open(&server);
	options.port = server.port;
	cr_assert_eq(h2client_open(&client, &options), 0);
	cr_assert_eq(h2client_call(client, &requests[0], &body, &len), 200);
	check_alphabet(body, len);
	free(body);
	cr_assert_eq(h2client_call(client, &requests[1], &body, &len), 200);
	check_alphabet(body, len);
	free(body);
	cr_assert_eq(h2client_call(client, &(struct h2_request){.method = "GET", .path = "/none"},
				   NULL, NULL),
		     404);
	cr_assert_eq(h2client_call(client,
				   &(struct h2_request){.method = "POST",
							.path = "/x",
							.body = "12345",
							.body_len = 5,
							.idempotency_key = "k"},
				   &body, &len),
		     200);
	cr_assert_str_eq(body, "12345");
	free(body);
	h2client_close(client);
	server_close(&server);
}

static void on_tick_stop(void *arg)
{
	h2client_stop(*(struct h2client **)arg);
}

// A server that takes the connection and says nothing.
Test(tools_h2client, a_call_ends_in_time, .init = bound)
{
	struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(own);
	int silent = socket(AF_INET, SOCK_STREAM, 0);
	struct h2client *client;
	struct h2client_options options = {.host = "127.0.0.1",
					   .connections = 1,
					   .streams = 1,
					   .tick = on_tick_stop,
					   .arg = &client};
	const struct h2_request request = {.method = "GET", .path = "/"};

	cr_assert_eq(bind(silent, (struct sockaddr *)&own, sizeof(own)), 0);
	cr_assert_eq(listen(silent, 1), 0);
	getsockname(silent, (struct sockaddr *)&own, &len);
	options.port = ntohs(own.sin_port);
	cr_assert_eq(h2client_open(&client, &options), 0);
	h2client_wake_at(client, clock_mono_ns(&clock_system) + 100000000);
	cr_assert_eq(h2client_call(client, &request, NULL, NULL), -ETIMEDOUT);
	h2client_close(client);
	close(silent);
}
