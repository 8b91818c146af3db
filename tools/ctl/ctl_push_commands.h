#pragma once
// push list, push show, push recall.

#include "tools/ctl/ctl_command.h"

extern const struct ctl_command ctl_push_list_command, ctl_push_show_command,
	ctl_push_recall_command;
