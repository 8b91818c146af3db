#include "dataplane/net/hop_message.h"

#include <assert.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "dataplane/net/host_config.h"

enum {
	MAPPED = 12, // octets in front of an IPv4 address
	VALID = NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT,
};

static unsigned aligned(unsigned len)
{
	return (len + 3) & ~3u;
}

// ---- Reading

// The octets of an attribute that has to have so many, or NULL. The last of its kind counts.
static const uint8_t *find(const uint8_t *at, unsigned len, unsigned type, unsigned wanted)
{
	const uint8_t *found = NULL;
	struct rtattr attribute;

	while (len >= sizeof(attribute)) {
		memcpy(&attribute, at, sizeof(attribute));
		if (attribute.rta_len < sizeof(attribute) || attribute.rta_len > len)
			return NULL;
		if (attribute.rta_type == type && attribute.rta_len == sizeof(attribute) + wanted)
			found = at + sizeof(attribute);
		if (aligned(attribute.rta_len) >= len)
			break;
		at += aligned(attribute.rta_len);
		len -= aligned(attribute.rta_len);
	}
	return found;
}

static bool read_ip(uint8_t ip[PACKET_IP], uint8_t family, const uint8_t *attributes, unsigned len)
{
	const unsigned ip_len = family == AF_INET ? 4 : 16;
	const uint8_t *const octets = find(attributes, len, NDA_DST, ip_len);

	if ((family != AF_INET && family != AF_INET6) || !octets)
		return false;
	memset(ip, 0, PACKET_IP);
	if (family == AF_INET)
		memset(ip + MAPPED - 2, 0xff, 2);
	memcpy(ip + PACKET_IP - ip_len, octets, ip_len);
	return host_is_ipv6(ip) == (family == AF_INET6);
}

// A neighbour that is taken out of the table was failed first: RTM_DELNEIGH says nothing new, and
// is said of entries that the kernel has no more room for, too.
static void read_neighbour(struct hop_message *message, const uint8_t *octets, unsigned len)
{
	struct ndmsg head;
	const uint8_t *mac;

	if (len < sizeof(head))
		return;
	memcpy(&head, octets, sizeof(head));
	octets += sizeof(head);
	len -= sizeof(head);
	if (head.ndm_flags & NTF_PROXY || head.ndm_ifindex <= 0 ||
	    !read_ip(message->ip, head.ndm_family, octets, len))
		return;
	mac = find(octets, len, NDA_LLADDR, PACKET_MAC);
	if (head.ndm_state & VALID && mac) {
		message->news = HOP_KNOWN;
		memcpy(message->mac, mac, PACKET_MAC);
	} else if (head.ndm_state & NUD_FAILED) {
		message->news = HOP_LOST;
	}
	if (message->news != HOP_NONE)
		message->interface = (uint32_t)head.ndm_ifindex;
}

unsigned hop_message_read(struct hop_message *message, const uint8_t *octets, unsigned len)
{
	struct nlmsghdr head;

	*message = (struct hop_message){.news = HOP_NONE};
	if (len < sizeof(head))
		return 0;
	memcpy(&head, octets, sizeof(head));
	if (head.nlmsg_len < sizeof(head) || head.nlmsg_len > len)
		return 0;
	if (head.nlmsg_type == RTM_NEWNEIGH)
		read_neighbour(message, octets + sizeof(head),
			       head.nlmsg_len - (unsigned)sizeof(head));
	return aligned(head.nlmsg_len) < len ? aligned(head.nlmsg_len) : len;
}

// ---- Writing

static unsigned write_one(uint8_t *at, uint16_t type, uint16_t flags, const struct ndmsg *neighbour,
			  const uint8_t ip[PACKET_IP])
{
	const unsigned ip_len = neighbour->ndm_family == AF_INET ? 4 : 16;
	const struct rtattr attribute = {
		.rta_len = (uint16_t)(sizeof(attribute) + ip_len),
		.rta_type = NDA_DST,
	};
	const struct nlmsghdr head = {
		.nlmsg_len = (uint32_t)(sizeof(head) + sizeof(*neighbour) + attribute.rta_len),
		.nlmsg_type = type,
		.nlmsg_flags = flags,
	};

	memcpy(at, &head, sizeof(head));
	memcpy(at + sizeof(head), neighbour, sizeof(*neighbour));
	memcpy(at + sizeof(head) + sizeof(*neighbour), &attribute, sizeof(attribute));
	memcpy(at + head.nlmsg_len - ip_len, ip + PACKET_IP - ip_len, ip_len);
	return head.nlmsg_len;
}

// NTF_USE does to the entry what a datagram of the kernel's own would do: it is resolved when it is
// new or has failed, and probed when it is stale (neigh_add in net/core/neighbour.c). A state alone
// would only be written down.
unsigned hop_message_ask(uint8_t request[HOP_REQUEST_MAX], uint32_t interface,
			 const uint8_t ip[PACKET_IP])
{
	struct ndmsg neighbour = {
		.ndm_family = host_is_ipv6(ip) ? AF_INET6 : AF_INET,
		.ndm_ifindex = (int32_t)interface,
		.ndm_state = NUD_NONE,
		.ndm_flags = NTF_USE,
	};
	unsigned len =
		write_one(request, RTM_NEWNEIGH, NLM_F_REQUEST | NLM_F_CREATE, &neighbour, ip);

	neighbour.ndm_flags = 0;
	len += write_one(request + len, RTM_GETNEIGH, NLM_F_REQUEST, &neighbour, ip);
	assert(len <= HOP_REQUEST_MAX);
	return len;
}
