#pragma once
// push submit and push replace.

#include "tools/ctl/ctl_command.h"

extern const struct ctl_command ctl_push_submit_command, ctl_push_replace_command;
