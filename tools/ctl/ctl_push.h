#pragma once
// What the commands about pushes share. One thread.

#include "tools/ctl/ctl_call.h"

// Path of a push of the API, and `behind` ("" or "/results"). Without the AF's name the daemon is
// asked for it. An exit code.
int ctl_push_path(struct ctl *ctl, const char *af, const char *id, const char *behind,
		  char path[CTL_PATH_MAX]);
// The resource; `af` may be NULL.
int ctl_push_get(struct ctl *ctl, const char *af, const char *id, struct ctl_doc *doc);
void ctl_push_show(const struct json_reader *push); // a table and the states' counts

// Target states, in the order of their numbers; ends with NULL.
extern const char *const ctl_push_states[];
// Targets that are final for good.
uint64_t ctl_push_final(const struct json_reader *push);
