#pragma once
// The rows of the table of commands, each where its function is.

#include "tools/ctl/ctl.h"

extern const struct ctl_command ctl_status_command;
extern const struct ctl_command ctl_af_list_command, ctl_af_show_command, ctl_af_put_command,
	ctl_af_suspend_command, ctl_af_resume_command, ctl_af_delete_command;
extern const struct ctl_command ctl_group_list_command, ctl_group_show_command,
	ctl_group_put_command, ctl_group_delete_command, ctl_group_add_command,
	ctl_group_remove_command, ctl_group_members_command;
extern const struct ctl_command ctl_ue_show_command, ctl_ue_put_command, ctl_ue_delete_command;
extern const struct ctl_command ctl_push_submit_command, ctl_push_list_command,
	ctl_push_show_command, ctl_push_watch_command, ctl_push_recall_command,
	ctl_push_replace_command, ctl_push_results_command;
extern const struct ctl_command ctl_stats_command;
extern const struct ctl_command ctl_tune_show_command, ctl_tune_set_command;
extern const struct ctl_command ctl_config_check_command;
extern const struct ctl_command ctl_completion_bash_command, ctl_completion_words_command;
extern const struct ctl_command ctl_help_command;
