#pragma once
// What a UE's handle holds, 128 octets: the pad states of K_AKMA and where to send. A table of all
// handles in huge pages; an entry is written by the worker that owns the handle, read by it without
// ceremony, and by the control thread as a snapshot under the version.

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "crypto/hmac.h"

struct dp_address;

enum {
	CONTEXT_HAS_KEY = 1,
	CONTEXT_HAS_ADDRESS = 2,
	// Handles are dealt out to slots in blocks, slots to workers: neighbours in the table
	// belong to one worker, and a list in slot order walks memory forwards.
	CONTEXT_SLOTS = 64,
	CONTEXT_BLOCK_SHIFT = 6,
};

struct context {
	_Alignas(128) struct hmac_key kakma; // secret
	uint8_t ip[16];                      // IPv4 as ::ffff:a.b.c.d
	uint16_t port;
	uint8_t has; // CONTEXT_HAS_*
	uint8_t reserved;
	uint32_t expiry;          // of K_AFs from this key, Unix seconds
	_Atomic uint32_t version; // odd while the worker writes
	uint32_t reserved2;
};
_Static_assert(sizeof(struct context) == 128, "one context is two cache lines");

static inline unsigned context_slot(uint32_t handle)
{
	return handle >> CONTEXT_BLOCK_SHIFT & (CONTEXT_SLOTS - 1);
}

// Each brings one line of a context that is used soon.
static inline void context_prefetch_key(const struct context *context)
{
	__builtin_prefetch(&context->kakma);
}

static inline void context_prefetch_address(const struct context *context)
{
	__builtin_prefetch(&context->ip);
}

// Owner's thread only.
void context_put_key(struct context *context, const struct hmac_key *kakma, uint32_t expiry);
void context_del_key(struct context *context);
void context_put_address(struct context *context, const struct dp_address *address);
void context_del_address(struct context *context);

// A consistent copy; it holds a secret. Any thread.
void context_snapshot(const struct context *context, struct context *copy);
