#pragma once
// group: external groups and their members.

#include "tools/ctl/ctl_command.h"

extern const struct ctl_command ctl_group_list_command, ctl_group_show_command,
	ctl_group_put_command, ctl_group_delete_command, ctl_group_add_command,
	ctl_group_remove_command, ctl_group_members_command;
