// The faster of sendmmsg and uring on this machine, measured once a process at the first open: a
// few thousand datagrams each, in turns, to a socket on loopback that nobody reads.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "dataplane/io/io_list.h"
#include "dataplane/io/io_socket.h"

enum {
	ROUNDS = 48,  // each a burst of every candidate
	WARM_UP = 16, // rounds before them
	BURST = 64,
	OCTETS = 112,       // 64 of payload, protected
	SINK_OCTETS = 1024, // full at once: what comes later is dropped, the same for all
};

struct candidate {
	const struct io_ops *ops;
	struct io *io;
	uint64_t ns[ROUNDS];
};

static const struct io_ops *const candidates[] = {
	&io_sendmmsg,
#ifdef HAVE_URING
	&io_uring_back_end,
#endif
};
enum { CANDIDATES = sizeof(candidates) / sizeof(candidates[0]) };

// ---- Measuring

static int open_sink(struct sockaddr_in *address)
{
	const int octets = SINK_OCTETS;
	socklen_t len = sizeof(*address);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	*address = (struct sockaddr_in){.sin_family = AF_INET,
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &octets, sizeof(octets));
	if (!bind(fd, (struct sockaddr *)address, len) &&
	    !getsockname(fd, (struct sockaddr *)address, &len))
		return fd;
	close(fd);
	return -EADDRNOTAVAIL;
}

static void address_frames(struct frame *frame[], unsigned n, const struct sockaddr_in *to)
{
	for (unsigned i = 0; i < n; i++) {
		memset(frame[i]->ip, 0, 10);
		memset(frame[i]->ip + 10, 0xff, 2);
		memcpy(frame[i]->ip + 12, &to->sin_addr, 4);
		frame[i]->port = ntohs(to->sin_port);
		frame[i]->len = OCTETS;
	}
}

// One burst; its time, UINT64_MAX when it did not all leave.
static uint64_t time_burst(const struct candidate *c, const struct sockaddr_in *to)
{
	const uint64_t start = clock_mono_ns(&clock_system);
	struct frame *frame[BURST];
	struct io_counts counts;
	unsigned n = c->ops->lend(c->io, frame, BURST);

	address_frames(frame, n, to);
	if (c->ops->transmit(c->io, frame, n) != BURST)
		return UINT64_MAX;
	c->ops->counts(c->io, &counts);
	return counts.tx_failed ? UINT64_MAX : clock_mono_ns(&clock_system) - start;
}

static void measure(struct candidate *c, const struct sockaddr_in *to)
{
	for (int round = -WARM_UP; round < ROUNDS; round++) {
		for (unsigned i = 0; i < CANDIDATES; i++) {
			uint64_t ns = c[i].io ? time_burst(&c[i], to) : UINT64_MAX;

			if (round >= 0)
				c[i].ns[round] = ns;
		}
	}
}

static int compare_ns(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

// Sorts; UINT64_MAX when half of the bursts failed.
static uint64_t median(struct candidate *c)
{
	qsort(c->ns, ROUNDS, sizeof(c->ns[0]), compare_ns);
	return c->ns[ROUNDS / 2];
}

// ---- Choosing

static void open_candidates(struct candidate *c)
{
	struct io_socket_sizes sizes = {.send = 1 << 20, .receive = 4096};
	const struct io_config config = {.burst_max = BURST, .arg = &sizes};
	char error[IO_ERROR_MAX];

	for (unsigned i = 0; i < CANDIDATES; i++) {
		c[i] = (struct candidate){.ops = candidates[i]};
		if (c[i].ops->open(&c[i].io, &config, error)) {
			c[i].io = NULL;
			log_info("io", "kernel back end: without %s: %s", c[i].ops->name, error);
		}
	}
}

// The list's first where nothing can be measured.
static const struct io_ops *choose(struct candidate *c)
{
	const struct io_ops *best = c[0].ops;
	uint64_t least = UINT64_MAX;
	char figures[128] = "";
	int len = 0;

	for (unsigned i = 0; i < CANDIDATES; i++) {
		const uint64_t ns = c[i].io ? median(&c[i]) : UINT64_MAX;

		if (ns == UINT64_MAX)
			continue;
		len += snprintf(figures + len, sizeof(figures) - (size_t)len, "; %s %llu ns",
				c[i].ops->name, (unsigned long long)(ns / BURST));
		if (ns < least) {
			least = ns;
			best = c[i].ops;
		}
	}
	log_info("io", "kernel back end: %s (a datagram to loopback%s)", best->name,
		 len ? figures : ": not measured");
	return best;
}

static const struct io_ops *fastest(void)
{
	struct candidate c[CANDIDATES];
	const struct io_ops *best;
	struct sockaddr_in to;
	int sink = open_sink(&to);

	if (sink < 0)
		return candidates[0];
	open_candidates(c);
	measure(c, &to);
	best = choose(c);
	for (unsigned i = 0; i < CANDIDATES; i++) {
		if (c[i].io)
			c[i].ops->close(c[i].io);
	}
	close(sink);
	return best;
}

static int kernel_open(struct io **io, const struct io_config *config, char error[IO_ERROR_MAX])
{
	static const struct io_ops *chosen; // all of a process's workers run the same

	if (!chosen)
		chosen = fastest();
	return chosen->open(io, config, error);
}

// ---- From here on the chosen one

static void kernel_close(struct io *io)
{
	io->ops->close(io);
}

static unsigned kernel_transmit(struct io *io, struct frame *frame[], unsigned n)
{
	return io->ops->transmit(io, frame, n);
}

const struct io_ops io_kernel = {
	.name = "kernel",
	.open = kernel_open,
	.close = kernel_close,
	.port = io_socket_port,
	.chosen = io_socket_chosen,
	.datagram_max = io_socket_datagram_max,
	.lend = io_socket_lend,
	.transmit = kernel_transmit,
	.receive = io_socket_receive,
	.release = io_socket_release,
	.arm = io_socket_arm,
	.wait = io_socket_wait,
	.wake = io_socket_wake,
	.counts = io_socket_counts,
};
