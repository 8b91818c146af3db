#pragma once
// Command-line options from a table that makes the parser and --help one thing. Options may stand
// anywhere, as --name VALUE, --name=VALUE, -n VALUE or -nVALUE; "--" ends them. What is wrong is
// said on standard error in one line with the way to the help.

#include <stdbool.h>
#include <stdint.h>

enum arg_kind {
	ARG_FLAG,  // bool: set to true
	ARG_TEXT,  // const char *
	ARG_TEXTS, // struct arg_texts: may be repeated
	ARG_UINT,  // uint64_t within min..max; k, M and G stand for thousands, millions, milliards
	ARG_REAL,  // double, not negative, at most max if max is not 0; the same
	ARG_TITLE, // none: a heading in the help
};

enum { ARG_TEXTS_MAX = 32 };

struct arg_texts {
	unsigned n;
	const char *text[ARG_TEXTS_MAX];
};

struct arg {
	enum arg_kind kind;
	char letter;       // 0: none
	const char *name;  // of the heading, for ARG_TITLE
	const char *value; // what the help calls the value: "N"
	const char *help;  // may have several lines
	void *target;
	uint64_t min, max;
};

// A command and its table; `args` ends with an entry without a name, `more` (may be NULL) continues
// it, for options that several commands share.
struct args_command {
	const char *usage; // "akmapush-load register [OPTION…]"
	const char *about; // what it is for, and how
	const char *examples;
	const struct arg *args, *more;
};

// Takes the options out of argv[1..]; what is left over moves to argv[1..]. Returns how many those
// are, or -EINVAL (said). --help prints the help and exits with 0.
int args_parse(const struct args_command *command, int argc, char **argv);
void args_help(const struct args_command *command);

// A number as ARG_UINT takes it; 0 or -EINVAL.
int args_uint(const char *text, uint64_t min, uint64_t max, uint64_t *value);
// HOST:PORT, [IPV6]:PORT, HOST or :PORT; what is missing stays as it is. `host` takes max octets.
int args_host(const char *text, char *host, unsigned max, uint16_t *port);
