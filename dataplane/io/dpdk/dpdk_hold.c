#include "dataplane/io/dpdk/dpdk_hold.h"

#include <string.h>

bool dpdk_hold_put(struct dpdk_hold *hold, struct rte_mbuf *mbuf, unsigned port,
		   const uint8_t hop[16], uint64_t now_ns)
{
	struct dpdk_held *const held = &hold->at[hold->n];

	if (hold->n == DPDK_HOLD)
		return false;
	hold->n++;
	*held = (struct dpdk_held){
		.mbuf = mbuf, .end_ns = now_ns + DPDK_HOLD_NS, .port = (uint8_t)port};
	memcpy(held->hop, hop, sizeof(held->hop));
	return true;
}

void dpdk_hold_look(struct dpdk_hold *hold,
		    enum dpdk_held_fate (*fate)(void *ctx, const struct dpdk_held *held), void *ctx)
{
	unsigned left = 0;

	for (unsigned i = 0; i < hold->n; i++) {
		if (fate(ctx, &hold->at[i]) == DPDK_HELD_WAITS)
			hold->at[left++] = hold->at[i];
	}
	hold->n = left;
}
