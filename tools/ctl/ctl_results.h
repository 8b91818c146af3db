#pragma once
// push results: the outcome for each target, streamed.

#include "tools/ctl/ctl_command.h"

extern const struct ctl_command ctl_push_results_command;
