// The reference: what a minimal program does. Everything is prepared; a batch costs 64 pointers and
// the system call. A socket left as it is lets the kernel fragment, so every datagram gets an IP
// identification, kept per destination: a cache miss each. With "df" the socket never fragments, as
// those of the back ends.

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "bench/io.h"
#include "dataplane/io/io.h"

struct plain {
	struct bench_variant variant;
	const struct io_sink *sink;
	int fd;
	unsigned next;
	struct sockaddr_in *to; // [destinations]
	struct mmsghdr message[IO_BURST];
	struct iovec vector[IO_BURST];
	uint8_t data[IO_BURST][FRAME_MAX];
};

static unsigned send_batch(struct plain *p, unsigned n)
{
	int sent;

	for (unsigned i = 0; i < n; i++) {
		p->message[i].msg_hdr.msg_name = &p->to[p->next];
		if (++p->next == p->sink->destinations)
			p->next = 0;
	}
	sent = sendmmsg(p->fd, p->message, n, 0);
	return sent == (int)n ? n : 0;
}

static unsigned run(void *state, uint64_t *ns)
{
	struct plain *p = state;
	const unsigned round = p->sink->round;
	const uint64_t start = clock_mono_ns(&clock_system);

	for (unsigned left = round, n; left; left -= n) {
		n = left < IO_BURST ? left : IO_BURST;
		if (!send_batch(p, n))
			return 0;
	}
	*ns = clock_mono_ns(&clock_system) - start;
	return round;
}

static void prepare(struct plain *p)
{
	for (unsigned i = 0; i < p->sink->destinations; i++) {
		uint8_t ip[16];

		io_sink_address(ip, i);
		p->to[i] = (struct sockaddr_in){.sin_family = AF_INET,
						.sin_port = htons(p->sink->port)};
		memcpy(&p->to[i].sin_addr, ip + 12, 4);
	}
	for (unsigned i = 0; i < IO_BURST; i++) {
		p->vector[i] = (struct iovec){p->data[i], p->sink->len};
		p->message[i].msg_hdr = (struct msghdr){
			.msg_namelen = sizeof(p->to[0]),
			.msg_iov = &p->vector[i],
			.msg_iovlen = 1,
		};
	}
}

struct bench_variant *io_plain_open(const struct io_sink *sink, const char *df)
{
	const int never = IP_PMTUDISC_PROBE;
	struct plain *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->variant = (struct bench_variant){.state = p, .run = run};
	p->sink = sink;
	p->to = calloc(sink->destinations, sizeof(p->to[0]));
	p->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (!p->to || p->fd < 0 ||
	    (df && setsockopt(p->fd, IPPROTO_IP, IP_MTU_DISCOVER, &never, sizeof(never)))) {
		perror("akmapush-bench: plain sendmmsg");
		io_plain_close(&p->variant);
		return NULL;
	}
	prepare(p);
	return &p->variant;
}

void io_plain_close(struct bench_variant *variant)
{
	struct plain *p = variant->state;

	if (p->fd >= 0)
		close(p->fd);
	free(p->to);
	free(p);
}
