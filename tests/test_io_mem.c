// The net in memory: what the tests of delivery stand on. Same seed, same run; nothing is lost,
// repeated or late but by the dice; bounded, and nothing disappears uncounted.

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "dataplane/io/io_mem.h"
#include "tests/kit/random.h"

enum { BURST = 64, SEEN_MAX = 1 << 16 };

// ---- A device that writes down what it sees, and answers if told to

struct seen {
	uint64_t step;
	uint32_t number;
	uint16_t port, len;
};

struct world {
	struct io_mem *net;
	const struct io_ops *ops;
	struct io *io;
	bool answers;
	uint64_t step;
	struct seen seen[SEEN_MAX];
	unsigned n_seen, n_tapped;
	uint32_t last_tapped;
};

static uint32_t number_of(const struct io_mem_datagram *d)
{
	uint32_t number;

	cr_assert_geq(d->len, sizeof(number));
	memcpy(&number, d->data, sizeof(number));
	return number;
}

static void see(void *ctx, struct io_mem *net, const struct io_mem_datagram *d)
{
	struct world *w = ctx;

	cr_assert_eq(net, w->net);
	cr_assert_lt(w->n_seen, SEEN_MAX);
	w->seen[w->n_seen++] = (struct seen){w->step, number_of(d), d->port, (uint16_t)d->len};
	if (w->answers)
		io_mem_reply(net, d, d->data, d->len);
}

static void tap(void *ctx, const struct io_mem_datagram *d)
{
	struct world *w = ctx;

	w->n_tapped++;
	w->last_tapped = number_of(d);
}

static struct world *world_open(const struct io_mem_config *like)
{
	struct world *w = calloc(1, sizeof(*w));
	struct io_mem_config config = *like;
	struct io_config io = {.burst_max = BURST};
	char error[IO_ERROR_MAX] = "";

	config.device = see;
	config.tap = tap;
	config.ctx = w;
	cr_assert_eq(io_mem_open(&w->net, &config), 0);
	w->ops = io_find("mem");
	io.arg = w->net;
	cr_assert_eq(w->ops->open(&w->io, &io, error), 0, "%s", error);
	return w;
}

static void world_close(struct world *w)
{
	w->ops->close(w->io);
	io_mem_close(w->net);
	free(w);
}

static unsigned send_numbers(struct world *w, uint32_t first, unsigned n)
{
	struct frame *frame[BURST];

	cr_assert_eq(w->ops->lend(w->io, frame, n), n);
	for (unsigned i = 0; i < n; i++) {
		uint32_t number = first + i;

		memset(frame[i]->ip, (int)number, 16);
		frame[i]->port = (uint16_t)(1 + number % 1000);
		frame[i]->len = (uint16_t)(48 + number % 1185);
		memset(frame[i]->data, 0, frame[i]->len);
		memcpy(frame[i]->data, &number, sizeof(number));
	}
	return w->ops->transmit(w->io, frame, n);
}

static unsigned step(struct world *w)
{
	w->step++;
	return io_mem_step(w->net);
}

static void run_out(struct world *w)
{
	for (int i = 0; i < 2 * (IO_MEM_DELAY_MAX + 2); i++)
		step(w);
	cr_assert_eq(io_mem_in_flight(w->net), 0);
}

static const struct io_mem_config quiet = {.in_flight_max = 4096, .inbox_max = 1024};

// ---- Without dice

Test(io_mem, without_dice_all_arrives_in_order_one_step_later)
{
	struct world *w = world_open(&quiet);

	for (uint32_t round = 0; round < 20; round++) {
		cr_assert_eq(send_numbers(w, round * BURST, BURST), BURST);
		cr_assert_eq(io_mem_in_flight(w->net), BURST);
		cr_assert_eq(w->n_seen, round * BURST); // not before the step
		cr_assert_eq(step(w), BURST);
	}
	cr_assert_eq(w->n_tapped, 20 * BURST);
	cr_assert_eq(w->last_tapped, 20 * BURST - 1);
	for (uint32_t i = 0; i < w->n_seen; i++) {
		cr_assert_eq(w->seen[i].number, i);
		cr_assert_eq(w->seen[i].port, 1 + i % 1000);
		cr_assert_eq(w->seen[i].len, 48 + i % 1185);
		cr_assert_eq(w->seen[i].step, i / BURST + 1);
	}
	world_close(w);
}

Test(io_mem, answers_come_back_from_the_device)
{
	struct world *w = world_open(&quiet);
	struct frame *frame[BURST];
	uint8_t ip[16];

	w->answers = true;
	cr_assert_eq(send_numbers(w, 7, 3), 3);
	step(w);
	cr_assert_eq(w->ops->receive(w->io, frame, BURST), 0);
	step(w);
	cr_assert_eq(w->ops->receive(w->io, frame, 2), 2);
	cr_assert_eq(w->ops->receive(w->io, frame + 2, BURST), 1);
	for (uint32_t i = 0; i < 3; i++) {
		memset(ip, (int)(7 + i), 16);
		cr_assert_arr_eq(frame[i]->ip, ip, 16);
		cr_assert_eq(frame[i]->port, 1 + 7 + i);
		cr_assert_eq(frame[i]->len, 48 + 7 + i);
		cr_assert_eq(frame[i]->data[0], 7 + i);
	}
	w->ops->release(w->io, frame, 3);
	world_close(w);
}

Test(io_mem, anything_can_be_injected)
{
	static const size_t lengths[] = {0, 1, 47, 48, 1231, 1232, 1233, 1300, 65535};
	struct world *w = world_open(&quiet);
	struct random random = random_start();
	struct frame *frame[BURST];
	static uint8_t data[65535];

	random_fill(&random, data, sizeof(data));
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct io_mem_datagram d = {.data = data, .len = lengths[i], .port = 9, .ip = {1}};
		size_t kept = d.len < FRAME_MAX ? d.len : FRAME_MAX;

		cr_assert_not(io_mem_inject(w->net, &d)); // to no worker's port
		d.worker_port = w->ops->port(w->io);
		cr_assert(io_mem_inject(w->net, &d));
		cr_assert_eq(w->ops->receive(w->io, frame, BURST), 1);
		cr_assert_eq(frame[0]->len, d.len <= FRAME_MAX ? d.len : FRAME_MAX + 1);
		cr_assert_eq(frame[0]->port, 9);
		cr_assert_arr_eq(frame[0]->ip, d.ip, 16);
		cr_assert_arr_eq(frame[0]->data, data, kept);
		w->ops->release(w->io, frame, 1);
	}
	world_close(w);
}

// ---- Bounds

Test(io_mem, a_full_ring_takes_a_prefix)
{
	struct world *w = world_open(&quiet);
	struct frame *frame[2];

	io_mem_set_room(w->net, 10);
	cr_assert_eq(send_numbers(w, 0, 16), 10);
	cr_assert_eq(send_numbers(w, 10, 16), 0);
	cr_assert_eq(w->ops->lend(w->io, frame, 2), 2); // what is not wanted needs no room
	frame[0]->len = frame[1]->len = 0;
	cr_assert_eq(w->ops->transmit(w->io, frame, 2), 2);
	io_mem_set_room(w->net, UINT32_MAX);
	cr_assert_eq(send_numbers(w, 10, 6), 6);
	run_out(w);
	cr_assert_eq(w->n_tapped, 16);
	cr_assert_eq(w->n_seen, 16);
	for (uint32_t i = 0; i < 16; i++)
		cr_assert_eq(w->seen[i].number, i);
	world_close(w);
}

Test(io_mem, flight_and_inbox_are_bounded)
{
	const struct io_mem_config small = {
		.in_flight_max = 41, .inbox_max = 8, .twice = IO_MEM_CERTAIN};
	struct world *w = world_open(&small);
	struct frame *frame[BURST];
	struct io_mem_counts counts;

	cr_assert_eq(send_numbers(w, 0, BURST), 21); // each of them twice, but for the last
	step(w);
	cr_assert_eq(w->n_seen, 41);
	w->answers = true;
	cr_assert_eq(send_numbers(w, 21, 5), 5);
	run_out(w);
	io_mem_counts(w->net, &counts);
	cr_assert_eq(counts.sent, 26);
	cr_assert_eq(counts.delivered, 51);
	cr_assert_eq(counts.replied, 10);
	cr_assert_eq(counts.repeated, 20 + 5 + 10);
	cr_assert_eq(counts.dropped, 20 - 8);
	cr_assert_eq(w->ops->receive(w->io, frame, BURST), 8);
	w->ops->release(w->io, frame, 8);
	world_close(w);
}

Test(io_mem, refuses_bad_figures)
{
	struct io_mem_config good = quiet, bad;
	struct io_config io = {.burst_max = 1};
	char error[IO_ERROR_MAX] = "";
	struct io *end;
	struct io_mem *net;

	good.device = see;
#define BAD(field, value)                                                                          \
	bad = good;                                                                                \
	bad.field = value;                                                                         \
	cr_assert_eq(io_mem_open(&net, &bad), -EINVAL, #field)
	BAD(device, NULL);
	BAD(lost, IO_MEM_CERTAIN + 1);
	BAD(twice, IO_MEM_CERTAIN + 1);
	BAD(delayed, IO_MEM_CERTAIN + 1);
	BAD(refused, IO_MEM_CERTAIN + 1);
	BAD(delay_max, IO_MEM_DELAY_MAX + 1);
	BAD(in_flight_max, 0);
	BAD(inbox_max, 0);
#undef BAD
	cr_assert_eq(io_find("mem")->open(&end, &io, error), -EINVAL); // no network given
	cr_assert(strstr(error, "network"), "%s", error);
}

Test(io_mem, workers_have_ports_of_their_own)
{
	struct io_mem_config config = quiet;
	const struct io_ops *ops = io_find("mem");
	struct io *io[IO_MEM_WORKERS], *more;
	struct io_config c = {.burst_max = 1};
	char error[IO_ERROR_MAX] = "";
	struct frame *frame[1];

	config.device = see;
	cr_assert_eq(io_mem_open((struct io_mem **)&c.arg, &config), 0);
	for (unsigned i = 0; i < IO_MEM_WORKERS; i++) {
		c.port = i & 1 ? (uint16_t)(50000 + i) : 0;
		cr_assert_eq(ops->open(&io[i], &c, error), 0, "%s", error);
		for (unsigned k = 0; k < i; k++)
			cr_assert_neq(ops->port(io[i]), ops->port(io[k]));
	}
	c.port = 50001;
	cr_assert_eq(ops->open(&more, &c, error), -EADDRINUSE);
	c.port = 0;
	cr_assert_eq(ops->open(&more, &c, error), -EMFILE);
	for (unsigned i = 0; i < IO_MEM_WORKERS; i++) {
		struct io_mem_datagram d = {.worker_port = ops->port(io[i])};

		cr_assert(io_mem_inject(c.arg, &d));
		for (unsigned k = 0; k < IO_MEM_WORKERS; k++) {
			unsigned got = ops->receive(io[k], frame, 1);

			cr_assert_eq(got, k == i);
			ops->release(io[k], frame, got);
		}
	}
	for (unsigned i = 0; i < IO_MEM_WORKERS; i++)
		ops->close(io[i]);
	io_mem_close(c.arg);
}

// ---- Dice

static const struct io_mem_config rough = {
	.lost = 200000,
	.twice = 100000,
	.delayed = 300000,
	.delay_max = 20,
	.refused = 50000,
	.in_flight_max = 4096,
	.inbox_max = 1024,
};

static struct world *rough_run(uint64_t seed)
{
	struct io_mem_config config = rough;
	struct world *w;
	struct frame *frame[BURST];
	unsigned n;

	config.seed = seed;
	w = world_open(&config);
	w->answers = true;
	for (uint32_t round = 0; round < 100; round++) {
		send_numbers(w, round * BURST, BURST);
		step(w);
		n = w->ops->receive(w->io, frame, BURST);
		w->ops->release(w->io, frame, n);
	}
	run_out(w);
	while ((n = w->ops->receive(w->io, frame, BURST)))
		w->ops->release(w->io, frame, n);
	return w;
}

Test(io_mem, same_seed_same_run)
{
	struct random random = random_start();
	uint64_t seed = random_next(&random);
	struct world *a = rough_run(seed), *b = rough_run(seed), *other = rough_run(seed + 1);
	struct io_mem_counts of_a, of_b;

	io_mem_counts(a->net, &of_a);
	io_mem_counts(b->net, &of_b);
	cr_assert_eq(a->n_seen, b->n_seen);
	cr_assert_eq(memcmp(a->seen, b->seen, a->n_seen * sizeof(a->seen[0])), 0);
	cr_assert_eq(memcmp(&of_a, &of_b, sizeof(of_a)), 0);
	cr_assert_neq(memcmp(a->seen, other->seen, a->n_seen * sizeof(a->seen[0])), 0);
	world_close(a);
	world_close(b);
	world_close(other);
}

static void near_share(uint64_t part, uint64_t of, uint32_t of_a_million, uint64_t seed)
{
	double expected = (double)of * of_a_million / IO_MEM_CERTAIN;

	cr_assert(part > expected * 0.8 && part < expected * 1.2,
		  "%lu of %lu, %.0f expected, seed %#" PRIx64, (unsigned long)part,
		  (unsigned long)of, expected, seed);
}

Test(io_mem, dice_fall_as_told_and_all_is_counted)
{
	struct random random = random_start();
	struct world *w = rough_run(random.seed);
	uint64_t carried, copies;
	struct io_mem_counts c;
	uint32_t late = 0;

	io_mem_counts(w->net, &c);
	carried = c.sent - c.refused + c.replied;
	copies = carried - c.lost + c.repeated;
	cr_assert_eq(c.sent, 100 * BURST);
	cr_assert_eq(w->n_tapped, c.sent);
	cr_assert_eq(w->n_seen, c.delivered);
	cr_assert_eq(copies, c.delivered + c.received + c.dropped, "seed %#" PRIx64, random.seed);
	cr_assert_eq(c.dropped, 0);
	near_share(c.refused, c.sent, rough.refused, random.seed);
	near_share(c.lost, carried, rough.lost, random.seed);
	near_share(c.repeated, carried - c.lost, rough.twice, random.seed);
	near_share(c.delayed, copies, rough.delayed, random.seed);
	for (unsigned i = 0; i < w->n_seen; i++) {
		uint64_t sent_in = w->seen[i].number / BURST; // its round, from 0
		uint64_t steps = w->seen[i].step - sent_in;

		cr_assert(1 <= steps && steps <= 1 + rough.delay_max, "%lu", (unsigned long)steps);
		late += i > 0 && w->seen[i].number < w->seen[i - 1].number;
	}
	cr_assert_gt(late, 100); // reordering does happen
	world_close(w);
}

Test(io_mem, dice_can_be_changed)
{
	struct world *w = world_open(&quiet);

	io_mem_set_dice(w->net, IO_MEM_CERTAIN, 0, 0, 0);
	cr_assert_eq(send_numbers(w, 0, BURST), BURST);
	run_out(w);
	cr_assert_eq(w->n_seen, 0);
	io_mem_set_dice(w->net, 0, 0, 0, IO_MEM_CERTAIN);
	cr_assert_eq(send_numbers(w, 0, BURST), BURST);
	run_out(w);
	cr_assert_eq(w->n_seen, 0);

	struct io_counts counts;

	w->ops->counts(w->io, &counts);
	cr_assert_eq(counts.tx_failed, BURST);
	io_mem_set_dice(w->net, 0, 0, 0, 0);
	cr_assert_eq(send_numbers(w, 0, BURST), BURST);
	run_out(w);
	cr_assert_eq(w->n_seen, BURST);
	world_close(w);
}

// ---- Threads

static void *inject_after_a_while(void *arg)
{
	struct world *w = arg;
	struct io_mem_datagram d = {.worker_port = w->ops->port(w->io)};
	struct timespec pause = {0, 10 * 1000 * 1000};

	nanosleep(&pause, NULL);
	io_mem_inject(w->net, &d);
	return NULL;
}

Test(io_mem, an_arrival_wakes_the_worker, .timeout = 20)
{
	struct world *w = world_open(&quiet);
	struct frame *frame[1];
	pthread_t thread;

	w->ops->arm(w->io);
	cr_assert_eq(pthread_create(&thread, NULL, inject_after_a_while, w), 0);
	w->ops->wait(w->io, 60ul * 1000 * 1000 * 1000);
	cr_assert_eq(w->ops->receive(w->io, frame, 1), 1);
	w->ops->release(w->io, frame, 1);
	pthread_join(thread, NULL);
	w->ops->arm(w->io);
	w->ops->wake(w->io);
	w->ops->wait(w->io, 60ul * 1000 * 1000 * 1000);
	world_close(w);
}
