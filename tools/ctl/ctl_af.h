#pragma once
// af: the registrations of AFs.

#include "tools/ctl/ctl_command.h"

extern const struct ctl_command ctl_af_list_command, ctl_af_show_command, ctl_af_put_command,
	ctl_af_suspend_command, ctl_af_resume_command, ctl_af_delete_command;
