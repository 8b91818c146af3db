// The back ends over sockets, one test code for all: what leaves arrives, in order, from one port;
// what fails does not stop the rest; sleeping and waking.

#include "tests/kit/io_peer.h"

#include <pthread.h>
#include <signal.h>

#include "base/clock.h"
#include "dataplane/io/io_wait.h"
#include "tests/kit/random.h"

enum { MS_NS = 1000 * 1000 };

static unsigned lend(const struct io_ops *ops, struct io *io, struct frame *frame[], unsigned n)
{
	unsigned lent = ops->lend(io, frame, n);

	cr_assert_eq(lent, n, "%u of %u frames", lent, n);
	return lent;
}

static void expect(const struct peer *peer, uint32_t number, ssize_t len, uint16_t from)
{
	uint8_t data[2048];
	uint16_t port = 0;
	ssize_t got = peer_receive(peer, data, sizeof(data), ARRIVAL_MS, &port);
	uint32_t is = UINT32_MAX;

	memcpy(&is, data, sizeof(is));
	cr_assert_eq(got, len, "datagram %u: %zd octets of %zd", number, got, len);
	cr_assert_eq(is, number, "datagram %u where %u was expected", is, number);
	cr_assert_eq(port, from);
	for (ssize_t i = sizeof(is); i < len; i++)
		cr_assert_eq(data[i], (uint8_t)number);
}

static void expect_nothing(const struct peer *peer)
{
	uint8_t data[2048];
	uint16_t port;

	cr_assert_eq(peer_receive(peer, data, sizeof(data), 20, &port), -1);
}

// ---- Transmit

IO_TEST(io, mixed_bursts_arrive_in_order)
{
	struct io *io = io_start(ops, NULL);
	struct peer peer[2] = {peer_open("127.0.0.1"), peer_open("::1")};
	struct random random = random_start();
	uint8_t to[BURST];
	struct frame *frame[BURST];
	unsigned n;

	for (uint32_t round = 0; round < 50; round++) {
		n = 1 + (unsigned)(random_next(&random) % BURST);
		lend(ops, io, frame, n);
		for (unsigned i = 0; i < n; i++) {
			to[i] = (uint8_t)(random_next(&random) % 3); // 2: not wanted
			frame_to(frame[i], &peer[to[i] & 1], round * BURST + i,
				 to[i] == 2 ? 0 : (uint16_t)(48 + random_next(&random) % 1185));
		}
		struct frame copy[BURST];

		for (unsigned i = 0; i < n; i++)
			copy[i] = *frame[i];
		cr_assert_eq(ops->transmit(io, frame, n), n, "seed %#" PRIx64, random.seed);
		for (unsigned i = 0; i < n; i++) {
			if (to[i] != 2)
				expect(&peer[to[i]], round * BURST + i, copy[i].len, ops->port(io));
		}
	}
	expect_nothing(&peer[0]);
	expect_nothing(&peer[1]);
	cr_assert_eq(io_failed(ops, io), 0);
	ops->close(io);
}

IO_TEST(io, frames_of_every_size)
{
	struct io *io = io_start(ops, NULL);
	struct peer peer = peer_open("127.0.0.1");
	struct frame *frame[1];

	for (uint16_t len = 4; len <= FRAME_MAX; len++) {
		lend(ops, io, frame, 1);
		frame_to(frame[0], &peer, len, len);
		cr_assert_eq(ops->transmit(io, frame, 1), 1);
		expect(&peer, len, len, ops->port(io));
	}
	ops->close(io);
}

IO_TEST(io, what_is_not_wanted_goes_back)
{
	struct io *io = io_start(ops, NULL);
	struct frame *frame[BURST + 1];

	for (int round = 0; round < 3; round++) {
		lend(ops, io, frame, BURST);
		cr_assert_eq(ops->lend(io, frame + BURST, 1), 0);
		for (unsigned i = 0; i < BURST; i++)
			frame[i]->len = 0;
		cr_assert_eq(ops->transmit(io, frame, BURST / 2), BURST / 2);
		cr_assert_eq(ops->transmit(io, frame + BURST / 2, BURST / 2), BURST / 2);
	}
	cr_assert_eq(ops->transmit(io, frame, 0), 0);
	cr_assert_eq(io_failed(ops, io), 0);
	ops->close(io);
}

IO_TEST(io, failures_do_not_stop_the_burst)
{
	static const struct {
		const char *ip;
		uint16_t port;
	} bad[] = {
		{"255.255.255.255", 48470}, // EACCES: broadcast
		{"127.0.0.1", 0},           // EINVAL
		{"::1", 0},                 // EINVAL
	};
	enum { KINDS = sizeof(bad) / sizeof(bad[0]) };
	struct io *io = io_start(ops, NULL);
	struct peer peer[2] = {peer_open("127.0.0.1"), peer_open("::1")};
	struct random random = random_start();
	struct frame *frame[BURST];
	unsigned kind[BURST];
	uint64_t failed = 0;

	for (unsigned round = 0; round < 20; round++) {
		lend(ops, io, frame, BURST);
		for (unsigned i = 0; i < BURST; i++) {
			kind[i] = (unsigned)(random_next(&random) % (2 * KINDS));
			frame_to(frame[i], &peer[kind[i] & 1], i, 100);
			if (kind[i] >= KINDS)
				continue;
			mapped_address(frame[i]->ip, bad[kind[i]].ip);
			frame[i]->port = bad[kind[i]].port;
			failed++;
		}
		cr_assert_eq(ops->transmit(io, frame, BURST), BURST, "seed %#" PRIx64, random.seed);
		cr_assert_eq(io_failed(ops, io), failed, "%lu of %lu, seed %#" PRIx64,
			     (unsigned long)io_failed(ops, io), (unsigned long)failed, random.seed);
		for (unsigned i = 0; i < BURST; i++) {
			cr_assert_eq(frame[i]->len, kind[i] < KINDS ? 0 : 100);
			if (kind[i] >= KINDS)
				expect(&peer[kind[i] & 1], i, 100, ops->port(io));
		}
	}
	ops->close(io);
}

// Nobody is there: an ICMP error comes back for every datagram.
IO_TEST(io, refusals_break_nothing)
{
	struct io *io = io_start(ops, NULL);
	struct peer gone[2] = {peer_open("127.0.0.1"), peer_open("::1")};
	struct peer peer[2] = {peer_open("127.0.0.1"), peer_open("::1")};
	struct frame *frame[BURST];

	close(gone[0].fd);
	close(gone[1].fd);
	for (uint32_t round = 0; round < 10; round++) {
		lend(ops, io, frame, BURST);
		for (unsigned i = 0; i < BURST; i++)
			frame_to(frame[i], i & 2 ? &gone[i & 1] : &peer[i & 1], i, 60);
		cr_assert_eq(ops->transmit(io, frame, BURST), BURST);
		peer_send(&peer[round & 1], ops->port(io), "here", 4);
		cr_assert_eq(io_await(ops, io, frame, 1), 1);
		ops->release(io, frame, 1);
		for (unsigned i = 0; i < BURST; i++) {
			if (!(i & 2))
				expect(&peer[i & 1], i, 60, ops->port(io));
		}
	}
	ops->close(io);
}

IO_TEST(io, what_left_before_close_arrives)
{
	struct peer peer = peer_open("127.0.0.1");
	struct io *io = io_start(ops, NULL);
	uint16_t port = ops->port(io);
	struct frame *frame[BURST], *kept[4];

	peer_send(&peer, port, "x", 1);
	cr_assert_eq(io_await(ops, io, kept, 1), 1); // never released
	lend(ops, io, frame, BURST);
	for (unsigned i = 0; i < BURST; i++)
		frame_to(frame[i], &peer, i, 1000);
	cr_assert_eq(ops->transmit(io, frame, BURST), BURST);
	lend(ops, io, kept, 4); // never given back
	ops->close(io);
	for (unsigned i = 0; i < BURST; i++)
		expect(&peer, i, 1000, port);
}

// ---- Receive

static void expect_arrival(const struct frame *frame, const struct peer *from, const uint8_t *data,
			   size_t len)
{
	size_t kept = len < FRAME_MAX ? len : FRAME_MAX;

	cr_assert_eq(frame->len, len <= FRAME_MAX ? len : FRAME_MAX + 1, "%u octets of %zu",
		     frame->len, len);
	cr_assert_eq(frame->port, from->port);
	cr_assert_arr_eq(frame->ip, from->ip, 16);
	cr_assert_arr_eq(frame->data, data, kept);
}

IO_TEST(io, receives_every_length_of_both_families)
{
	static const size_t lengths[] = {0, 1, 47, 48, 1000, 1231, 1232, 1233, 1234, 9000, 60000};
	struct io *io = io_start(ops, NULL);
	struct peer peer[2] = {peer_open("127.0.0.1"), peer_open("::1")};
	struct random random = random_start();
	struct frame *frame[BURST];
	static uint8_t data[60000];

	for (size_t i = 0; i < 2 * sizeof(lengths) / sizeof(lengths[0]); i++) {
		random_fill(&random, data, sizeof(data));
		peer_send(&peer[i & 1], ops->port(io), data, lengths[i / 2]);
		cr_assert_eq(io_await(ops, io, frame, 1), 1, "%zu octets", lengths[i / 2]);
		expect_arrival(frame[0], &peer[i & 1], data, lengths[i / 2]);
		ops->release(io, frame, 1);
	}
	cr_assert_eq(ops->receive(io, frame, BURST), 0);
	ops->close(io);
}

IO_TEST(io, receives_in_bursts_and_is_fair)
{
	struct io *io = io_start(ops, NULL);
	struct peer peer[2] = {peer_open("127.0.0.1"), peer_open("::1")};
	struct frame *frame[BURST];
	unsigned of[2] = {0};

	for (uint32_t i = 0; i < 1000; i++) {
		for (int family = 0; family < 2; family++)
			peer_send(&peer[family], ops->port(io), &i, sizeof(i));
	}
	for (unsigned got = 0; got < 2000;) {
		unsigned n = io_await(ops, io, frame, 7);

		cr_assert(n, "%u of 2000", got);
		for (unsigned i = 0; i < n; i++) {
			int family = frame[i]->port == peer[1].port;
			uint32_t number;

			memcpy(&number, frame[i]->data, sizeof(number));
			cr_assert_eq(number, of[family]++); // each family in order
		}
		cr_assert(of[0] + 14 >= of[1] && of[1] + 14 >= of[0], "one family is kept out");
		ops->release(io, frame, n);
		got += n;
	}
	ops->close(io);
}

IO_TEST(io, receives_no_more_than_there_are_buffers)
{
	struct io *io = io_start(ops, NULL);
	struct peer peer = peer_open("127.0.0.1");
	struct frame *frame[BURST], *more[BURST];

	for (uint32_t i = 0; i < BURST + 5; i++)
		peer_send(&peer, ops->port(io), &i, sizeof(i));
	cr_assert_eq(io_await(ops, io, frame, BURST), BURST);
	cr_assert_eq(ops->receive(io, more, BURST), 0);
	ops->release(io, frame, 3);
	cr_assert_eq(io_await(ops, io, more, 3), 3);
	cr_assert_eq(ops->receive(io, more + 3, 1), 0);
	ops->release(io, more, 3);
	ops->release(io, frame + 3, BURST - 3);
	cr_assert_eq(io_await(ops, io, frame, 2), 2);
	ops->release(io, frame, 2);
	cr_assert_eq(ops->receive(io, frame, BURST), 0);
	ops->close(io);
}

// ---- Open

IO_TEST(io, a_port_that_is_taken_is_refused)
{
	struct io *first = io_start(ops, NULL), *second;
	struct io_config config = {.burst_max = 1, .port = ops->port(first)};
	char error[IO_ERROR_MAX] = "";

	cr_assert_eq(ops->open(&second, &config, error), -EADDRINUSE);
	cr_assert(strstr(error, "port"), "%s", error);
	ops->close(first);
}

// Ports come and go while tests run side by side: some are tried.
IO_TEST(io, both_families_on_the_port_asked_for)
{
	struct io_config config = {.burst_max = 1};
	struct peer peer[2] = {peer_open("127.0.0.1"), peer_open("::1")};
	char error[IO_ERROR_MAX] = "";
	int status = -EADDRINUSE;
	struct frame *frame[1];
	struct io *io;

	for (uint16_t port = 20011; status == -EADDRINUSE && port < 20100; port++) {
		config.port = port;
		status = ops->open(&io, &config, error);
	}
	cr_assert_eq(status, 0, "%s", error);
	cr_assert_eq(ops->port(io), config.port);
	cr_assert(!strcmp(ops->chosen(io), ops->name) || !strcmp(ops->name, "kernel"));
	for (int family = 0; family < 2; family++) {
		peer_send(&peer[family], config.port, "hello", 5);
		cr_assert_eq(io_await(ops, io, frame, 1), 1);
		ops->release(io, frame, 1);
	}
	ops->close(io);
}

IO_TEST(io, binds_the_addresses_asked_for)
{
	struct io_config config = {.burst_max = 1, .source = {"127.0.0.2", "::1"}};
	struct peer peer = peer_open("127.0.0.2"), elsewhere = peer_open("127.0.0.3");
	char error[IO_ERROR_MAX] = "";
	struct frame *frame[1];
	struct io *io;

	cr_assert_eq(ops->open(&io, &config, error), 0, "%s", error);
	peer_send(&elsewhere, ops->port(io), "lost", 4);
	peer_send(&peer, ops->port(io), "hello", 5);
	cr_assert_eq(io_await(ops, io, frame, 1), 1);
	cr_assert_eq(frame[0]->len, 5);
	ops->release(io, frame, 1);
	ops->close(io);
}

IO_TEST(io, refuses_addresses_that_are_none)
{
	static const struct {
		const char *source[2];
		int status;
	} bad[] = {
		{{"127.0.0.256", NULL}, -EINVAL},        {{"::1", NULL}, -EINVAL},
		{{NULL, "127.0.0.1"}, -EINVAL},          {{NULL, "localhost"}, -EINVAL},
		{{"203.0.113.1", NULL}, -EADDRNOTAVAIL}, {{NULL, "2001:db8::1"}, -EADDRNOTAVAIL},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *asked = bad[i].source[0] ? bad[i].source[0] : bad[i].source[1];
		struct io_config config = {.burst_max = 1,
					   .source = {bad[i].source[0], bad[i].source[1]}};
		char error[IO_ERROR_MAX] = "";
		struct io *io;

		cr_assert_eq(ops->open(&io, &config, error), bad[i].status, "%s", asked);
		cr_assert(strstr(error, asked), "'%s' does not name %s", error, asked);
	}
}

// The control thread opens and closes, the worker sends.
struct other_thread {
	const struct io_ops *ops;
	struct io *io;
	struct peer peer;
};

static void *send_from_other_thread(void *arg)
{
	struct other_thread *other = arg;
	struct frame *frame[BURST];

	for (uint32_t round = 0; round < 10; round++) {
		lend(other->ops, other->io, frame, BURST);
		for (unsigned i = 0; i < BURST; i++)
			frame_to(frame[i], &other->peer, round * BURST + i, 200);
		cr_assert_eq(other->ops->transmit(other->io, frame, BURST), BURST);
	}
	return NULL;
}

IO_TEST(io, opened_here_used_there_closed_here)
{
	struct other_thread other = {ops, io_start(ops, NULL), peer_open("127.0.0.1")};
	pthread_t thread;

	cr_assert_eq(pthread_create(&thread, NULL, send_from_other_thread, &other), 0);
	pthread_join(thread, NULL);
	for (uint32_t i = 0; i < 10 * BURST; i++)
		expect(&other.peer, i, 200, ops->port(other.io));
	ops->close(other.io);
}

// ---- Sleep

static uint64_t sleep_ns(const struct io_ops *ops, struct io *io, uint64_t timeout_ns)
{
	uint64_t start = clock_mono_ns(&clock_system);

	ops->arm(io);
	ops->wait(io, timeout_ns);
	return clock_mono_ns(&clock_system) - start;
}

struct waker {
	const struct io_ops *ops;
	struct io *io;
	atomic_uint work;
	unsigned pause_us, n;
};

static void *wake_now_and_then(void *arg)
{
	struct waker *waker = arg;

	for (unsigned i = 0; i < waker->n; i++) {
		usleep(waker->pause_us);
		atomic_fetch_add(&waker->work, 1);
		waker->ops->wake(waker->io);
	}
	return NULL;
}

IO_TEST(io, sleeps_until_something_happens)
{
	struct io *io = io_start(ops, NULL);
	struct peer peer[2] = {peer_open("127.0.0.1"), peer_open("::1")};
	struct waker waker = {.ops = ops, .io = io, .pause_us = 20000, .n = 1};
	struct frame *frame[1];
	pthread_t thread;

	cr_assert_geq(sleep_ns(ops, io, 30 * MS_NS), 30 * MS_NS);
	cr_assert_lt(sleep_ns(ops, io, 0), 20 * MS_NS);
	for (int family = 0; family < 2; family++) {
		peer_send(&peer[family], ops->port(io), "wake up", 7);
		cr_assert_lt(sleep_ns(ops, io, 5000ul * MS_NS), 2000ul * MS_NS);
		cr_assert_eq(io_await(ops, io, frame, 1), 1);
		ops->release(io, frame, 1);
	}
	cr_assert_eq(pthread_create(&thread, NULL, wake_now_and_then, &waker), 0);
	cr_assert_lt(sleep_ns(ops, io, 5000ul * MS_NS), 2000ul * MS_NS);
	pthread_join(thread, NULL);
	cr_assert_geq(sleep_ns(ops, io, 30 * MS_NS), 30 * MS_NS); // the wake is used up
	ops->close(io);
}

IO_TEST(io, a_wake_between_arm_and_wait_counts)
{
	struct io *io = io_start(ops, NULL);
	uint64_t start;

	for (int i = 0; i < 3; i++) {
		ops->arm(io);
		ops->wake(io);
		start = clock_mono_ns(&clock_system);
		ops->wait(io, 5000ul * MS_NS);
		cr_assert_lt(clock_mono_ns(&clock_system) - start, 2000ul * MS_NS);
	}
	ops->wake(io); // nobody sleeps: not remembered
	cr_assert_geq(sleep_ns(ops, io, 30 * MS_NS), 30 * MS_NS);
	ops->close(io);
}

// Work made visible before a wake is never slept over: a lost one would cost five seconds.
IO_TEST(io, no_wake_is_lost)
{
	enum { WAKES = 20000 };
	struct waker waker = {.ops = ops, .io = io_start(ops, NULL), .pause_us = 0, .n = WAKES};
	unsigned seen = 0;
	pthread_t thread;

	cr_assert_eq(pthread_create(&thread, NULL, wake_now_and_then, &waker), 0);
	while (seen < WAKES) {
		ops->arm(waker.io);
		if (atomic_load(&waker.work) != seen) {
			seen = atomic_load(&waker.work);
			ops->wait(waker.io, 0);
			continue;
		}
		uint64_t start = clock_mono_ns(&clock_system);

		ops->wait(waker.io, 5000ul * MS_NS);
		cr_assert_lt(clock_mono_ns(&clock_system) - start, 4000ul * MS_NS);
	}
	pthread_join(thread, NULL);
	ops->close(waker.io);
}

static void ignore(int signal)
{
	(void)signal;
}

// A signal that interrupts costs an empty round, nothing else.
IO_TEST(io, interruptions_are_harmless)
{
	const struct sigaction action = {.sa_handler = ignore};
	struct io *io = io_start(ops, NULL);
	struct frame *frame[BURST];

	sigaction(SIGALRM, &action, NULL);
	ualarm(10000, 0);
	cr_assert_lt(sleep_ns(ops, io, 5000ul * MS_NS), 2000ul * MS_NS);
	cr_assert_eq(ops->receive(io, frame, BURST), 0);
	ops->close(io);
}

// A late signal, written when its sleeper was up already, ends one sleep and not all that follow.
Test(io_wait, a_late_signal_ends_one_sleep)
{
	const uint64_t one = 1;
	struct wake wake;
	uint64_t start;

	cr_assert_eq(wake_open(&wake), 0);
	cr_assert_eq(write(wake.fd, &one, sizeof(one)), sizeof(one));
	wake_arm(&wake);
	io_wait(&wake, NULL, 0, 5000ul * MS_NS);
	start = clock_mono_ns(&clock_system);
	wake_arm(&wake);
	io_wait(&wake, NULL, 0, 30 * MS_NS);
	cr_assert_geq(clock_mono_ns(&clock_system) - start, 30 * MS_NS);
	wake_close(&wake);
}

Test(io_list, finds_by_name)
{
	for (unsigned i = 0; io_back_ends[i]; i++)
		cr_assert_eq(io_find(io_back_ends[i]->name), io_back_ends[i]);
	cr_assert_null(io_find(""));
	cr_assert_null(io_find("carrier pigeon"));
	cr_assert_not_null(io_find("kernel"));
	cr_assert_not_null(io_find("sendmmsg"));
	cr_assert_not_null(io_find("mem"));
}
