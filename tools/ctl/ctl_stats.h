#pragma once
// stats: counters and rates.

#include "tools/ctl/ctl_command.h"

extern const struct ctl_command ctl_stats_command;
