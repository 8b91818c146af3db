#include "control/registry/group.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/app.h"
#include "control/registry/group_registry.h"
#include "control/registry/record.h"
#include "control/registry/ue.h"
#include "control/store/store.h"

// ---- Entries

// The place of the first id not below this one.
static uint32_t id_at(const struct group_registry *groups, const char *id)
{
	uint32_t at = 0, n = groups->n_ids;

	while (n > 0) {
		uint32_t half = n / 2;

		if (strcmp(groups->by_id[at + half]->group.id, id) < 0) {
			at += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return at;
}

struct group_entry *group_entry_find(const struct group_registry *groups, const char *id)
{
	uint32_t at = id_at(groups, id);

	if (at == groups->n_ids || strcmp(groups->by_id[at]->group.id, id) != 0)
		return NULL;
	return groups->by_id[at];
}

// Makes room for one more in an array of entries.
static int make_room(struct group_entry ***array, uint32_t *room, uint32_t n)
{
	struct group_entry **grown;
	uint32_t more = *room;

	if (n < *room)
		return 0;
	while (more <= n)
		more = more ? more * 2 : 16;
	grown = reallocarray(*array, more, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	memset(grown + *room, 0, (more - *room) * sizeof(*grown));
	*array = grown;
	*room = more;
	return 0;
}

static void insert(struct group_registry *groups, struct group_entry *entry)
{
	uint32_t at = id_at(groups, entry->group.id);

	memmove(groups->by_id + at + 1, groups->by_id + at,
		(groups->n_ids - at) * sizeof(*groups->by_id));
	groups->by_id[at] = entry;
	groups->n_ids++;
}

struct group_entry *group_entry_new(struct group_registry *groups, const char *id, uint32_t number)
{
	struct group_entry *entry;

	if (make_room(&groups->by_number, &groups->numbers_room, number) ||
	    make_room(&groups->by_id, &groups->ids_room, groups->n_ids + groups->n_hidden))
		return NULL;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return NULL;
	strcpy(entry->group.id, id);
	entry->group.number = number;
	entry->firsts_epoch = UINT64_MAX;
	groups->by_number[number] = entry;
	if (groups->n_numbers <= number)
		groups->n_numbers = number + 1;
	if (groups->next <= number)
		groups->next = number + 1;
	insert(groups, entry);
	return entry;
}

void group_entry_hide(struct group_registry *groups, struct group_entry *entry)
{
	uint32_t at = id_at(groups, entry->group.id);

	if (at == groups->n_ids || groups->by_id[at] != entry)
		return;
	groups->n_ids--;
	groups->n_hidden++;
	memmove(groups->by_id + at, groups->by_id + at + 1,
		(groups->n_ids - at) * sizeof(*groups->by_id));
}

void group_entry_show(struct group_registry *groups, struct group_entry *entry)
{
	struct group_entry *other = group_entry_find(groups, entry->group.id);

	if (other)
		group_entry_hide(groups, other);
	insert(groups, entry);
	groups->n_hidden--;
}

void group_entry_free(struct group_registry *groups, struct group_entry *entry)
{
	groups->by_number[entry->group.number] = NULL;
	groups->n_hidden--;
	group_set_free(&entry->members);
	free(entry->firsts);
	free(entry);
}

void group_registry_free(struct group_registry *groups)
{
	if (!groups)
		return;
	for (uint32_t i = 0; i < groups->n_numbers; i++) {
		if (groups->by_number[i])
			group_entry_free(groups, groups->by_number[i]);
	}
	free(groups->by_number);
	free(groups->by_id);
	free(groups);
}

// ---- Public

struct group *group_find(const struct app *app, const char *id)
{
	struct group_entry *entry = group_entry_find(app->groups, id);

	return entry && entry->is_live ? &entry->group : NULL;
}

struct group *group_at(const struct app *app, uint32_t number)
{
	const struct group_registry *groups = app->groups;
	struct group_entry *entry = number < groups->n_numbers ? groups->by_number[number] : NULL;

	return entry && entry->is_live ? &entry->group : NULL;
}

uint32_t group_next(const struct app *app, uint32_t number)
{
	for (; number < app->groups->n_numbers; number++) {
		if (group_at(app, number))
			return number;
	}
	return UINT32_MAX;
}

static int members_changed(struct group_entry *entry, int changed)
{
	entry->group.n_members = entry->members.n;
	if (changed == 1)
		entry->firsts_epoch = UINT64_MAX;
	return changed;
}

int group_add(struct group_entry *entry, uint32_t handle)
{
	return members_changed(entry, group_set_add(&entry->members, handle));
}

int group_del(struct group_entry *entry, uint32_t handle)
{
	return members_changed(entry, group_set_del(&entry->members, handle));
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

// Merges n handles that are in no order into the n_sorted at the front of an array that has room
// for both. 0 or -ENOMEM.
static int merge_in(uint32_t *sorted, uint32_t n_sorted, const uint32_t *more, uint32_t n)
{
	uint32_t *copy;

	if (!n)
		return 0;
	copy = malloc(n * sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	memcpy(copy, more, n * sizeof(*copy));
	qsort(copy, n, sizeof(*copy), by_value);
	while (n > 0) {
		bool is_old = n_sorted > 0 && sorted[n_sorted - 1] > copy[n - 1];

		sorted[n_sorted + n - 1] = is_old ? sorted[n_sorted - 1] : copy[n - 1];
		n_sorted -= is_old;
		n -= !is_old;
	}
	free(copy);
	return 0;
}

// Each subscriber once, by the first of its handles. The members are in order already; only those
// who are there by the second of their handles alone move.
static int make_firsts(const struct app *app, struct group_entry *entry, const uint32_t *all)
{
	uint32_t n = entry->members.n, kept = 0, moved = 0;
	uint32_t *firsts = reallocarray(entry->firsts, n ? n : 1, sizeof(*firsts));

	if (!firsts)
		return -ENOMEM;
	entry->firsts = firsts;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t first = ue_first(app, all[i]);

		if (first == all[i])
			firsts[kept++] = first;
		else if (!group_set_has(&entry->members, first))
			firsts[n - ++moved] = first;
	}
	if (merge_in(firsts, kept, firsts + n - moved, moved))
		return -ENOMEM;
	entry->n_firsts = kept + moved;
	entry->firsts_epoch = ue_twins_epoch(app);
	return 0;
}

const uint32_t *group_members(const struct app *app, struct group *group, uint32_t *n)
{
	struct group_entry *entry = (struct group_entry *)group;
	const uint32_t *all = group_set_all(&entry->members);
	struct ue_stats stats;

	*n = all ? entry->members.n : 0;
	ue_stats(app, &stats);
	if (!all || stats.twins == 0)
		return all;
	if (entry->firsts_epoch != ue_twins_epoch(app) && make_firsts(app, entry, all)) {
		*n = 0;
		return NULL;
	}
	*n = entry->n_firsts;
	return entry->firsts;
}

bool group_has(const struct app *app, struct group *group, uint32_t handle)
{
	const struct group_set *members = &((struct group_entry *)group)->members;
	uint32_t twin = ue_twin(app, handle);

	return group_set_has(members, handle) || (twin != DP_NONE && group_set_has(members, twin));
}

void group_store_copy(struct app *app, struct store_batch *batch, uint32_t from, uint32_t to)
{
	uint8_t key[8];

	for (uint32_t i = group_next(app, 0); i != UINT32_MAX; i = group_next(app, i + 1)) {
		if (!group_has(app, group_at(app, i), from))
			continue;
		record_member_key(key, i, to);
		store_put(batch, STORE_MEMBER, key, sizeof(key), NULL, 0);
	}
}

void group_apply_copy(struct app *app, uint32_t from, uint32_t to)
{
	for (uint32_t i = group_next(app, 0); i != UINT32_MAX; i = group_next(app, i + 1)) {
		if (group_has(app, group_at(app, i), from))
			group_add((struct group_entry *)group_at(app, i), to);
	}
}
