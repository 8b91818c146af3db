#pragma once
// config check: the daemon's own checker, for a file.

#include "tools/ctl/ctl_command.h"

extern const struct ctl_command ctl_config_check_command;
