#include <criterion/criterion.h>

#include <errno.h>
#include <pthread.h>
#include <sys/wait.h>

#include "base/bytes.h"
#include "control/store/store.h"
#include "control/store/store_batch.h"
#include "control/store/store_engine.h"
#include "control/store/store_seal.h"
#include "tests/kit/random.h"
#include "tests/kit/store_kit.h"

static struct store_place place;
static struct store *store;

static void start(void)
{
	const int status = store_start(&place, &store);

	cr_assert_eq(status, 0, "%d: %s", status, place.error);
}

static void set_up(void)
{
	place = store_place_new();
	start();
}

static void tear_down(void)
{
	store_close(store);
	store_place_remove(&place);
}

static void restart(void)
{
	store_close(store);
	start();
}

TestSuite(store, .init = set_up, .fini = tear_down, .timeout = 60);

static int count_one(void *ctx, const uint8_t *key, size_t key_len, const uint8_t *value,
		     size_t value_len)
{
	(void)key, (void)key_len, (void)value, (void)value_len;
	++*(unsigned *)ctx;
	return 0;
}

static unsigned count(enum store_table table)
{
	unsigned n = 0;

	cr_assert_eq(store_scan(store, table, NULL, 0, NULL, 0, count_one, &n), 0);
	return n;
}

Test(store, batch_over_many_tables_survives_a_restart)
{
	struct store_batch *const batch = store_begin(store);

	for (unsigned table = 1; table < STORE_TABLE_COUNT; table++)
		store_put(batch, table, "key", 3, store_table_name(table),
			  strlen(store_table_name(table)));
	cr_assert_eq(store_commit_wait(store, batch), 0);
	for (int round = 0; round < 2; round++) {
		for (unsigned table = 1; table < STORE_TABLE_COUNT; table++)
			cr_assert(store_has(store, table, "key", store_table_name(table)));
		restart();
	}
}

Test(store, operations_of_a_batch_apply_in_order)
{
	struct store_batch *batch = store_begin(store);

	store_put(batch, STORE_TARGET, "a1", 2, "x", 1);
	store_put(batch, STORE_TARGET, "a\xff\xff", 3, "x", 1);
	store_put(batch, STORE_TARGET, "b", 1, "x", 1);
	store_del_prefix(batch, STORE_TARGET, "a", 1);
	store_put(batch, STORE_TARGET, "a2", 2, "y", 1);
	store_put(batch, STORE_TARGET, "c", 1, "z", 1);
	store_del(batch, STORE_TARGET, "c", 1);
	cr_assert_eq(store_commit_wait(store, batch), 0);
	cr_assert_eq(count(STORE_TARGET), 2);
	cr_assert(store_has(store, STORE_TARGET, "a2", "y"));
	cr_assert(store_has(store, STORE_TARGET, "b", "x"));
}

Test(store, prefixes_of_0xff_and_of_nothing)
{
	struct store_batch *batch = store_begin(store);
	uint8_t longest[STORE_KEY_MAX];

	memset(longest, 0xff, sizeof(longest));
	store_put(batch, STORE_TARGET, longest, sizeof(longest), "x", 1);
	store_put(batch, STORE_TARGET, "\xff\xfe", 2, "x", 1);
	store_put(batch, STORE_MEMBER, "\x01", 1, NULL, 0);
	store_put(batch, STORE_MEMBER, longest, sizeof(longest), NULL, 0);
	cr_assert_eq(store_commit_wait(store, batch), 0);
	batch = store_begin(store);
	store_del_prefix(batch, STORE_TARGET, "\xff\xff", 2);
	store_del_prefix(batch, STORE_MEMBER, NULL, 0);
	cr_assert_eq(store_commit_wait(store, batch), 0);
	cr_assert_eq(count(STORE_TARGET), 1);
	cr_assert_eq(count(STORE_MEMBER), 0);
}

Test(store, aborted_batches_leave_nothing)
{
	struct store_batch *const batch = store_begin(store);

	store_put(batch, STORE_AF, "k", 1, "v", 1);
	store_abort(batch);
	cr_assert_eq(store_get(store, STORE_AF, "k", 1, NULL, 0), -ENOENT);
}

Test(store, get_into_short_buffers)
{
	char value[8];

	for (unsigned i = 0; i < 2; i++) {
		const enum store_table table = i ? STORE_CONTEXT : STORE_AF; // sealed, plain

		cr_assert_eq(store_put_wait(store, table, "key", "0123456789"), 0);
		memset(value, '.', sizeof(value));
		cr_assert_eq(store_get(store, table, "key", 3, value, 4), 10);
		cr_assert_eq(memcmp(value, "0123....", 8), 0);
		cr_assert_eq(store_get(store, table, "key", 3, NULL, 0), 10);
		cr_assert_eq(store_get(store, table, "ke", 2, value, 4), -ENOENT);
	}
}

Test(store, values_of_every_size)
{
	static const size_t sizes[] = {0, 1, 15, 16, 17, 4096, STORE_VALUE_MAX};
	uint8_t *const value = malloc(STORE_VALUE_MAX), *const found = malloc(STORE_VALUE_MAX);
	struct random random = random_start();

	random_fill(&random, value, STORE_VALUE_MAX);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct store_batch *const batch = store_begin(store);

		store_put(batch, STORE_PUSH, "sealed", 6, value, sizes[i]);
		store_put(batch, STORE_TARGET, "plain", 5, value, sizes[i]);
		cr_assert_eq(store_commit_wait(store, batch), 0);
		cr_assert_eq(store_get(store, STORE_PUSH, "sealed", 6, found, STORE_VALUE_MAX),
			     sizes[i]);
		cr_assert_eq(memcmp(value, found, sizes[i]), 0);
		cr_assert_eq(store_get(store, STORE_TARGET, "plain", 5, found, STORE_VALUE_MAX),
			     sizes[i]);
		cr_assert_eq(memcmp(value, found, sizes[i]), 0);
	}
	free(value);
	free(found);
}

// ---- Queue

struct order {
	unsigned next;
	unsigned numbers[300];
};

static struct order order;

static void note_order(void *ctx, int status)
{
	cr_assert_eq(status, 0);
	cr_assert_eq(*(unsigned *)ctx, order.next);
	order.next++;
}

static void wait_for(unsigned n)
{
	struct pollfd fd = {.fd = store_fd(store), .events = POLLIN};

	while (order.next < n) {
		cr_assert_eq(poll(&fd, 1, 10000), 1, "store_fd never said there was something");
		store_poll(store);
	}
}

static void commit_numbered(unsigned i)
{
	struct store_batch *const batch = store_begin(store);
	uint8_t key[4];

	cr_assert_not_null(batch);
	order.numbers[i] = i;
	store32_be(key, i);
	store_put(batch, STORE_ADDRESS, key, sizeof(key), "v", 1);
	store_commit(batch, note_order, &order.numbers[i]);
}

Test(store, outcomes_come_in_the_order_of_the_commits)
{
	for (unsigned i = 0; i < 300; i++)
		commit_numbered(i);
	wait_for(300);
	cr_assert_eq(count(STORE_ADDRESS), 300);
	struct store_stats stats;

	store_stats(store, &stats);
	cr_assert_eq(stats.batches, 300);
	cr_assert_eq(stats.queued, 0);
	cr_assert(stats.groups >= 1 && stats.groups <= 300);
	cr_assert(stats.bytes > 300 * 5);
}

Test(store, close_delivers_what_was_not_polled)
{
	for (unsigned i = 0; i < 300; i++)
		commit_numbered(i);
	store_close(store);
	cr_assert_eq(order.next, 300);
	start();
	cr_assert_eq(count(STORE_ADDRESS), 300);
}

static void commit_next(void *ctx, int status)
{
	note_order(ctx, status);
	if (order.next < 50) {
		struct store_batch *const batch = store_begin(store);

		cr_assert_not_null(batch);
		order.numbers[order.next] = order.next;
		store_commit(batch, commit_next, &order.numbers[order.next]);
	}
}

Test(store, an_outcome_may_commit_the_next)
{
	struct store_batch *const batch = store_begin(store);

	order.numbers[0] = 0;
	store_commit(batch, commit_next, &order.numbers[0]);
	wait_for(50);
}

Test(store, full_queue_refuses_and_recovers)
{
	const struct store_config config = {
		.path = place.path, .kek_path = place.kek, .room_min = 1, .queue_max = 5};
	struct store_batch *open[5];

	store_close(store);
	cr_assert_eq(store_open(&config, &store, place.error), 0);
	for (int i = 0; i < 5; i++)
		cr_assert_not_null(open[i] = store_begin(store));
	cr_assert_null(store_begin(store));
	store_abort(open[0]);
	cr_assert_not_null(open[0] = store_begin(store));
	for (unsigned i = 0; i < 5; i++) {
		order.numbers[i] = i;
		store_commit(open[i], note_order, &order.numbers[i]);
	}
	cr_assert_null(store_begin(store), "an outcome that was not polled has its place");
	wait_for(5);
	cr_assert_not_null(open[0] = store_begin(store));
	store_abort(open[0]);
}

Test(store, no_room_refuses_everything_reads_go_on)
{
	const struct store_config config = {
		.path = place.path, .kek_path = place.kek, .room_min = UINT64_MAX / 2};

	cr_assert_eq(store_put_wait(store, STORE_CONTEXT, "k", "before"), 0);
	store_close(store);
	cr_assert_eq(store_open(&config, &store, place.error), 0);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(store_put_wait(store, STORE_CONTEXT, "k", "after"), -ENOSPC);
	cr_assert(store_has(store, STORE_CONTEXT, "k", "before"));
	struct store_stats stats;

	store_stats(store, &stats);
	cr_assert_eq(stats.failed, 3);
	cr_assert_eq(stats.groups, 0);
	restart();
	cr_assert(store_has(store, STORE_CONTEXT, "k", "before"));
}

// ---- Scans

struct seen {
	char keys[20][4];
	unsigned n;
	unsigned stop_at;
};

static int note_key(void *ctx, const uint8_t *key, size_t key_len, const uint8_t *value,
		    size_t value_len)
{
	struct seen *const seen = ctx;

	cr_assert_eq(key_len, value_len);
	cr_assert_eq(memcmp(key, value, key_len), 0);
	memcpy(seen->keys[seen->n], key, key_len);
	seen->keys[seen->n++][key_len] = '\0';
	return seen->n == seen->stop_at ? 77 : 0;
}

static void expect_scan(enum store_table table, const char *from, const char *to, const char *keys)
{
	struct seen seen = {.n = 0};
	char text[100] = "";
	const int status = store_scan(store, table, from, from ? strlen(from) : 0, to,
				      to ? strlen(to) : 0, note_key, &seen);

	cr_assert_eq(status, 0);
	for (unsigned i = 0; i < seen.n; i++)
		strcat(strcat(text, seen.keys[i]), " ");
	cr_assert_str_eq(text, keys);
}

Test(store, scans_by_range)
{
	static const char *const keys[] = {"b", "a", "ab", "c", "aa"};

	for (unsigned i = 0; i < 2; i++) {
		const enum store_table table = i ? STORE_REPLY : STORE_PROGRESS;

		for (unsigned k = 0; k < 5; k++)
			cr_assert_eq(store_put_wait(store, table, keys[k], keys[k]), 0);
		expect_scan(table, NULL, NULL, "a aa ab b c ");
		expect_scan(table, "aa", NULL, "aa ab b c ");
		expect_scan(table, "aa", "b", "aa ab ");
		expect_scan(table, NULL, "aa", "a ");
		expect_scan(table, "d", NULL, "");
		expect_scan(table, "b", "b", "");
		expect_scan(table, "c", "a", "");

		struct seen seen = {.stop_at = 2};

		cr_assert_eq(store_scan(store, table, NULL, 0, NULL, 0, note_key, &seen), 77);
		cr_assert_eq(seen.n, 2);
	}
}

static void *scan_part(void *arg)
{
	const uint8_t *const part = arg;
	uint8_t to[4];
	unsigned n = 0;

	store32_be(to, load32_be(part) + 100);
	if (store_scan(store, STORE_CONTEXT, part, 4, to, 4, count_one, &n))
		n = 0;
	return (void *)(uintptr_t)n;
}

Test(store, several_threads_scan_sealed_values)
{
	uint8_t from[4][4];
	pthread_t thread[4];
	void *n;

	for (unsigned i = 0; i < 400; i++) {
		struct store_batch *const batch = store_begin(store);
		uint8_t key[4];

		store32_be(key, i);
		store_put(batch, STORE_CONTEXT, key, 4, "secret", 6);
		store_commit(batch, NULL, NULL);
		if (i % 100 == 50)
			restart(); // so that every part has two epochs
	}
	restart();
	for (unsigned i = 0; i < 4; i++) {
		store32_be(from[i], i * 100);
		pthread_create(&thread[i], NULL, scan_part, from[i]);
	}
	for (unsigned i = 0; i < 4; i++) {
		pthread_join(thread[i], &n);
		cr_assert_eq((uintptr_t)n, 100);
	}
}

// ---- Against a naive twin: a table of 256 keys of one octet

struct twin {
	bool is_there;
	uint32_t value;
};

static void random_operation(struct store_batch *batch, struct twin *twin, struct random *random)
{
	const uint64_t r = random_next(random);
	uint8_t key[2] = {(uint8_t)(r >> 8) % 16, (uint8_t)(r >> 16) % 16};
	struct twin *const one = &twin[key[0] * 16 + key[1]];
	const uint32_t value = (uint32_t)(r >> 32);

	switch (r % 8) {
	case 0:
		store_del_prefix(batch, STORE_CONTEXT, key, 1);
		memset(&twin[key[0] * 16], 0, 16 * sizeof(*twin));
		break;
	case 1:
	case 2:
		store_del(batch, STORE_CONTEXT, key, 2);
		one->is_there = false;
		break;
	default:
		store_put(batch, STORE_CONTEXT, key, 2, &value, sizeof(value));
		*one = (struct twin){true, value};
	}
}

static int compare_twin(void *ctx, const uint8_t *key, size_t key_len, const uint8_t *value,
			size_t value_len)
{
	struct twin *const one = (struct twin *)ctx + key[0] * 16 + key[1];
	const bool same =
		one->is_there && key_len == 2 && value_len == 4 && !memcmp(value, &one->value, 4);

	one->is_there = false;
	return !same;
}

Test(store, agrees_with_a_table_in_memory)
{
	struct random random = random_start();
	struct twin twin[256] = {0}, copy[256];

	for (int round = 0; round < 30; round++) {
		for (int i = 0; i < 10; i++) {
			struct store_batch *const batch = store_begin(store);

			for (uint64_t n = random_next(&random) % 20; n; n--)
				random_operation(batch, twin, &random);
			store_commit(batch, NULL, NULL);
		}
		cr_assert_eq(store_commit_wait(store, store_begin(store)), 0);
		if (round % 10 == 9)
			restart();
		memcpy(copy, twin, sizeof(twin));
		cr_assert_eq(store_scan(store, STORE_CONTEXT, NULL, 0, NULL, 0, compare_twin, copy),
			     0, "seed %#" PRIx64, random.seed);
		for (int i = 0; i < 256; i++)
			cr_assert(!copy[i].is_there, "lost: seed %#" PRIx64, random.seed);
	}
}

// ---- Seals

static bool folder_has(const char *marker)
{
	char command[600];

	snprintf(command, sizeof(command), "grep -rqaF '%s' '%s'", marker, place.path);
	return system(command) == 0;
}

Test(store, sealed_values_are_not_on_the_disk)
{
	cr_assert_eq(store_put_wait(store, STORE_CONTEXT, "c", "marker-of-a-secret"), 0);
	cr_assert_eq(store_put_wait(store, STORE_AF, "a", "marker-of-an-af"), 0);
	for (int round = 0; round < 2; round++) { // in the log, then in a table
		cr_assert(!folder_has("marker-of-a-secret"));
		cr_assert(folder_has("marker-of-an-af"), "the test itself: plain values are seen");
		restart();
	}
}

// The engine alone, to look at what is stored and to tamper with it.
static struct store_engine *raw_open(void)
{
	struct store_engine *engine;
	const int status = store_engine_open(place.path, STORE_ENGINE_WRITE, &engine, place.error);

	cr_assert_eq(status, 0, "%s", place.error);
	return engine;
}

struct raw {
	uint8_t octets[200];
	size_t len;
};

static int copy_raw(void *ctx, const uint8_t *key, size_t key_len, const uint8_t *value, size_t len)
{
	struct raw *const raw = ctx;

	(void)key, (void)key_len;
	cr_assert(len <= sizeof(raw->octets));
	memcpy(raw->octets, value, len);
	raw->len = len;
	return 0;
}

static struct raw raw_get(struct store_engine *engine, enum store_table table, const char *key)
{
	struct raw raw = {.len = 0};

	cr_assert_eq(store_engine_get(engine, table, key, strlen(key), copy_raw, &raw, place.error),
		     0);
	return raw;
}

static void raw_put(struct store_engine *engine, enum store_table table, const char *key,
		    const struct raw *raw)
{
	struct store_batch *const batch = store_batch_new();

	memcpy(store_batch_add(batch, STORE_OP_PUT, table, key, strlen(key), raw->len), raw->octets,
	       raw->len);
	cr_assert_eq(store_engine_write(engine, &batch, 1, place.error), 0);
	store_batch_free(batch);
}

static int open_without_verify(void)
{
	const struct store_config config = {
		.path = place.path, .kek_path = place.kek, .room_min = 1};

	return store_open(&config, &store, place.error);
}

Test(store, sealed_values_stay_at_their_table_and_key)
{
	struct store_engine *engine;
	struct raw raw;
	char value[100];
	unsigned n = 0;

	cr_assert_eq(store_put_wait(store, STORE_CONTEXT, "key", "secret"), 0);
	store_close(store);
	engine = raw_open();
	raw = raw_get(engine, STORE_CONTEXT, "key");
	cr_assert_eq(raw.len, 6 + STORE_SEAL_MORE);
	raw_put(engine, STORE_CONTEXT, "kez", &raw);
	raw_put(engine, STORE_REPLY, "key", &raw);
	store_engine_close(engine);
	cr_assert_eq(store_start(&place, &store), -EBADMSG); // it verifies
	cr_assert(strstr(place.error, "back-up"), "%s", place.error);
	cr_assert_eq(open_without_verify(), 0, "%s", place.error);
	cr_assert_eq(store_get(store, STORE_CONTEXT, "key", 3, value, 100), 6);
	cr_assert_eq(store_get(store, STORE_CONTEXT, "kez", 3, value, 100), -EBADMSG);
	cr_assert_eq(store_get(store, STORE_REPLY, "key", 3, value, 100), -EBADMSG);
	cr_assert_eq(store_scan(store, STORE_CONTEXT, NULL, 0, NULL, 0, count_one, &n), -EBADMSG);
}

Test(store, every_octet_of_a_seal_counts)
{
	struct raw raw, bad;
	char key[24], value[100];
	struct store_engine *engine;

	cr_assert_eq(store_put_wait(store, STORE_CONTEXT, "key", "secret"), 0);
	store_close(store);
	engine = raw_open();
	raw = raw_get(engine, STORE_CONTEXT, "key");
	for (size_t i = 0; i < raw.len; i++) { // the key is right, the seal is not
		bad = raw;
		bad.octets[i] ^= 1 << i % 8;
		raw_put(engine, STORE_CONTEXT, "key", &bad);
		store_engine_close(engine);
		cr_assert_eq(open_without_verify(), 0, "%s", place.error);
		cr_assert_eq(store_get(store, STORE_CONTEXT, "key", 3, value, 100), -EBADMSG,
			     "octet %zu", i);
		store_close(store);
		engine = raw_open();
	}
	for (size_t len = 0; len < raw.len; len++) {
		bad = raw;
		bad.len = len;
		snprintf(key, sizeof(key), "%zu", len);
		raw_put(engine, STORE_CONTEXT, key, &bad);
	}
	store_engine_close(engine);
	cr_assert_eq(open_without_verify(), 0);
	for (size_t len = 0; len < raw.len; len++) {
		snprintf(key, sizeof(key), "%zu", len);
		cr_assert_eq(store_get(store, STORE_CONTEXT, key, strlen(key), value, 100),
			     -EBADMSG);
	}
}

struct nonces {
	uint64_t used[100][2];
	unsigned n;
};

static int note_nonce(void *ctx, const uint8_t *key, size_t key_len, const uint8_t *value,
		      size_t len)
{
	struct nonces *const nonces = ctx;
	const uint64_t epoch = load32_be(value + 1), counter = load64_be(value + 5);

	(void)key, (void)key_len;
	cr_assert(len >= STORE_SEAL_MORE);
	for (unsigned i = 0; i < nonces->n; i++)
		cr_assert(nonces->used[i][0] != epoch || nonces->used[i][1] != counter);
	nonces->used[nonces->n][0] = epoch;
	nonces->used[nonces->n++][1] = counter;
	return 0;
}

// A start that is killed before it writes takes an epoch all the same.
static void start_and_die(void)
{
	const pid_t pid = fork();

	if (!pid) {
		start();
		store_begin(store);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

Test(store, no_epoch_and_counter_twice)
{
	struct nonces nonces = {.n = 0};
	struct store_engine *engine;

	for (unsigned i = 0; i < 5; i++) {
		char key[2] = {(char)('a' + i), '\0'};

		cr_assert_eq(store_put_wait(store, STORE_CONTEXT, key, "v"), 0);
		cr_assert_eq(store_put_wait(store, STORE_PUSH, key, "v"), 0);
		cr_assert_eq(store_put_wait(store, STORE_REPLY, key, "v"), 0);
		store_close(store);
		if (i == 2)
			start_and_die();
		start();
	}
	store_close(store);
	engine = raw_open();
	store_engine_scan(engine, STORE_CONTEXT, NULL, 0, NULL, 0, note_nonce, &nonces,
			  place.error);
	store_engine_scan(engine, STORE_PUSH, NULL, 0, NULL, 0, note_nonce, &nonces, place.error);
	store_engine_scan(engine, STORE_REPLY, NULL, 0, NULL, 0, note_nonce, &nonces, place.error);
	store_engine_close(engine);
	cr_assert_eq(nonces.n, 15);
	cr_assert_eq(nonces.used[3][0], 5, "the killed start had epoch 4");
	start();
}

static struct raw salt_of(const char *epoch, size_t len)
{
	struct store_engine *const engine = raw_open();
	struct raw raw;
	char key[40] = "store/salt/";

	memcpy(key + 11, epoch, len);
	cr_assert_eq(
		store_engine_get(engine, STORE_META, key, 11 + len, copy_raw, &raw, place.error),
		0);
	store_engine_close(engine);
	return raw;
}

// Going back to an older copy begins the same epoch number again, under another key.
Test(store, a_restored_copy_draws_another_salt)
{
	struct raw first, second;
	char command[1200];

	store_close(store);
	snprintf(command, sizeof(command), "cp -a '%s' '%s/copy'", place.path, place.folder);
	cr_assert_eq(system(command), 0);
	start();
	store_close(store);
	first = salt_of("\0\0\0\2", 4);
	snprintf(command, sizeof(command), "rm -r '%s' && mv '%s/copy' '%s'", place.path,
		 place.folder, place.path);
	cr_assert_eq(system(command), 0);
	start();
	store_close(store);
	second = salt_of("\0\0\0\2", 4);
	cr_assert_eq(first.len, STORE_SALT);
	cr_assert_neq(memcmp(first.octets, second.octets, STORE_SALT), 0);
	start();
}

Test(store, a_later_format_is_refused)
{
	const struct raw two = {.octets = {0, 0, 0, 2}, .len = 4}, one = {{0, 0, 0, 1}, 4};
	struct store_engine *engine;

	store_close(store);
	engine = raw_open();
	raw_put(engine, STORE_META, "store/format", &two);
	store_engine_close(engine);
	cr_assert_eq(store_start(&place, &store), -EPROTO);
	cr_assert(strstr(place.error, "later version"), "%s", place.error);
	engine = raw_open();
	raw_put(engine, STORE_META, "store/format", &one);
	store_engine_close(engine);
	start();
}
