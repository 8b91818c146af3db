#pragma once
// What the back ends over kernel sockets share: one UDP socket per family, both on the same port,
// non-blocking, never fragmenting; buffers; receiving; sleeping. They differ in transmit alone.
//
// A host that lacks a family works with the other; datagrams towards the missing one fail. Worker
// thread only, but for open, close and wake.

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/wake.h"
#include "dataplane/io/io.h"
#include "dataplane/io/io_pool.h"

enum io_family { IO_IPV4, IO_IPV6, IO_FAMILIES };

// io_config.arg of these back ends, or NULL. Octets as setsockopt(2) takes them; 0: the default.
struct io_socket_sizes {
	int send, receive;
};

union io_peer {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

struct io {
	const struct io_ops *ops; // that does the work
	int fd[IO_FAMILIES];      // -1: the host lacks the family
	uint16_t port;
	unsigned burst_max;
	unsigned receive_first; // the family whose turn it is
	uint64_t tx_failed;
	struct wake wake;
	struct io_pool tx, rx;
	// Arguments of one system call, [burst_max] each.
	struct mmsghdr *message;
	struct iovec *vector;
	union io_peer *peer;
};

// In the caller's memory. 0, or -errno with what was wrong in error and nothing open.
int io_socket_init(struct io *io, const struct io_ops *ops, const struct io_config *config,
		   char error[IO_ERROR_MAX]);
void io_socket_fini(struct io *io);

static inline enum io_family io_family(const struct frame *frame)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(frame->ip, mapped, sizeof(mapped)) ? IO_IPV6 : IO_IPV4;
}

// The socket address of a frame's peer; its length.
socklen_t io_peer_write(union io_peer *peer, const struct frame *frame);

// Whether a datagram failed for want of room now, and not for good.
static inline bool io_is_full(int error)
{
	return error == EAGAIN || error == ENOBUFS || error == ENOMEM;
}

static inline void io_fail(struct io *io, struct frame *frame)
{
	io->tx_failed++;
	frame->len = 0;
}

// For tables of functions.
uint16_t io_socket_port(const struct io *io);
const char *io_socket_chosen(const struct io *io);
unsigned io_socket_datagram_max(const struct io *io);
unsigned io_socket_lend(struct io *io, struct frame *frame[], unsigned n);
unsigned io_socket_receive(struct io *io, struct frame *frame[], unsigned n);
void io_socket_release(struct io *io, struct frame *frame[], unsigned n);
void io_socket_arm(struct io *io);
void io_socket_wait(struct io *io, uint64_t timeout_ns);
void io_socket_wake(struct io *io);
void io_socket_counts(const struct io *io, struct io_counts *counts);
