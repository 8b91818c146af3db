#include "control/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/api/push_ask.h"
#include "control/app.h"
#include "control/apply.h"
#include "control/config/config.h"
#include "control/daemon_ports.h"
#include "control/doors.h"
#include "control/http/http_server.h"
#include "control/loop.h"
#include "control/operations/trace.h"
#include "control/push/push.h"
#include "control/registry/af.h"
#include "control/registry/group.h"
#include "control/registry/ue.h"
#include "control/reload.h"
#include "control/store/store.h"

enum {
	TICK_MS = 1000,
	EVENTS_MAX = 512,    // of the data plane in one turn, so that peers get theirs
	DRAIN_S = 10,        // for requests under way at the end
	END_TURNS_MS = 5000, // and for changes they left
};

struct daemon {
	struct app app;
	struct reload *reload;
	int event_fd;
	struct loop_hook hook;
	struct loop_watch *store_watch, *event_watch;
	struct loop_timer *tick;
	struct loop_signal *terminate, *interrupt, *hang_up;
};

// ---- A turn of the loop

static void handle_event(struct app *app, const struct dp_event *event)
{
	if (event->kind == DP_EVENT_FENCE)
		apply_fence(app, event);
	else
		push_event(app, event);
}

// Whether there may be more.
static bool poll_events(struct app *app)
{
	struct dp_event event;

	for (int i = 0; i < EVENTS_MAX; i++) {
		if (push_is_full(app) || !dp_poll(app->dp, &event))
			return false; // the store's outcomes or the next events wake the loop
		handle_event(app, &event);
	}
	return true;
}

static bool turn(void *ctx)
{
	struct daemon *d = ctx;
	bool is_busy = poll_events(&d->app);

	is_busy |= trace_poll(&d->app);
	return apply_poll(&d->app) || is_busy;
}

// The hook does the work; this only woke the loop.
static void store_ready(void *ctx, unsigned events)
{
	(void)ctx;
	(void)events;
}

static void events_ready(void *ctx, unsigned events)
{
	uint64_t n;

	(void)events;
	if (read(((struct daemon *)ctx)->event_fd, &n, sizeof(n)) < 0)
		return; // taken already
}

static void second_passed(void *ctx)
{
	struct daemon *d = ctx;

	push_tick(&d->app);
	apply_tick(&d->app);
	trace_tick(&d->app);
}

// ---- The end

static void drained(void *ctx)
{
	loop_stop(((struct daemon *)ctx)->app.loop);
}

static void end_asked(void *ctx, int number)
{
	struct daemon *d = ctx;

	if (d->app.is_ending) {
		log_warn("daemon", "signal %d again: not waiting for requests under way", number);
		loop_stop(d->app.loop);
		return;
	}
	log_info("daemon", "signal %d: ending", number);
	d->app.is_ending = true;
	trace_end_all(&d->app);
	http_server_drain(d->app.http, DRAIN_S, drained, d);
}

static void reload_asked(void *ctx, int number)
{
	struct daemon *d = ctx;

	(void)number;
	reload_now(d->reload, &d->app);
}

// What was committed is brought to its end; the peers have gone.
static void finish_changes(struct app *app)
{
	uint64_t end = clock_mono_ns(app->clock) + END_TURNS_MS * 1000000ull;

	while (!apply_is_idle(app) && clock_mono_ns(app->clock) < end)
		loop_turn(app->loop, false);
}

// ---- Parts

static int open_store(struct daemon *d)
{
	const struct config *config = d->app.config;
	struct store_config store = {.path = config->store.path,
				     .kek_path = config->store.kek,
				     // 0 would be the store's own default.
				     .room_min =
					     config->store.room_min ? config->store.room_min : 1,
				     .verify = config->store.verify};
	char text[STORE_ERROR_MAX];
	int error = store_open(&store, &d->app.store, text);

	if (error)
		log_error("store", "%s", text);
	return error;
}

static void say_pages(const struct dp *dp)
{
	const char *const pages = dp_pages(dp);

	if (!strcmp(pages, "small"))
		log_warn("dataplane",
			 "contexts are in 4 KiB pages, which makes look-ups slow: reserve "
			 "2 MiB pages (vm.nr_hugepages) or permit transparent ones "
			 "(/sys/kernel/mm/transparent_hugepage/enabled: madvise)");
	else
		log_info("dataplane", "contexts are in 2 MiB pages, %s; SHA-256 %s, AES-GCM %s",
			 pages, dp_sha256_name(dp), dp_aead_name(dp));
}

static void say_segments(const struct dp *dp)
{
	const unsigned max = dp_segment_max(dp);

	if (max < DP_SEGMENT_MAX)
		log_warn("dataplane",
			 "the MTU of a port leaves room for %u octets of payload in a datagram, "
			 "less than %d: pushes are cut into segments of that, and refused when "
			 "they ask for longer ones",
			 max, DP_SEGMENT_MAX);
}

static void say_cpus(const struct config *config)
{
	const unsigned n = config->dataplane.workers;

	if (config->dataplane.cpus && n == 1)
		log_info("dataplane", "worker 0 on CPU %s", config->dataplane.cpus);
	else if (config->dataplane.cpus)
		log_info("dataplane", "workers 0 to %u on CPUs %s", n - 1, config->dataplane.cpus);
	else if (n > 1 && config->dpdk.n_ports)
		log_warn("dataplane",
			 "%u workers run where the system puts them, two on one CPU now and then: "
			 "give each its own (dataplane.cpus; akmapushctl doctor proposes them)",
			 n);
}

static int open_dataplane(struct daemon *d)
{
	const struct config *config = d->app.config;
	struct dp_config dp = {
		.n_workers = config->dataplane.workers,
		.cpus = config->dataplane.cpus,
		.ue_max = config->dataplane.ues,
		.push_max = config->dataplane.pushes,
		.io = config->dataplane.io,
		.sha256 = config->dataplane.sha256,
		.aead = config->dataplane.aead,
		.source = {config->dataplane.source_ipv4, config->dataplane.source_ipv6},
		.port = config->dataplane.source_port,
		.kaf_cache = config->dataplane.kaf_cache,
		.clock = d->app.clock,
		.event_fd = d->event_fd,
	};
	struct io_dpdk_config ports;
	char text[DP_ERROR_MAX];
	int error;

	if (config->dpdk.n_ports) {
		daemon_ports(&ports, config);
		dp.io_arg = &ports;
	}
	reload_tuning(config, &dp.tuning);
	error = dp_open(&dp, &d->app.dp, text);
	if (error) {
		log_error("dataplane", "%s", text);
		return error;
	}
	say_pages(d->app.dp);
	say_segments(d->app.dp);
	say_cpus(config);
	return 0;
}

static int load(struct app *app)
{
	uint64_t from = clock_mono_ns(app->clock);
	int error = ue_load(app);

	if (!error)
		error = group_load(app);
	if (!error)
		error = af_load(app);
	if (!error)
		error = push_load(app);
	if (!error && !(app->asks = push_asks_new()))
		error = -ENOMEM;
	if (error == -EBADMSG)
		log_error("daemon",
			  "%s: a record is damaged, or of a later version: restore the folder from "
			  "a back-up (operations guide, \"Damaged store\"), or run that version",
			  app->config->store.path);
	else if (error)
		log_error("daemon", "the store can't be loaded: %s", strerror(-error));
	else
		log_info("daemon", "loaded in %llu ms",
			 (unsigned long long)((clock_mono_ns(app->clock) - from) / 1000000));
	return error;
}

// While nobody watches for it a reload that is asked for waits, instead of ending the process.
static void mask_hang_up(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(how, &set, NULL);
}

static int watch(struct daemon *d)
{
	struct loop *loop = d->app.loop;

	d->store_watch = loop_watch_new(loop, store_fd(d->app.store), LOOP_READ, store_ready, d);
	d->event_watch = loop_watch_new(loop, d->event_fd, LOOP_READ, events_ready, d);
	d->tick = loop_timer_new(loop, second_passed, d);
	d->terminate = loop_signal_new(loop, SIGTERM, end_asked, d);
	d->interrupt = loop_signal_new(loop, SIGINT, end_asked, d);
	d->hang_up = loop_signal_new(loop, SIGHUP, reload_asked, d);
	if (!d->store_watch || !d->event_watch || !d->tick || !d->terminate || !d->interrupt ||
	    !d->hang_up)
		return -ENOMEM;
	loop_timer_repeat(d->tick, TICK_MS);
	mask_hang_up(SIG_UNBLOCK);
	return 0;
}

static void unwatch(struct daemon *d)
{
	mask_hang_up(SIG_BLOCK);
	loop_signal_free(d->hang_up);
	loop_signal_free(d->interrupt);
	loop_signal_free(d->terminate);
	loop_timer_free(d->tick);
	loop_watch_free(d->event_watch);
	loop_watch_free(d->store_watch);
}

// ---- Life

// Everything up to the workers' start. What was opened is closed by `stop`, failed or not.
static int start(struct daemon *d, const char *file)
{
	int error;

	d->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	d->app.loop = loop_new();
	d->reload = reload_new(d->app.config, file);
	d->app.traces = traces_new();
	if (d->event_fd < 0 || !d->app.loop || !d->reload || !d->app.traces)
		return -ENOMEM;
	error = open_store(d);
	if (error)
		return error;
	d->app.apply = apply_new(&d->app);
	if (!d->app.apply)
		return -ENOMEM;
	error = open_dataplane(d);
	if (!error)
		error = load(&d->app);
	if (error)
		return error;
	// Before the server's hook: what is applied in a turn is answered in the same turn.
	d->hook = (struct loop_hook){.before = turn, .ctx = d};
	loop_hook_add(d->app.loop, &d->hook);
	error = doors_open(&d->app);
	if (!error)
		error = watch(d);
	return error;
}

// What the workers told last, and the progress of what was running, go into the store.
static void save_progress(struct app *app)
{
	uint64_t end = clock_mono_ns(app->clock) + END_TURNS_MS * 1000000ull;

	while (clock_mono_ns(app->clock) < end) {
		bool is_behind = push_is_full(app) || poll_events(app);

		apply_poll(app);
		if (!is_behind && push_checkpoint(app))
			return;
		usleep(1000);
	}
	log_warn("daemon", "the store is too slow: targets reached last are sent to again");
}

static void stop(struct daemon *d)
{
	struct app *app = &d->app;

	if (app->http)
		http_server_free(app->http);
	unwatch(d);
	if (app->store)
		store_close(app->store);
	traces_free(app->traces);
	push_close(app);
	push_asks_free(app->asks);
	af_registry_free(app->afs);
	group_registry_free(app->groups);
	ue_registry_free(app->ues);
	if (app->dp)
		dp_close(app->dp);
	apply_free(app->apply);
	reload_free(d->reload);
	loop_free(app->loop);
	if (d->event_fd >= 0)
		close(d->event_fd);
}

int daemon_run(const struct config *config, const char *file)
{
	struct daemon d = {.app = {.config = config, .clock = &clock_system}, .event_fd = -1};
	int error;

	mask_hang_up(SIG_BLOCK);
	error = start(&d, file);
	d.app.started_ms = clock_unix_ms(d.app.clock);
	if (!error)
		error = dp_start(d.app.dp);
	if (!error) {
		push_resume(&d.app);
		log_info("daemon", "ready: %s port %u, %s, admin %s", config->listen.address,
			 config->listen.port, dp_io_name(d.app.dp), config->admin.socket);
		error = loop_run(d.app.loop);
		finish_changes(&d.app);
		dp_stop(d.app.dp);
		save_progress(&d.app);
	}
	stop(&d);
	log_info("daemon", error ? "ended: %s" : "ended", strerror(-error));
	return error;
}
