#pragma once
// A single request, outside a run. One thread.

#include <stddef.h>

// With a JSON body (NULL: none), retried like those of a run. Returns the status or -errno; what is
// wrong is said.
int load_call(const char *method, const char *path, const char *json, char **answer,
	      size_t *answer_len);
