#pragma once
// A push that is not over, as others are told of it. Control thread only.

#include "control/push/push_registry.h"

// Whether a stop can be asked for: it is there, and nobody has done so yet.
bool push_may_stop(const struct push *push);

// What a target's state is, as it is told: a stop or the end makes open targets final.
enum dp_state push_told_state(const struct push *push, enum dp_state state);
// Targets by state and datagrams, as told now.
void push_told_counts(const struct push *push, struct push_counts *counts);
// "WAITING", "RUNNING", "FINISHED".
const char *push_told_phase(const struct push *push);
