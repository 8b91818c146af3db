#pragma once
// akmapushctl: one table of commands, object then verb. Each command is a row of the table: its
// words, its options, its help, and a function that runs it. The command line, the prompt, --help
// and completion all work from that table.
//
// A command speaks to the daemon through the session (tools/ctl/ctl_http.h), writes what was asked
// for to standard output and everything else to standard error, and returns an exit code. One
// command runs at a time, on one thread; the options of a command are static and cleared before it
// runs.

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/args.h"

enum ctl_exit {
	CTL_OK = 0,
	CTL_REFUSED = 1,     // by the daemon; or a file that can't be read
	CTL_USAGE = 2,       // the command line is wrong
	CTL_UNREACHABLE = 3, // no daemon answers
	CTL_INTERRUPTED = 130,
};

enum { CTL_WORDS_MAX = 64 }; // of a line at the prompt

struct ctl {
	const char *socket; // path
	bool json;          // answers as the daemon gave them
};

#define CTL_SOCKET_DEFAULT "/run/akmapush/admin.sock"

struct ctl_command {
	const char *object, *verb; // "push", "submit"; verb NULL where the object is all
	unsigned min, max;         // operands
	unsigned file;             // which of them names a file, from 1; 0: none
	const char *const *words;  // what they are taken from, for completion; or NULL
	const char *summary;       // a line of the list of commands; NULL: not in it
	bool may_be_empty;         // operands may
	struct args_command help;
	void *options; // cleared before the options are read
	size_t options_len;
	int (*run)(struct ctl *ctl, char **operands, unsigned n); // exit code
};

// All commands, in the order of the help; ends with NULL.
extern const struct ctl_command *const ctl_commands[];
extern const struct arg ctl_shared[]; // options that every command has

// What --json, --socket of the command line are read into before they reach the session.
struct ctl_shared_options {
	const char *socket;
	bool json;
};
extern struct ctl_shared_options ctl_shared_options;

// Set by SIGINT: whatever takes long ends soon.
extern volatile sig_atomic_t ctl_interrupted;

// Runs argv[0..argc): command words, options and operands, without the program's name.
int ctl_run(struct ctl *ctl, int argc, char **argv);
// How many arguments before the command are options that every command has, or -CTL_USAGE (said).
int ctl_leading(int argc, char **argv);
// The prompt, until its end; commands' exit codes are shown, its own is 0.
int ctl_shell(struct ctl *ctl);

// One line on standard error, "akmapushctl: …"; returns the code.
int ctl_fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

// ---- Words and the table (tools/ctl/ctl_command.c)

// NULL when there is none. Without a verb: the command that needs none, or NULL.
const struct ctl_command *ctl_command_find(const char *object, const char *verb);
bool ctl_command_is_object(const char *object);
// The word of words[0..n) that is most like `word`, NULL when none is near.
const char *ctl_nearest(const char *word, const char *const *words, unsigned n);
// The same among the objects, the verbs of an object, the options of a command (without "--").
const char *ctl_nearest_object(const char *word);
const char *ctl_nearest_verb(const char *object, const char *word);
const char *ctl_nearest_option(const struct ctl_command *command, const char *word);
// Looks at the options before args_parse does. 0; CTL_USAGE with the nearest one said; -1 when
// --help is among them.
int ctl_check_options(const struct ctl_command *command, int argc, char **argv);
const struct arg *ctl_option_find(const struct ctl_command *command, const char *name, size_t len);
