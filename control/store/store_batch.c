#include "control/store/store_batch.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_MAX = 512, KEEP_MAX = 16 << 10 };

// Before the octets of key and value.
struct head {
	uint8_t kind;
	uint8_t table;
	uint16_t key_len;
	uint32_t value_len;
};

struct store_batch *store_batch_new(void)
{
	return calloc(1, sizeof(struct store_batch));
}

void store_batch_free(struct store_batch *batch)
{
	free(batch->octets);
	free(batch);
}

void store_batch_clear(struct store_batch *batch)
{
	uint8_t *octets = batch->octets;
	size_t max = batch->max;

	if (max > KEEP_MAX) {
		free(octets);
		octets = NULL;
		max = 0;
	}
	*batch = (struct store_batch){.octets = octets, .max = max};
}

static bool make_room(struct store_batch *batch, size_t n)
{
	size_t max = batch->max ? batch->max : FIRST_MAX;
	uint8_t *octets;

	if (n <= batch->max - batch->len)
		return true;
	while (max - batch->len < n)
		max *= 2;
	octets = realloc(batch->octets, max);
	if (!octets)
		return false;
	batch->octets = octets;
	batch->max = max;
	return true;
}

uint8_t *store_batch_add(struct store_batch *batch, enum store_op_kind kind, enum store_table table,
			 const void *key, size_t key_len, size_t value_len)
{
	const struct head head = {(uint8_t)kind, (uint8_t)table, (uint16_t)key_len,
				  (uint32_t)value_len};
	uint8_t *at;

	assert(table < STORE_TABLE_COUNT && key_len <= STORE_KEY_MAX);
	if (batch->status || !make_room(batch, sizeof(head) + key_len + value_len)) {
		batch->status = -ENOMEM;
		return NULL;
	}
	at = batch->octets + batch->len;
	memcpy(at, &head, sizeof(head));
	if (key_len)
		memcpy(at + sizeof(head), key, key_len);
	batch->len += sizeof(head) + key_len + value_len;
	return at + sizeof(head) + key_len;
}

bool store_batch_next(const struct store_batch *batch, size_t *at, struct store_op *op)
{
	const uint8_t *const octets = batch->octets + *at;
	struct head head;

	if (*at == batch->len)
		return false;
	memcpy(&head, octets, sizeof(head));
	*op = (struct store_op){
		.kind = head.kind,
		.table = head.table,
		.key = octets + sizeof(head),
		.key_len = head.key_len,
		.value = octets + sizeof(head) + head.key_len,
		.value_len = head.value_len,
	};
	*at += sizeof(head) + head.key_len + head.value_len;
	return true;
}
