#pragma once
// Idempotency-Keys: what an AF asked for under a key, and the push that it got; durable with the
// push, kept for a time. A request that is still on its way to the store is known too: the same one
// again waits for its outcome. Control thread only.
//
//   IDEMPOTENCY   'K' FQDN 0 key         digest of the request, push_id, time
//                 'T' time, FQDN 0 key   → nothing: what is to be deleted, oldest first

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/push/push_id.h"
#include "crypto/akma.h"

struct app;
struct store_batch;

enum {
	IDEMPOTENCY_KEY_MAX = 255,
	IDEMPOTENCY_DIGEST = 32,
	IDEMPOTENCY_STORED_KEY = 5 + AKMA_FQDN_MAX + 1 + IDEMPOTENCY_KEY_MAX,
};

struct idempotency {
	char fqdn[AKMA_FQDN_MAX + 1];
	char key[IDEMPOTENCY_KEY_MAX + 1];
	uint8_t digest[IDEMPOTENCY_DIGEST]; // SHA-256 of method, path and body
};

// 1 to 255 printable ASCII characters.
bool idempotency_is_key(const char *key);

// `method` and `resource` name what the body is for.
void idempotency_init(struct idempotency *idempotency, const char *fqdn, const char *key,
		      const char *method, const char *resource, const void *body, size_t body_len);

// What was asked for under this key within the retention: 0 and the push, -ENOENT; -EEXIST when it
// was another request; -EBADMSG, -EIO.
int idempotency_find(struct app *app, const struct idempotency *idempotency,
		     uint8_t push_id[PUSH_ID]);
void idempotency_put(struct app *app, struct store_batch *batch,
		     const struct idempotency *idempotency, const uint8_t push_id[PUSH_ID]);

// How far deletion has come.
struct idempotency_expiry {
	uint8_t from[IDEMPOTENCY_STORED_KEY];
	size_t from_len; // 0: from the start
};
// Deletes some of what is older than keep_s.
void idempotency_expire(struct app *app, struct idempotency_expiry *expiry, uint32_t keep_s);
