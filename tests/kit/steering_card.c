// A card that steers, where there is none: preloaded into a daemon whose port is an af_packet. The
// queues of that driver are sockets in a fanout group (packet(7)); what rte_flow is asked for
// becomes the group's filter, a program of the kernel's that picks the queue of each frame, as a
// card's table of rules does. Without a rule that fits, a frame's queue follows from its source's
// address, as with RSS. One port, frames without tags, IPv4 without options.
//
//	STEERING_CARD_RULES   rules there is room for; as many as fit without it
//
// Under a port of another driver its rules are kept and steer nothing.
//
// Each time that the rules change a line "card: n rules" goes to standard error.

#include <dlfcn.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <rte_errno.h>
#include <rte_ether.h>
#include <rte_flow.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
	RULES_MAX = 128,
	PROGRAM_MAX = 2 * RULES_MAX + 16,
	IPV4_PROTOCOL = 9,
	IPV4_SOURCE = 12,
	IPV4_UDP_DST = 20 + 2,
	IPV6_NEXT = 6,
	IPV6_SOURCE_END = 20, // its last four octets
	IPV6_UDP_DST = 40 + 2,
};

struct rte_flow {
	bool is_there, is_ipv6;
	uint16_t udp, queue;
};

// The control thread's, as rte_flow's caller has it.
static struct rte_flow rule[RULES_MAX];
static int group = -1; // a socket of it

static int (*real_setsockopt)(int, int, int, const void *, socklen_t);

// ---- The group's filter. Jumps of this language go forward by up to 255: none is longer than two.

struct program {
	struct sock_filter at[PROGRAM_MAX];
	unsigned short n;
};

static void put(struct program *p, uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
	if (p->n == PROGRAM_MAX)
		abort();
	p->at[p->n++] = (struct sock_filter){.code = code, .jt = yes, .jf = no, .k = k};
}

static void load(struct program *p, uint16_t size, int offset)
{
	put(p, (uint16_t)(BPF_LD | size | BPF_ABS), (uint32_t)offset, 0, 0);
}

// What was loaded is `value`, or the next instruction is passed over.
static void unless_skip(struct program *p, uint32_t value)
{
	put(p, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
}

static void give(struct program *p, uint32_t queue)
{
	put(p, BPF_RET | BPF_K, queue, 0, 0);
}

// The kernel divides what is given by the number of queues.
static void give_by_source(struct program *p, bool is_ipv6)
{
	load(p, BPF_W, SKF_NET_OFF + (is_ipv6 ? IPV6_SOURCE_END : IPV4_SOURCE));
	put(p, BPF_RET | BPF_A, 0, 0, 0);
}

static void put_family(struct program *p, bool is_ipv6)
{
	load(p, BPF_B, SKF_NET_OFF + (is_ipv6 ? IPV6_NEXT : IPV4_PROTOCOL));
	put(p, BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 2, 0);
	give_by_source(p, is_ipv6);
	load(p, BPF_H, SKF_NET_OFF + (is_ipv6 ? IPV6_UDP_DST : IPV4_UDP_DST));
	for (unsigned i = 0; i < RULES_MAX; i++) {
		if (!rule[i].is_there || rule[i].is_ipv6 != is_ipv6)
			continue;
		unless_skip(p, rule[i].udp);
		give(p, rule[i].queue);
	}
	give_by_source(p, is_ipv6);
}

// IPv6 comes last: the jump over IPv4 may be as long as it likes (BPF_JA).
static int set_filter(void)
{
	struct program p = {0};
	struct sock_fprog value = {.filter = p.at};
	unsigned short over;

	if (group < 0)
		return 0;
	load(&p, BPF_W, SKF_AD_OFF + SKF_AD_PROTOCOL);
	put(&p, BPF_JMP | BPF_JEQ | BPF_K, RTE_ETHER_TYPE_IPV4, 1, 0);
	over = p.n;
	put(&p, BPF_JMP | BPF_JA, 0, 0, 0);
	put_family(&p, false);
	p.at[over].k = p.n - over - 1u;
	put(&p, BPF_JMP | BPF_JEQ | BPF_K, RTE_ETHER_TYPE_IPV6, 1, 0);
	give(&p, 0);
	put_family(&p, true);
	value.len = p.n;
	return real_setsockopt(group, SOL_PACKET, PACKET_FANOUT_DATA, &value, sizeof(value));
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	int argument, status;

	if (!real_setsockopt)
		real_setsockopt = (int (*)(int, int, int, const void *, socklen_t))dlsym(
			RTLD_NEXT, "setsockopt");
	if (level != SOL_PACKET || name != PACKET_FANOUT || len != sizeof(argument))
		return real_setsockopt(fd, level, name, value, len);
	memcpy(&argument, value, sizeof(argument));
	argument = (argument & 0xffff) | PACKET_FANOUT_CBPF << 16;
	status = real_setsockopt(fd, level, name, &argument, sizeof(argument));
	if (!status && group < 0) {
		group = fd;
		status = set_filter();
	}
	return status;
}

// ---- rte_flow

static unsigned count(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < RULES_MAX; i++)
		n += rule[i].is_there;
	return n;
}

static int refuse(struct rte_flow_error *error, int status, const char *why)
{
	return rte_flow_error_set(error, status, RTE_FLOW_ERROR_TYPE_UNSPECIFIED, NULL, why);
}

static int parse(const struct rte_flow_item item[], const struct rte_flow_action action[],
		 struct rte_flow *made)
{
	const struct rte_flow_item_udp *udp = item[2].spec, *mask = item[2].mask;

	if (item[0].type != RTE_FLOW_ITEM_TYPE_ETH ||
	    (item[1].type != RTE_FLOW_ITEM_TYPE_IPV4 && item[1].type != RTE_FLOW_ITEM_TYPE_IPV6) ||
	    item[2].type != RTE_FLOW_ITEM_TYPE_UDP || item[3].type != RTE_FLOW_ITEM_TYPE_END ||
	    !udp || !mask || mask->hdr.dst_port != UINT16_MAX ||
	    action[0].type != RTE_FLOW_ACTION_TYPE_QUEUE ||
	    action[1].type != RTE_FLOW_ACTION_TYPE_END)
		return -EINVAL;
	made->is_there = true;
	made->is_ipv6 = item[1].type == RTE_FLOW_ITEM_TYPE_IPV6;
	made->udp = rte_be_to_cpu_16(udp->hdr.dst_port);
	made->queue = ((const struct rte_flow_action_queue *)action[0].conf)->index;
	return 0;
}

int rte_flow_validate(uint16_t port, const struct rte_flow_attr *attr,
		      const struct rte_flow_item item[], const struct rte_flow_action action[],
		      struct rte_flow_error *error)
{
	struct rte_flow made;

	(void)port;
	if (!attr->ingress || parse(item, action, &made))
		return refuse(error, EINVAL, "the card knows no such rule");
	return 0;
}

struct rte_flow *rte_flow_create(uint16_t port, const struct rte_flow_attr *attr,
				 const struct rte_flow_item item[],
				 const struct rte_flow_action action[],
				 struct rte_flow_error *error)
{
	const char *const room = getenv("STEERING_CARD_RULES");
	const unsigned max = room ? (unsigned)strtoul(room, NULL, 10) : RULES_MAX, at = count();

	if (rte_flow_validate(port, attr, item, action, error))
		return NULL;
	if (at >= max) {
		refuse(error, ENOSPC, "the card's table is full");
		return NULL;
	}
	for (unsigned i = 0; i < RULES_MAX; i++) {
		if (rule[i].is_there)
			continue;
		parse(item, action, &rule[i]);
		if (set_filter()) {
			rule[i].is_there = false;
			refuse(error, errno, "the kernel does not take the filter");
			return NULL;
		}
		fprintf(stderr, "card: %u rules\n", count());
		return &rule[i];
	}
	abort();
}

int rte_flow_destroy(uint16_t port, struct rte_flow *flow, struct rte_flow_error *error)
{
	(void)port;
	if (flow < rule || flow >= rule + RULES_MAX || !flow->is_there)
		abort();
	flow->is_there = false;
	if (set_filter())
		return refuse(error, errno, "the kernel does not take the filter");
	fprintf(stderr, "card: %u rules\n", count());
	return 0;
}
