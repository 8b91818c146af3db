#pragma once
// Groups as they stand in memory. For group*.c alone.

#include "control/registry/group.h"
#include "control/registry/group_set.h"

// Numbers are never used again; this many are enough for all times.
enum { GROUP_NUMBERS_MAX = 1 << 24 };

struct group_entry {
	struct group group; // first: a struct group * is its entry
	bool is_live;       // durable: others see it
	struct group_set members;
	// The members with the first of twins in the place of both; made when there are twins.
	uint32_t *firsts;
	uint32_t n_firsts;
	uint64_t firsts_epoch; // of ue_twins_epoch; UINT64_MAX: to be made
};

struct group_registry {
	struct group_entry **by_number; // NULL: deleted
	uint32_t n_numbers, numbers_room;
	uint32_t next;              // the first number never used
	struct group_entry **by_id; // ascending; those that are being deleted are not there
	uint32_t n_ids, ids_room;
	uint32_t n_hidden; // there is room for these too
};

// By id, live or not yet.
struct group_entry *group_entry_find(const struct group_registry *groups, const char *id);
// A new entry with the next number, not live; NULL without memory.
struct group_entry *group_entry_new(struct group_registry *groups, const char *id, uint32_t number);
// Out of the ids: the id is free for another. And back, for an id that none or none live has.
void group_entry_hide(struct group_registry *groups, struct group_entry *entry);
void group_entry_show(struct group_registry *groups, struct group_entry *entry);
void group_entry_free(struct group_registry *groups, struct group_entry *entry); // hidden

// 1, 0, -ENOMEM as in group_set.h.
int group_add(struct group_entry *entry, uint32_t handle);
int group_del(struct group_entry *entry, uint32_t handle);
