#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "control/loop.h"

static struct loop *loop;

static void stop(void *ctx)
{
	++*(unsigned *)ctx;
	loop_stop(loop);
}

static void count(void *ctx)
{
	++*(unsigned *)ctx;
}

Test(loop, timers)
{
	unsigned stopped = 0, ticks = 0, never = 0;
	uint64_t start = clock_mono_ns(&clock_system), passed_ms;
	struct loop_timer *end, *every, *forgotten;

	loop = loop_new();
	end = loop_timer_new(loop, stop, &stopped);
	every = loop_timer_new(loop, count, &ticks);
	forgotten = loop_timer_new(loop, count, &never);
	loop_timer_start(end, 55);
	loop_timer_repeat(every, 10);
	loop_timer_start(forgotten, 5);
	loop_timer_stop(forgotten);
	cr_assert(eq(int, loop_run(loop), 0));
	passed_ms = (clock_mono_ns(&clock_system) - start) / 1000000;
	cr_assert(ge(u64, passed_ms, 55));
	cr_assert(eq(u32, stopped, 1));
	cr_assert(1 <= ticks && ticks <= passed_ms / 10);
	cr_assert(eq(u32, never, 0));
	loop_timer_free(end);
	loop_timer_free(every);
	loop_timer_free(forgotten);
	loop_timer_free(NULL);
	loop_free(loop);
}

static unsigned seen;

static void ready(void *ctx, unsigned events)
{
	(void)ctx;
	seen = events;
}

Test(loop, watches)
{
	struct loop_watch *watch;
	int pipes[2];

	loop = loop_new();
	cr_assert(eq(int, pipe(pipes), 0));
	watch = loop_watch_new(loop, pipes[0], LOOP_READ, ready, NULL);
	loop_turn(loop, false);
	cr_assert(eq(u32, seen, 0));
	cr_assert(eq(long, write(pipes[1], "x", 1), 1));
	loop_turn(loop, true);
	cr_assert(eq(u32, seen, LOOP_READ));
	loop_watch_set(watch, 0);
	seen = 0;
	loop_turn(loop, false);
	cr_assert(eq(u32, seen, 0));
	loop_watch_set(watch, LOOP_READ);
	loop_turn(loop, false);
	cr_assert(eq(u32, seen, LOOP_READ));
	loop_watch_free(watch);
	watch = loop_watch_new(loop, pipes[1], 0, ready, NULL);
	loop_watch_set(watch, LOOP_WRITE);
	loop_turn(loop, true);
	cr_assert(eq(u32, seen, LOOP_WRITE));
	loop_watch_free(watch);
	loop_free(loop);
	close(pipes[0]);
	close(pipes[1]);
}

static void signalled(void *ctx, int number)
{
	*(int *)ctx = number;
	loop_stop(loop);
}

Test(loop, signals)
{
	struct loop_signal *signal;
	int number = 0;

	loop = loop_new();
	signal = loop_signal_new(loop, SIGUSR1, signalled, &number);
	raise(SIGUSR1);
	cr_assert(eq(int, loop_run(loop), 0));
	cr_assert(eq(int, number, SIGUSR1));
	loop_signal_free(signal);
	loop_free(loop);
}

static bool three_times(void *ctx)
{
	return ++*(unsigned *)ctx < 3;
}

// While a hook says there is work, the loop does not sleep.
Test(loop, hooks, .timeout = 10)
{
	unsigned before = 0, after = 0, stopped = 0;
	struct loop_hook first = {.before = three_times, .ctx = &before};
	struct loop_hook second = {.after = count, .ctx = &after};
	struct loop_timer *timer;

	loop = loop_new();
	loop_hook_add(loop, &first);
	loop_hook_add(loop, &second);
	loop_turn(loop, true);
	loop_turn(loop, true);
	timer = loop_timer_new(loop, stop, &stopped);
	loop_timer_start(timer, 10);
	loop_turn(loop, true);
	cr_assert(eq(u32, stopped, 1));
	cr_assert(eq(u32, before, 3));
	cr_assert(eq(u32, after, 3));
	loop_hook_del(loop, &first);
	loop_turn(loop, false);
	cr_assert(eq(u32, before, 3));
	cr_assert(eq(u32, after, 4));
	loop_timer_free(timer);
	loop_free(loop);
}
