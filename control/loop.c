#include "control/loop.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/time.h>

#include <event2/event.h>

struct loop {
	struct event_base *base;
	struct loop_hook *hooks;
	bool stopped;
};

struct loop_watch {
	struct event *event;
	unsigned events;
	loop_ready *ready;
	void *ctx;
};

struct loop_timer {
	struct event *event;
	loop_expired *expired;
	void *ctx;
	bool repeats;
	struct timeval every;
};

struct loop_signal {
	struct event *event;
	loop_signalled *signalled;
	void *ctx;
};

struct loop *loop_new(void)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	struct event_config *config = event_config_new();

	if (loop == NULL || config == NULL)
		goto err;
	// One thread owns the loop, so the library needs no locks. Timers are in milliseconds, but
	// a time-out must never come early: the precise clock.
	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_PRECISE_TIMER);
	loop->base = event_base_new_with_config(config);
	if (loop->base == NULL)
		goto err;
	event_config_free(config);
	return loop;

err:
	if (config != NULL)
		event_config_free(config);
	free(loop);
	return NULL;
}

void loop_free(struct loop *loop)
{
	if (loop == NULL)
		return;
	event_base_free(loop->base);
	free(loop);
}

static bool hooks_before(const struct loop *loop)
{
	bool work = false;

	for (const struct loop_hook *hook = loop->hooks; hook != NULL; hook = hook->next)
		work |= hook->before != NULL && hook->before(hook->ctx);
	return work;
}

static void hooks_after(const struct loop *loop)
{
	for (const struct loop_hook *hook = loop->hooks; hook != NULL; hook = hook->next)
		if (hook->after != NULL)
			hook->after(hook->ctx);
}

int loop_turn(struct loop *loop, bool wait)
{
	bool work = hooks_before(loop);
	int flags = EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY;
	int status;

	if (work || !wait || loop->stopped)
		flags |= EVLOOP_NONBLOCK;
	errno = 0;
	status = event_base_loop(loop->base, flags);
	hooks_after(loop);
	if (status < 0)
		return errno != 0 ? -errno : -EIO;
	return 0;
}

int loop_run(struct loop *loop)
{
	int status = 0;

	loop->stopped = false;
	while (!loop->stopped && status == 0)
		status = loop_turn(loop, true);
	return status;
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
}

static short watch_flags(unsigned events)
{
	short flags = EV_PERSIST;

	if (events & LOOP_READ)
		flags |= EV_READ;
	if (events & LOOP_WRITE)
		flags |= EV_WRITE;
	return flags;
}

static void watch_ready(evutil_socket_t fd, short what, void *ctx)
{
	struct loop_watch *watch = ctx;
	unsigned events = 0;

	(void)fd;
	if (what & EV_READ)
		events |= LOOP_READ;
	if (what & EV_WRITE)
		events |= LOOP_WRITE;
	watch->ready(watch->ctx, events);
}

struct loop_watch *loop_watch_new(struct loop *loop, int fd, unsigned events, loop_ready *ready,
				  void *ctx)
{
	struct loop_watch *watch = calloc(1, sizeof(*watch));

	if (watch == NULL)
		return NULL;
	watch->ready = ready;
	watch->ctx = ctx;
	watch->event = event_new(loop->base, fd, watch_flags(events), watch_ready, watch);
	if (watch->event == NULL) {
		free(watch);
		return NULL;
	}
	loop_watch_set(watch, events);
	return watch;
}

void loop_watch_set(struct loop_watch *watch, unsigned events)
{
	struct event_base *base = event_get_base(watch->event);
	evutil_socket_t fd = event_get_fd(watch->event);

	if (events == watch->events)
		return;
	event_del(watch->event);
	watch->events = events;
	event_assign(watch->event, base, fd, watch_flags(events), watch_ready, watch);
	if (events != 0)
		event_add(watch->event, NULL);
}

void loop_watch_free(struct loop_watch *watch)
{
	if (watch == NULL)
		return;
	event_free(watch->event);
	free(watch);
}

static struct timeval timeval_of_ms(uint64_t ms)
{
	return (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
}

static void timer_expired(evutil_socket_t fd, short what, void *ctx)
{
	struct loop_timer *timer = ctx;

	(void)fd;
	(void)what;
	if (timer->repeats)
		event_add(timer->event, &timer->every);
	timer->expired(timer->ctx); // may free the timer
}

struct loop_timer *loop_timer_new(struct loop *loop, loop_expired *expired, void *ctx)
{
	struct loop_timer *timer = calloc(1, sizeof(*timer));

	if (timer == NULL)
		return NULL;
	timer->expired = expired;
	timer->ctx = ctx;
	timer->event = event_new(loop->base, -1, 0, timer_expired, timer);
	if (timer->event == NULL) {
		free(timer);
		return NULL;
	}
	return timer;
}

void loop_timer_start(struct loop_timer *timer, uint64_t ms)
{
	struct timeval after = timeval_of_ms(ms);

	timer->repeats = false;
	event_add(timer->event, &after);
}

void loop_timer_repeat(struct loop_timer *timer, uint64_t ms)
{
	assert(ms > 0);
	timer->repeats = true;
	timer->every = timeval_of_ms(ms);
	event_add(timer->event, &timer->every);
}

void loop_timer_stop(struct loop_timer *timer)
{
	event_del(timer->event);
}

void loop_timer_free(struct loop_timer *timer)
{
	if (timer == NULL)
		return;
	event_free(timer->event);
	free(timer);
}

static void signal_came(evutil_socket_t number, short what, void *ctx)
{
	struct loop_signal *signal = ctx;

	(void)what;
	signal->signalled(signal->ctx, number);
}

struct loop_signal *loop_signal_new(struct loop *loop, int number, loop_signalled *signalled,
				    void *ctx)
{
	struct loop_signal *signal = calloc(1, sizeof(*signal));

	if (signal == NULL)
		return NULL;
	signal->signalled = signalled;
	signal->ctx = ctx;
	signal->event = evsignal_new(loop->base, number, signal_came, signal);
	if (signal->event == NULL || event_add(signal->event, NULL) < 0) {
		if (signal->event != NULL)
			event_free(signal->event);
		free(signal);
		return NULL;
	}
	return signal;
}

void loop_signal_free(struct loop_signal *signal)
{
	if (signal == NULL)
		return;
	event_free(signal->event);
	free(signal);
}

void loop_hook_add(struct loop *loop, struct loop_hook *hook)
{
	struct loop_hook **at = &loop->hooks;

	while (*at != NULL)
		at = &(*at)->next;
	hook->next = NULL;
	*at = hook;
}

void loop_hook_del(struct loop *loop, struct loop_hook *hook)
{
	for (struct loop_hook **at = &loop->hooks; *at != NULL; at = &(*at)->next) {
		if (*at == hook) {
			*at = hook->next;
			return;
		}
	}
}
