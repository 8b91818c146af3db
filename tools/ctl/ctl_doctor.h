#pragma once
// doctor: what of this machine is not as the data plane wants it.

#include "tools/ctl/ctl_command.h"

extern const struct ctl_command ctl_doctor_command;
