#pragma once
// status: the daemon at a glance.

#include "tools/ctl/ctl_command.h"

extern const struct ctl_command ctl_status_command;
