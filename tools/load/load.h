#pragma once
// akmapush-load: its subcommands, and what they share. A subcommand describes a job, and load_run
// does it. One thread.

#include "tools/load/load_call.h"
#include "tools/load/load_options.h"
#include "tools/load/load_report.h"
#include "tools/load/load_run.h"

// Subcommands: argv[0] is the name. Return the exit code.
int load_register(int argc, char **argv);
int load_provision(int argc, char **argv);
int load_af(int argc, char **argv);
int load_push(int argc, char **argv);
int load_retrieve(int argc, char **argv);
int load_acks(int argc, char **argv);
