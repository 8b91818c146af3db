#include "tools/fleet/fleet_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	CONTROL = 64, // octets: packet information
	SEND_WAIT_MS = 1000,
	IPV4_DESTINATION = 16, // offset in the header, RFC 791
};

struct fleet_burst {
	struct mmsghdr message[FLEET_BURST];
	struct iovec part[FLEET_BURST];
	struct sockaddr_in6 name[FLEET_BURST]; // or a sockaddr_in
	_Alignas(struct cmsghdr) uint8_t control[FLEET_BURST][CONTROL];
	uint8_t octets[FLEET_BURST][FLEET_DATAGRAM];
};

struct fleet_burst *fleet_burst_new(void)
{
	return calloc(1, sizeof(struct fleet_burst));
}

void fleet_burst_free(struct fleet_burst *burst)
{
	free(burst);
}

// Destination address modulo the number of sockets: the kernel's choice among them.
static int choose_by_address(int fd, unsigned share)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_NET_OFF + IPV4_DESTINATION),
		BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, share),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	const struct sock_fprog program = {.len = 3, .filter = code};

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof(program)))
		return -errno;
	return 0;
}

static int bind_to(const struct fleet_socket *s)
{
	const struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(s->port)};
	const struct sockaddr_in6 v6 = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(s->port),
		.sin6_addr = IN6ADDR_ANY_INIT,
	};
	int r = s->family == SUBSCRIBER_V4 ? bind(s->fd, (const struct sockaddr *)&v4, sizeof(v4))
					   : bind(s->fd, (const struct sockaddr *)&v6, sizeof(v6));

	return r ? -errno : 0;
}

static void set_buffers(int fd, uint64_t octets)
{
	const int size = octets > INT32_MAX / 2 ? INT32_MAX / 2 : (int)octets;

	// FORCE needs a privilege; without it the system's limit holds.
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

int fleet_socket_open(struct fleet_socket *s, enum subscriber_family family, uint16_t port,
		      unsigned share, bool is_last, uint64_t buffer)
{
	const int on = 1;
	int r;

	*s = (struct fleet_socket){.family = family, .port = port};
	s->fd = socket(family == SUBSCRIBER_V4 ? AF_INET : AF_INET6,
		       SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0)
		return -errno;
	set_buffers(s->fd, buffer);
	if (family == SUBSCRIBER_V4)
		setsockopt(s->fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	if (share > 1)
		setsockopt(s->fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	r = bind_to(s);
	if (r == 0 && share > 1 && is_last)
		r = choose_by_address(s->fd, share);
	if (r)
		fleet_socket_close(s);
	return r;
}

void fleet_socket_close(struct fleet_socket *s)
{
	close(s->fd);
	s->fd = -1;
}

static void address_read(struct akmapush_ue_address *address, const struct sockaddr_in6 *name)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)name;

	if (name->sin6_family == AF_INET6) {
		memcpy(address->octets, &name->sin6_addr, 16);
		address->port = ntohs(name->sin6_port);
		return;
	}
	memset(address->octets, 0, 10);
	memset(address->octets + 10, 0xff, 2);
	memcpy(address->octets + 12, &v4->sin_addr, 4);
	address->port = ntohs(v4->sin_port);
}

static socklen_t address_write(struct sockaddr_in6 *name, enum subscriber_family family,
			       const struct akmapush_ue_address *address)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)name;

	memset(name, 0, sizeof(*name));
	if (family == SUBSCRIBER_V6) {
		name->sin6_family = AF_INET6;
		name->sin6_port = htons(address->port);
		memcpy(&name->sin6_addr, address->octets, 16);
		return sizeof(*name);
	}
	v4->sin_family = AF_INET;
	v4->sin_port = htons(address->port);
	memcpy(&v4->sin_addr, address->octets + 12, 4);
	return sizeof(*v4);
}

// The address that a datagram was sent to; 0 when the kernel did not say, as for IPv6.
static uint32_t control_read(struct msghdr *message)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(message);
	struct in_pktinfo info;

	if (!c || c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_PKTINFO)
		return 0;
	memcpy(&info, CMSG_DATA(c), sizeof(info));
	return ntohl(info.ipi_addr.s_addr);
}

int fleet_receive(struct fleet_socket *s, struct fleet_burst *burst,
		  struct fleet_datagram datagram[FLEET_BURST])
{
	int n;

	for (unsigned i = 0; i < FLEET_BURST; i++) {
		burst->part[i] = (struct iovec){burst->octets[i], FLEET_DATAGRAM};
		burst->message[i].msg_hdr = (struct msghdr){
			.msg_name = &burst->name[i],
			.msg_namelen = sizeof(burst->name[i]),
			.msg_iov = &burst->part[i],
			.msg_iovlen = 1,
			.msg_control = burst->control[i],
			.msg_controllen = CONTROL,
		};
	}
	n = recvmmsg(s->fd, burst->message, FLEET_BURST, MSG_DONTWAIT, NULL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	for (int i = 0; i < n; i++) {
		datagram[i] = (struct fleet_datagram){
			.octets = burst->octets[i],
			.len = burst->message[i].msg_len,
			.ue.port = s->port,
		};
		datagram[i].ue.ipv4 = control_read(&burst->message[i].msg_hdr);
		address_read(&datagram[i].peer, &burst->name[i]);
	}
	return n;
}

uint32_t fleet_overflow(struct fleet_socket *s)
{
	uint32_t info[SK_MEMINFO_VARS], before = s->overflow;
	socklen_t len = sizeof(info);

	if (getsockopt(s->fd, SOL_SOCKET, SO_MEMINFO, info, &len) == 0)
		s->overflow = info[SK_MEMINFO_DROPS];
	return s->overflow - before;
}

static void control_write(struct msghdr *message, uint8_t *control, uint32_t ipv4)
{
	const struct in_pktinfo info = {.ipi_spec_dst.s_addr = htonl(ipv4)};
	struct cmsghdr *c;

	message->msg_control = control;
	message->msg_controllen = CMSG_SPACE(sizeof(info));
	c = CMSG_FIRSTHDR(message);
	c->cmsg_level = IPPROTO_IP;
	c->cmsg_type = IP_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(c), &info, sizeof(info));
}

static void messages_write(const struct fleet_socket *s, struct fleet_burst *burst,
			   const struct fleet_datagram *datagram, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct msghdr *message = &burst->message[i].msg_hdr;

		burst->part[i] = (struct iovec){datagram[i].octets, datagram[i].len};
		*message = (struct msghdr){
			.msg_name = &burst->name[i],
			.msg_iov = &burst->part[i],
			.msg_iovlen = 1,
		};
		message->msg_namelen = address_write(&burst->name[i], s->family, &datagram[i].peer);
		if (s->family == SUBSCRIBER_V4)
			control_write(message, burst->control[i], datagram[i].ue.ipv4);
	}
}

unsigned fleet_send(struct fleet_socket *s, struct fleet_burst *burst,
		    const struct fleet_datagram *datagram, unsigned n)
{
	struct pollfd writable = {.fd = s->fd, .events = POLLOUT};
	unsigned done = 0, sent = 0;

	messages_write(s, burst, datagram, n);
	while (done < n) {
		int r = sendmmsg(s->fd, burst->message + done, n - done, MSG_DONTWAIT);

		if (r > 0) {
			done += (unsigned)r;
			sent += (unsigned)r;
		} else if (errno == EAGAIN || errno == ENOBUFS) {
			if (poll(&writable, 1, SEND_WAIT_MS) <= 0)
				break;
		} else if (errno != EINTR) {
			done++; // this one can't leave: a peer that refuses, say
		}
	}
	return sent;
}
