#pragma once
// trace ue: the datagrams of one UE while they leave and arrive, shown or written as a capture.

#include "tools/ctl/ctl_command.h"

extern const struct ctl_command ctl_trace_ue_command;
