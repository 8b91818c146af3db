#include "bench/table.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"

enum { BURST = 64, KEY_AT = sizeof(struct context) - HMAC_KEY, MUCH = 5000000, HOUR_S = 3600 };

static_assert(KEY_AT >= offsetof(struct context, reserved2) + sizeof(uint32_t),
	      "the key is behind what a context holds");

const uint8_t *table_kakma(const struct context *context)
{
	return (const uint8_t *)context + KEY_AT;
}

// A generator is enough: what is timed does not depend on the keys.
static uint64_t next_random(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

static void fill_burst(struct context *contexts, const struct sha256_ops *sha, unsigned first,
		       unsigned n, uint64_t *seed)
{
	uint8_t key[BURST][HMAC_KEY];
	struct hmac_key pads[BURST];

	for (unsigned i = 0; i < n; i++) {
		for (unsigned at = 0; at < HMAC_KEY; at += sizeof(uint64_t))
			store64_be(key[i] + at, next_random(seed));
	}
	hmac_key_init(sha, key, n, pads);
	for (unsigned i = 0; i < n; i++) {
		struct context *const context = &contexts[first + i];

		context_put_key(context, &pads[i], UINT32_MAX);
		context->has |= CONTEXT_HAS_ADDRESS;
		context->ip[10] = context->ip[11] = 0xff;
		store32_be(context->ip + 12, TABLE_ADDRESS + first + i);
		context->port = 48470;
		memcpy((uint8_t *)context + KEY_AT, key[i], HMAC_KEY);
	}
}

static void fill(struct table *table, const struct sha256_ops *sha)
{
	uint64_t seed = 1;

	if (table->ues >= MUCH && isatty(STDERR_FILENO))
		fprintf(stderr, "filling %u contexts\n", table->ues);
	for (unsigned i = 0; i < table->ues; i += BURST)
		fill_burst(table->contexts, sha, i, table->ues - i < BURST ? table->ues - i : BURST,
			   &seed);
	for (unsigned i = 0; i < TABLE_ORDER; i++)
		table->order[i] = (uint32_t)(next_random(&seed) % table->ues);
}

bool table_open(struct table *table, const struct sha256_ops *sha, unsigned ues)
{
	const size_t contexts = ues * sizeof(table->contexts[0]);
	const size_t order = TABLE_ORDER * sizeof(table->order[0]);
	const int status = arena_init(&table->arena, contexts + order, ARENA_PAGES_HUGE);

	if (status) {
		fprintf(stderr, "akmapush-bench: memory for %u contexts: %s\n", ues,
			strerror(-status));
		return false;
	}
	table->ues = ues;
	table->contexts = arena_take(&table->arena, contexts, sizeof(table->contexts[0]));
	table->order = arena_take(&table->arena, order, sizeof(table->order[0]));
	fill(table, sha);
	return true;
}

void table_close(struct table *table)
{
	arena_fini(&table->arena);
}
