#pragma once
// A table of contexts as the data plane has it, filled with keys and addresses of N UEs, and an
// order to walk it in. Made in huge pages; bench thread only.

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "crypto/sha256.h"
#include "dataplane/context.h"

enum { TABLE_UES_MIN = 1000, TABLE_UES_MAX = 100000000, TABLE_ORDER = 1 << 22 };
enum { TABLE_ADDRESS = 0x0a000000 }; // IPv4, of handle 0

struct table {
	struct arena arena;
	struct context *contexts; // [ues]
	uint32_t *order;          // [TABLE_ORDER] handles, at random
	unsigned ues;
};

// Says why when there is no memory. Takes seconds for tens of millions.
bool table_open(struct table *table, const struct sha256_ops *sha, unsigned ues);
void table_close(struct table *table);

// K_AKMA itself, which the context of the data plane does not keep: here it is in the 32 octets
// that a context leaves free, so that those who need it find it in the lines that they look up
// anyway.
const uint8_t *table_kakma(const struct context *context);

// The handle of a context, as its address tells it.
static inline uint32_t table_handle(const struct context *context)
{
	return load32_be(context->ip + 12) - TABLE_ADDRESS;
}
