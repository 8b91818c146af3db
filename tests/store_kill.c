// Kill -9 at random moments: a child commits batches with growing numbers and reports over a pipe
// which were acknowledged; after each kill all of these are there, and every batch is whole.
//   store_kill [cycles]

#include <signal.h>
#include <sys/wait.h>

#include "base/bytes.h"
#include "tests/kit/random.h"
#include "tests/kit/store_kit.h"

enum { CYCLES = 30, PARTS = 3, OUTSTANDING = 200, LIFE_MAX_US = 60000, NUMBERS_MAX = 1 << 20 };

static const enum store_table tables[PARTS] = {STORE_CONTEXT, STORE_ADDRESS, STORE_PUSH};
static struct store_place place;
static uint8_t found[NUMBERS_MAX]; // parts of each batch that are there
static bool acknowledged[NUMBERS_MAX];

static void check(bool ok, const char *what, uint64_t seed)
{
	if (ok)
		return;
	fprintf(stderr, "FAILED: %s (%s), seed %#" PRIx64 "\n", what, place.error, seed);
	exit(1);
}

// ---- The child

static int report_fd;

static void report(void *ctx, int status)
{
	const uint32_t number = (uint32_t)(uintptr_t)ctx;

	if (status || write(report_fd, &number, sizeof(number)) != sizeof(number))
		_exit(1);
}

static void commit(struct store *store, uint32_t number)
{
	struct store_batch *const batch = store_begin(store);
	uint8_t key[4], value[200];

	store32_be(key, number);
	memset(value, (int)number, sizeof(value));
	for (int i = 0; i < PARTS; i++)
		store_put(batch, tables[i], key, 4, value, sizeof(value));
	store_commit(batch, report, (void *)(uintptr_t)number);
}

static void write_until_killed(uint32_t number)
{
	struct store *store;
	struct store_stats stats;

	if (store_start(&place, &store))
		_exit(2);
	for (;;) {
		struct pollfd fd = {.fd = store_fd(store), .events = POLLIN};

		store_stats(store, &stats);
		if (stats.queued < OUTSTANDING)
			commit(store, number++);
		else
			poll(&fd, 1, 1000);
		store_poll(store);
	}
}

// ---- The parent

// One life of the child; returns one more than the largest number it said was acknowledged.
static uint32_t live_and_die(uint32_t first, struct random *random)
{
	uint32_t number, end = first;
	int pipes[2];
	pid_t pid;

	check(!pipe(pipes), "a pipe", random->seed);
	pid = fork();
	if (!pid) {
		close(pipes[0]);
		report_fd = pipes[1];
		write_until_killed(first);
	}
	close(pipes[1]);
	// The pipe would stop the child when full: 64 KiB are 16,000 numbers, more than it gets to.
	if (random_next(random) % 2) // half of the lives are long enough for an outcome
		poll(&(struct pollfd){.fd = pipes[0], .events = POLLIN}, 1, 10000);
	usleep((useconds_t)(random_next(random) % LIFE_MAX_US));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	while (read(pipes[0], &number, sizeof(number)) == sizeof(number)) {
		check(number == end, "outcomes in order", random->seed);
		end = number + 1;
	}
	close(pipes[0]);
	return end;
}

static int note(void *ctx, const uint8_t *key, size_t key_len, const uint8_t *value, size_t len)
{
	const uint32_t number = load32_be(key);

	(void)ctx;
	if (key_len != 4 || len != 200 || number >= NUMBERS_MAX)
		return 1;
	for (size_t i = 0; i < len; i++) {
		if (value[i] != (uint8_t)number)
			return 1;
	}
	found[number]++;
	return 0;
}

// Returns one more than the largest number there.
static uint32_t look(uint32_t end, uint64_t seed)
{
	struct store *store;
	uint32_t next = end;

	check(!store_start(&place, &store), "a start after a kill", seed);
	memset(found, 0, sizeof(found));
	for (int i = 0; i < PARTS; i++)
		check(!store_scan(store, tables[i], NULL, 0, NULL, 0, note, NULL), "values", seed);
	store_close(store);
	for (uint32_t i = 0; i < NUMBERS_MAX; i++) {
		check(found[i] == 0 || found[i] == PARTS, "a batch is whole", seed);
		check(found[i] || !acknowledged[i], "what was acknowledged is there", seed);
		if (found[i] && i >= next)
			next = i + 1;
	}
	return next;
}

// The same in a process of its own: the database's threads would not survive the next fork.
static uint32_t look_apart(uint32_t end, uint64_t seed)
{
	uint32_t next = 0;
	int pipes[2], status;
	pid_t pid;

	check(!pipe(pipes), "a pipe", seed);
	pid = fork();
	if (!pid) {
		next = look(end, seed);
		_exit(write(pipes[1], &next, sizeof(next)) != sizeof(next));
	}
	waitpid(pid, &status, 0);
	check(status == 0 && read(pipes[0], &next, sizeof(next)) == sizeof(next), "the look", seed);
	close(pipes[0]);
	close(pipes[1]);
	return next;
}

int main(int argc, char **argv)
{
	struct random random = random_start();
	const int cycles = argc > 1 ? atoi(argv[1]) : CYCLES;
	uint32_t next = 0, end, n = 0;

	place = store_place_new();
	for (int i = 0; i < cycles; i++) {
		end = live_and_die(next, &random);
		memset(acknowledged + next, true, end - next);
		n += end - next;
		next = look_apart(end, random.seed);
	}
	check(n > 0, "lives were long enough to commit something", random.seed);
	printf("store_kill: %d kills, %u batches acknowledged, %u there\n", cycles, n, next);
	store_place_remove(&place);
	return 0;
}
