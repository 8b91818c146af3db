#pragma once
// A command, and what is found in a table of them, which ends with NULL. One thread.

#include <stdbool.h>
#include <stddef.h>

#include "tools/args.h"
#include "tools/ctl/ctl.h"

enum { CTL_WORDS_MAX = 64 }; // of a line at the prompt

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

extern const struct arg ctl_shared[]; // options that every command has

// What --json, --socket of the command line are read into before they reach the session.
struct ctl_shared_options {
	const char *socket;
	bool json;
};
extern struct ctl_shared_options ctl_shared_options;

// NULL when there is none. Without a verb: the command that needs none, or NULL.
const struct ctl_command *ctl_command_find(const struct ctl_command *const *commands,
					   const char *object, const char *verb);
bool ctl_command_is_object(const struct ctl_command *const *commands, const char *object);
// An option by its name without "--", of the command's own or of all; NULL when there is none.
const struct arg *ctl_command_option(const struct ctl_command *command, const char *name,
				     size_t len);

// The nearest of the objects, the verbs of an object, the options of a command (without "--").
const char *ctl_command_near_object(const struct ctl_command *const *commands, const char *word);
const char *ctl_command_near_verb(const struct ctl_command *const *commands, const char *object,
				  const char *word);
const char *ctl_command_near_option(const struct ctl_command *command, const char *word);

// Looks at the options before args_parse does. 0; CTL_USAGE with the nearest one said; -1 when
// --help is among them.
int ctl_command_check_options(const struct ctl_command *command, int argc, char **argv);
