// The run loop: the data plane's table of contents.

#include "dataplane/run.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>

#include "dataplane/commands.h"
#include "dataplane/turns.h"
#include "dataplane/uplink.h"

enum {
	SLEEP_MAX_NS = 1000 * 1000 * 1000,
	// Bursts a round while nothing comes in: a look for it costs what a message does, and what
	// comes meanwhile waits some tens of microseconds.
	SENDS_UNHEARD = 4,
	SECOND_LOOK_NS = 1000 * 1000, // Unix seconds need no look in every round
};

static void begin(struct worker *w)
{
	w->now_ns = clock_mono_ns(w->clock);
	if (w->now_ns >= w->look_s_ns) {
		w->now_s = clock_unix_s(w->clock);
		w->look_s_ns = w->now_ns + SECOND_LOOK_NS;
	}
	w->looks = WORKER_LOOKS;
}

bool run_round(struct worker *w)
{
	bool busy, heard;

	begin(w);
	busy = commands_take(w);
	heard = uplink_take(w);
	busy |= turns_take(w, heard ? 1 : SENDS_UNHEARD) || heard;
	worker_wake_control(w);
	return busy;
}

// Until something arrives or the next lap is due. Armed first, then one more look: what comes after
// that look wakes it.
static void nap(struct worker *w)
{
	uint64_t until;

	w->io_ops->arm(w->io);
	if (run_round(w) || atomic_load(&w->stop)) {
		w->io_ops->wait(w->io, 0);
		return;
	}
	until = turns_next_ns(w);
	until = until > w->now_ns ? until - w->now_ns : 0;
	w->io_ops->wait(w->io, until < SLEEP_MAX_NS ? until : SLEEP_MAX_NS);
}

static void *run(void *arg)
{
	struct worker *w = arg;

	while (!atomic_load_explicit(&w->stop, memory_order_relaxed)) {
		if (!run_round(w))
			nap(w);
	}
	return NULL;
}

// A thread that begins where it stays: its first touch of memory is from there.
static int start_thread(struct worker *w)
{
	pthread_attr_t how;
	cpu_set_t cpu;
	int error = pthread_attr_init(&how);

	if (error)
		return error;
	CPU_ZERO(&cpu);
	if (w->cpu >= 0) {
		CPU_SET((unsigned)w->cpu, &cpu);
		error = pthread_attr_setaffinity_np(&how, sizeof(cpu), &cpu);
	}
	if (!error)
		error = pthread_create(&w->thread, &how, run, w);
	pthread_attr_destroy(&how);
	return error;
}

int run_start(struct worker *w)
{
	int error = start_thread(w);
	char name[16];

	if (error)
		return -error;
	w->has_thread = true;
	snprintf(name, sizeof(name), "worker-%u", w->index);
	pthread_setname_np(w->thread, name);
	return 0;
}

void run_stop(struct worker *w)
{
	if (!w->has_thread)
		return;
	atomic_store(&w->stop, true);
	w->io_ops->wake(w->io);
	pthread_join(w->thread, NULL);
	w->has_thread = false;
}
