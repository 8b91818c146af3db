#pragma once
// The table of all commands, in the order of the help; ends with NULL.

struct ctl_command;

extern const struct ctl_command *const ctl_commands[];
