// akmapush-load: options and the choice of the subcommand.
#include "tools/load/load.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "tools/load/reply.h"

struct load_options load_options = {
	.server = "127.0.0.1:7777",
	.seed = "akmapush",
	.count = 1000,
	.connections = 4,
	.streams = 64,
	.timeout_s = 60,
};

const struct arg load_args[] = {
	{ARG_TITLE, 0, "Subscribers", NULL, NULL, NULL, 0, 0},
	{ARG_TEXT, 0, "seed", "TEXT",
	 "all identities and keys come from it (default akmapush);\n"
	 "give akmapush-ue the same",
	 &load_options.seed, 0, 0},
	{ARG_UINT, 0, "from", "N", "first subscriber (default 0)", &load_options.from, 0,
	 SUBSCRIBER_MAX - 1},
	{ARG_UINT, 'n', "count", "N", "how many (default 1000); 100k and 2M are understood",
	 &load_options.count, 1, SUBSCRIBER_MAX},
	{ARG_TITLE, 0, "Load", NULL, NULL, NULL, 0, 0},
	{ARG_TEXT, 0, "server", "HOST:PORT", "where akmapushd listens (default 127.0.0.1:7777)",
	 &load_options.server, 0, 0},
	{ARG_TEXT, 0, "socket", "PATH", "its UNIX socket instead", &load_options.socket, 0, 0},
	{ARG_UINT, 'c', "connections", "N", "HTTP/2 connections (default 4)",
	 &load_options.connections, 1, H2_CONNECTIONS_MAX},
	{ARG_UINT, 'm', "streams", "N", "requests at a time on each (default 64)",
	 &load_options.streams, 1, H2_STREAMS_MAX},
	{ARG_REAL, 'r', "rate", "R",
	 "open loop: R requests a second, come what may; latency\n"
	 "counts from when a request was due, so a server that\n"
	 "stalls is seen to. Without it closed loop: as many as\n"
	 "fit, the next when one is answered",
	 &load_options.rate, 0, 100000000},
	{ARG_FLAG, 0, "retry", NULL,
	 "the server may go away: connect again and repeat what\n"
	 "was not answered. 429 and 503 with Retry-After are\n"
	 "always repeated when the time has come",
	 &load_options.retry, 0, 0},
	{ARG_UINT, 0, "timeout", "S", "give up after S seconds without any answer (default 60)",
	 &load_options.timeout_s, 1, 86400},
	{ARG_TITLE, 0, "Output", NULL, NULL, NULL, 0, 0},
	{ARG_TEXT, 0, "acknowledged", "FILE",
	 "append a line for everything the server said it has\n"
	 "(\"register 17 0\", \"ue 17\", \"push 0190...\")",
	 &load_options.acknowledged, 0, 0},
	{ARG_FLAG, 0, "json", NULL, "one JSON object at the end, on standard output",
	 &load_options.json, 0, 0},
	{ARG_FLAG, 'q', "quiet", NULL, "no progress", &load_options.quiet, 0, 0},
	{0},
};

static const struct {
	const char *name, *what;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"register", "register anchor keys, as an AUSF does after each authentication",
	 load_register},
	{"provision", "tell who is who and where: SUPI, GPSI, address, port, group",
	 load_provision},
	{"af", "onboard an application function", load_af},
	{"push", "push as an AF, to a group, to all, or to one UE after the other", load_push},
	{"retrieve", "retrieve application keys, as an AF of AKMA does", load_retrieve},
};

static void help(void)
{
	puts("Usage: akmapush-load COMMAND [OPTION...]\n\n"
	     "Loads akmapushd over HTTP/2 with subscribers that are made from a seed, and "
	     "measures.\n"
	     "The fleet akmapush-ue, given the same seed, is these subscribers' devices.\n\n"
	     "Commands:");
	for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		printf("  %-10s %s\n", commands[i].name, commands[i].what);
	puts("\nA whole round, 100,000 devices:\n"
	     "  akmapush-load provision --count 100k --group meters\n"
	     "  akmapush-load register --count 100k\n"
	     "  akmapush-load af --af utility.example --group meters\n"
	     "  akmapush-ue --count 100k --af utility.example &\n"
	     "  akmapush-load push --af utility.example --group meters --wait\n\n"
	     "akmapush-load COMMAND --help tells the options of each.\n"
	     "Exit code: 0 all done; 1 a request failed; 2 wrong usage.");
}

int load_parse(const struct args_command *command, int argc, char **argv, int n_left)
{
	int left = args_parse(command, argc, argv);

	if (left > n_left) {
		fprintf(stderr, "%s: what is that? See akmapush-load %s --help\n", argv[1 + n_left],
			argv[0]);
		return -EINVAL;
	}
	if (left < 0)
		return left;
	strcpy(load_options.host, "127.0.0.1");
	load_options.port = 7777;
	if (!*load_options.server || args_host(load_options.server, load_options.host,
					       sizeof(load_options.host), &load_options.port)) {
		fprintf(stderr, "--server: \"%s\" is not HOST:PORT\n", load_options.server);
		return -EINVAL;
	}
	if (load_options.from + load_options.count > SUBSCRIBER_MAX) {
		fputs("--count: subscribers have ten digits\n", stderr);
		return -EINVAL;
	}
	subscribers_init(&load_options.subscribers, load_options.seed);
	return left;
}

static bool is_over(int status, int tries)
{
	const struct timespec pause = {.tv_nsec = 100000000};
	const bool is_lost = status < 0 && load_options.retry;

	if (!is_lost && status != 429 && status != 503)
		return true;
	if (tries > (int)load_options.timeout_s * 10 || load_interrupted())
		return true;
	nanosleep(&pause, NULL);
	return false;
}

const char *load_server(void)
{
	return load_options.socket ? load_options.socket : load_options.server;
}

static void complain(const char *method, const char *path, int status, const char *body, size_t len)
{
	const struct h2_response response = {
		.status = status, .body = (const uint8_t *)body, .body_len = len};
	char cause[40], detail[160];

	if (status < 0) {
		fprintf(stderr, "%s %s: %s: %s\n", method, path, load_server(),
			status == -EINVAL ? "no such host, or a path too long" : strerror(-status));
		if (status == -ECONNREFUSED)
			fprintf(stderr, "Is akmapushd running there? See --server.\n");
		return;
	}
	reply_problem(&response, cause, sizeof(cause), detail, sizeof(detail));
	fprintf(stderr, "%s %s: %d %s %s\n", method, path, status, cause, detail);
}

static void on_timeout(void *arg)
{
	struct h2client **client = arg;

	h2client_stop(*client);
}

static int call_once(const struct h2_request *request, char **answer, size_t *answer_len)
{
	struct h2client *client;
	const struct h2client_options options = {
		.host = load_options.host,
		.port = load_options.port,
		.socket = load_options.socket,
		.connections = 1,
		.streams = 1,
		.tick = on_timeout,
		.arg = &client,
	};
	int r = h2client_open(&client, &options);

	if (r)
		return r;
	h2client_wake_at(client,
			 clock_mono_ns(&clock_system) + load_options.timeout_s * 1000000000);
	r = h2client_call(client, request, answer, answer_len);
	if (r == -ENOTCONN)
		r = h2client_error(client);
	h2client_close(client);
	return r;
}

int load_call(const char *method, const char *path, const char *json, char **answer,
	      size_t *answer_len)
{
	const struct h2_request request = {
		.method = method,
		.path = path,
		.content_type = json ? "application/json" : NULL,
		.body = json,
		.body_len = json ? strlen(json) : 0,
	};
	char *body = NULL;
	size_t len = 0;
	int status;

	for (int tries = 0;; tries++) {
		status = call_once(&request, &body, &len);
		if (is_over(status, tries))
			break;
		free(body);
		body = NULL;
	}
	if (status < 200 || status > 299)
		complain(method, path, status, body, body ? len : 0);
	if (answer) {
		*answer = body;
		*answer_len = len;
	} else {
		free(body);
	}
	return status;
}

int main(int argc, char **argv)
{
	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		help();
		return argc < 2 ? 2 : 0;
	}
	for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	}
	fprintf(stderr, "akmapush-load: no command \"%s\"; see akmapush-load --help\n", argv[1]);
	return 2;
}
