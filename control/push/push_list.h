#pragma once
// The targets of a push: handles, ascending, each once, with those that the AF may not reach
// marked. In the store a list is a row of chunks; each tells the distances between its handles, so
// that a list of neighbours takes one octet a target. States that are final are kept in the same
// order. A list belongs to who filled it. Any thread.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PUSH_CHUNK = 65536,                         // targets
	PUSH_CHUNK_OCTETS = 1 + 4 + PUSH_CHUNK * 5, // at most, written
	PUSH_CHUNK_STATES = 1 + PUSH_CHUNK / 2,     // at most, written
	PUSH_INLINE = 256,                          // targets that fit into the push's own record
	PUSH_INLINE_OCTETS = 1 + 4 + PUSH_INLINE * 5,
	PUSH_INLINE_STATES = 1 + PUSH_INLINE / 2,
};

struct push_list {
	uint32_t *handles;
	uint64_t *barred; // bit per target: NOT_ALLOWED from the start; NULL: none
	uint32_t n, n_barred;
	uint32_t room;
};

void push_list_free(struct push_list *list);                // leaves it empty
int push_list_reserve(struct push_list *list, uint32_t n);  // room for n more; 0, -ENOMEM
int push_list_add(struct push_list *list, uint32_t handle); // 0, -ENOMEM
int push_list_take(struct push_list *list, const uint32_t *handles, uint32_t n); // 0, -ENOMEM
void push_list_sort(struct push_list *list); // ascending, each once; before any is barred
int push_list_bar(struct push_list *list, uint32_t index);         // 0, -ENOMEM
int push_list_find(const struct push_list *list, uint32_t handle); // index or -1
static inline bool push_list_is_barred(const struct push_list *list, uint32_t i)
{
	return list->barred && list->barred[i / 64] >> i % 64 & 1;
}

static inline uint32_t push_chunks(uint32_t n_targets)
{
	return n_targets / PUSH_CHUNK + (n_targets % PUSH_CHUNK > 0);
}

// Chunk `chunk` of the list into to[PUSH_CHUNK_OCTETS] (or PUSH_INLINE_OCTETS); its length.
size_t push_chunk_write(uint8_t *to, const struct push_list *list, uint32_t chunk);
// Adds a chunk to the list: 0, -ENOMEM, or -EBADMSG when it is none or does not go on upwards.
int push_chunk_read(const void *value, size_t len, struct push_list *list);

// States of n targets, one an octet, packed into to[PUSH_CHUNK_STATES]; the length.
size_t push_states_write(uint8_t *to, const uint8_t *states, uint32_t n);
int push_states_read(const void *value, size_t len, uint8_t *states, uint32_t n); // 0, -EBADMSG
