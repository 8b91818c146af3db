#include "control/push/idempotency.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "control/app.h"
#include "control/config/config.h"
#include "control/registry/record.h"
#include "control/store/store.h"
#include "crypto/sha256.h"

enum { VERSION = 1, VALUE = 1 + IDEMPOTENCY_DIGEST + PUSH_ID + 8, KEYS_A_TIME = 4096 };

bool idempotency_is_key(const char *key)
{
	size_t len = strlen(key);

	for (size_t i = 0; i < len; i++) {
		if (key[i] < ' ' || key[i] > '~')
			return false;
	}
	return 0 < len && len <= IDEMPOTENCY_KEY_MAX;
}

// Asking the CPU takes longer than the digest: once is enough.
static const struct sha256_ops *sha_ops(void)
{
	static const struct sha256_ops *ops;

	if (!ops)
		ops = sha256_best();
	return ops;
}

void idempotency_init(struct idempotency *idempotency, const char *fqdn, const char *key,
		      const char *method, const char *resource, const void *body, size_t body_len)
{
	uint8_t text[16 + 64 + IDEMPOTENCY_DIGEST];
	struct record_writer w = record_write(text, sizeof(text));

	*idempotency = (struct idempotency){0};
	memcpy(idempotency->fqdn, fqdn, strlen(fqdn) + 1);
	memcpy(idempotency->key, key, strlen(key) + 1);
	sha256(sha_ops(), body, body_len, idempotency->digest);
	record_put_text(&w, method, strlen(method));
	record_put_text(&w, resource, strlen(resource));
	record_put(&w, idempotency->digest, IDEMPOTENCY_DIGEST);
	sha256(sha_ops(), text, record_written(&w, text), idempotency->digest);
}

// ---- Keys and values

static size_t put_name(uint8_t *to, const struct idempotency *idempotency)
{
	size_t fqdn_len = strlen(idempotency->fqdn) + 1, key_len = strlen(idempotency->key);

	memcpy(to, idempotency->fqdn, fqdn_len);
	memcpy(to + fqdn_len, idempotency->key, key_len);
	return fqdn_len + key_len;
}

static size_t stored_key(uint8_t *key, const struct idempotency *idempotency)
{
	key[0] = 'K';
	return 1 + put_name(key + 1, idempotency);
}

static size_t stored_time(uint8_t *key, const struct idempotency *idempotency, uint64_t time_ms)
{
	key[0] = 'T';
	store32_be(key + 1, (uint32_t)(time_ms / 1000));
	return 5 + put_name(key + 5, idempotency);
}

struct record {
	uint8_t digest[IDEMPOTENCY_DIGEST];
	uint8_t push_id[PUSH_ID];
	uint64_t time_ms;
};

static int get(struct app *app, const uint8_t *key, size_t key_len, struct record *record)
{
	uint8_t value[VALUE];
	ssize_t len = store_get(app->store, STORE_IDEMPOTENCY, key, key_len, value, sizeof(value));
	struct record_reader r = record_read(value, len == VALUE ? VALUE : 0);
	uint8_t version = record_get8(&r);

	if (len < 0)
		return (int)len;
	record_get(&r, record->digest, IDEMPOTENCY_DIGEST);
	record_get(&r, record->push_id, PUSH_ID);
	record->time_ms = record_get64(&r);
	return version == VERSION && record_is_end(&r) ? 0 : -EBADMSG;
}

int idempotency_find(struct app *app, const struct idempotency *idempotency,
		     uint8_t push_id[PUSH_ID])
{
	uint64_t keep_ms = app->config->push.idempotency_retention_s * 1000ull;
	uint8_t key[IDEMPOTENCY_STORED_KEY];
	struct record record;
	int error = get(app, key, stored_key(key, idempotency), &record);

	if (error)
		return error;
	if (record.time_ms + keep_ms <= clock_unix_ms(app->clock))
		return -ENOENT;
	if (memcmp(record.digest, idempotency->digest, IDEMPOTENCY_DIGEST))
		return -EEXIST;
	memcpy(push_id, record.push_id, PUSH_ID);
	return 0;
}

void idempotency_put(struct app *app, struct store_batch *batch,
		     const struct idempotency *idempotency, const uint8_t push_id[PUSH_ID])
{
	uint8_t key[IDEMPOTENCY_STORED_KEY], value[VALUE];
	struct record_writer w = record_write(value, sizeof(value));
	uint64_t now_ms = clock_unix_ms(app->clock);

	record_put8(&w, VERSION);
	record_put(&w, idempotency->digest, IDEMPOTENCY_DIGEST);
	record_put(&w, push_id, PUSH_ID);
	record_put64(&w, now_ms);
	store_put(batch, STORE_IDEMPOTENCY, key, stored_key(key, idempotency), value,
		  sizeof(value));
	store_put(batch, STORE_IDEMPOTENCY, key, stored_time(key, idempotency, now_ms), "", 0);
}

// ---- Expiry

struct sweep {
	struct app *app;
	struct idempotency_expiry *expiry;
	struct store_batch *batch;
	unsigned n;
};

// A key may have been used again since: then it stays, and only its older time goes.
static int del_old(void *ctx, const uint8_t *key, size_t key_len, const uint8_t *value,
		   size_t value_len)
{
	struct sweep *sweep = ctx;
	uint8_t other[IDEMPOTENCY_STORED_KEY];
	struct record record;

	(void)value;
	(void)value_len;
	if (key_len < 5 || key_len > IDEMPOTENCY_STORED_KEY)
		return 0;
	other[0] = 'K';
	memcpy(other + 1, key + 5, key_len - 5);
	if (get(sweep->app, other, key_len - 4, &record) ||
	    record.time_ms / 1000 == load32_be(key + 1))
		store_del(sweep->batch, STORE_IDEMPOTENCY, other, key_len - 4);
	store_del(sweep->batch, STORE_IDEMPOTENCY, key, key_len);
	memcpy(sweep->expiry->from, key, key_len);
	sweep->expiry->from_len = key_len;
	return ++sweep->n == KEYS_A_TIME;
}

// What the store refused to delete is looked for again.
static void deleted(void *ctx, int status)
{
	struct idempotency_expiry *expiry = ctx;

	if (status)
		expiry->from_len = 0;
}

void idempotency_expire(struct app *app, struct idempotency_expiry *expiry, uint32_t keep_s)
{
	struct sweep sweep = {.app = app, .expiry = expiry};
	uint64_t now_s = clock_unix_ms(app->clock) / 1000;
	uint8_t to[5] = {'T'};

	if (!expiry->from_len) {
		expiry->from[0] = 'T';
		expiry->from_len = 1;
	}
	store32_be(to + 1, now_s > keep_s ? (uint32_t)(now_s - keep_s) : 0);
	if (memcmp(expiry->from, to, expiry->from_len < 5 ? expiry->from_len : 5) > 0)
		return;
	sweep.batch = store_begin(app->store);
	if (!sweep.batch)
		return;
	store_scan(app->store, STORE_IDEMPOTENCY, expiry->from, expiry->from_len, to, sizeof(to),
		   del_old, &sweep);
	if (sweep.n)
		store_commit(sweep.batch, deleted, expiry);
	else
		store_abort(sweep.batch);
}
