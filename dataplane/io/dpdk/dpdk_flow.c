#include "dataplane/io/dpdk/dpdk_flow.h"

#include <assert.h>
#include <errno.h>
#include <rte_errno.h>
#include <rte_flow.h>

#include "base/log.h"

enum { ITEMS_MAX = 5 };

struct rule {
	struct rte_flow_item item[ITEMS_MAX];
	struct rte_flow_item_udp udp, mask;
	struct rte_flow_action action[2];
	struct rte_flow_action_queue queue;
};

static const struct rte_flow_attr ingress = {.ingress = 1};

// An item without a spec asks for its header alone ("Pattern item"). The tag's number is not asked
// for: workers drop other VLANs, and there are cards that match ports or tags, not both.
static void make(struct rule *rule, const struct dpdk_flow_plan *plan, bool is_ipv6,
		 uint16_t worker)
{
	struct rte_flow_item *item = rule->item;

	*rule = (struct rule){
		.udp.hdr.dst_port = rte_cpu_to_be_16((uint16_t)(plan->first_port + worker)),
		.mask.hdr.dst_port = RTE_BE16(UINT16_MAX),
		.queue.index = worker,
	};
	(item++)->type = RTE_FLOW_ITEM_TYPE_ETH;
	if (plan->has_vlan)
		(item++)->type = RTE_FLOW_ITEM_TYPE_VLAN;
	(item++)->type = is_ipv6 ? RTE_FLOW_ITEM_TYPE_IPV6 : RTE_FLOW_ITEM_TYPE_IPV4;
	*item++ = (struct rte_flow_item){
		.type = RTE_FLOW_ITEM_TYPE_UDP, .spec = &rule->udp, .mask = &rule->mask};
	item->type = RTE_FLOW_ITEM_TYPE_END;
	rule->action[0] =
		(struct rte_flow_action){.type = RTE_FLOW_ACTION_TYPE_QUEUE, .conf = &rule->queue};
	rule->action[1].type = RTE_FLOW_ACTION_TYPE_END;
}

// ---- What is done with each rule

typedef int one(struct dpdk_flow *flow, const struct rule *rule, struct rte_flow_error *error);

// "Validation": nothing is made of it, so most that is refused is refused before a frame notices.
static int validate(struct dpdk_flow *flow, const struct rule *rule, struct rte_flow_error *error)
{
	return rte_flow_validate(flow->port, &ingress, rule->item, rule->action, error);
}

static int create(struct dpdk_flow *flow, const struct rule *rule, struct rte_flow_error *error)
{
	struct rte_flow *const made =
		rte_flow_create(flow->port, &ingress, rule->item, rule->action, error);

	if (!made)
		return rte_errno ? -rte_errno : -EIO;
	flow->rule[flow->n++] = made;
	return 0;
}

static int each(struct dpdk_flow *flow, const struct dpdk_flow_plan *plan, one *what,
		struct rte_flow_error *error)
{
	struct rule rule;
	int status = 0;

	for (unsigned family = 0; family < 2; family++) {
		for (uint16_t i = 0; !status && plan->has[family] && i < plan->queues; i++) {
			make(&rule, plan, family, i);
			status = what(flow, &rule, error);
		}
	}
	return status;
}

// ---- All of them

// Drivers may leave it without words.
static const char *words(const struct rte_flow_error *error, int status)
{
	return error->message ? error->message : rte_strerror(-status);
}

int dpdk_flow_open(struct dpdk_flow *flow, const struct dpdk_flow_plan *plan)
{
	struct rte_flow_error error = {0};
	int status;

	assert(plan->queues && plan->queues <= DPDK_FLOW_QUEUES_MAX);
	assert(plan->first_port && plan->first_port + plan->queues - 1 <= UINT16_MAX);
	*flow = (struct dpdk_flow){.device = plan->device, .port = plan->port};
	if (!plan->has[0] && !plan->has[1])
		return -EINVAL;
	status = each(flow, plan, validate, &error);
	if (!status)
		status = each(flow, plan, create, &error);
	if (!status) {
		log_info(
			"dpdk",
			"port %s: the device steers UDP ports %u to %u, each to its worker's queue",
			plan->device, plan->first_port, plan->first_port + plan->queues - 1);
		return 0;
	}
	log_info("dpdk",
		 "port %s: the device cannot steer by UDP port (%s): what comes in on another "
		 "worker's queue is handed over",
		 plan->device, words(&error, status));
	dpdk_flow_close(flow);
	return status;
}

// One that stays harms nobody: what it steers is handed over like all else.
void dpdk_flow_close(struct dpdk_flow *flow)
{
	while (flow->n) {
		struct rte_flow_error error = {0};
		const int status = rte_flow_destroy(flow->port, flow->rule[--flow->n], &error);

		if (status)
			log_warn("dpdk", "port %s: a flow rule stays with the device: %s",
				 flow->device, words(&error, status));
	}
}
