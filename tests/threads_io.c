// The back ends over sockets as they are run: opened and closed by one thread, each used by its
// worker, woken by others. One worker sends bursts over both families, the other echoes them; they
// sleep whenever there is nothing, while control wakes them without reason. What is lost: nothing.
// Also: from open to close no worker allocates (the linker puts a gate before malloc and its kin).

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "dataplane/io/io.h"
#include "tests/kit/malloc_gate.h"

enum { BURST = 32, BURSTS = 1500, LEN = 100, SLEEP_NS = 1000000000 };

// ---- Workers

struct worker {
	const struct io_ops *ops;
	struct io *io;
	uint16_t peer; // the other worker's port
	bool echoes;
	atomic_bool *stop;
	atomic_uint done; // datagrams that came back, or were echoed
	unsigned received;
};

static void address(struct frame *frame, uint32_t number, uint16_t port)
{
	static const uint8_t v4[16] = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1};
	static const uint8_t v6[16] = {[15] = 1};

	memcpy(frame->ip, number & 1 ? v6 : v4, sizeof(frame->ip));
	frame->port = port;
	frame->len = LEN;
	memcpy(frame->data, &number, sizeof(number));
}

static void send_burst(struct worker *w, uint32_t first)
{
	struct frame *frame[BURST];
	unsigned done = 0, n;

	while (done < BURST) {
		n = w->ops->lend(w->io, frame, BURST - done);
		for (unsigned i = 0; i < n; i++)
			address(frame[i], first + done + i, w->peer);
		done += w->ops->transmit(w->io, frame, n);
	}
}

static unsigned receive(struct worker *w)
{
	struct frame *frame[BURST];
	unsigned n = w->ops->receive(w->io, frame, BURST);

	w->ops->release(w->io, frame, n);
	return n;
}

// A round as a worker has it; whether there was anything.
static bool turn(struct worker *w)
{
	unsigned n = receive(w);

	w->received += n;
	if (w->received == BURST) {
		w->received = 0;
		atomic_fetch_add(&w->done, BURST);
		if (w->echoes || w->done < BURSTS * BURST)
			send_burst(w, w->done);
	}
	return n > 0;
}

static void *run(void *arg)
{
	struct worker *w = arg;

	malloc_gate_close();
	if (!w->echoes)
		send_burst(w, 0);
	while (!atomic_load(w->stop)) {
		if (turn(w))
			continue;
		w->ops->arm(w->io);
		w->ops->wait(w->io, turn(w) || atomic_load(w->stop) ? 0 : SLEEP_NS);
	}
	malloc_gate_open();
	return NULL;
}

// ---- Control

static bool open_pair(struct worker w[2])
{
	const struct io_config config = {.burst_max = BURST};
	char error[IO_ERROR_MAX];

	for (int i = 0; i < 2; i++) {
		if (w[i].ops->open(&w[i].io, &config, error)) {
			printf("%s: %s\n", w[i].ops->name, error);
			if (i)
				w[0].ops->close(w[0].io);
			return false;
		}
	}
	w[0].peer = w[0].ops->port(w[1].io);
	w[1].peer = w[1].ops->port(w[0].io);
	return true;
}

static bool is_over(const struct worker *w, uint64_t deadline)
{
	return atomic_load(&w->done) >= BURSTS * BURST || clock_mono_ns(&clock_system) > deadline;
}

static void run_pair(struct worker w[2], atomic_bool *stop)
{
	const uint64_t deadline = clock_mono_ns(&clock_system) + 60ull * SLEEP_NS;
	const struct timespec pause = {.tv_nsec = 20000};
	pthread_t thread[2];

	for (int i = 0; i < 2; i++)
		pthread_create(&thread[i], NULL, run, &w[i]);
	for (unsigned i = 0; !is_over(&w[0], deadline); i++) {
		w[i & 1].ops->wake(w[i & 1].io);
		nanosleep(&pause, NULL);
	}
	atomic_store(stop, true);
	for (int i = 0; i < 2; i++) {
		w[i].ops->wake(w[i].io);
		pthread_join(thread[i], NULL);
	}
}

static bool test(const struct io_ops *ops)
{
	atomic_bool stop = false;
	struct worker w[2] = {
		{.ops = ops, .stop = &stop},
		{.ops = ops, .stop = &stop, .echoes = true},
	};
	struct io_counts counts;

	if (!open_pair(w))
		return !strcmp(ops->name, "uring"); // where it is not permitted
	run_pair(w, &stop);
	ops->counts(w[0].io, &counts);
	printf("%s: %u of %u datagrams came back, %llu failed, %u allocations\n", ops->name,
	       atomic_load(&w[0].done), BURSTS * BURST, (unsigned long long)counts.tx_failed,
	       malloc_gate_passed());
	ops->close(w[0].io);
	ops->close(w[1].io);
	return w[0].done == BURSTS * BURST && !counts.tx_failed && !malloc_gate_passed();
}

int main(void)
{
	bool good = malloc_gate_works();

	for (unsigned i = 0; io_back_ends[i]; i++) {
		if (strcmp(io_back_ends[i]->name, "mem") && strcmp(io_back_ends[i]->name, "dpdk"))
			good &= test(io_back_ends[i]);
	}
	return good ? 0 : 1;
}
