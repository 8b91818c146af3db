#include "dataplane/net/hops.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

int hops_open(struct hops *hops, uint32_t interface)
{
	const struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_NEIGH};
	int status;

	hops->interface = interface;
	hops->at = hops->len = 0;
	hops->socket = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (hops->socket < 0)
		return -errno;
	if (!bind(hops->socket, (const struct sockaddr *)&address, sizeof(address)))
		return 0;
	status = -errno;
	close(hops->socket);
	return status;
}

void hops_close(struct hops *hops)
{
	close(hops->socket);
}

void hops_ask(struct hops *hops, const uint8_t ip[PACKET_IP])
{
	const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	uint8_t request[HOP_REQUEST_MAX];
	const unsigned len = hop_message_ask(request, hops->interface, ip);

	(void)sendto(hops->socket, request, len, MSG_DONTWAIT, (const struct sockaddr *)&kernel,
		     sizeof(kernel));
}

// Whether something has come. A process may send to our socket as well as the kernel, whose port is
// 0; and after ENOBUFS (news were lost) there may be more.
static bool receive(struct hops *hops)
{
	struct sockaddr_nl from;
	socklen_t from_len;
	ssize_t n;

	do {
		from = (struct sockaddr_nl){.nl_pid = 1};
		from_len = sizeof(from);
		n = recvfrom(hops->socket, hops->octets, sizeof(hops->octets), MSG_DONTWAIT,
			     (struct sockaddr *)&from, &from_len);
	} while ((n < 0 && (errno == ENOBUFS || errno == EINTR)) || (n >= 0 && from.nl_pid != 0));
	hops->at = 0;
	hops->len = n > 0 ? (unsigned)n : 0;
	return n > 0;
}

// A datagram that is no message to its end is dropped from there on.
static bool next(struct hops *hops, struct hop_message *news)
{
	const unsigned len = hop_message_read(news, hops->octets + hops->at, hops->len - hops->at);

	hops->at += len;
	if (!len)
		hops->at = hops->len;
	return len;
}

bool hops_poll(struct hops *hops, struct hop_message *news)
{
	do {
		while (next(hops, news)) {
			if (news->news != HOP_NONE && news->interface == hops->interface)
				return true;
		}
	} while (receive(hops));
	return false;
}
