#include "base/ring.h"

#include <assert.h>

size_t ring_size(uint32_t capacity, uint32_t item_size)
{
	return (size_t)capacity * item_size;
}

void ring_init(struct ring *ring, void *memory, uint32_t capacity, uint32_t item_size)
{
	assert(capacity && !(capacity & (capacity - 1)));
	*ring = (struct ring){.items = memory, .item_size = item_size, .mask = capacity - 1};
}

static void *item_at(const struct ring *ring, uint32_t index)
{
	return ring->items + (size_t)(index & ring->mask) * ring->item_size;
}

uint32_t ring_room(struct ring *ring)
{
	uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);

	ring->tail_seen = atomic_load_explicit(&ring->tail, memory_order_acquire);
	return ring->mask + 1 - (head - ring->tail_seen);
}

void *ring_reserve(struct ring *ring)
{
	uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);

	if (head - ring->tail_seen > ring->mask && ring_room(ring) == 0)
		return NULL;
	return item_at(ring, head);
}

void *ring_reserve_at(struct ring *ring, uint32_t i)
{
	uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);

	return i < ring_room(ring) ? item_at(ring, head + i) : NULL;
}

void ring_push(struct ring *ring)
{
	uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);

	atomic_store_explicit(&ring->head, head + 1, memory_order_release);
}

void *ring_front(struct ring *ring)
{
	uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);

	if (tail == ring->head_seen) {
		ring->head_seen = atomic_load_explicit(&ring->head, memory_order_acquire);
		if (tail == ring->head_seen)
			return NULL;
	}
	return item_at(ring, tail);
}

void ring_pop(struct ring *ring)
{
	uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);

	atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
}

const void *ring_peek(const struct ring *ring, uint32_t i)
{
	uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	uint32_t head = atomic_load_explicit(&ring->head, memory_order_acquire);

	return i < head - tail ? item_at(ring, tail + i) : NULL;
}

bool ring_is_empty(const struct ring *ring)
{
	return atomic_load_explicit(&ring->head, memory_order_acquire) ==
	       atomic_load_explicit(&ring->tail, memory_order_acquire);
}
