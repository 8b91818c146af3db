#pragma once
// The prompt. One thread.

#include "tools/ctl/ctl.h"

// Until its end; commands' exit codes are not kept, its own is 0.
int ctl_shell(struct ctl *ctl);
