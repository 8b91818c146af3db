// Datagrams a second to many destinations: a minimal program around sendmmsg (the reference, and
// the same with the back ends' one socket option that matters), the back ends by themselves, and
// protected pushes through the whole data plane, all of equal size.
//
// The destinations are loopback addresses of one socket whose receive buffer is full, so that the
// kernel drops what arrives right after it has looked the socket up: the least that a receiver can
// cost, and the same for every variant. A socket filter that drops all costs the same; a reader on
// another processor adds 500 ns a datagram to every variant and leaves their ratios as they are.

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "bench/io.h"

enum {
	RECEIVE_MIN = 1,
	RECEIVE_CHECK = 16 << 20,
	ARRIVED_MIN = 100, // where no such buffer is granted
	OVERHEAD = 48,
};

// ---- The sink

void io_sink_address(uint8_t ip[16], unsigned i)
{
	memset(ip, 0, 10);
	memset(ip + 10, 0xff, 2);
	store32_be(ip + 12, 0x7f010000 + i);
}

static void set_receive(int fd, int octets)
{
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof(octets)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &octets, sizeof(octets));
}

static int sink_open(struct io_sink *sink, const struct bench_options *options)
{
	struct sockaddr_in any = {.sin_family = AF_INET};
	socklen_t len = sizeof(any);

	*sink = (struct io_sink){
		.fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
		.destinations = options->destinations,
		.round = options->destinations < IO_ROUND ? options->destinations : IO_ROUND,
		.payload = options->payload,
		.len = OVERHEAD + options->payload,
	};
	if (sink->fd < 0 || bind(sink->fd, (struct sockaddr *)&any, len) ||
	    getsockname(sink->fd, (struct sockaddr *)&any, &len)) {
		int error = errno;

		fprintf(stderr, "akmapush-bench: sink: %s\n", strerror(error));
		if (sink->fd >= 0)
			close(sink->fd);
		return -error;
	}
	sink->port = ntohs(any.sin_port);
	return 0;
}

// How many datagrams of the right size have arrived; none are left.
static unsigned sink_drain(const struct io_sink *sink)
{
	unsigned char data[2048];
	unsigned right = 0;
	ssize_t n;

	while ((n = recv(sink->fd, data, sizeof(data), 0)) >= 0)
		right += n == (ssize_t)sink->len;
	return right;
}

// A round of a variant arrives whole, as far as the buffer goes: what is timed is what it says.
static bool is_honest(const struct io_sink *sink, struct bench_variant *variant)
{
	uint64_t ns;
	unsigned sent, arrived;

	sink_drain(sink);
	set_receive(sink->fd, RECEIVE_CHECK);
	sent = variant->run(variant->state, &ns);
	arrived = sink_drain(sink);
	set_receive(sink->fd, RECEIVE_MIN);
	if (sent == sink->round && (arrived == sent || arrived >= ARRIVED_MIN))
		return true;
	fprintf(stderr, "akmapush-bench: %s: of %u datagrams %u left and %u arrived\n",
		variant->name, sink->round, sent, arrived);
	return false;
}

// ---- The bench

static const struct {
	const char *name;
	const char *io;
	struct bench_variant *(*open)(const struct io_sink *sink, const char *io);
	void (*close)(struct bench_variant *variant);
} variants[] = {
	{"plain-sendmmsg", NULL, io_plain_open, io_plain_close}, // the reference
	{"plain-sendmmsg-df", "df", io_plain_open, io_plain_close},
	{"sendmmsg", "sendmmsg", io_raw_open, io_raw_close},
	{"uring", "uring", io_raw_open, io_raw_close},
	{"protected-sendmmsg", "sendmmsg", io_protected_open, io_protected_close},
	{"protected-uring", "uring", io_protected_open, io_protected_close},
};
enum { VARIANTS = sizeof(variants) / sizeof(variants[0]) };

struct line_up {
	struct bench_variant *variant[VARIANTS];
	void (*close[VARIANTS])(struct bench_variant *variant);
	unsigned n;
};

static void put(struct line_up *all, struct bench_variant *variant, const char *name,
		void (*close)(struct bench_variant *variant))
{
	if (!variant)
		return;
	variant->name = name;
	all->variant[all->n] = variant;
	all->close[all->n++] = close;
}

static void open_all(struct line_up *all, const struct io_sink *sink, const char *only)
{
	for (unsigned i = 0; i < VARIANTS; i++) {
		if (!i || !only || strstr(variants[i].name, only))
			put(all, variants[i].open(sink, variants[i].io), variants[i].name,
			    variants[i].close);
	}
}

static bool are_honest(const struct line_up *all, const struct io_sink *sink)
{
	bool honest = all->n > 0;

	for (unsigned i = 0; i < all->n; i++)
		honest = honest && is_honest(sink, all->variant[i]);
	return honest;
}

static int run_all(struct line_up *all, const struct io_sink *sink,
		   const struct bench_options *options)
{
	char what[96];
	unsigned rounds;

	if (!are_honest(all, sink))
		return -EIO;
	rounds = bench_rounds(all->variant, all->n, options);
	if (!rounds)
		return -EIO;
	snprintf(what, sizeof(what), "\"payload\":%u,\"destinations\":%u", sink->payload,
		 sink->destinations);
	bench_print("io", what, all->variant, all->n, rounds, options->json);
	return 0;
}

static int io_run(const struct bench_options *options)
{
	struct line_up all = {0};
	struct io_sink sink;
	int status = sink_open(&sink, options);

	if (status)
		return status;
	open_all(&all, &sink, options->only);
	status = run_all(&all, &sink, options);
	while (all.n--)
		all.close[all.n](all.variant[all.n]);
	close(sink.fd);
	return status;
}

const struct bench bench_io = {
	.name = "io",
	.help = "datagrams to many destinations: plain sendmmsg, back ends, protected pushes",
	.run = io_run,
};
