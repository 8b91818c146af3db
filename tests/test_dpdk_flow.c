// Rules against a device that is none: it takes down what it is asked, and refuses what a test
// says. The three functions of rte_flow below stand before DPDK's own in the link.

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <errno.h>
#include <rte_errno.h>
#include <rte_flow.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "dataplane/io/dpdk/dpdk_flow.h"

enum { ITEMS_MAX = 8, PORT = 3, FIRST = 48471, NEVER = DPDK_FLOW_MAX };

struct asked {
	enum rte_flow_item_type item[ITEMS_MAX];
	unsigned items;
	uint16_t udp, queue;
};

static struct {
	struct asked validated[DPDK_FLOW_MAX], created[DPDK_FLOW_MAX];
	unsigned n_validated, n_created, n_destroyed;
	unsigned destroyed[DPDK_FLOW_MAX]; // which of those created, in order
	bool is_there[DPDK_FLOW_MAX];
	unsigned refuse_validate, refuse_create, refuse_destroy; // which; NEVER
	const char *words;
	char handle[DPDK_FLOW_MAX]; // the address is what counts
} card;

static void card_init(void)
{
	memset(&card, 0, sizeof(card));
	card.refuse_validate = card.refuse_create = card.refuse_destroy = NEVER;
	card.words = "no such filter";
}

static unsigned n_there(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < card.n_created; i++)
		n += card.is_there[i];
	return n;
}

static void be_quiet(void)
{
	log_set_level("error");
}

TestSuite(dpdk_flow, .init = be_quiet);

// ---- The device

static int refuse(struct rte_flow_error *error, int status)
{
	error->message = card.words;
	rte_errno = status;
	return -status;
}

static void read_pattern(struct asked *asked, const struct rte_flow_item *item)
{
	for (;; item++) {
		cr_assert_lt(asked->items, ITEMS_MAX);
		asked->item[asked->items++] = item->type;
		cr_expect_null(item->last);
		if (item->type == RTE_FLOW_ITEM_TYPE_END)
			return;
		if (item->type == RTE_FLOW_ITEM_TYPE_UDP) {
			const struct rte_flow_item_udp *const spec = item->spec, *const mask =
											 item->mask;

			cr_assert(spec && mask);
			asked->udp = rte_be_to_cpu_16(spec->hdr.dst_port);
			cr_expect_eq(mask->hdr.dst_port, RTE_BE16(0xffff));
			cr_expect_eq(mask->hdr.src_port, 0);
			cr_expect_eq(mask->hdr.dgram_len, 0);
			cr_expect_eq(mask->hdr.dgram_cksum, 0);
		} else {
			cr_expect(!item->spec && !item->mask, "headers alone are asked for");
		}
	}
}

static void read_rule(struct asked *asked, uint16_t port, const struct rte_flow_attr *attr,
		      const struct rte_flow_item *item, const struct rte_flow_action *action)
{
	const struct rte_flow_attr wanted = {.ingress = 1};

	cr_expect_eq(port, PORT);
	cr_expect(!memcmp(attr, &wanted, sizeof(wanted)), "ingress, group and priority 0");
	*asked = (struct asked){0};
	read_pattern(asked, item);
	cr_assert_eq(action[0].type, RTE_FLOW_ACTION_TYPE_QUEUE);
	asked->queue = ((const struct rte_flow_action_queue *)action[0].conf)->index;
	cr_assert_eq(action[1].type, RTE_FLOW_ACTION_TYPE_END);
}

int rte_flow_validate(uint16_t port, const struct rte_flow_attr *attr,
		      const struct rte_flow_item item[], const struct rte_flow_action action[],
		      struct rte_flow_error *error)
{
	const unsigned at = card.n_validated++;

	cr_assert_lt(at, DPDK_FLOW_MAX);
	cr_expect_eq(card.n_created, 0, "all are validated before one is made");
	read_rule(&card.validated[at], port, attr, item, action);
	return at == card.refuse_validate ? refuse(error, ENOTSUP) : 0;
}

struct rte_flow *rte_flow_create(uint16_t port, const struct rte_flow_attr *attr,
				 const struct rte_flow_item item[],
				 const struct rte_flow_action action[],
				 struct rte_flow_error *error)
{
	const unsigned at = card.n_created;

	cr_assert_lt(at, DPDK_FLOW_MAX);
	cr_expect_eq(card.n_destroyed, 0, "none is made any more");
	read_rule(&card.created[at], port, attr, item, action);
	if (at == card.refuse_create) {
		refuse(error, ENOSPC);
		return NULL;
	}
	card.n_created++;
	card.is_there[at] = true;
	return (struct rte_flow *)&card.handle[at];
}

int rte_flow_destroy(uint16_t port, struct rte_flow *flow, struct rte_flow_error *error)
{
	const size_t at = (size_t)((const char *)flow - card.handle);

	cr_expect_eq(port, PORT);
	cr_assert_lt(at, DPDK_FLOW_MAX);
	cr_expect(card.is_there[at], "rule %zu is there", at);
	card.destroyed[card.n_destroyed++] = (unsigned)at;
	if (at == card.refuse_destroy)
		return refuse(error, EBUSY);
	card.is_there[at] = false;
	return 0;
}

// ---- What is asked for

static struct dpdk_flow_plan plan_of(uint16_t queues, bool has_ipv4, bool has_ipv6)
{
	return (struct dpdk_flow_plan){.device = "net_card0",
				       .port = PORT,
				       .queues = queues,
				       .first_port = FIRST,
				       .has = {has_ipv4, has_ipv6}};
}

static void expect_rule(const struct asked *asked, enum rte_flow_item_type ip, bool has_vlan,
			uint16_t udp, uint16_t queue)
{
	const enum rte_flow_item_type tagged[] = {RTE_FLOW_ITEM_TYPE_ETH, RTE_FLOW_ITEM_TYPE_VLAN,
						  ip, RTE_FLOW_ITEM_TYPE_UDP,
						  RTE_FLOW_ITEM_TYPE_END},
				      plain[] = {RTE_FLOW_ITEM_TYPE_ETH, ip, RTE_FLOW_ITEM_TYPE_UDP,
						 RTE_FLOW_ITEM_TYPE_END};

	cr_assert_eq(asked->items, has_vlan ? 5 : 4);
	cr_expect(
		!memcmp(asked->item, has_vlan ? tagged : plain, asked->items * sizeof(tagged[0])));
	cr_expect_eq(asked->udp, udp);
	cr_expect_eq(asked->queue, queue);
}

static void expect_all(const struct dpdk_flow_plan *plan)
{
	unsigned n = 0;

	for (unsigned f = 0; f < 2; f++) {
		for (uint16_t i = 0; plan->has[f] && i < plan->queues; i++, n++) {
			const enum rte_flow_item_type ip =
				f ? RTE_FLOW_ITEM_TYPE_IPV6 : RTE_FLOW_ITEM_TYPE_IPV4;
			const uint16_t udp = (uint16_t)(plan->first_port + i);

			expect_rule(&card.validated[n], ip, plan->has_vlan, udp, i);
			expect_rule(&card.created[n], ip, plan->has_vlan, udp, i);
		}
	}
	cr_expect_eq(card.n_validated, n);
	cr_expect_eq(card.n_created, n);
}

// Made, all there, and gone in the opposite order.
static void make_and_take_back(const struct dpdk_flow_plan *plan)
{
	struct dpdk_flow flow;

	card_init();
	cr_assert_eq(dpdk_flow_open(&flow, plan), 0);
	expect_all(plan);
	cr_expect_eq(card.n_destroyed, 0);
	dpdk_flow_close(&flow);
	cr_expect_eq(card.n_destroyed, card.n_created);
	cr_expect_eq(n_there(), 0);
	for (unsigned i = 0; i < card.n_destroyed; i++)
		cr_expect_eq(card.destroyed[i], card.n_created - 1 - i);
	dpdk_flow_close(&flow);
	cr_expect_eq(card.n_destroyed, card.n_created);
}

Test(dpdk_flow, a_rule_for_each_worker_and_family)
{
	for (uint16_t queues = 1; queues <= DPDK_FLOW_QUEUES_MAX; queues++) {
		for (unsigned families = 1; families < 4; families++) {
			struct dpdk_flow_plan plan = plan_of(queues, families & 1, families & 2);

			make_and_take_back(&plan);
			plan.has_vlan = true;
			make_and_take_back(&plan);
		}
	}
}

Test(dpdk_flow, the_last_udp_port)
{
	struct dpdk_flow_plan plan = plan_of(DPDK_FLOW_QUEUES_MAX, true, true);

	plan.first_port = 65536 - DPDK_FLOW_QUEUES_MAX;
	make_and_take_back(&plan);
	cr_expect_eq(card.created[DPDK_FLOW_MAX - 1].udp, 65535);
}

Test(dpdk_flow, without_addresses_nothing_is_asked_for)
{
	const struct dpdk_flow_plan plan = plan_of(4, false, false);
	struct dpdk_flow flow;

	card_init();
	cr_expect_eq(dpdk_flow_open(&flow, &plan), -EINVAL);
	cr_expect_eq(card.n_validated + card.n_created, 0);
	dpdk_flow_close(&flow);
	cr_expect_eq(card.n_destroyed, 0);
}

Test(dpdk_flow, of_a_zeroed_one_nothing_is_taken_back)
{
	struct dpdk_flow flow = {0};

	card_init();
	dpdk_flow_close(&flow);
	cr_expect_eq(card.n_destroyed, 0);
}

// ---- All or none

Test(dpdk_flow, one_that_is_not_valid_and_none_is_made)
{
	const struct dpdk_flow_plan plan = plan_of(4, true, true);
	struct dpdk_flow flow;

	for (unsigned bad = 0; bad < 8; bad++) {
		card_init();
		card.refuse_validate = bad;
		cr_expect_eq(dpdk_flow_open(&flow, &plan), -ENOTSUP);
		cr_expect_eq(card.n_validated, bad + 1);
		cr_expect_eq(card.n_created + card.n_destroyed, 0);
		dpdk_flow_close(&flow);
		cr_expect_eq(card.n_destroyed, 0);
	}
}

Test(dpdk_flow, one_that_is_not_made_and_all_are_taken_back)
{
	const struct dpdk_flow_plan plan = plan_of(4, true, true);
	struct dpdk_flow flow;

	for (unsigned bad = 0; bad < 8; bad++) {
		card_init();
		card.refuse_create = bad;
		cr_expect_eq(dpdk_flow_open(&flow, &plan), -ENOSPC);
		cr_expect_eq(card.n_created, bad);
		cr_expect_eq(card.n_destroyed, bad);
		cr_expect_eq(n_there(), 0);
		for (unsigned i = 0; i < bad; i++)
			cr_expect_eq(card.destroyed[i], bad - 1 - i);
		dpdk_flow_close(&flow);
		cr_expect_eq(card.n_destroyed, bad);
	}
}

// The others are taken back all the same, each once.
Test(dpdk_flow, one_that_stays)
{
	const struct dpdk_flow_plan plan = plan_of(4, true, true);
	struct dpdk_flow flow;

	for (unsigned bad = 0; bad < 8; bad++) {
		card_init();
		card.refuse_destroy = bad;
		cr_assert_eq(dpdk_flow_open(&flow, &plan), 0);
		dpdk_flow_close(&flow);
		cr_expect_eq(card.n_destroyed, 8);
		cr_expect_eq(n_there(), 1);
		cr_expect(card.is_there[bad]);
		dpdk_flow_close(&flow);
		cr_expect_eq(card.n_destroyed, 8);
	}
}

// ---- What the log says, which the other tests need not

static void read_log(void)
{
	log_set_level("info");
	cr_redirect_stderr();
}

static void expect_line(const char *wanted)
{
	char line[512] = "";

	cr_assert(fgets(line, sizeof(line), cr_get_redirected_stderr()));
	cr_expect(strstr(line, wanted), "'%s' in '%s'", wanted, line);
}

Test(dpdk_flow, it_says_that_it_steers, .init = read_log)
{
	const struct dpdk_flow_plan plan = plan_of(2, true, false);
	struct dpdk_flow flow;

	card_init();
	cr_assert_eq(dpdk_flow_open(&flow, &plan), 0);
	expect_line("port net_card0: the device steers UDP ports 48471 to 48472");
}

Test(dpdk_flow, it_says_why_not, .init = read_log)
{
	const struct dpdk_flow_plan plan = plan_of(2, true, false);
	struct dpdk_flow flow;

	card_init();
	card.refuse_create = card.refuse_destroy = 1;
	cr_assert_neq(dpdk_flow_open(&flow, &plan), 0);
	expect_line("port net_card0: the device cannot steer by UDP port (no such filter): ");
	card_init();
	card.refuse_validate = 1;
	card.words = NULL;
	cr_assert_neq(dpdk_flow_open(&flow, &plan), 0);
	expect_line("by UDP port (Operation not supported): ");
}

Test(dpdk_flow, it_says_what_stays, .init = read_log)
{
	const struct dpdk_flow_plan plan = plan_of(2, true, false);
	struct dpdk_flow flow;

	card_init();
	card.refuse_create = 1;
	card.refuse_destroy = 0;
	card.words = "busy";
	cr_assert_neq(dpdk_flow_open(&flow, &plan), 0);
	expect_line("cannot steer by UDP port (busy)");
	expect_line("port net_card0: a flow rule stays with the device: busy");
}
