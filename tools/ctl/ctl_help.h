#pragma once
// help: the table of commands as people read it. One thread.

#include <stdio.h>

#include "tools/ctl/ctl_command.h"

extern const struct ctl_command ctl_help_command;

void ctl_help_all(FILE *out, const struct ctl_command *const *commands);
void ctl_help_object(FILE *out, const struct ctl_command *const *commands, const char *object);

// What is said of words that no command has, with the nearest one: CTL_USAGE.
int ctl_help_no_object(const struct ctl_command *const *commands, const char *object);
int ctl_help_no_verb(const struct ctl_command *const *commands, const char *object,
		     const char *verb);
