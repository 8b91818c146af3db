#pragma once
// Refusals by the door itself; the problems that handlers answer with are in
// control/json/problem.h. Inside of the HTTP module; control thread only.

#include "control/json/problem.h"

struct exchange;

// Answers a request that no handler has, or has any more. `detail` may be NULL.
void problem_refuse(struct exchange *x, enum problem_cause cause, const char *detail);
