#pragma once
// A batch of the store: its operations one behind the other in one buffer, values of sealed tables
// sealed already, so that no key material waits in plain memory. Filled by the control thread, read
// by the writer; one of them has it at a time.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/store/store.h"

enum store_op_kind { STORE_OP_PUT, STORE_OP_DEL, STORE_OP_DEL_PREFIX };

struct store_op {
	enum store_op_kind kind;
	enum store_table table;
	const uint8_t *key, *value;
	size_t key_len, value_len;
};

struct store_batch {
	struct store_batch *next; // of the free ones
	struct store *store;
	store_done done;
	void *ctx;
	int status;    // the outcome; before the commit: -ENOMEM when an operation found no memory
	uint32_t seen; // failures the control thread knew of when it committed
	uint32_t failures; // failures there were when the outcome was made
	uint8_t *octets;
	size_t len, max;
};

struct store_batch *store_batch_new(void); // NULL: no memory
void store_batch_free(struct store_batch *batch);
// Empty again; a large buffer is given back.
void store_batch_clear(struct store_batch *batch);

// Appends an operation whose value is still to be written: returns the place of its value_len
// octets, or NULL without memory (batch->status is -ENOMEM then).
uint8_t *store_batch_add(struct store_batch *batch, enum store_op_kind kind, enum store_table table,
			 const void *key, size_t key_len, size_t value_len);

// Reads the operation at *at (0 at first) and moves on; false at the end.
bool store_batch_next(const struct store_batch *batch, size_t *at, struct store_op *op);
