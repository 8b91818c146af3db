#pragma once
// A set of handles: an ascending array, and beside it a small table of what came and went since,
// merged in when it has grown or the array is asked for. Handles that come in order, as at the
// start, are appended. One thread.

#include <stdbool.h>
#include <stdint.h>

struct group_set {
	uint32_t *sorted;
	uint32_t n_sorted, room;
	uint64_t *delta; // open addressing: handle + 1, bit 32: gone; 0: empty
	uint32_t n_delta, delta_room;
	uint32_t n; // in all
};

bool group_set_has(const struct group_set *set, uint32_t handle);
// 1 when that changed anything, 0, -ENOMEM (nothing changed).
int group_set_add(struct group_set *set, uint32_t handle);
int group_set_del(struct group_set *set, uint32_t handle);
// The handles, ascending, until the next change; NULL when there are none or no memory to merge.
const uint32_t *group_set_all(struct group_set *set);
void group_set_free(struct group_set *set); // empty again
