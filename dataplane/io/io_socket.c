#include "dataplane/io/io_socket.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "dataplane/io/io_wait.h"

enum {
	SEND_OCTETS = 4 << 20,
	RECEIVE_OCTETS = 16 << 20, // some 20,000 acknowledgements that arrive while we send
	PORT_TRIES = 64,
	RECEIVE_TRIES = 4,
};

static const int domain[IO_FAMILIES] = {AF_INET, AF_INET6};
static const char *const family_name[IO_FAMILIES] = {"IPv4", "IPv6"};

// ---- Open: options

// What the kernel grants: all of it with CAP_NET_ADMIN, else what net.core.*mem_max allows.
static void set_size(int fd, int force, int ordinary, int octets)
{
	int granted = 0;
	socklen_t len = sizeof(granted);

	if (!setsockopt(fd, SOL_SOCKET, force, &octets, sizeof(octets)))
		return;
	setsockopt(fd, SOL_SOCKET, ordinary, &octets, sizeof(octets));
	getsockopt(fd, SOL_SOCKET, ordinary, &granted, &len);
	if (granted / 2 < octets) // the kernel doubles what is asked for
		log_info("io",
			 "socket buffer of %d octets where %d were asked for: raise net.core.%s",
			 granted / 2, octets, ordinary == SO_RCVBUF ? "rmem_max" : "wmem_max");
}

// Never fragmented; PROBE: a forged "too big" from anyone cannot shrink what we may send, and our
// datagrams fit the smallest IPv6 MTU as it is. It is also the cheapest setting: where the kernel
// may fragment, it makes an IP identification per destination, a cache miss each (with 65,536 of
// them 1,100 ns a datagram instead of 740, akmapush-bench io).
static int forbid_fragments(int fd, enum io_family family)
{
	const int v4 = IP_PMTUDISC_PROBE, v6 = IPV6_PMTUDISC_PROBE, yes = 1;
	int status;

	if (family == IO_IPV4)
		return setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &v4, sizeof(v4));
	status = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes));
	return status ? status : setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &v6, sizeof(v6));
}

static void set_sizes(int fd, const struct io_socket_sizes *sizes)
{
	const bool given = sizes != NULL;

	set_size(fd, SO_SNDBUFFORCE, SO_SNDBUF, given && sizes->send ? sizes->send : SEND_OCTETS);
	set_size(fd, SO_RCVBUFFORCE, SO_RCVBUF,
		 given && sizes->receive ? sizes->receive : RECEIVE_OCTETS);
}

// ---- Open: addresses

// The address to bind; its length, 0 when `source` is none of this family.
static socklen_t local_address(union io_peer *local, enum io_family family, const char *source,
			       uint16_t port)
{
	memset(local, 0, sizeof(*local));
	local->sa.sa_family = (sa_family_t)domain[family];
	if (family == IO_IPV4) {
		local->in.sin_port = htons(port);
		if (source && inet_pton(AF_INET, source, &local->in.sin_addr) != 1)
			return 0;
		return sizeof(local->in);
	}
	local->in6.sin6_port = htons(port);
	if (source && inet_pton(AF_INET6, source, &local->in6.sin6_addr) != 1)
		return 0;
	return sizeof(local->in6);
}

static uint16_t bound_port(int fd)
{
	union io_peer local;
	socklen_t len = sizeof(local);

	if (getsockname(fd, &local.sa, &len))
		return 0;
	return ntohs(local.sa.sa_family == AF_INET ? local.in.sin_port : local.in6.sin6_port);
}

static bool is_missing(int status)
{
	return status == -EAFNOSUPPORT || status == -EADDRNOTAVAIL || status == -EPROTONOSUPPORT;
}

// A socket of one family on io->port, 0: any, which then is io->port.
static int open_family(struct io *io, enum io_family family, const struct io_config *config)
{
	const char *source = config->source[family];
	union io_peer local;
	socklen_t len = local_address(&local, family, source, io->port);
	int fd, status;

	if (!len)
		return -EINVAL;
	fd = socket(domain[family], SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (forbid_fragments(fd, family) || bind(fd, &local.sa, len)) {
		status = -errno;
		close(fd);
		return status;
	}
	set_sizes(fd, config->arg);
	io->fd[family] = fd;
	io->port = bound_port(fd);
	return 0;
}

static void close_sockets(struct io *io)
{
	for (int family = 0; family < IO_FAMILIES; family++) {
		if (io->fd[family] >= 0)
			close(io->fd[family]);
		io->fd[family] = -1;
	}
}

// Both families on one port. A family that the host lacks is left out, unless an address of it was
// asked for.
static int open_sockets(struct io *io, const struct io_config *config, enum io_family *failed)
{
	int status = -EAFNOSUPPORT;

	io->port = config->port;
	for (int family = 0; family < IO_FAMILIES; family++) {
		*failed = (enum io_family)family;
		status = open_family(io, (enum io_family)family, config);
		if (status && (config->source[family] || !is_missing(status))) {
			close_sockets(io);
			return status;
		}
	}
	return io->fd[IO_IPV4] < 0 && io->fd[IO_IPV6] < 0 ? status : 0;
}

// With any port: one that is free in both families.
static int open_on_a_port(struct io *io, const struct io_config *config, char error[IO_ERROR_MAX])
{
	enum io_family failed = IO_IPV4;
	int status, tries = 0;

	do {
		status = open_sockets(io, config, &failed);
	} while (status == -EADDRINUSE && !config->port && ++tries < PORT_TRIES);
	if (status)
		snprintf(error, IO_ERROR_MAX, "%s UDP socket on %s port %u: %s",
			 family_name[failed],
			 config->source[failed] ? config->source[failed] : "any address",
			 config->port, status == -EINVAL ? "not an address" : strerror(-status));
	return status;
}

// ---- Open: memory

static void free_memory(struct io *io)
{
	free(io->message);
	free(io->vector);
	free(io->peer);
	io_pool_fini(&io->tx);
	io_pool_fini(&io->rx);
}

static int take_memory(struct io *io, unsigned n)
{
	int error = io_pool_init(&io->tx, n);

	if (!error)
		error = io_pool_init(&io->rx, n);
	io->message = calloc(n, sizeof(io->message[0]));
	io->vector = calloc(n, sizeof(io->vector[0]));
	io->peer = calloc(n, sizeof(io->peer[0]));
	if (!error && io->message && io->vector && io->peer)
		return 0;
	free_memory(io);
	return -ENOMEM;
}

int io_socket_init(struct io *io, const struct io_ops *ops, const struct io_config *config,
		   char error[IO_ERROR_MAX])
{
	int status;

	assert(config->burst_max > 0);
	*io = (struct io){.ops = ops, .fd = {-1, -1}, .burst_max = config->burst_max};
	status = take_memory(io, config->burst_max);
	if (status) {
		snprintf(error, IO_ERROR_MAX, "buffers: %s", strerror(-status));
		return status;
	}
	status = wake_open(&io->wake);
	if (status) {
		snprintf(error, IO_ERROR_MAX, "eventfd: %s", strerror(-status));
		goto no_wake;
	}
	status = open_on_a_port(io, config, error);
	if (status)
		goto no_sockets;
	return 0;

no_sockets:
	wake_close(&io->wake);
no_wake:
	free_memory(io);
	return status;
}

void io_socket_fini(struct io *io)
{
	close_sockets(io);
	wake_close(&io->wake);
	free_memory(io);
}

// ---- Peers

socklen_t io_peer_write(union io_peer *peer, const struct frame *frame)
{
	if (io_family(frame) == IO_IPV4) {
		peer->in =
			(struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(frame->port)};
		memcpy(&peer->in.sin_addr, frame->ip + 12, 4);
		return sizeof(peer->in);
	}
	peer->in6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(frame->port)};
	memcpy(&peer->in6.sin6_addr, frame->ip, 16);
	return sizeof(peer->in6);
}

static void read_peer(struct frame *frame, const union io_peer *peer)
{
	if (peer->sa.sa_family == AF_INET) {
		memset(frame->ip, 0, 10);
		memset(frame->ip + 10, 0xff, 2);
		memcpy(frame->ip + 12, &peer->in.sin_addr, 4);
		frame->port = ntohs(peer->in.sin_port);
		return;
	}
	memcpy(frame->ip, &peer->in6.sin6_addr, 16);
	frame->port = ntohs(peer->in6.sin6_port);
}

// ---- Receive

static void write_messages(struct io *io, struct frame *frame[], unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		io->vector[i] = (struct iovec){frame[i]->data, FRAME_MAX};
		io->message[i].msg_hdr = (struct msghdr){
			.msg_name = &io->peer[i],
			.msg_namelen = sizeof(io->peer[i]),
			.msg_iov = &io->vector[i],
			.msg_iovlen = 1,
		};
	}
}

// An error of the socket (an ICMP message about an earlier datagram, say) is taken by the call that
// reports it: what has arrived is still there.
static unsigned receive_messages(struct io *io, int fd, unsigned n)
{
	int got;

	for (int tries = 0; tries < RECEIVE_TRIES; tries++) {
		got = recvmmsg(fd, io->message, n, MSG_DONTWAIT, NULL);
		if (got >= 0)
			return (unsigned)got;
		if (errno == EAGAIN)
			return 0;
	}
	return 0;
}

static unsigned receive_family(struct io *io, int fd, struct frame *frame[], unsigned n)
{
	unsigned taken, got;

	if (fd < 0 || !n)
		return 0;
	taken = io_pool_take(&io->rx, frame, n);
	if (!taken)
		return 0;
	write_messages(io, frame, taken);
	got = receive_messages(io, fd, taken);
	for (unsigned i = 0; i < got; i++) {
		const struct mmsghdr *message = &io->message[i];

		frame[i]->len = message->msg_hdr.msg_flags & MSG_TRUNC ? FRAME_MAX + 1
								       : (uint16_t)message->msg_len;
		read_peer(frame[i], &io->peer[i]);
	}
	io_pool_give(&io->rx, frame + got, taken - got);
	return got;
}

// The families take turns in being first, so that neither keeps the other out.
unsigned io_socket_receive(struct io *io, struct frame *frame[], unsigned n)
{
	const unsigned first = io->receive_first;
	unsigned got;

	assert(n <= io->burst_max);
	io->receive_first = !first;
	got = receive_family(io, io->fd[first], frame, n);
	return got + receive_family(io, io->fd[!first], frame + got, n - got);
}

// ---- The rest of the table

void io_socket_release(struct io *io, struct frame *frame[], unsigned n)
{
	io_pool_give(&io->rx, frame, n);
}

unsigned io_socket_lend(struct io *io, struct frame *frame[], unsigned n)
{
	return io_pool_take(&io->tx, frame, n);
}

uint16_t io_socket_port(const struct io *io)
{
	return io->port;
}

const char *io_socket_chosen(const struct io *io)
{
	return io->ops->name;
}

// Paths differ by destination; what does not fit one fails there.
unsigned io_socket_datagram_max(const struct io *io)
{
	(void)io;
	return FRAME_MAX;
}

void io_socket_arm(struct io *io)
{
	wake_arm(&io->wake);
}

void io_socket_wait(struct io *io, uint64_t timeout_ns)
{
	io_wait(&io->wake, io->fd, IO_FAMILIES, timeout_ns);
}

void io_socket_wake(struct io *io)
{
	wake_signal(&io->wake);
}

void io_socket_counts(const struct io *io, struct io_counts *counts)
{
	*counts = (struct io_counts){.tx_failed = io->tx_failed};
}
