#include "tools/load/load_options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tools/h2client.h"

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

int load_options_parse(const struct args_command *command, int argc, char **argv, int n_left)
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

const char *load_options_server(void)
{
	return load_options.socket ? load_options.socket : load_options.server;
}
