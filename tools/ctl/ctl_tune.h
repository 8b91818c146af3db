#pragma once
// tune: what may change while the daemon runs.

#include "tools/ctl/ctl_command.h"

extern const struct ctl_command ctl_tune_show_command, ctl_tune_set_command;
