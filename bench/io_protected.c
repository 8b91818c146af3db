// Protected pushes: the whole data plane, from the list of targets to datagrams, in the thread that
// measures, or in the workers' own, which wait for work. A round is one push without
// acknowledgement, a part of all UEs its targets; it is made before the clock starts, runs to its
// end on it.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "bench/io.h"
#include "dataplane/context.h"
#include "dataplane/dp.h"

enum { HOUR_S = 3600, PAYLOAD_MAX = DP_SEGMENT_MAX };

static const char af_id[] = "bench.example\xff\x41\x4b\x50\x01";

struct protected
{
	struct bench_variant variant;
	const struct io_sink *sink;
	struct dp *dp;
	bool is_owner;    // of dp
	unsigned workers; // whose UEs are the targets: the first of all
	unsigned next;    // UE
	unsigned round;   // targets
	uint64_t pushes;
	int event_fd;
	uint32_t *handles; // [round]
	uint8_t payload[PAYLOAD_MAX];
};

static unsigned workers_of(const struct io_sink *sink)
{
	return sink->threads ? sink->threads : 1;
}

static bool is_target(const struct protected *p, unsigned ue)
{
	return context_slot(ue) % workers_of(p->sink) < p->workers;
}

// The next targets, in the order of their handles.
static void choose(struct protected *p)
{
	for (unsigned n = 0; n < p->round; p->next = (p->next + 1) % p->sink->destinations) {
		if (is_target(p, p->next))
			p->handles[n++] = p->next;
	}
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
		.n_handles = p->round,
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

static bool is_done(struct dp *dp)
{
	struct dp_event event;

	while (dp_poll(dp, &event)) {
		if (event.kind == DP_EVENT_DONE)
			return true;
	}
	return false;
}

// Sleeps meanwhile, as control does.
static void await(const struct protected *p)
{
	uint64_t events;

	if (read(p->event_fd, &events, sizeof(events)) < 0)
		perror("akmapush-bench: eventfd");
}

static void run_to_end(const struct protected *p)
{
	do {
		if (p->sink->threads)
			await(p);
		else
			dp_turn(p->dp, 0);
	} while (!is_done(p->dp));
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
		run_to_end(p);
		*ns = clock_mono_ns(&clock_system) - start;
		sent = dp_push_sent(push);
	}
	dp_push_free(push);
	dp_counters(p->dp, DP_NONE, counts);
	return counts[REASON_TX_FAILED] || sent != p->round ? 0 : p->round;
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

static int open_plane(struct protected *p, const char *io, char error[DP_ERROR_MAX])
{
	const struct dp_config config = {
		.n_workers = workers_of(p->sink),
		.cpus = p->sink->cpus,
		.ue_max = p->sink->destinations,
		.push_max = 4,
		.io = io,
		.io_arg = p->sink->io_arg,
		.tuning = {.burst = IO_BURST, .lap_pause_ms = 2500, .lap_pause_max_ms = 2500},
		.clock = &clock_system,
		.event_fd = p->event_fd,
	};

	return dp_open(&config, &p->dp, error);
}

static unsigned count_targets(const struct protected *p)
{
	unsigned n = 0;

	for (unsigned ue = 0; ue < p->sink->destinations; ue++)
		n += is_target(p, ue);
	return n < p->sink->round ? n : p->sink->round;
}

static struct protected *make(const struct io_sink *sink, unsigned workers)
{
	struct protected *const p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->sink = sink;
	p->workers = workers;
	p->variant.state = p;
	p->variant.run = run;
	p->event_fd = -1;
	p->round = count_targets(p);
	p->handles = calloc(p->round, sizeof(p->handles[0]));
	if (p->handles)
		return p;
	free(p);
	return NULL;
}

struct bench_variant *io_protected_open(const struct io_sink *sink, const char *io)
{
	struct protected *const p = make(sink, workers_of(sink));
	char error[DP_ERROR_MAX] = "out of memory";

	if (!p)
		return NULL;
	p->is_owner = true;
	p->event_fd = sink->threads ? eventfd(0, EFD_CLOEXEC) : -1;
	if (open_plane(p, io, error)) {
		fprintf(stderr, "akmapush-bench: without protected %s: %s\n", io, error);
		io_protected_close(&p->variant);
		return NULL;
	}
	if (put_ues(p) && (!sink->threads || !dp_start(p->dp)))
		return &p->variant;
	fprintf(stderr, "akmapush-bench: without protected %s: UEs or threads\n", io);
	io_protected_close(&p->variant);
	return NULL;
}

struct bench_variant *io_protected_part(const struct bench_variant *all, unsigned workers)
{
	const struct protected *const whole = all->state;
	struct protected *const p = make(whole->sink, workers);

	if (!p)
		return NULL;
	p->dp = whole->dp;
	p->event_fd = whole->event_fd;
	return &p->variant;
}

void io_protected_close(struct bench_variant *variant)
{
	struct protected *p = variant->state;

	if (p->is_owner && p->dp) {
		dp_stop(p->dp);
		dp_close(p->dp);
	}
	if (p->is_owner && p->event_fd >= 0)
		close(p->event_fd);
	free(p->handles);
	free(p);
}
