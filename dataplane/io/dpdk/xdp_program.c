// In the kernel, on an interface that it goes on using: UDP datagrams to our addresses and ports go
// to the socket of their receive queue, all else where it went before. A fragment is not ours
// whatever is in it, nor is a datagram behind IPv6's extension headers or a second VLAN tag: the
// kernel has them, as anything that ends within a header. Lengths and checksums are for
// net/packet.h to check.
//
// Built by clang for the kernel's machine (-target bpf).

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h> // wants the types of the one before

#include "dataplane/io/dpdk/xdp_key.h"

enum {
	ETHERNET = 14,
	VLAN_TAG = 4,
	IPV4_HEADER = 20,
	IPV6_HEADER = 40,
	UDP_HEADER = 8,

	TYPE_IPV4 = 0x0800,
	TYPE_VLAN = 0x8100,
	TYPE_IPV6 = 0x86dd,
	PROTOCOL_UDP = 17,

	IPV4_AT_FRAGMENT = 6,
	IPV4_AT_PROTOCOL = 9,
	IPV4_AT_DESTINATION = 16,
	IPV6_AT_NEXT = 6,
	IPV6_AT_DESTINATION = 24,
	UDP_AT_DESTINATION = 2,
};

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, XDP_QUEUES_MAX);
	__type(key, __u32);
	__type(value, __u32);
} xsks_map SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, XDP_OURS_MAX);
	__type(key, struct xdp_key);
	__type(value, __u32);
} akmapush_ours SEC(".maps");

static __always_inline unsigned load16(const unsigned char *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

// Over the words of IPv4's options, step by step. To an offset that was computed the kernel lets
// nobody without CAP_PERFMON go, for fear of Spectre; nor may pointers be compared but with the
// end.
static __always_inline const unsigned char *pass_options(const unsigned char *h, unsigned words)
{
#define STEP(n)                                                                                    \
	do {                                                                                       \
		if (words > (n)) {                                                                 \
			h += 4;                                                                    \
			asm volatile("" : "+r"(h)); /* not one addition for all */                 \
		}                                                                                  \
	} while (0)

	STEP(0);
	STEP(1);
	STEP(2);
	STEP(3);
	STEP(4);
	STEP(5);
	STEP(6);
	STEP(7);
	STEP(8);
	STEP(9);
#undef STEP
	return h;
}

// Passes IP's header, over to UDP's; 0: nothing for us is behind it.
static __always_inline int pass_ipv4(const unsigned char **at, const unsigned char *end,
				     struct xdp_key *key)
{
	const unsigned char *const h = *at;
	unsigned words;

	if (h + IPV4_HEADER > end || h[0] >> 4 != 4)
		return 0;
	words = h[0] & 15;
	if (words < IPV4_HEADER / 4 || h[IPV4_AT_PROTOCOL] != PROTOCOL_UDP ||
	    load16(h + IPV4_AT_FRAGMENT) & 0x3fff) // more fragments, and the offset of this one
		return 0;
	key->ip[10] = key->ip[11] = 0xff;
	__builtin_memcpy(key->ip + 12, h + IPV4_AT_DESTINATION, 4);
	*at = pass_options(h + IPV4_HEADER, words - IPV4_HEADER / 4);
	return 1;
}

// An IPv4 address in IPv6's clothes, which would be taken for ours: on no wire (RFC 6890 2.2.3).
static __always_inline int is_mapped(const unsigned char ip[16])
{
	unsigned sum = 0;

	for (int i = 0; i < 10; i++)
		sum |= ip[i];
	return !sum && (ip[10] & ip[11]) == 0xff;
}

static __always_inline int pass_ipv6(const unsigned char **at, const unsigned char *end,
				     struct xdp_key *key)
{
	const unsigned char *const h = *at;

	if (h + IPV6_HEADER > end || h[0] >> 4 != 6 || h[IPV6_AT_NEXT] != PROTOCOL_UDP ||
	    is_mapped(h + IPV6_AT_DESTINATION))
		return 0;
	__builtin_memcpy(key->ip, h + IPV6_AT_DESTINATION, 16);
	*at = h + IPV6_HEADER;
	return 1;
}

// The key of a datagram; false: it is none.
static __always_inline int read_key(const unsigned char *h, const unsigned char *end,
				    struct xdp_key *key)
{
	unsigned type;

	if (h + ETHERNET > end)
		return 0;
	type = load16(h + ETHERNET - 2);
	h += ETHERNET;
	if (type == TYPE_VLAN) {
		if (h + VLAN_TAG > end)
			return 0;
		key->vlan[0] = h[0] & 0x0f;
		key->vlan[1] = h[1];
		type = load16(h + 2);
		h += VLAN_TAG;
	}
	if (type == TYPE_IPV4 ? !pass_ipv4(&h, end, key)
			      : type != TYPE_IPV6 || !pass_ipv6(&h, end, key))
		return 0;
	if (h + UDP_HEADER > end)
		return 0;
	__builtin_memcpy(key->port, h + UDP_AT_DESTINATION, 2);
	return 1;
}

SEC("xdp")
int akmapush(struct xdp_md *frame)
{
	const unsigned char *const at = (const unsigned char *)(long)frame->data;
	const unsigned char *const end = (const unsigned char *)(long)frame->data_end;
	struct xdp_key key = {};

	if (!read_key(at, end, &key) || !bpf_map_lookup_elem(&akmapush_ours, &key))
		return XDP_PASS;
	return (int)bpf_redirect_map(&xsks_map, frame->rx_queue_index, XDP_PASS);
}

char the_license[] SEC("license") = "Apache-2.0";
