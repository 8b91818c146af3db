#include "dataplane/context.h"

#include <string.h>

#include "base/bytes.h"
#include "dataplane/dp.h"

enum { WORDS = sizeof(struct context) / sizeof(uint64_t) };

// The whole entry, word by word, between two steps of the version: a reader on another thread sees
// the version odd or changed, or all of the new entry. Words are released and acquired, so that who
// reads a new word also sees the version odd (or later); no fence, which ThreadSanitizer can't
// follow.
static void publish(struct context *context, const struct context *fresh)
{
	uint32_t version = atomic_load_explicit(&context->version, memory_order_relaxed);
	const size_t n = offsetof(struct context, version) / sizeof(uint64_t);
	uint64_t *to = (uint64_t *)(void *)context;
	uint64_t word;

	atomic_store_explicit(&context->version, version + 1, memory_order_relaxed);
	for (size_t i = 0; i < n; i++) {
		memcpy(&word, (const uint8_t *)fresh + i * sizeof(word), sizeof(word));
		__atomic_store_n(&to[i], word, __ATOMIC_RELEASE);
	}
	atomic_store_explicit(&context->version, version + 2, memory_order_release);
}

_Static_assert(offsetof(struct context, version) % sizeof(uint64_t) == 0, "whole words before it");

void context_put_key(struct context *context, const struct hmac_key *kakma, uint32_t expiry)
{
	struct context fresh;

	memcpy(&fresh, context, sizeof(fresh));
	fresh.kakma = *kakma;
	fresh.expiry = expiry;
	fresh.has |= CONTEXT_HAS_KEY;
	publish(context, &fresh);
	mem_wipe(&fresh, sizeof(fresh));
}

void context_del_key(struct context *context)
{
	struct context fresh;

	memcpy(&fresh, context, sizeof(fresh));
	mem_wipe(&fresh.kakma, sizeof(fresh.kakma));
	fresh.expiry = 0;
	fresh.has &= (uint8_t)~CONTEXT_HAS_KEY;
	publish(context, &fresh);
}

void context_put_address(struct context *context, const struct dp_address *address)
{
	struct context fresh;

	memcpy(&fresh, context, sizeof(fresh));
	memcpy(fresh.ip, address->ip, sizeof(fresh.ip));
	fresh.port = address->port;
	fresh.has |= CONTEXT_HAS_ADDRESS;
	publish(context, &fresh);
	mem_wipe(&fresh, sizeof(fresh));
}

void context_del_address(struct context *context)
{
	struct context fresh;

	memcpy(&fresh, context, sizeof(fresh));
	memset(fresh.ip, 0, sizeof(fresh.ip));
	fresh.port = 0;
	fresh.has &= (uint8_t)~CONTEXT_HAS_ADDRESS;
	publish(context, &fresh);
	mem_wipe(&fresh, sizeof(fresh));
}

void context_snapshot(const struct context *context, struct context *copy)
{
	const uint64_t *from = (const uint64_t *)(const void *)context;
	uint32_t before, after;
	uint64_t word;

	do {
		before = atomic_load_explicit(&context->version, memory_order_acquire);
		for (size_t i = 0; i < WORDS; i++) {
			word = __atomic_load_n(&from[i], __ATOMIC_ACQUIRE);
			memcpy((uint8_t *)copy + i * sizeof(word), &word, sizeof(word));
		}
		after = atomic_load_explicit(&context->version, memory_order_relaxed);
	} while (before != after || before & 1);
}
