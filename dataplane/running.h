#pragma once
// The parts a worker runs, found by push_id (acknowledgements) and by handle (a UE that is due at
// once): an open-addressed table of push_ids, a list of the parts with many targets, and chains of
// the single ones by handle. Sized at open for all pushes that may run. Worker thread only.

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "dataplane/push.h"

struct running {
	struct part **slots;   // by push_id
	struct part **singles; // chains by handle
	struct part *lists;    // chain
	uint32_t mask;         // of both tables
	uint32_t n, max;       // parts
};

size_t running_size(uint32_t push_max);
int running_init(struct running *running, uint32_t push_max, struct arena *arena); // 0, -ENOMEM

void running_put(struct running *running, struct part *part);
void running_del(struct running *running, struct part *part);
struct part *running_find(const struct running *running, const uint8_t push_id[16]); // or NULL

// The first part that may have the handle as its single target, and the next ones by chain_next.
struct part *running_singles(const struct running *running, uint32_t handle);
