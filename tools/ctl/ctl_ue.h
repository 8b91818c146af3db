#pragma once
// ue: identities and addresses of UEs.

#include "tools/ctl/ctl_command.h"

extern const struct ctl_command ctl_ue_show_command, ctl_ue_put_command, ctl_ue_delete_command;
