#include "control/store/store_writer.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>

#include "base/clock.h"
#include "control/store/store_batch.h"

static void add(_Atomic uint64_t *count, uint64_t n)
{
	atomic_fetch_add_explicit(count, n, memory_order_relaxed);
}

static void give_back(struct store_writer *writer, struct store_batch *batch, int status)
{
	struct store_batch **const place = ring_reserve(&writer->out);

	assert(place); // as many places as batches
	batch->status = status;
	batch->failures = writer->failures;
	*place = batch;
	ring_push(&writer->out);
	add(status ? &writer->n_failed : &writer->n_batches, 1);
}

static void note_failure(struct store_writer *writer, int status)
{
	writer->failures++;
	writer->last_failure = status;
}

// What may not be written whatever the disk says: a batch that found no memory, or one committed by
// a control thread that did not know of the last failure: it may rely on what failed.
static bool is_refused(const struct store_writer *writer, const struct store_batch *batch)
{
	return batch->seen != writer->failures || batch->status;
}

static void refuse(struct store_writer *writer, struct store_batch *batch)
{
	if (batch->seen == writer->failures)
		note_failure(writer, batch->status);
	give_back(writer, batch, writer->last_failure);
}

// The next group: how many batches, and their octets. Refused ones go back on the way, but none
// overtakes one of the group: the first that would ends the group.
static unsigned gather(struct store_writer *writer, uint64_t *octets)
{
	struct store_batch **front;
	unsigned n = 0;

	*octets = 0;
	while (n < STORE_GROUP_MAX && (front = ring_front(&writer->in))) {
		struct store_batch *const batch = *front;
		const bool is_bad = is_refused(writer, batch);

		if (n && (is_bad || *octets + batch->len > STORE_GROUP_OCTETS))
			break;
		ring_pop(&writer->in);
		if (is_bad) {
			refuse(writer, batch);
			continue;
		}
		writer->group[n++] = batch;
		*octets += batch->len;
	}
	return n;
}

static void write_group(struct store_writer *writer, unsigned n, uint64_t octets)
{
	const uint64_t start = clock_mono_ns(&clock_system);
	const int status = store_disk_write(writer->disk, writer->group, n, octets);

	add(&writer->sync_ns, clock_mono_ns(&clock_system) - start);
	if (status) {
		note_failure(writer, status);
	} else {
		add(&writer->n_groups, 1);
		add(&writer->n_octets, octets);
	}
	for (unsigned i = 0; i < n; i++)
		give_back(writer, writer->group[i], status);
}

static void sleep_until_work(struct store_writer *writer)
{
	struct pollfd fd = {.fd = writer->work.fd, .events = POLLIN};

	wake_arm(&writer->work);
	if (ring_is_empty(&writer->in) && !atomic_load(&writer->is_ending))
		poll(&fd, 1, -1);
	wake_disarm(&writer->work);
}

static void *run(void *arg)
{
	struct store_writer *const writer = arg;

	for (;;) {
		uint64_t octets;
		const bool is_ending = atomic_load(&writer->is_ending);
		const unsigned n = gather(writer, &octets);

		if (n)
			write_group(writer, n, octets);
		wake_signal(&writer->outcome);
		if (n || !ring_is_empty(&writer->in))
			continue;
		if (is_ending)
			return NULL;
		sleep_until_work(writer);
	}
}

static uint32_t power_of_two(uint32_t n)
{
	uint32_t power = 1;

	while (power < n)
		power *= 2;
	return power;
}

static int start_thread(struct store_writer *writer)
{
	sigset_t all, old;
	int status;

	sigfillset(&all); // signals are the control thread's
	pthread_sigmask(SIG_SETMASK, &all, &old);
	status = pthread_create(&writer->thread, NULL, run, writer);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -status;
}

int store_writer_start(struct store_writer *writer, struct store_disk *disk, uint32_t max)
{
	const uint32_t places = power_of_two(max);
	const size_t size = ring_size(places, sizeof(struct store_batch *));
	int status;

	writer->disk = disk;
	status = wake_open(&writer->work);
	if (status)
		return status;
	status = wake_open(&writer->outcome);
	if (status)
		goto close_work;
	status = -ENOMEM;
	ring_init(&writer->in, malloc(size), places, sizeof(struct store_batch *));
	ring_init(&writer->out, malloc(size), places, sizeof(struct store_batch *));
	wake_arm(&writer->outcome); // store_fd tells from now on
	if (writer->in.items && writer->out.items)
		status = start_thread(writer);
	if (!status)
		return 0;
	free(writer->in.items);
	free(writer->out.items);
	wake_close(&writer->outcome);
close_work:
	wake_close(&writer->work);
	return status;
}

void store_writer_end(struct store_writer *writer)
{
	atomic_store(&writer->is_ending, true);
	wake_signal(&writer->work);
	pthread_join(writer->thread, NULL);
	free(writer->in.items);
	free(writer->out.items);
	wake_close(&writer->outcome);
	wake_close(&writer->work);
}

void store_writer_push(struct store_writer *writer, struct store_batch *batch)
{
	struct store_batch **const place = ring_reserve(&writer->in);

	assert(place);
	*place = batch;
	ring_push(&writer->in);
	wake_signal(&writer->work);
}

struct store_batch *store_writer_take(struct store_writer *writer)
{
	struct store_batch **const front = ring_front(&writer->out);
	struct store_batch *const batch = front ? *front : NULL;

	if (front)
		ring_pop(&writer->out);
	return batch;
}
