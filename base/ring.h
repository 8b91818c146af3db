#pragma once
// A queue of fixed-size items between exactly one producer thread and one consumer thread: bounded,
// without locks, in the caller's memory. A full ring refuses (the producer keeps the item and comes
// again); nothing is ever dropped.

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring {
	uint8_t *items;
	uint32_t item_size;
	uint32_t mask; // capacity - 1
	// Each side has its own line: what it writes, and what it last saw of the other.
	_Alignas(64) _Atomic uint32_t head; // written by the producer
	uint32_t tail_seen;
	_Alignas(64) _Atomic uint32_t tail; // written by the consumer
	uint32_t head_seen;
};

// Octets of memory for `capacity` items (a power of two) of item_size octets.
size_t ring_size(uint32_t capacity, uint32_t item_size);
void ring_init(struct ring *ring, void *memory, uint32_t capacity, uint32_t item_size);

// The place for the next item, or NULL when the ring is full; ring_push makes it visible.
void *ring_reserve(struct ring *ring); // Producer only.
// The place of the item that comes i items after the next, or NULL when it does not fit now: for
// several that are filled before any is shown. As many ring_push later it is seen. Producer only.
void *ring_reserve_at(struct ring *ring, uint32_t i);
void ring_push(struct ring *ring);     // Producer only.
uint32_t ring_room(struct ring *ring); // Producer only: items that fit now.

// The oldest item, or NULL when the ring is empty; ring_pop gives its place back.
void *ring_front(struct ring *ring); // Consumer only.
void ring_pop(struct ring *ring);    // Consumer only.
// The i-th oldest item (0: that of ring_front), or NULL when there are no more than i.
const void *ring_peek(const struct ring *ring, uint32_t i); // Consumer only.

bool ring_is_empty(const struct ring *ring); // Either side.
