#pragma once
// push watch: a push followed until it is over. One thread.

#include "tools/ctl/ctl_command.h"

extern const struct ctl_command ctl_push_watch_command;

// Follows a push and shows it when it is over (the daemon's JSON with --json); `af` may be NULL. An
// interrupt leaves the push alone and says so: CTL_INTERRUPTED.
int ctl_watch(struct ctl *ctl, const char *af, const char *id);
