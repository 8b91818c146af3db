#pragma once
// The control thread's event loop: descriptors, timers, signals, and hooks at the turn of the loop.
// The only face of the event library. Callbacks run one after another in the thread that calls
// loop_run; everything here is for that thread alone, loop_stop included (other threads wake the
// loop through a descriptor, base/wake.h). A callback may free any watch, timer or signal, its own
// included, but not hooks.

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop_watch;
struct loop_timer;
struct loop_signal;

struct loop *loop_new(void); // NULL without memory
void loop_free(struct loop *loop);

// Runs until loop_stop. 0, or -errno when the kernel refuses to poll.
int loop_run(struct loop *loop);
// One turn: waits for events (or not), runs their callbacks. For tests and orderly ends.
int loop_turn(struct loop *loop, bool wait);
void loop_stop(struct loop *loop);

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

// Calls back while the descriptor is ready (level triggered). The descriptor stays the caller's and
// outlives the watch. `events` may be 0: loop_watch_set turns it on later. NULL without memory.
typedef void loop_ready(void *ctx, unsigned events);
struct loop_watch *loop_watch_new(struct loop *loop, int fd, unsigned events, loop_ready *ready,
				  void *ctx);
void loop_watch_set(struct loop_watch *watch, unsigned events);
void loop_watch_free(struct loop_watch *watch); // NULL is fine

// Stopped at first. loop_timer_start: in `ms`, once; an earlier start is forgotten.
typedef void loop_expired(void *ctx);
struct loop_timer *loop_timer_new(struct loop *loop, loop_expired *expired, void *ctx);
void loop_timer_start(struct loop_timer *timer, uint64_t ms);
void loop_timer_repeat(struct loop_timer *timer, uint64_t ms); // every `ms`
void loop_timer_stop(struct loop_timer *timer);
void loop_timer_free(struct loop_timer *timer); // NULL is fine

typedef void loop_signalled(void *ctx, int number);
struct loop_signal *loop_signal_new(struct loop *loop, int number, loop_signalled *signalled,
				    void *ctx);
void loop_signal_free(struct loop_signal *signal); // NULL is fine

// Hooks run at every turn, in the order they were added. `before`: the loop is about to sleep:
// flush, arm a wake, look at a queue once more; true when there is work left, so that the loop
// polls without sleeping. `after`: the sleep is over and what was ready has been handled. Either
// may be NULL. The caller's memory, until loop_hook_del.
struct loop_hook {
	bool (*before)(void *ctx);
	void (*after)(void *ctx);
	void *ctx;
	struct loop_hook *next;
};
void loop_hook_add(struct loop *loop, struct loop_hook *hook);
void loop_hook_del(struct loop *loop, struct loop_hook *hook);
