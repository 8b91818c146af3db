#include <criterion/criterion.h>

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "base/ring.h"

Test(ring, full_refuses_and_loses_nothing)
{
	uint32_t memory[4], *item;
	struct ring ring;

	ring_init(&ring, memory, 4, sizeof(uint32_t));
	for (uint32_t i = 0; i < 4; i++) {
		item = ring_reserve(&ring);
		cr_assert_not_null(item);
		*item = i;
		ring_push(&ring);
	}
	cr_assert_null(ring_reserve(&ring));
	cr_assert_eq(ring_room(&ring), 0);
	for (uint32_t i = 0; i < 4; i++) {
		item = ring_front(&ring);
		cr_assert_eq(*item, i);
		ring_pop(&ring);
	}
	cr_assert_null(ring_front(&ring));
	cr_assert(ring_is_empty(&ring));
	cr_assert_eq(ring_room(&ring), 4);
}

// Several are filled ahead, also over the end of the memory; as many as are pushed are seen.
Test(ring, reserved_ahead)
{
	uint32_t memory[4], *item;
	struct ring ring;

	ring_init(&ring, memory, 4, sizeof(uint32_t));
	for (uint32_t round = 0; round < 5; round++) {
		for (uint32_t i = 0; i < 4; i++) {
			item = ring_reserve_at(&ring, i);
			cr_assert_not_null(item);
			*item = 10 * round + i;
		}
		cr_assert_null(ring_reserve_at(&ring, 4));
		cr_assert_null(ring_front(&ring));
		for (uint32_t i = 0; i < 3; i++)
			ring_push(&ring);
		cr_assert_not_null(ring_reserve_at(&ring, 0));
		cr_assert_null(ring_reserve_at(&ring, 1));
		for (uint32_t i = 0; i < 3; i++) {
			item = ring_front(&ring);
			cr_assert_eq(*item, 10 * round + i);
			ring_pop(&ring);
		}
		cr_assert(ring_is_empty(&ring));
	}
}

enum { ITEMS = 200000 };

static void *produce(void *arg)
{
	struct ring *ring = arg;

	for (uint64_t i = 0; i < ITEMS; i++) {
		uint64_t *item;

		while (!(item = ring_reserve(ring)))
			sched_yield();
		*item = i * i;
		ring_push(ring);
	}
	return NULL;
}

Test(ring, two_threads_keep_order)
{
	uint64_t *memory = malloc(ring_size(64, sizeof(uint64_t)));
	struct ring ring;
	pthread_t thread;

	ring_init(&ring, memory, 64, sizeof(uint64_t));
	pthread_create(&thread, NULL, produce, &ring);
	for (uint64_t i = 0; i < ITEMS; i++) {
		uint64_t *item;

		while (!(item = ring_front(&ring)))
			sched_yield();
		cr_assert_eq(*item, i * i);
		ring_pop(&ring);
	}
	pthread_join(thread, NULL);
	free(memory);
}
