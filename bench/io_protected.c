// Protected pushes: the whole data plane, from the list of targets to datagrams, in the thread that
// measures. A round is one push without acknowledgement, a part of all UEs its targets; it is made
// before the clock starts, runs to its end on it.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "bench/io.h"
#include "dataplane/dp.h"

enum { HOUR_S = 3600, PAYLOAD_MAX = DP_SEGMENT_MAX };

static const char af_id[] = "bench.example\xff\x41\x4b\x50\x01";

struct protected
{
	struct bench_variant variant;
	const struct io_sink *sink;
	struct dp *dp;
	unsigned next;
	uint64_t pushes;
	uint32_t handles[IO_ROUND];
	uint8_t payload[PAYLOAD_MAX];
};

// The next targets, in the order of their handles.
static void choose(struct protected *p)
{
	const unsigned round = p->sink->round;

	if (p->next + round > p->sink->destinations)
		p->next = 0;
	for (unsigned i = 0; i < round; i++)
		p->handles[i] = p->next + i;
	p->next += round;
}

static struct dp_push *make_push(struct protected *p)
{
	struct dp_push_spec spec = {
		.suite = 1,
		.expiry = clock_unix_s(&clock_system) + HOUR_S,
		.af_id = af_id,
		.af_id_len = sizeof(af_id) - 1,
		.payload = p->payload,
		.payload_len = p->sink->payload,
		.segment_size = DP_SEGMENT_MAX,
		.handles = p->handles,
		.n_handles = p->sink->round,
	};
	struct dp_push *push;
	int error = 0;

	choose(p);
	store64_be(spec.push_id, clock_mono_ns(&clock_system));
	store64_be(spec.push_id + 8, ++p->pushes);
	memcpy(spec.secret, spec.push_id, sizeof(spec.secret));
	push = dp_push_new(p->dp, &spec, &error);
	if (!push)
		fprintf(stderr, "akmapush-bench: push: %s\n", strerror(-error));
	return push;
}

static void run_to_end(struct dp *dp)
{
	struct dp_event event;

	do {
		dp_turn(dp, 0);
	} while (!dp_poll(dp, &event) || event.kind != DP_EVENT_DONE);
}

static unsigned run(void *state, uint64_t *ns)
{
	struct protected *p = state;
	uint64_t counts[REASON_COUNT], start, sent = 0;
	struct dp_push *push = make_push(p);

	if (!push)
		return 0;
	start = clock_mono_ns(&clock_system);
	if (dp_push_start(p->dp, push)) {
		run_to_end(p->dp);
		*ns = clock_mono_ns(&clock_system) - start;
		sent = dp_push_sent(push);
	}
	dp_push_free(push);
	dp_counters(p->dp, DP_NONE, counts);
	return counts[REASON_TX_FAILED] || sent != p->sink->round ? 0 : p->sink->round;
}

// ---- Open and close

static bool put_ues(struct protected *p)
{
	const uint32_t expiry = clock_unix_s(&clock_system) + 24 * HOUR_S;
	struct dp_address address = {.port = p->sink->port};
	uint8_t kakma[32] = {0};

	if (dp_set_handles(p->dp, p->sink->destinations))
		return false;
	for (uint32_t i = 0; i < p->sink->destinations; i++) {
		store32_be(kakma, i);
		io_sink_address(address.ip, i);
		if (!dp_put_key(p->dp, i, kakma, expiry) || !dp_put_address(p->dp, i, &address))
			return false;
	}
	return true;
}

struct bench_variant *io_protected_open(const struct io_sink *sink, const char *io)
{
	const struct dp_config config = {
		.n_workers = 1,
		.ue_max = sink->destinations,
		.push_max = 4,
		.io = io,
		.io_arg = sink->io_arg,
		.tuning = {.burst = IO_BURST, .lap_pause_ms = 2500, .lap_pause_max_ms = 2500},
		.clock = &clock_system,
		.event_fd = -1,
	};
	char error[DP_ERROR_MAX] = "out of memory";
	struct protected *p = calloc(1, sizeof(*p));

	if (!p || dp_open(&config, &p->dp, error)) {
		fprintf(stderr, "akmapush-bench: without protected %s: %s\n", io, error);
		free(p);
		return NULL;
	}
	p->sink = sink;
	p->variant.state = p;
	p->variant.run = run;
	if (!put_ues(p)) {
		fprintf(stderr, "akmapush-bench: without protected %s: UEs\n", io);
		io_protected_close(&p->variant);
		return NULL;
	}
	return &p->variant;
}

void io_protected_close(struct bench_variant *variant)
{
	struct protected *p = variant->state;

	dp_close(p->dp);
	free(p);
}
