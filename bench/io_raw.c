// A back end by itself: lend, address, transmit. The octets are whatever the buffers hold.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bench/io.h"
#include "dataplane/io/io.h"

enum { TRIES_MAX = 10000000 }; // bursts in a round

struct raw {
	struct bench_variant variant;
	const struct io_sink *sink;
	const struct io_ops *ops;
	struct io *io;
	unsigned next;
	uint8_t (*to)[16]; // [destinations]
};

static unsigned send_burst(struct raw *r, unsigned n)
{
	struct frame *frame[IO_BURST];

	n = r->ops->lend(r->io, frame, n);
	for (unsigned i = 0; i < n; i++) {
		memcpy(frame[i]->ip, r->to[r->next], sizeof(frame[i]->ip));
		frame[i]->port = r->sink->port;
		frame[i]->len = (uint16_t)r->sink->len;
		if (++r->next == r->sink->destinations)
			r->next = 0;
	}
	return r->ops->transmit(r->io, frame, n);
}

static unsigned run(void *state, uint64_t *ns)
{
	struct raw *r = state;
	const unsigned round = r->sink->round;
	const uint64_t start = clock_mono_ns(&clock_system);
	struct io_counts counts;

	for (unsigned left = round, tries = 0; left; tries++) {
		if (tries == TRIES_MAX)
			return 0; // it takes nothing
		left -= send_burst(r, left < IO_BURST ? left : IO_BURST);
	}
	*ns = clock_mono_ns(&clock_system) - start;
	r->ops->counts(r->io, &counts);
	return counts.tx_failed ? 0 : round;
}

struct bench_variant *io_raw_open(const struct io_sink *sink, const char *io)
{
	const struct io_config config = {.burst_max = IO_BURST, .arg = sink->io_arg};
	char error[IO_ERROR_MAX] = "not built in";
	struct raw *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	*r = (struct raw){.sink = sink, .ops = io_find(io)};
	r->variant.state = r;
	r->variant.run = run;
	r->to = calloc(sink->destinations, sizeof(r->to[0]));
	if (!r->to || !r->ops || r->ops->open(&r->io, &config, error)) {
		fprintf(stderr, "akmapush-bench: without %s: %s\n", io, error);
		free(r->to);
		free(r);
		return NULL;
	}
	for (unsigned i = 0; i < sink->destinations; i++)
		io_sink_address(r->to[i], i);
	return &r->variant;
}

void io_raw_close(struct bench_variant *variant)
{
	struct raw *r = variant->state;

	r->ops->close(r->io);
	free(r->to);
	free(r);
}
