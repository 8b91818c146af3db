#pragma once
// For tests of back ends over sockets: a test per back end, a UDP socket as the other side, frames.

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/io/io.h"

enum { BURST = 64, ARRIVAL_MS = 2000 };

// Those over the kernel's sockets: mem has a network of its own, dpdk ports.
static inline bool io_has_sockets(const struct io_ops *ops)
{
	return strcmp(ops->name, "mem") && strcmp(ops->name, "dpdk");
}

// The parameter is the place in io_back_ends; a back end that this host refuses is skipped aloud.
static inline struct criterion_test_params io_params(void)
{
	static unsigned index[8];
	unsigned n = 0;

	for (unsigned i = 0; io_back_ends[i]; i++) {
		if (io_has_sockets(io_back_ends[i]))
			index[n++] = i;
	}
	return cr_make_param_array(unsigned, index, n);
}

#define IO_TEST(module, test)                                                                      \
	static void test_##test(const struct io_ops *ops);                                         \
	ParameterizedTestParameters(module, test)                                                  \
	{                                                                                          \
		return io_params();                                                                \
	}                                                                                          \
	ParameterizedTest(unsigned *index, module, test, .timeout = 30)                            \
	{                                                                                          \
		test_##test(io_back_ends[*index]);                                                 \
	}                                                                                          \
	static void test_##test(const struct io_ops *ops)

static inline struct io *io_start(const struct io_ops *ops, void *sizes)
{
	const struct io_config config = {.burst_max = BURST, .arg = sizes};
	char error[IO_ERROR_MAX] = "";
	struct io *io = NULL;
	int status = ops->open(&io, &config, error);

	if (status == -EPERM || status == -ENOSYS)
		cr_skip("%s: %s", ops->name, error);
	cr_assert_eq(status, 0, "%s: %s", ops->name, error);
	return io;
}

static inline void mapped_address(uint8_t ip[16], const char *text)
{
	if (strchr(text, ':')) {
		cr_assert_eq(inet_pton(AF_INET6, text, ip), 1);
		return;
	}
	memset(ip, 0, 10);
	memset(ip + 10, 0xff, 2);
	cr_assert_eq(inet_pton(AF_INET, text, ip + 12), 1);
}

// ---- The other side

struct peer {
	int fd;
	uint8_t ip[16];
	uint16_t port;
};

static inline struct peer peer_open(const char *text)
{
	const int family = strchr(text, ':') ? AF_INET6 : AF_INET;
	const int octets = 4 << 20;
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr *address =
		family == AF_INET ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
	socklen_t len = family == AF_INET ? sizeof(v4) : sizeof(v6);
	struct peer peer = {.fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK, 0)};

	mapped_address(peer.ip, text);
	memcpy(&v4.sin_addr, peer.ip + 12, 4);
	memcpy(&v6.sin6_addr, peer.ip, 16);
	setsockopt(peer.fd, SOL_SOCKET, SO_RCVBUF, &octets, sizeof(octets));
	cr_assert_eq(bind(peer.fd, address, len), 0, "bind %s: %s", text, strerror(errno));
	cr_assert_eq(getsockname(peer.fd, address, &len), 0);
	peer.port = ntohs(family == AF_INET ? v4.sin_port : v6.sin6_port);
	return peer;
}

static inline bool is_readable(int fd, int timeout_ms)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

	return poll(&poll_fd, 1, timeout_ms) > 0;
}

// The next datagram's length, -1 when there is none within `timeout_ms`; its sender's port.
static inline ssize_t peer_receive(const struct peer *peer, void *data, size_t max, int timeout_ms,
				   uint16_t *from)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	ssize_t n;

	if (!is_readable(peer->fd, timeout_ms))
		return -1;
	n = recvfrom(peer->fd, data, max, 0, (struct sockaddr *)&address, &len);
	*from = ntohs(address.ss_family == AF_INET
			      ? ((struct sockaddr_in *)(void *)&address)->sin_port
			      : ((struct sockaddr_in6 *)(void *)&address)->sin6_port);
	return n;
}

// From the peer to a worker's port on the peer's own address.
static inline void peer_send(const struct peer *peer, uint16_t port, const void *data, size_t len)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	ssize_t sent;

	memcpy(&v4.sin_addr, peer->ip + 12, 4);
	memcpy(&v6.sin6_addr, peer->ip, 16);
	if (memcmp(peer->ip, mapped, sizeof(mapped)))
		sent = sendto(peer->fd, data, len, 0, (struct sockaddr *)&v6, sizeof(v6));
	else
		sent = sendto(peer->fd, data, len, 0, (struct sockaddr *)&v4, sizeof(v4));
	cr_assert_eq(sent, (ssize_t)len, "%s", strerror(errno));
}

// ---- Frames

static inline void frame_to(struct frame *frame, const struct peer *peer, uint32_t number,
			    uint16_t len)
{
	memcpy(frame->ip, peer->ip, sizeof(frame->ip));
	frame->port = peer->port;
	frame->len = len;
	memset(frame->data, (int)number, len);
	memcpy(frame->data, &number, sizeof(number));
}

static inline uint64_t io_failed(const struct io_ops *ops, const struct io *io)
{
	struct io_counts counts;

	ops->counts(io, &counts);
	return counts.tx_failed;
}

// What has arrived, after waiting for the first of it; the frames are to be released.
static inline unsigned io_await(const struct io_ops *ops, struct io *io, struct frame *frame[],
				unsigned n)
{
	unsigned got = 0, more;

	for (int tries = 0; tries < ARRIVAL_MS / 10 && got < n; tries++) {
		more = ops->receive(io, frame + got, n - got);
		got += more;
		if (!more) {
			ops->arm(io);
			ops->wait(io, 10 * 1000 * 1000);
		}
	}
	return got;
}
