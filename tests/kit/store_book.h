#pragma once
// A store and a book of what must be in it: record i was acknowledged or refused. For plain
// programs with one store at a time.

#include <errno.h>
#include <stdbool.h>

#include "base/bytes.h"
#include "tests/kit/store_kit.h"

enum { RECORDS_MAX = 8000, VALUE_MAX = 64 << 10 };

struct book {
	bool is_there[RECORDS_MAX];
	unsigned n;
};

static struct store_place place;
static struct store *store;
static struct book book;
static uint8_t value[VALUE_MAX];

static inline void check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "FAILED: %s (%s, record %u)\n", what, place.error, book.n);
	_exit(1);
}

// A batch of two records in two tables: both or none.
static inline int put_one(size_t len)
{
	struct store_batch *const batch = store_begin(store);
	uint8_t key[4];
	int status;

	check(batch && book.n < RECORDS_MAX, "a batch");
	store32_be(key, book.n);
	store_put(batch, STORE_CONTEXT, key, 4, value, len);
	store_put(batch, STORE_ADDRESS, key, 4, value, 20);
	status = store_commit_wait(store, batch);
	check(status == 0 || status == -ENOSPC || status == -EIO, "an outcome");
	book.is_there[book.n++] = status == 0;
	return status;
}

static inline int note_found(void *ctx, const uint8_t *key, size_t key_len, const uint8_t *octets,
			     size_t len)
{
	bool *const found = ctx;

	check(key_len == 4 && load32_be(key) < RECORDS_MAX, "a key");
	check(!memcmp(octets, value, len), "a value");
	found[load32_be(key)] = true;
	return 0;
}

static inline void check_book(void)
{
	static const enum store_table tables[] = {STORE_CONTEXT, STORE_ADDRESS};

	for (int t = 0; t < 2; t++) {
		bool found[RECORDS_MAX] = {false};

		check(!store_scan(store, tables[t], NULL, 0, NULL, 0, note_found, found), "a scan");
		for (unsigned i = 0; i < book.n; i++) {
			check(found[i] || !book.is_there[i], "acknowledged and gone");
			check(!found[i] || book.is_there[i], "refused and there");
		}
	}
}

static inline void start(void)
{
	check(!store_start(&place, &store), "a start");
}

static inline void wait_until_writable(void)
{
	for (int i = 0; i < 100; i++) {
		if (!put_one(200))
			return;
		usleep(50000);
	}
	check(false, "writes work again");
}
