#pragma once
// AFs as they stand in memory. For af*.c alone.

#include "control/registry/af.h"
#include "dataplane/dp.h"

struct af_registry {
	struct af *by_index[DP_AF_MAX]; // also of registrations that were deleted or never durable
	bool is_live[DP_AF_MAX];
	uint32_t n_changes[DP_AF_MAX]; // under way: the place is not another's to take
	struct af *by_fqdn[DP_AF_MAX]; // those that are live, ascending
	uint32_t n_live;
};

// The AF for a registration of this FQDN, live or not: the one that had it before, or a free place.
// NULL when DP_AF_MAX are registered, or without memory.
struct af *af_place(struct af_registry *afs, const char *fqdn);
void af_set_live(struct af_registry *afs, struct af *af, bool is_live);
// Around a change of the AF, from af_place to its end.
void af_hold(struct af_registry *afs, const struct af *af);
void af_release(struct af_registry *afs, const struct af *af);
bool af_is_held(const struct af_registry *afs, const struct af *af);
