#pragma once
// Options that every subcommand of akmapush-load has. One thread.

#include <stdbool.h>
#include <stdint.h>

#include "tools/args.h"
#include "tools/subscriber.h"

struct load_options {
	const char *server, *socket, *seed, *acknowledged;
	char host[256]; // of `server`
	uint16_t port;
	uint64_t from, count, connections, streams, timeout_s;
	double rate; // per second; 0: closed loop
	bool retry, json, quiet;
	struct subscribers subscribers;
};

extern struct load_options load_options; // filled by load_options_parse
extern const struct arg load_args[];

// Takes the options of a subcommand: those left over (at most n_left) stay in argv[1..]. Returns
// how many, or -EINVAL (said).
int load_options_parse(const struct args_command *command, int argc, char **argv, int n_left);

// What was asked for: --socket or --server, for what is said of it.
const char *load_options_server(void);
