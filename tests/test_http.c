// The door through its real face: a server on a loopback port, a client that takes turns with it.

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <arpa/inet.h>
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/http/http.h"
#include "control/http/http_server.h"
#include "control/loop.h"
#include "tests/kit/http_client.h"
#include "tests/kit/http_routes.h"

static struct loop *loop;
static struct http_server *server;
static struct http_limits limits;
static uint16_t port;

static void serve(void)
{
	loop = loop_new();
	server = http_server_new(loop, &limits);
	cr_assert(eq(int, routes_init(loop), 0));
	cr_assert(eq(int, http_listen_clear(server, "127.0.0.1", 0, &port), 0));
}

static void setup(void)
{
	http_limits_default(&limits);
	serve();
}

static void teardown(void)
{
	http_server_free(server);
	loop_free(loop);
}

TestSuite(http, .init = setup, .fini = teardown, .timeout = 60);

// One request on a connection of its own.
static struct reply ask(const struct client_request *request)
{
	struct client *client = client_open(port);
	struct reply *reply = client_send(client, request, NULL);
	struct reply copy;

	client_pump(client, loop, reply);
	copy = *reply;
	client_close(client);
	loop_turn(loop, false);
	return copy;
}

static struct http_stats stats(void)
{
	struct http_stats s;

	http_server_stats(server, &s);
	return s;
}

static bool says(const struct reply *reply, int status, const char *cause)
{
	if (reply->status == status && strcmp(reply->type, "application/problem+json") == 0 &&
	    strstr(reply->body, cause) != NULL)
		return true;
	fprintf(stderr, "expected %d %s, got %d %s\n", status, cause, reply->status, reply->body);
	return false;
}

#define JSON .type = "application/json"

Test(http, refuses_what_no_handler_should_see)
{
	static char long_path[3000], long_header[20000];
	const struct {
		struct client_request request;
		int status;
		const char *cause;
	} cases[] = {
		{{.path = "/nope"}, 404, "RESOURCE_URI_STRUCTURE_NOT_FOUND"},
		{{.path = "/"}, 404, "RESOURCE_URI_STRUCTURE_NOT_FOUND"},
		{{.path = "/small/"}, 404, "RESOURCE_URI_STRUCTURE_NOT_FOUND"},
		{{.path = "//small"}, 404, "RESOURCE_URI_STRUCTURE_NOT_FOUND"},
		{{.path = "/things/a"}, 404, "RESOURCE_URI_STRUCTURE_NOT_FOUND"},
		{{.path = "/a/b/c/d/e/f/g/h/i/j/k/l/m/n"}, 404, "RESOURCE_URI_STRUCTURE"},
		{{.path = "/things/../small"}, 400, "INVALID_MSG_FORMAT"},
		{{.path = "/things/%2e%2E/x"}, 400, "INVALID_MSG_FORMAT"},
		{{.path = "/things/%zz/x"}, 400, "INVALID_MSG_FORMAT"},
		{{.path = "/things/x/%4"}, 400, "INVALID_MSG_FORMAT"},
		{{.path = "/things/%00/x"}, 400, "INVALID_MSG_FORMAT"},
		{{.path = "/small?q=%g0"}, 400, "INVALID_QUERY_PARAM"},
		{{.path = "/small?q=1&q=2"}, 400, "INVALID_QUERY_PARAM"},
		{{.path = long_path}, 414, "URI_TOO_LONG"},
		{{.path = "/small", .header = "x-long", .value = long_header}, 431, "HEADERS_TOO"},
		{{.path = "/admin"}, 403, "NOT_AUTHORIZED"},
		{{.method = "POST", .path = "/echo", .body = "{}"}, 415, "UNSUPPORTED_MEDIA_TYPE"},
		{{.method = "POST", .path = "/echo", .type = "application/jsonx", .body = "{}"},
		 415,
		 "UNSUPPORTED_MEDIA_TYPE"},
		{{.method = "POST",
		  .path = "/echo",
		  .type = "application/json; charset=latin1",
		  .body = "{}"},
		 415,
		 "UNSUPPORTED_MEDIA_TYPE"},
		{{.method = "POST", .path = "/echo", JSON, .body = "{\"a\":1,\"a\":2}"},
		 400,
		 "duplicate key"},
		{{.method = "POST", .path = "/echo", JSON, .body = "[]"},
		 400,
		 "INVALID_MSG_FORMAT"},
		{{.method = "POST", .path = "/echo", JSON}, 400, "INVALID_MSG_FORMAT"},
		{{.method = "POST", .path = "/short", JSON, .body = "0123456789abcdef0"},
		 413,
		 "PAYLOAD_TOO_LARGE"},
		{{.method = "POST", .path = "/lines", JSON, .body = "{}"},
		 415,
		 "UNSUPPORTED_MEDIA_TYPE"},
	};

	memset(long_path, 'a', sizeof(long_path) - 1);
	long_path[0] = '/';
	memset(long_header, 'a', sizeof(long_header) - 1);
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct reply reply = ask(&cases[i].request);

		cr_assert(says(&reply, cases[i].status, cases[i].cause), "case %u: %s", i,
			  cases[i].request.path);
	}
	cr_assert(eq(u32, routes_seen.requests, 3)); // the JSON ones are the handler's own
	cr_assert(eq(u64, stats().requests_now, 0));
}

Test(http, names_the_methods_of_a_resource)
{
	static const char *const methods[] = {"HEAD", "POST", "PUT", "PATCH", "OPTIONS", "BREW"};

	for (unsigned i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
		struct reply reply =
			ask(&(struct client_request){.method = methods[i], .path = "/things/a/b"});

		cr_assert(eq(int, reply.status, 405), "%s", methods[i]);
		cr_assert_str_eq(reply.allow, "GET, DELETE");
		cr_assert(eq(u64, reply.len == 0, i == 0)); // no body after HEAD
	}
}

Test(http, routes_and_decodes)
{
	static const struct {
		const char *path, *body;
	} cases[] = {
		{"/things/a/b", "a|b|-"},
		{"/things/literal/b", "b|-|-"}, // a literal goes first
		{"/things/a%2Fb/%C3%A4?q=x%26y&z", "a/b|\303\244|x&y"},
		{"/things/a+b/c?&&q=a+b", "a+b|c|a+b"},
		{"/things/a/b?q", "a|b|"},
		{"/things/%3F/...", "?|...|-"},
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct reply reply = ask(&(struct client_request){.path = cases[i].path});

		cr_assert(eq(int, reply.status, 200));
		cr_assert_str_eq(reply.body, cases[i].body);
	}
}

Test(http, takes_a_body_of_the_limit_and_no_more)
{
	struct client_request request = {
		.method = "POST", .path = "/echo", .type = "Application/JSON ; Charset=\"UTF-8\""};
	size_t max = limits.body_max;
	char *body = malloc(max + 2);
	struct reply reply;

	memset(body, ' ', max + 1);
	body[0] = '{';
	body[1] = '}';
	request.body = body;
	request.body_len = max;
	reply = ask(&request);
	cr_assert(eq(int, reply.status, 201));
	cr_assert(eq(u64, reply.len, max));
	cr_assert_str_eq(reply.location, "/echo/1");
	request.body_len = max + 1;
	reply = ask(&request);
	cr_assert(says(&reply, 413, "PAYLOAD_TOO_LARGE"));
	// Announced: refused before any of it came.
	request.body = NULL;
	request.open_end = true;
	request.header = "content-length";
	request.value = "1048577";
	reply = ask(&request);
	cr_assert(says(&reply, 413, "PAYLOAD_TOO_LARGE"));
	cr_assert_not(reply.closed); // the peer may still end what it began
	cr_assert(eq(u64, stats().bodies_now, 0));
	free(body);
}

// An answer overtakes the body it is to: a body of bounded size may still be ended, and what is
// longer the peer is told to keep (RST_STREAM with NO_ERROR).
Test(http, takes_the_rest_of_a_body_that_was_answered)
{
	static char part[64 * 1024];
	const struct client_request request = {"POST", "/echo/none", "application/json",
					       part,   sizeof(part), .open_end = true};
	struct client *client = client_open(port);
	struct reply *reply;
	int id;

	memset(part, ' ', sizeof(part));
	for (unsigned too_long = 0; too_long < 2; too_long++) {
		reply = client_send(client, &request, &id);
		client_pump(client, loop, NULL);
		cr_assert(says(reply, 404, "RESOURCE_URI_STRUCTURE_NOT_FOUND"));
		cr_assert_not(reply->closed);
		for (unsigned i = 0; i < (too_long ? 80 : 40) && !reply->closed; i++) {
			client_more(client, id, part, sizeof(part), i == 39 && !too_long);
			client_pump(client, loop, NULL);
		}
		cr_assert(reply->closed && reply->error == 0);
		cr_assert(client_goaway(client) == -1);
	}
	cr_assert(eq(u64, stats().bodies_now, 0));
	client_close(client);
}

Test(http, goes_on_after_refusals_on_the_same_connection)
{
	struct client *client = client_open(port);
	struct reply *bad[3], *good;
	static char big[300000];

	memset(big, 'x', sizeof(big));
	for (unsigned i = 0; i < 3; i++) {
		bad[i] = client_send(client,
				     &(struct client_request){.method = "POST",
							      .path = "/short",
							      JSON,
							      .body = big,
							      .body_len = sizeof(big)},
				     NULL);
		client_pump(client, loop, bad[i]);
		cr_assert(says(bad[i], 413, "PAYLOAD_TOO_LARGE"));
		good = client_send(client, &(struct client_request){.path = "/small"}, NULL);
		client_pump(client, loop, good);
		cr_assert(eq(int, good->status, 200));
	}
	client_close(client);
}

Test(http, many_streams_at_once)
{
	enum { N = 1000 };
	struct client *client = client_open(port);
	struct reply *replies[N];

	for (unsigned i = 0; i < N; i++)
		replies[i] = client_send(client, &(struct client_request){.path = "/later"}, NULL);
	client_pump(client, loop, NULL);
	cr_assert(eq(u32, routes_seen.n_later, N));
	cr_assert(eq(u64, stats().requests_now, N));
	routes_answer_later();
	client_pump(client, loop, NULL);
	for (unsigned i = 0; i < N; i++)
		cr_assert(replies[i]->closed && replies[i]->status == 200);
	cr_assert(eq(u64, stats().requests_now, 0));
	client_close(client);
}

Test(http, peer_gone_before_the_answer)
{
	struct client *client = client_open(port);

	for (unsigned i = 0; i < 300; i++)
		client_send(client, &(struct client_request){.path = "/later"}, NULL);
	client_pump(client, loop, NULL);
	cr_assert(eq(u32, routes_seen.n_later, 300));
	client_close(client);
	for (unsigned i = 0; i < 10; i++)
		loop_turn(loop, false);
	cr_assert(eq(u64, stats().connections_now, 0));
	cr_assert(eq(u64, stats().requests_gone, 300));
	cr_assert(eq(u64, stats().requests_now, 300)); // their handlers still owe
	routes_answer_later();
	cr_assert(eq(u64, stats().requests_now, 0));
}

Test(http, server_gone_before_the_answer)
{
	struct client *client = client_open(port);

	client_send(client, &(struct client_request){.path = "/later"}, NULL);
	client_pump(client, loop, NULL);
	http_server_free(server);
	routes_answer_later();
	server = NULL;
	client_close(client);
}

Test(http, reset_streams)
{
	struct client *client = client_open(port);
	int ids[100];

	for (unsigned i = 0; i < 100; i++)
		client_send(client, &(struct client_request){.path = "/later"}, &ids[i]);
	client_pump(client, loop, NULL);
	for (unsigned i = 0; i < 100; i += 2)
		client_reset(client, ids[i]);
	client_pump(client, loop, NULL);
	cr_assert(eq(u64, stats().requests_gone, 50));
	routes_answer_later();
	cr_assert(client_pump(client, loop, NULL));
	cr_assert(eq(u64, stats().requests_now, 0));
	client_close(client);
}

Test(http, floods_end_the_connection)
{
	struct client *client = client_open(port);

	// Rapid reset (CVE-2023-44487): far more than any client would.
	for (unsigned i = 0; i < 20 && !client_is_over(client); i++) {
		int ids[100];

		for (unsigned k = 0; k < 100; k++)
			client_send(client, &(struct client_request){.path = "/later"}, &ids[k]);
		client_pump(client, loop, NULL);
		for (unsigned k = 0; k < 100; k++)
			client_reset(client, ids[k]);
		client_pump(client, loop, NULL);
		routes_answer_later();
	}
	client_pump(client, loop, NULL);
	cr_assert(client_is_over(client));
	client_close(client);
	routes_answer_later();
	client = client_open(port);
	client_pump(client, loop, NULL);
	// PINGs whose answers pile up: the server does not get a turn to send them.
	for (unsigned i = 0; i < 3000; i++)
		client_ping(client);
	client_pump(client, loop, NULL);
	cr_assert(client_is_over(client));
	client_close(client);
	cr_assert(eq(u64, stats().connections_bad, 2));
}

Test(http, limits_requests)
{
	enum { LIMIT = 16 };
	struct client *client;
	struct reply *reply = NULL;

	teardown();
	limits.requests = LIMIT;
	serve();
	client = client_open(port);
	for (unsigned i = 0; i < LIMIT; i++)
		client_send(client, &(struct client_request){.path = "/later"}, NULL);
	client_pump(client, loop, NULL);
	reply = client_send(client, &(struct client_request){.path = "/small"}, NULL);
	client_pump(client, loop, reply);
	cr_assert(says(reply, 503, "NF_CONGESTION"));
	cr_assert_str_eq(reply->retry_after, "1");
	routes_answer_later();
	client_pump(client, loop, NULL);
	reply = client_send(client, &(struct client_request){.path = "/small"}, NULL);
	client_pump(client, loop, reply);
	cr_assert(eq(int, reply->status, 200));
	client_close(client);
}

Test(http, limits_memory_of_bodies)
{
	struct client_request request = {.method = "POST", .path = "/echo", JSON, .open_end = true};
	struct client *client;
	struct reply *reply;
	static char part[200000];

	teardown();
	limits.bodies = 1024 * 1024;
	serve();
	client = client_open(port);
	memset(part, ' ', sizeof(part));
	request.body = part;
	request.body_len = sizeof(part);
	for (unsigned i = 0; i < 4; i++)
		client_send(client, &request, NULL);
	client_pump(client, loop, NULL);
	reply = client_send(client, &request, NULL);
	client_pump(client, loop, reply);
	cr_assert(says(reply, 503, "NF_CONGESTION"));
	cr_assert(le(u64, stats().bodies_now, limits.bodies));
	client_close(client);
	for (unsigned i = 0; i < 5; i++)
		loop_turn(loop, false);
	cr_assert(eq(u64, stats().bodies_now, 0));
}

Test(http, limits_connections)
{
	struct client *clients[3];

	teardown();
	limits.connections = 2;
	serve();
	for (unsigned i = 0; i < 3; i++) {
		clients[i] = client_open(port);
		client_pump(clients[i], loop, NULL);
	}
	cr_assert(not(client_is_over(clients[0])));
	cr_assert(client_is_over(clients[2]));
	cr_assert(eq(u64, stats().connections_refused, 1));
	for (unsigned i = 0; i < 3; i++)
		client_close(clients[i]);
}

static void turn_for(unsigned ms)
{
	for (unsigned i = 0; i < ms / 10; i++) {
		usleep(10000);
		loop_turn(loop, false);
	}
}

Test(http, slow_peers)
{
	static const char some[] = "{";
	struct client *body, *idle, *silent, *taker;
	struct reply *slow, *lines, *stalled;

	teardown();
	limits.request_s = limits.answer_s = limits.open_s = limits.idle_s = 1;
	serve();
	body = client_open(port);
	slow = client_send(
		body,
		&(struct client_request){
			.method = "POST", .path = "/echo", JSON, .body = some, .open_end = true},
		NULL);
	lines = client_send(body,
			    &(struct client_request){.method = "POST",
						     .path = "/lines",
						     .type = "application/x-ndjson",
						     .body = "1\n",
						     .open_end = true},
			    NULL);
	idle = client_open(port);
	silent = client_open(port);
	taker = client_open(port);
	stalled = client_send(
		taker,
		&(struct client_request){.path = "/stream?octets=1000000", .no_window = true},
		NULL);
	client_pump(body, loop, &(struct reply){.closed = true});
	client_pump(idle, loop, NULL);
	client_pump(taker, loop, NULL);
	client_pump(body, loop, NULL);
	turn_for(3500);
	client_pump(body, loop, NULL);
	client_pump(idle, loop, NULL);
	client_pump(taker, loop, NULL);
	cr_assert(says(slow, 408, "REQUEST_TIMEOUT"));
	cr_assert(says(lines, 408, "REQUEST_TIMEOUT"));
	cr_assert(eq(u32, routes_seen.gone, 1));
	cr_assert(client_is_over(idle));
	cr_assert(eq(int, client_goaway(idle), 0));
	cr_assert(eq(long, recv(client_fd(silent), (char[64]){0}, 64, MSG_DONTWAIT) >= 0, 1));
	cr_assert(stalled->closed);
	cr_assert(ne(u32, stalled->error, 0));
	cr_assert(eq(u32, routes_seen.sources_done, 1));
	// The stalled one; on a slow machine also the two answered ones that never end.
	cr_assert(1 <= stats().answers_slow && stats().answers_slow <= 3);
	cr_assert(eq(u64, stats().requests_slow, 2));
	client_close(body);
	client_close(idle);
	client_close(silent);
	client_close(taker);
}

#define LINES .method = "POST", .path = "/lines", .type = "application/x-ndjson"

Test(http, uploads_lines)
{
	static const struct {
		const char *body, *count;
		unsigned octets;
	} cases[] = {
		{"a\nbb\nccc\n", "3", 6}, {"a\r\nbb\r\n\r\n\n", "2", 3},
		{"a\nb", "2", 2},         {"\n\n\n", "0", 0},
		{"a\r", "1", 1},
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct reply reply;

		routes_seen.line_octets = 0;
		reply = ask(&(struct client_request){LINES, .body = cases[i].body});
		cr_assert_str_eq(reply.body, cases[i].count, "case %u", i);
		cr_assert(eq(u64, routes_seen.line_octets, cases[i].octets), "case %u", i);
	}
	ask(&(struct client_request){LINES});
	cr_assert(eq(u32, routes_seen.ended, 6));
	cr_assert(eq(u64, stats().uploads_now, 0));
}

// The same lines whatever the frames: cut at every place.
Test(http, uploads_lines_in_pieces)
{
	static const char body[] = "first\nsecond\r\n\nthird\n4";

	for (size_t cut = 1; cut < sizeof(body) - 1; cut++) {
		struct client *client = client_open(port);
		struct reply *reply;
		int id;

		routes_seen.line_octets = 0;
		reply = client_send(client,
				    &(struct client_request){LINES, .body = body, .body_len = cut,
							     .open_end = true},
				    &id);
		client_pump(client, loop, NULL);
		client_more(client, id, body + cut, sizeof(body) - 1 - cut, true);
		client_pump(client, loop, reply);
		cr_assert_str_eq(reply->body, "4", "cut at %zu", cut);
		cr_assert(eq(u64, routes_seen.line_octets, 17), "cut at %zu", cut);
		client_close(client);
	}
}

Test(http, upload_refused)
{
	static char line[3000];
	struct reply reply;

	reply = ask(
		&(struct client_request){LINES, .body = "a\n", .header = "x-refuse", .value = "1"});
	cr_assert(says(&reply, 404, "AF_NOT_FOUND"));
	routes_seen.refuse_at = 2;
	reply = ask(&(struct client_request){LINES, .body = "a\nb\nc\nd\n"});
	cr_assert(says(&reply, 400, "line 2"));
	cr_assert(eq(u32, routes_seen.lines, 2));
	routes_seen.refuse_at = 0;
	memset(line, 'x', sizeof(line));
	reply = ask(&(struct client_request){LINES, .body = line, .body_len = 1024});
	cr_assert(eq(int, reply.status, 200));
	reply = ask(&(struct client_request){LINES, .body = line, .body_len = 1025});
	cr_assert(says(&reply, 413, "PAYLOAD_TOO_LARGE"));
	line[1500] = '\n';
	reply = ask(&(struct client_request){LINES, .body = line, .body_len = 3000});
	cr_assert(says(&reply, 413, "PAYLOAD_TOO_LARGE"));
	cr_assert(eq(u32, routes_seen.gone, 2));
	cr_assert(eq(u64, stats().uploads_now, 0));
	cr_assert(eq(u64, stats().bodies_now, 0));
}

// A held upload stops its peer within one stream window, others on the connection go on, and after
// http_resume every line comes once.
Test(http, upload_held_back)
{
	enum { N = 100000, LEN = 16 };
	struct client *client = client_open(port);
	char *body = malloc(N * LEN + 1);
	struct reply *reply, *other;
	unsigned resumed = 0;

	for (unsigned i = 0; i < N; i++)
		sprintf(body + i * LEN, "%015u\n", i);
	routes_seen.hold_each = 5000;
	reply = client_send(
		client, &(struct client_request){LINES, .body = body, .body_len = N * LEN}, NULL);
	while (!reply->closed) {
		client_pump(client, loop, reply);
		if (reply->closed)
			break;
		cr_assert(le(u64, client_uploaded(client),
			     (uint64_t)routes_seen.lines * LEN + 300 * 1024));
		other = client_send(client, &(struct client_request){.path = "/small"}, NULL);
		client_pump(client, loop, other);
		cr_assert(eq(int, other->status, 200));
		http_resume(routes_seen.held);
		resumed++;
	}
	cr_assert_str_eq(reply->body, "100000");
	cr_assert(eq(u32, resumed, N / 5000));
	client_close(client);
	free(body);
}

Test(http, upload_gone_while_held)
{
	struct client *client = client_open(port);

	routes_seen.hold_each = 2;
	client_send(client, &(struct client_request){LINES, .body = "1\n2\n3\n"}, NULL);
	client_pump(client, loop, NULL);
	cr_assert(eq(u32, routes_seen.lines, 1));
	cr_assert(eq(u64, stats().uploads_now, 1));
	client_close(client);
	for (unsigned i = 0; i < 5; i++)
		loop_turn(loop, false);
	cr_assert(eq(u32, routes_seen.gone, 1));
	cr_assert(eq(u64, stats().uploads_now, 0));
	cr_assert(eq(u64, stats().requests_now, 0));
}

Test(http, limits_uploads)
{
	struct client *client;
	struct reply *reply;

	teardown();
	limits.uploads = 2;
	serve();
	client = client_open(port);
	for (unsigned i = 0; i < 2; i++)
		client_send(client,
			    &(struct client_request){LINES, .body = "1\n", .open_end = true}, NULL);
	client_pump(client, loop, NULL);
	reply = client_send(client, &(struct client_request){LINES, .body = "1\n"}, NULL);
	client_pump(client, loop, reply);
	cr_assert(says(reply, 503, "NF_CONGESTION"));
	client_close(client);
}

static long resident_kib(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

Test(http, streams_100_MB_in_constant_memory)
{
	struct client *client = client_open(port);
	struct reply *reply;
	long before;

	reply = client_send(client, &(struct client_request){.path = "/stream?octets=1000000"},
			    NULL);
	client_pump(client, loop, reply);
	before = resident_kib();
	reply = client_send(client, &(struct client_request){.path = "/stream?octets=100000000"},
			    NULL);
	client_pump(client, loop, reply);
	cr_assert(eq(u64, reply->len, 100000000));
	cr_assert(lt(long, resident_kib() - before, 4096));
	cr_assert(eq(u32, routes_seen.sources_done, 2));
	client_close(client);
}

// A source that runs dry: what it has comes at once, and nobody is thought slow meanwhile.
Test(http, a_source_that_runs_dry)
{
	struct client *client;
	struct reply *reply, *other;

	teardown();
	limits.answer_s = limits.idle_s = 1;
	serve();
	client = client_open(port);
	reply = client_send(client, &(struct client_request){.path = "/tap"}, NULL);
	client_pump(client, loop, NULL);
	cr_assert(eq(int, reply->status, 200));
	cr_assert(eq(u64, reply->len, 0));
	for (unsigned i = 1; i <= 3; i++) {
		routes_seen.tap_octets = 100000;
		http_more(routes_seen.tap);
		http_more(routes_seen.tap);
		client_pump(client, loop, NULL);
		cr_assert(eq(u64, reply->len, i * 100000));
		if (i == 1)
			turn_for(3500);
	}
	other = client_send(client, &(struct client_request){.path = "/small"}, NULL);
	client_pump(client, loop, other);
	cr_assert(eq(int, other->status, 200));
	cr_assert_not(reply->closed);
	cr_assert(eq(u64, stats().answers_slow, 0));
	routes_seen.tap_over = true;
	http_more(routes_seen.tap);
	client_pump(client, loop, reply);
	cr_assert(reply->closed);
	cr_assert(eq(u32, reply->error, 0));
	cr_assert(eq(u32, routes_seen.sources_done, 1));
	client_close(client);
}

Test(http, peers_that_leave_a_dry_source)
{
	struct client *client = client_open(port);
	int id;

	client_send(client, &(struct client_request){.path = "/tap"}, &id);
	client_pump(client, loop, NULL);
	client_reset(client, id);
	client_pump(client, loop, NULL);
	cr_assert(eq(u32, routes_seen.sources_done, 1));
	client_send(client, &(struct client_request){.path = "/tap"}, &id);
	client_pump(client, loop, NULL);
	cr_assert(routes_seen.tap != NULL);
	client_close(client);
	turn_for(100);
	cr_assert(eq(u32, routes_seen.sources_done, 2));
	client = client_open(port);
	client_send(client, &(struct client_request){.path = "/tap"}, &id);
	client_pump(client, loop, NULL);
	http_server_free(server);
	cr_assert(eq(u32, routes_seen.sources_done, 3));
	server = http_server_new(loop, &limits);
	client_close(client);
}

// A dry source that has more again waits for its peer as any other does.
Test(http, a_peer_that_takes_no_more_of_a_source)
{
	struct client *client;
	struct reply *reply;

	teardown();
	limits.answer_s = 1;
	serve();
	client = client_open(port);
	reply = client_send(client, &(struct client_request){.path = "/tap", .no_window = true},
			    NULL);
	client_pump(client, loop, NULL);
	routes_seen.tap_octets = 1000000;
	http_more(routes_seen.tap);
	client_pump(client, loop, NULL);
	cr_assert(eq(u64, reply->len, 65535));
	http_more(routes_seen.tap);
	turn_for(3500);
	client_pump(client, loop, NULL);
	cr_assert(reply->closed);
	cr_assert(ne(u32, reply->error, 0));
	cr_assert(eq(u32, routes_seen.sources_done, 1));
	cr_assert(eq(u64, stats().answers_slow, 1));
	client_close(client);
}

Test(http, a_source_that_fails_resets_its_stream)
{
	struct client *client = client_open(port);
	struct reply *reply;

	reply = client_send(
		client, &(struct client_request){.path = "/stream?octets=100000&fail=50000"}, NULL);
	client_pump(client, loop, reply);
	cr_assert(reply->closed);
	cr_assert(ne(u32, reply->error, 0));
	cr_assert(eq(u32, routes_seen.sources_done, 1));
	reply = client_send(client, &(struct client_request){.path = "/small"}, NULL);
	client_pump(client, loop, reply);
	cr_assert(eq(int, reply->status, 200));
	client_close(client);
}

Test(http, a_peer_that_does_not_take_its_answer)
{
	struct client *client = client_open(port);
	struct reply *reply, *other;
	int id;

	reply = client_send(
		client,
		&(struct client_request){.path = "/stream?octets=1000000", .no_window = true}, &id);
	client_pump(client, loop, NULL);
	cr_assert(eq(u64, reply->len, 65535));
	other = client_send(client, &(struct client_request){.path = "/small"}, NULL);
	client_pump(client, loop, other);
	cr_assert(eq(int, other->status, 200));
	client_unpause(client, id);
	client_pump(client, loop, reply);
	cr_assert(eq(u64, reply->len, 1000000));
	client_close(client);
}

// Raw octets instead of HTTP/2: the connection ends, the server goes on.
Test(http, malformed_connections)
{
	static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
	static const struct {
		const char *octets;
		size_t n;
		bool preface;
	} cases[] = {
		{"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27, false},
		{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11, false},
		{"\xff\xff\xff\x00\x00\x00\x00\x00\x01", 9, true}, // frame too long
		{"\0\0\0\x04\0\0\0\0\0"
		 "\0\0\x04\x01\x05\0\0\0\0"
		 "\x82\x84\x86\x41",
		 22, true},
		{"\0\0\0\x04\0\0\0\0\0"
		 "\0\0\x05\0\0\0\0\0\x01"
		 "hello",
		 23, true}, // idle stream
		{"\0\0\0\x04\0\0\0\0\0"
		 "\0\0\x03\x01\x05\0\0\0\x02"
		 "\x82\x84\x86",
		 21, true},
		{"\0\0\0\x04\0\0\0\0\0"
		 "\0\0\x01\x01\x05\0\0\0\x01"
		 "\xff",
		 19, true}, // HPACK
		{"\0\0\0\x04\0\0\0\0\0"
		 "\0\0\x04\x08\0\0\0\0\0"
		 "\0\0\0\0",
		 22, true},
		{"\0\0\x05\x04\0\0\0\0\0"
		 "abcde",
		 14, true},
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct client *client = client_open(port);
		struct reply reply;
		char in[4096];
		ssize_t n = 1;

		if (cases[i].preface)
			cr_assert(gt(long, send(client_fd(client), preface, sizeof(preface) - 1, 0),
				     0));
		cr_assert(gt(long, send(client_fd(client), cases[i].octets, cases[i].n, 0), 0));
		for (unsigned turn = 0; turn < 50 && n != 0; turn++) {
			loop_turn(loop, false);
			n = recv(client_fd(client), in, sizeof(in), MSG_DONTWAIT);
			if (n < 0 && errno == ECONNRESET)
				n = 0;
			usleep(500);
		}
		cr_assert(eq(long, n, 0), "case %u: the connection stays", i);
		client_close(client);
		reply = ask(&(struct client_request){.path = "/small"});
		cr_assert(eq(int, reply.status, 200));
	}
}

Test(http, requests_that_break_http)
{
	static const struct client_request requests[] = {
		{.path = "/small", .header = "connection", .value = "close"},
		{.path = "/small", .header = "Upper", .value = "x"},
		{.method = "POST",
		 .path = "/echo",
		 JSON,
		 .body = "{}",
		 .header = "content-length",
		 .value = "7"},
	};
	struct reply reply;

	for (unsigned i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
		reply = ask(&requests[i]);
		cr_assert(ne(int, reply.status, 201));
		if (i == 2)
			cr_assert(ne(u32, reply.error, 0));
	}
	reply = ask(&(struct client_request){
		.path = "/small", .header = "3gpp-sbi-message-priority", .value = "5"});
	cr_assert(eq(int, reply.status, 200));
}

Test(http, counts_operations)
{
	struct http_op_stats op;
	uint64_t small = 0, unknown = 0;

	ask(&(struct client_request){.path = "/small"});
	ask(&(struct client_request){.path = "/small"});
	ask(&(struct client_request){.path = "/nope"});
	for (unsigned n = 0; http_server_op(server, n, &op); n++) {
		if (strcmp(op.op, "small") == 0)
			small = op.by_class[2];
		if (op.op[0] == '\0')
			unknown = op.by_class[4];
	}
	cr_assert(eq(u64, small, 2));
	cr_assert(eq(u64, unknown, 1));
	cr_assert(eq(u64, stats().requests, 3));
	cr_assert(eq(u64, stats().connections, 3));
	cr_assert(gt(u64, stats().octets_in, 100));
	cr_assert(gt(u64, stats().octets_out, 100));
}

Test(http, listens_in_the_clear_on_loopback_only)
{
	cr_assert(eq(int, http_listen_clear(server, "0.0.0.0", 0, NULL), -EPERM));
	cr_assert(eq(int, http_listen_clear(server, "::", 0, NULL), -EPERM));
	cr_assert(eq(int, http_listen_clear(server, "192.0.2.1", 0, NULL), -EPERM));
	cr_assert(eq(int, http_listen_clear(server, "localhost", 0, NULL), -EINVAL));
	cr_assert(eq(int, http_listen_clear(server, "127.0.0.1", port, NULL), -EADDRINUSE));
	cr_assert(eq(int, http_listen_clear(server, "127.1.2.3", 0, NULL), 0));
}

static bool was_drained;

static void drained(void *ctx)
{
	cr_assert(not(was_drained));
	was_drained = true;
	(void)ctx;
}

Test(http, drains)
{
	struct client *client = client_open(port), *idle = client_open(port);
	struct reply *reply = client_send(client, &(struct client_request){.path = "/later"}, NULL);

	was_drained = false;
	client_pump(client, loop, NULL);
	client_pump(idle, loop, NULL);
	http_server_drain(server, 10, drained, NULL);
	turn_for(300);
	client_pump(idle, loop, NULL);
	cr_assert(client_is_over(idle));
	cr_assert(eq(int, client_goaway(idle), 0));
	client_pump(client, loop, NULL);
	cr_assert(not(client_is_over(client)));
	cr_assert(not(was_drained));
	routes_answer_later();
	client_pump(client, loop, NULL);
	cr_assert(eq(int, reply->status, 200));
	cr_assert(client_is_over(client));
	turn_for(50);
	cr_assert(was_drained);
	client_close(client);
	client_close(idle);
}

Test(http, drains_in_bounded_time)
{
	struct client *client = client_open(port);

	was_drained = false;
	client_send(client, &(struct client_request){.path = "/later"}, NULL);
	client_pump(client, loop, NULL);
	http_server_drain(server, 1, drained, NULL);
	turn_for(2500);
	cr_assert(was_drained);
	routes_answer_later();
	client_close(client);
}

Test(http, unix_socket)
{
	char folder[] = "/tmp/test_http.XXXXXX", path[64];
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	FILE *file;
	int fd;

	cr_assert(ne(ptr, mkdtemp(folder), NULL));
	snprintf(path, sizeof(path), "%s/s", folder);
	// What a killed process left is taken over, what is alive or no socket is not.
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	cr_assert(eq(int, bind(fd, (struct sockaddr *)&address, sizeof(address)), 0));
	close(fd);
	cr_assert(eq(int, http_listen_unix(server, path), 0));
	cr_assert(eq(int, http_listen_unix(server, path), -EADDRINUSE));
	http_server_free(server);
	server = http_server_new(loop, &limits);
	cr_assert(eq(int, access(path, F_OK), -1)); // gone with its listener
	file = fopen(path, "w");
	fclose(file);
	cr_assert(eq(int, http_listen_unix(server, path), -EEXIST));
	unlink(path);
	rmdir(folder);
}
