#include "tools/ctl/ctl_commands.h"

#include "tools/ctl/ctl_af.h"
#include "tools/ctl/ctl_complete.h"
#include "tools/ctl/ctl_config.h"
#include "tools/ctl/ctl_doctor.h"
#include "tools/ctl/ctl_group.h"
#include "tools/ctl/ctl_help.h"
#include "tools/ctl/ctl_push_commands.h"
#include "tools/ctl/ctl_results.h"
#include "tools/ctl/ctl_stats.h"
#include "tools/ctl/ctl_status.h"
#include "tools/ctl/ctl_submit.h"
#include "tools/ctl/ctl_trace.h"
#include "tools/ctl/ctl_tune.h"
#include "tools/ctl/ctl_ue.h"
#include "tools/ctl/ctl_watch.h"

const struct ctl_command *const ctl_commands[] = {
	&ctl_status_command,
	&ctl_af_list_command,
	&ctl_af_show_command,
	&ctl_af_put_command,
	&ctl_af_suspend_command,
	&ctl_af_resume_command,
	&ctl_af_delete_command,
	&ctl_group_list_command,
	&ctl_group_show_command,
	&ctl_group_put_command,
	&ctl_group_delete_command,
	&ctl_group_add_command,
	&ctl_group_remove_command,
	&ctl_group_members_command,
	&ctl_ue_show_command,
	&ctl_ue_put_command,
	&ctl_ue_delete_command,
	&ctl_push_submit_command,
	&ctl_push_list_command,
	&ctl_push_show_command,
	&ctl_push_watch_command,
	&ctl_push_recall_command,
	&ctl_push_replace_command,
	&ctl_push_results_command,
	&ctl_trace_ue_command,
	&ctl_stats_command,
	&ctl_tune_show_command,
	&ctl_tune_set_command,
	&ctl_config_check_command,
	&ctl_doctor_command,
	&ctl_completion_bash_command,
	&ctl_completion_words_command,
	&ctl_help_command,
	NULL,
};
