#pragma once
// akmapushctl: one table of commands (ctl_commands.h), object then verb. Each command is a row of
// the table: its words, its options, its help, and a function that runs it. The command line, the
// prompt, --help and completion all work from that table, which the session brings along.
//
// A command speaks to the daemon through the session (ctl_http.h), writes what was asked for to
// standard output and everything else to standard error, and returns an exit code. One command runs
// at a time, on one thread; the options of a command are static and cleared before it runs.

#include <signal.h>
#include <stdbool.h>

struct ctl_command;

enum ctl_exit {
	CTL_OK = 0,
	CTL_REFUSED = 1,     // by the daemon; or a file can't be read on
	CTL_USAGE = 2,       // the command line is wrong, or a file that it names can't be opened
	CTL_UNREACHABLE = 3, // no daemon answers
	CTL_INTERRUPTED = 130,
};

#define CTL_SOCKET_DEFAULT "/run/akmapush/admin.sock"

enum { CTL_DOING_MAX = 128 };

// A session.
struct ctl {
	const struct ctl_command *const *commands; // the table; ends with NULL
	const char *socket;                        // path
	bool json;                                 // answers as the daemon gave them
	char doing[CTL_DOING_MAX];                 // the command under way and its operands
};

// Set by SIGINT: whatever takes long ends soon.
extern volatile sig_atomic_t ctl_interrupted;

// One line on standard error, "akmapushctl: …"; returns the code.
int ctl_fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));
