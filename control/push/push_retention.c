// What is over is kept for a time, then deleted from the oldest on, a bounded part at every tick.
// Where the last look ended is remembered, so that the store does not walk over its deletions
// again.

#include "control/push/push_retention.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "control/app.h"
#include "control/config/config.h"
#include "control/push/idempotency.h"
#include "control/push/push_registry.h"
#include "control/store/store.h"

enum { PUSHES_A_TICK = 2048, CHUNKS_A_TICK = 4096, ENDED_KEY = 5 + PUSH_ID };

struct push_retention {
	uint8_t from[ENDED_KEY]; // the first key not looked at
	bool failed;
	struct idempotency_expiry idempotency;
};

int push_retention_init(struct push_registry *pushes)
{
	pushes->retention = calloc(1, sizeof(*pushes->retention));
	if (!pushes->retention)
		return -ENOMEM;
	pushes->retention->from[0] = 'R';
	return 0;
}

void push_retention_free(struct push_registry *pushes)
{
	free(pushes->retention);
}

// ---- What is due

struct due {
	uint8_t key[PUSHES_A_TICK][ENDED_KEY];
	unsigned n;
};

static int note_due(void *ctx, const uint8_t *key, size_t key_len, const uint8_t *value,
		    size_t value_len)
{
	struct due *due = ctx;

	(void)value;
	(void)value_len;
	if (key_len == ENDED_KEY)
		memcpy(due->key[due->n++], key, ENDED_KEY);
	return due->n == PUSHES_A_TICK;
}

static void find_due(struct app *app, struct due *due)
{
	uint64_t now_s = clock_unix_ms(app->clock) / 1000;
	uint32_t keep_s = app->config->push.results_retention_s;
	uint8_t to[ENDED_KEY] = {'R'};

	due->n = 0;
	store32_be(to + 1, now_s > keep_s ? (uint32_t)(now_s - keep_s) : 0);
	if (memcmp(app->pushes->retention->from, to, ENDED_KEY) < 0)
		store_scan(app->store, STORE_PUSH, app->pushes->retention->from, ENDED_KEY, to,
			   ENDED_KEY, note_due, due);
}

// ---- Deleting

// Of long lists every chunk has a key; short ones have none.
static uint32_t del_chunks(struct store_batch *batch, const struct push_facts *facts)
{
	uint32_t n = facts->n_targets > PUSH_INLINE ? push_chunks(facts->n_targets) : 0;
	uint8_t key[PUSH_KEY_MAX];

	for (uint32_t chunk = 0; chunk < n; chunk++) {
		store_del(batch, STORE_TARGET, key, push_key_target(key, facts->id, chunk));
		store_del(batch, STORE_PROGRESS, key, push_key_states(key, facts->id, 'F', chunk));
	}
	return n;
}

// Returns the chunks deleted with it.
static uint32_t del_over(struct app *app, struct store_batch *batch, const uint8_t *ended)
{
	uint8_t value[PUSH_OVER_MAX], key[PUSH_KEY_MAX];
	const uint8_t *id = ended + 5;
	size_t key_len = push_key_over(key, id);
	ssize_t len = store_get(app->store, STORE_PUSH, key, key_len, value, sizeof(value));
	struct push_over over;
	uint32_t n = 0;

	store_del(batch, STORE_PUSH, ended, ENDED_KEY);
	store_del(batch, STORE_PUSH, key, key_len);
	if (len < 0 || (size_t)len > sizeof(value) || push_over_read(value, (size_t)len, &over))
		return 0;
	store_del(batch, STORE_PUSH, key, push_key_of_af(key, over.facts.fqdn, id));
	n = del_chunks(batch, &over.facts);
	if (over.has_replies)
		store_del_prefix(batch, STORE_REPLY, id, PUSH_ID);
	return n;
}

static void deleted(void *ctx, int status)
{
	struct app *app = ctx;

	app->pushes->retention->failed |= status != 0;
}

static void look_again(struct push_retention *retention)
{
	if (!retention->failed)
		return;
	memset(retention->from, 0, ENDED_KEY);
	retention->from[0] = 'R';
	retention->failed = false;
}

static void del_due(struct app *app, const struct due *due)
{
	struct push_retention *retention = app->pushes->retention;
	struct store_batch *batch = due->n ? store_begin(app->store) : NULL;
	uint32_t chunks = 0;

	for (unsigned i = 0; batch && i < due->n && chunks < CHUNKS_A_TICK; i++) {
		chunks += del_over(app, batch, due->key[i]);
		memcpy(retention->from, due->key[i], ENDED_KEY);
	}
	if (batch)
		store_commit(batch, deleted, app);
}

void push_retention_tick(struct app *app)
{
	struct push_retention *retention = app->pushes->retention;
	struct due *due = malloc(sizeof(*due));

	look_again(retention);
	if (due) {
		find_due(app, due);
		del_due(app, due);
	}
	free(due);
	idempotency_expire(app, &retention->idempotency, app->config->push.idempotency_retention_s);
}
