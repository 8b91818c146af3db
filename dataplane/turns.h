#pragma once
// Whose turn it is: each part that a worker runs, from its start to its end. Worker thread only.

#include "dataplane/worker.h"

// Up to so many parts send a burst, one goes a step that sends nothing; whether anything was done.
bool turns_take(struct worker *worker, unsigned sends);
// When there is something to do next, if nothing else happens.
uint64_t turns_next_ns(const struct worker *worker);

// A part that stands nowhere, its walk over, goes where it belongs now.
void turns_schedule(struct worker *worker, struct part *part);
// Nothing of a part is sent from here on; its open targets become `state`.
void turns_sweep(struct worker *worker, struct part *part, enum dp_state state);
// No target of the part is open any more.
void turns_settled(struct worker *worker, struct part *part);
// A UE has a new key or address: its open targets are due at once.
void turns_make_due(struct worker *worker, uint32_t handle);
void turns_set_af_rate(struct worker *worker, unsigned af, uint64_t rate);
