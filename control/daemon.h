#pragma once
// The daemon's parts put together, run and taken apart again. One thread calls this: the control
// thread.

struct config;

// Runs until SIGTERM or SIGINT. `file`: the configuration's, for reloads; NULL: there is none.
// 0, or -errno when it could not start; what was wrong is in the log.
int daemon_run(const struct config *config, const char *file);
