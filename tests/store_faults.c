// The store on a disk that fails: writes that find no room (whole or half done), syncs that fail,
// in every kind of file, once or for a while. This program stands between the database and the
// kernel: its write, fdatasync and fsync fail when told. After each fault: what was acknowledged is
// there, what was refused is not, reads went on, and writes work again when the disk does.
//   store_faults [seed]

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "base/bytes.h"
#include "tests/kit/random.h"
#include "tests/kit/store_book.h"

enum {
	FAULT_LOG_ROOM = 1 << 0,   // no room in *.log: half of it is written
	FAULT_TABLE_ROOM = 1 << 1, // in *.sst
	FAULT_LIST_ROOM = 1 << 2,  // in MANIFEST-* and all others of the store
	FAULT_LOG_SYNC = 1 << 3,
	FAULT_TABLE_SYNC = 1 << 4,
	FAULT_LIST_SYNC = 1 << 5,
	FAULT_ONCE = 1 << 6, // the first that happens is the last
	FAULT_ROOM = FAULT_LOG_ROOM | FAULT_TABLE_ROOM | FAULT_LIST_ROOM,
	FAULT_SYNC = FAULT_LOG_SYNC | FAULT_TABLE_SYNC | FAULT_LIST_SYNC,
};

static atomic_int faults;

static bool is_hit(int fd, int log, int table, int others)
{
	char link[40], path[300];
	const int set = atomic_load(&faults);
	ssize_t n;
	int kind;

	if (!set)
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return false;
	path[n] = '\0';
	if (!strstr(path, "/akmapush-store-"))
		return false;
	kind = strstr(path, ".log") ? log : strstr(path, ".sst") ? table : others;
	if (!(set & kind))
		return false;
	if (set & FAULT_ONCE)
		atomic_store(&faults, 0);
	return true;
}

ssize_t write(int fd, const void *octets, size_t n)
{
	if (!is_hit(fd, FAULT_LOG_ROOM, FAULT_TABLE_ROOM, FAULT_LIST_ROOM))
		return syscall(SYS_write, fd, octets, n);
	if (n > 1 && syscall(SYS_write, fd, octets, n / 2) < 0)
		return -1;
	errno = ENOSPC;
	return -1;
}

int fdatasync(int fd)
{
	if (!is_hit(fd, FAULT_LOG_SYNC, FAULT_TABLE_SYNC, FAULT_LIST_SYNC))
		return (int)syscall(SYS_fdatasync, fd);
	errno = EIO;
	return -1;
}

int fsync(int fd)
{
	if (!is_hit(fd, FAULT_LOG_SYNC, FAULT_TABLE_SYNC, FAULT_LIST_SYNC))
		return (int)syscall(SYS_fsync, fd);
	errno = EIO;
	return -1;
}

// ---- Around each case

static void finish(void)
{
	store_close(store);
	start();
	check_book();
	store_close(store);
	store_place_remove(&place);
}

static void begin(const char *name)
{
	printf("store_faults: %s\n", name);
	fflush(stdout);
	memset(&book, 0, sizeof(book));
	place = store_place_new();
	start();
	for (int i = 0; i < 5; i++)
		check(!put_one(200), "a healthy disk");
}

// ---- Cases

static void fails_for_a_while(const char *name, int set, int status)
{
	begin(name);
	atomic_store(&faults, set);
	for (int i = 0; i < 3; i++) {
		check(put_one(200) == status, "the outcome of a fault");
		check_book();
	}
	atomic_store(&faults, 0);
	wait_until_writable();
	check_book();
	finish();
}

static void fails_once(const char *name, int set, int status)
{
	begin(name);
	atomic_store(&faults, set | FAULT_ONCE);
	check(put_one(200) == status, "the outcome of a fault");
	check_book();
	wait_until_writable();
	finish();
}

// Batches queued behind a failed one fail with it; what is committed after that goes well.
static void count_status(void *ctx, int status)
{
	unsigned *const counts = ctx;

	counts[status == 0]++;
}

static void queue_behind(void)
{
	unsigned counts[2] = {0};
	struct pollfd fd;

	begin("a queue behind a failed group");
	atomic_store(&faults, FAULT_LOG_SYNC | FAULT_ONCE);
	for (int i = 0; i < 200; i++) {
		struct store_batch *const batch = store_begin(store);
		uint8_t key[4];

		store32_be(key, 1000 + (uint32_t)i);
		store_put(batch, STORE_AF, key, 4, value, 10);
		store_commit(batch, count_status, counts);
	}
	fd = (struct pollfd){.fd = store_fd(store), .events = POLLIN};
	while (counts[0] + counts[1] < 200) {
		poll(&fd, 1, 10000);
		store_poll(store);
	}
	check(counts[0] == 200, "none of those committed before the failure was told passes");
	wait_until_writable();
	finish();
}

// A table file can't be written in the background; the log takes the group that finds out.
static void flush_fails(void)
{
	unsigned failed = 0;

	begin("no room for table files");
	atomic_store(&faults, FAULT_TABLE_ROOM);
	for (int i = 0; i < 3000 && failed < 3; i++)
		failed += put_one(VALUE_MAX) != 0;
	check(failed == 3, "the full disk is noticed");
	check_book();
	atomic_store(&faults, 0);
	wait_until_writable();
	check_book();
	finish();
}

// The process ends while the disk fails, without another word.
static void die_and_look(const char *name, int set)
{
	int pipes[2], status;
	pid_t pid;

	check(!pipe(pipes), "a pipe");
	fflush(stdout);
	pid = fork();
	if (!pid) {
		begin(name);
		atomic_store(&faults, set);
		for (int i = 0; i < 3; i++)
			check(put_one(200) != 0, "the outcome of a fault");
		if (syscall(SYS_write, pipes[1], &place, sizeof(place)) < 0 ||
		    syscall(SYS_write, pipes[1], &book, sizeof(book)) < 0)
			_exit(1);
		_exit(0);
	}
	check(read(pipes[0], &place, sizeof(place)) == sizeof(place) &&
		      read(pipes[0], &book, sizeof(book)) == sizeof(book),
	      "the child's book");
	waitpid(pid, &status, 0);
	check(status == 0, "the child");
	close(pipes[0]);
	close(pipes[1]);
	start();
	check_book();
	finish();
}

// The database's threads do not survive a fork, so this process must not have opened one before.
static void dies_while_failing(const char *name, int set)
{
	const pid_t pid = fork();
	int status;

	if (!pid) {
		die_and_look(name, set);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	check(status == 0, name);
}

static void random_faults(struct random *random, int steps)
{
	begin("faults at random");
	for (int i = 0; i < steps; i++) {
		const uint64_t r = random_next(random);

		if (r % 4 == 0)
			atomic_store(&faults, (int)(r >> 8) % (FAULT_ONCE * 2));
		put_one(200);
		if (r % 4 == 1)
			atomic_store(&faults, 0);
	}
	atomic_store(&faults, 0);
	wait_until_writable();
	check_book();
	finish();
}

int main(int argc, char **argv)
{
	struct random random;

	if (argc > 1)
		setenv("AKMAPUSH_SEED", argv[1], 1);
	random = random_start();
	fprintf(stderr, "seed %#" PRIx64 "\n", random.seed);
	random_fill(&random, value, sizeof(value));
	dies_while_failing("dies without room", FAULT_ROOM);
	dies_while_failing("dies without sync", FAULT_SYNC);
	dies_while_failing("dies without sync of the log", FAULT_LOG_SYNC);
	fails_once("one failed write of the log", FAULT_LOG_ROOM, -ENOSPC);
	fails_once("one failed sync of the log", FAULT_LOG_SYNC, -EIO);
	fails_for_a_while("no room", FAULT_ROOM, -ENOSPC);
	fails_for_a_while("no room in the log", FAULT_LOG_ROOM, -ENOSPC);
	fails_for_a_while("no sync", FAULT_SYNC, -EIO);
	fails_for_a_while("no sync of the log", FAULT_LOG_SYNC, -EIO);
	queue_behind();
	flush_fails();
	for (int i = 0; i < 3; i++)
		random_faults(&random, 60);
	printf("store_faults: all well\n");
	return 0;
}
