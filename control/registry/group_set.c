#include "control/registry/group_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DELTA_MIN = 64, DELTA_MERGE = 1024 };

#define GONE (1ull << 32)

static uint32_t handle_of(uint64_t entry)
{
	return (uint32_t)entry - 1;
}

// ---- The array

// The place of the first handle not below this one.
static uint32_t lower(const uint32_t *sorted, uint32_t n, uint32_t handle)
{
	uint32_t at = 0;

	while (n > 0) {
		uint32_t half = n / 2;

		if (sorted[at + half] < handle) {
			at += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return at;
}

static int array_append(struct group_set *set, uint32_t handle)
{
	if (set->n_sorted == set->room) {
		uint32_t room = set->room ? set->room + set->room / 2 : 16;
		uint32_t *sorted = reallocarray(set->sorted, room, sizeof(*sorted));

		if (!sorted)
			return -ENOMEM;
		set->sorted = sorted;
		set->room = room;
	}
	set->sorted[set->n_sorted++] = handle;
	return 0;
}

// ---- What came and went

static uint32_t home_of(uint32_t handle, uint32_t room)
{
	return (uint32_t)((handle + 1) * 0x9e3779b97f4a7c15ull >> 32) & (room - 1);
}

// The entry of a handle, or the empty one where it would stand.
static uint64_t *delta_at(uint64_t *delta, uint32_t room, uint32_t handle)
{
	uint32_t at = home_of(handle, room);

	while (delta[at] && handle_of(delta[at]) != handle)
		at = (at + 1) & (room - 1);
	return &delta[at];
}

static int delta_grow(struct group_set *set)
{
	uint32_t room = set->delta_room ? set->delta_room * 2 : DELTA_MIN;
	uint64_t *delta = calloc(room, sizeof(*delta));

	if (!delta)
		return -ENOMEM;
	for (uint32_t i = 0; i < set->delta_room; i++) {
		if (set->delta[i])
			*delta_at(delta, room, handle_of(set->delta[i])) = set->delta[i];
	}
	free(set->delta);
	set->delta = delta;
	set->delta_room = room;
	return 0;
}

static int delta_put(struct group_set *set, uint32_t handle, uint64_t gone)
{
	uint64_t *entry;

	if (set->n_delta >= set->delta_room / 2 && delta_grow(set))
		return -ENOMEM;
	entry = delta_at(set->delta, set->delta_room, handle);
	set->n_delta += *entry == 0;
	*entry = (uint64_t)(handle + 1) | gone;
	return 0;
}

static int by_handle(const void *a, const void *b)
{
	uint32_t x = handle_of(*(const uint64_t *)a), y = handle_of(*(const uint64_t *)b);

	return x < y ? -1 : x > y;
}

// Packs the entries at the front of their table, ascending.
static void delta_sort(struct group_set *set)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < set->delta_room; i++) {
		if (set->delta[i])
			set->delta[n++] = set->delta[i];
	}
	qsort(set->delta, n, sizeof(*set->delta), by_handle);
}

static int merge(struct group_set *set)
{
	uint32_t *to, n = 0, at = 0;

	if (set->n_delta == 0)
		return 0;
	to = malloc(((size_t)set->n_sorted + set->n_delta) * sizeof(*to));
	if (!to)
		return -ENOMEM;
	delta_sort(set);
	for (uint32_t i = 0; i < set->n_delta; i++) {
		uint32_t handle = handle_of(set->delta[i]);

		while (at < set->n_sorted && set->sorted[at] < handle)
			to[n++] = set->sorted[at++];
		at += at < set->n_sorted && set->sorted[at] == handle;
		if (!(set->delta[i] & GONE))
			to[n++] = handle;
	}
	if (at < set->n_sorted)
		memcpy(to + n, set->sorted + at, (set->n_sorted - at) * sizeof(*to));
	free(set->sorted);
	free(set->delta);
	set->room = set->n_sorted + set->n_delta;
	set->n_sorted = n + set->n_sorted - at;
	set->sorted = to;
	set->delta = NULL;
	set->n_delta = set->delta_room = 0;
	return 0;
}

// ---- Public

bool group_set_has(const struct group_set *set, uint32_t handle)
{
	uint32_t at;

	if (set->n_delta > 0) {
		uint64_t entry = *delta_at(set->delta, set->delta_room, handle);

		if (entry)
			return !(entry & GONE);
	}
	at = lower(set->sorted, set->n_sorted, handle);
	return at < set->n_sorted && set->sorted[at] == handle;
}

// Beyond this a merge costs less than the table; without memory for it the table just grows.
static void merge_if_grown(struct group_set *set)
{
	if (set->n_delta > DELTA_MERGE + set->n_sorted / 8)
		merge(set);
}

int group_set_add(struct group_set *set, uint32_t handle)
{
	bool is_last = set->n_sorted == 0 || set->sorted[set->n_sorted - 1] < handle;
	int error;

	if (group_set_has(set, handle))
		return 0;
	error = is_last && set->n_delta == 0 ? array_append(set, handle)
					     : delta_put(set, handle, 0);
	if (error)
		return error;
	set->n++;
	merge_if_grown(set);
	return 1;
}

int group_set_del(struct group_set *set, uint32_t handle)
{
	int error;

	if (!group_set_has(set, handle))
		return 0;
	error = delta_put(set, handle, GONE);
	if (error)
		return error;
	set->n--;
	merge_if_grown(set);
	return 1;
}

const uint32_t *group_set_all(struct group_set *set)
{
	return merge(set) || set->n == 0 ? NULL : set->sorted;
}

void group_set_free(struct group_set *set)
{
	free(set->sorted);
	free(set->delta);
	*set = (struct group_set){0};
}
