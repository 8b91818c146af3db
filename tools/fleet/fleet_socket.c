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
	MESSAGES = FLEET_BURST * FLEET_COPIES_MAX,
	IPV4_IN_IP = 12,          // where an IPv4 address is in 16 octets
	IPV4_DESTINATION = 16,    // offset in the header, RFC 791
	IPV6_DESTINATION_END = 36 // offset of its last four octets, RFC 8200
};

struct fleet_burst {
	struct mmsghdr message[MESSAGES];
	struct iovec part[MESSAGES];
	struct sockaddr_in6 name[MESSAGES]; // or a sockaddr_in
	_Alignas(struct cmsghdr) uint8_t control[MESSAGES][CONTROL];
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

// The end of the destination address modulo the number of sockets: the kernel's choice among them.
static int choose_by_address(const struct fleet_socket *s, unsigned share)
{
	const unsigned at = s->family == SUBSCRIBER_V4 ? IPV4_DESTINATION : IPV6_DESTINATION_END;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_NET_OFF + at),
		BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, share),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	const struct sock_fprog program = {.len = 3, .filter = code};

	if (setsockopt(s->fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof(program)))
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

// It hears where a datagram was sent to, and may answer from there though the address is not the
// machine's own: a route of kind "local" leads a network of them here.
static int ask_for_addresses(const struct fleet_socket *s)
{
	const bool is_v4 = s->family == SUBSCRIBER_V4;
	const int on = 1;

	if (setsockopt(s->fd, is_v4 ? IPPROTO_IP : IPPROTO_IPV6,
		       is_v4 ? IP_PKTINFO : IPV6_RECVPKTINFO, &on, sizeof(on)) ||
	    setsockopt(s->fd, is_v4 ? IPPROTO_IP : IPPROTO_IPV6,
		       is_v4 ? IP_FREEBIND : IPV6_FREEBIND, &on, sizeof(on)))
		return -errno;
	return 0;
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
	r = ask_for_addresses(s);
	if (share > 1)
		setsockopt(s->fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	if (r == 0)
		r = bind_to(s);
	if (r == 0 && share > 1 && is_last)
		r = choose_by_address(s, share);
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

// The address that a datagram was sent to; zeros, nobody's, when the kernel did not say.
static void control_read(struct msghdr *message, uint8_t ip[16])
{
	struct cmsghdr *const c = CMSG_FIRSTHDR(message);

	memset(ip, 0, 16);
	if (c && c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
		struct in_pktinfo info;

		memcpy(&info, CMSG_DATA(c), sizeof(info));
		memset(ip + 10, 0xff, 2);
		memcpy(ip + IPV4_IN_IP, &info.ipi_addr, 4);
	} else if (c && c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
		struct in6_pktinfo info;

		memcpy(&info, CMSG_DATA(c), sizeof(info));
		memcpy(ip, &info.ipi6_addr, 16);
	}
}

static void prepare(struct fleet_burst *burst)
{
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
}

int fleet_socket_receive(struct fleet_socket *s, struct fleet_burst *burst,
			 struct fleet_datagram datagram[FLEET_BURST])
{
	int n;

	prepare(burst);
	n = recvmmsg(s->fd, burst->message, FLEET_BURST, MSG_DONTWAIT, NULL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	for (int i = 0; i < n; i++) {
		datagram[i].octets = burst->octets[i];
		datagram[i].len = burst->message[i].msg_len;
		datagram[i].copies = 0;
		datagram[i].ue.port = s->port;
		control_read(&burst->message[i].msg_hdr, datagram[i].ue.ip);
		address_read(&datagram[i].peer, &burst->name[i]);
	}
	return n;
}

uint32_t fleet_socket_overflow(struct fleet_socket *s)
{
	uint32_t info[SK_MEMINFO_VARS], before = s->overflow;
	socklen_t len = sizeof(info);

	if (getsockopt(s->fd, SOL_SOCKET, SO_MEMINFO, info, &len) == 0)
		s->overflow = info[SK_MEMINFO_DROPS];
	return s->overflow - before;
}

static void control_put(struct msghdr *message, uint8_t *control, int level, int type,
			const void *info, size_t len)
{
	struct cmsghdr *c;

	message->msg_control = control;
	message->msg_controllen = CMSG_SPACE(len);
	c = CMSG_FIRSTHDR(message);
	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), info, len);
}

// The address that an answer comes from.
static void control_write(struct msghdr *message, uint8_t *control, enum subscriber_family family,
			  const uint8_t ip[16])
{
	struct in_pktinfo v4 = {0};
	struct in6_pktinfo v6 = {0};

	if (family == SUBSCRIBER_V4) {
		memcpy(&v4.ipi_spec_dst, ip + IPV4_IN_IP, 4);
		control_put(message, control, IPPROTO_IP, IP_PKTINFO, &v4, sizeof(v4));
	} else {
		memcpy(&v6.ipi6_addr, ip, 16);
		control_put(message, control, IPPROTO_IPV6, IPV6_PKTINFO, &v6, sizeof(v6));
	}
}

static void message_write(const struct fleet_socket *s, struct fleet_burst *burst, unsigned i,
			  const struct fleet_datagram *datagram)
{
	struct msghdr *message = &burst->message[i].msg_hdr;

	burst->part[i] = (struct iovec){datagram->octets, datagram->len};
	*message = (struct msghdr){
		.msg_name = &burst->name[i],
		.msg_iov = &burst->part[i],
		.msg_iovlen = 1,
	};
	message->msg_namelen = address_write(&burst->name[i], s->family, &datagram->peer);
	control_write(message, burst->control[i], s->family, datagram->ue.ip);
}

// Returns how many there are to send.
static unsigned messages_write(const struct fleet_socket *s, struct fleet_burst *burst,
			       const struct fleet_datagram *datagram, unsigned n)
{
	unsigned k = 0;

	for (unsigned i = 0; i < n; i++) {
		for (unsigned copy = 0; copy < datagram[i].copies; copy++)
			message_write(s, burst, k++, &datagram[i]);
	}
	return k;
}

unsigned fleet_socket_send(struct fleet_socket *s, struct fleet_burst *burst,
			   const struct fleet_datagram *datagram, unsigned n)
{
	struct pollfd writable = {.fd = s->fd, .events = POLLOUT};
	const unsigned all = messages_write(s, burst, datagram, n);
	unsigned done = 0, sent = 0;

	while (done < all) {
		int r = sendmmsg(s->fd, burst->message + done, all - done, MSG_DONTWAIT);

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
