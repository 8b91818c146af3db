#pragma once
// Completion from the table of commands: for bash and for the prompt. One thread.

#include <stddef.h>

// Calls `found` for each candidate for the last of words[0..n): commands, verbs, options, values.
// Where a file is wanted there is one candidate, CTL_COMPLETE_FILE.
#define CTL_COMPLETE_FILE "<file>"
void ctl_complete(const char *const *words, unsigned n,
		  void (*found)(void *arg, const char *candidate), void *arg);
