#pragma once
// Completion from the table of commands: for bash and for the prompt. One thread.

#include "tools/ctl/ctl_command.h"

extern const struct ctl_command ctl_completion_bash_command, ctl_completion_words_command;

// Calls `found` for each candidate for the last of words[0..n): commands, verbs, options, values.
// Where a file is wanted there is one candidate, CTL_COMPLETE_FILE.
#define CTL_COMPLETE_FILE "<file>"
void ctl_complete(const struct ctl_command *const *commands, const char *const *words, unsigned n,
		  void (*found)(void *arg, const char *candidate), void *arg);
