#pragma once
// From a command line to a command of the session's table. One thread.

#include "tools/ctl/ctl.h"

// Runs argv[0..argc): command words, options and operands, without the program's name. The exit
// code.
int ctl_run(struct ctl *ctl, int argc, char **argv);
// How many arguments before the command are options that every command has; more than argc when the
// last one's value is missing; or -CTL_USAGE (said).
int ctl_run_leading(int argc, char **argv);
