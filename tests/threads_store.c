// The store under ThreadSanitizer: the control thread commits and reads, the writer writes, two
// threads scan beside them. Scans see whole batches in growing numbers.

#include <pthread.h>
#include <stdatomic.h>

#include "base/bytes.h"
#include "tests/kit/store_kit.h"

enum { BATCHES = 5000, OUTSTANDING = 500, SCANNERS = 2, MARKS = 4 };

// librocksdb is not instrumented: ThreadSanitizer does not see how its memtable hands a record from
// the writer to a reader, who reads it there or in the callback of a scan or get.
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "race:librocksdb\nrace:^walk$\nrace:^store_engine_get$\n";
}

static struct store_place place;
static struct store *store;
static atomic_bool is_over;
static unsigned n_done;

static void check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "FAILED: %s (%s)\n", what, place.error);
	_exit(1);
}

static void note_done(void *ctx, int status)
{
	check(!status && (uintptr_t)ctx == n_done, "outcomes in order");
	n_done++;
}

static void commit(uint32_t number)
{
	struct store_batch *const batch = store_begin(store);
	uint8_t key[4], value[100];

	check(batch, "a batch");
	store32_be(key, number);
	memset(value, (int)number, sizeof(value));
	store_put(batch, STORE_CONTEXT, key, 4, value, sizeof(value));
	for (uint8_t i = 0; i < MARKS; i++) // all of one batch are equal
		store_put(batch, STORE_PROGRESS, &i, 1, key, 4);
	store_commit(batch, note_done, (void *)(uintptr_t)number);
}

static int check_context(void *ctx, const uint8_t *key, size_t key_len, const uint8_t *value,
			 size_t len)
{
	check(key_len == 4 && len == 100 && value[99] == key[3], "a sealed value");
	++*(unsigned *)ctx;
	return 0;
}

struct marks {
	uint32_t first;
	unsigned n;
};

static int check_mark(void *ctx, const uint8_t *key, size_t key_len, const uint8_t *value,
		      size_t len)
{
	struct marks *const marks = ctx;

	(void)key, (void)key_len, (void)len;
	if (!marks->n++)
		marks->first = load32_be(value);
	check(load32_be(value) == marks->first, "a batch is whole");
	return 0;
}

static void *scan(void *arg)
{
	unsigned last = 0;

	(void)arg;
	while (!atomic_load(&is_over)) {
		struct marks marks = {0};
		unsigned n = 0;

		check(!store_scan(store, STORE_CONTEXT, NULL, 0, NULL, 0, check_context, &n),
		      "a scan");
		check(n >= last, "what was there stays");
		last = n;
		check(!store_scan(store, STORE_PROGRESS, NULL, 0, NULL, 0, check_mark, &marks),
		      "a scan");
		check(!marks.n || marks.n == MARKS, "a batch is whole");
	}
	return NULL;
}

static void commit_all(void)
{
	struct pollfd fd = {.fd = store_fd(store), .events = POLLIN};
	unsigned n = 0;

	while (n_done < BATCHES) {
		uint8_t key[4], value[100];

		while (n < BATCHES && n - n_done < OUTSTANDING)
			commit(n++);
		poll(&fd, 1, 1000);
		store_poll(store);
		if (!n_done)
			continue;
		store32_be(key, n_done - 1);
		check(store_get(store, STORE_CONTEXT, key, 4, value, 100) == 100,
		      "what was told is there");
	}
}

int main(void)
{
	pthread_t scanner[SCANNERS];

	place = store_place_new();
	check(!store_start(&place, &store), "a start");
	for (int i = 0; i < SCANNERS; i++)
		pthread_create(&scanner[i], NULL, scan, NULL);
	commit_all();
	atomic_store(&is_over, true);
	for (int i = 0; i < SCANNERS; i++)
		pthread_join(scanner[i], NULL);
	store_close(store);
	store_place_remove(&place);
	return 0;
}
