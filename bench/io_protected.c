// Protected pushes: the whole data plane, from the list of targets to datagrams, in the thread that
// measures, or in the workers' own, which wait for work. A round is one push without
// acknowledgement, a part of all UEs its targets; it is made before the clock starts, runs to its
// end on it.

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

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
	unsigned workers; // in threads; 0: none
	int event_fd;
	uint32_t *handles; // [round]
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

	if (p->workers && read(p->event_fd, &events, sizeof(events)) < 0)
		perror("akmapush-bench: eventfd");
}

static void run_to_end(const struct protected *p)
{
	do {
		if (p->workers)
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

// Threads go where their maker may run: everywhere, for a moment.
static int start_workers(struct protected *p)
{
	cpu_set_t here, anywhere;
	int status;

	memset(&anywhere, 0xff, sizeof(anywhere));
	sched_getaffinity(0, sizeof(here), &here);
	sched_setaffinity(0, sizeof(anywhere), &anywhere);
	status = dp_start(p->dp);
	sched_setaffinity(0, sizeof(here), &here);
	return status;
}

static int open_plane(struct protected *p, const char *io, char error[DP_ERROR_MAX])
{
	const struct dp_config config = {
		.n_workers = p->workers ? p->workers : 1,
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

static struct bench_variant *open_variant(const struct io_sink *sink, const char *io,
					  unsigned workers)
{
	char error[DP_ERROR_MAX] = "out of memory";
	struct protected *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->sink = sink;
	p->workers = workers;
	p->variant.state = p;
	p->variant.run = run;
	p->event_fd = workers ? eventfd(0, EFD_CLOEXEC) : -1;
	p->handles = calloc(sink->round, sizeof(p->handles[0]));
	if (!p->handles || open_plane(p, io, error)) {
		fprintf(stderr, "akmapush-bench: without protected %s: %s\n", io, error);
		io_protected_close(&p->variant);
		return NULL;
	}
	if (put_ues(p) && (!workers || !start_workers(p)))
		return &p->variant;
	fprintf(stderr, "akmapush-bench: without protected %s: UEs or threads\n", io);
	io_protected_close(&p->variant);
	return NULL;
}

struct bench_variant *io_protected_open(const struct io_sink *sink, const char *io)
{
	return open_variant(sink, io, 0);
}

struct bench_variant *io_threads_open(const struct io_sink *sink, const char *io, unsigned workers)
{
	return open_variant(sink, io, workers);
}

void io_protected_close(struct bench_variant *variant)
{
	struct protected *p = variant->state;

	if (p->dp && p->workers)
		dp_stop(p->dp);
	if (p->dp)
		dp_close(p->dp);
	if (p->event_fd >= 0)
		close(p->event_fd);
	free(p->handles);
	free(p);
}
