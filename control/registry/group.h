#pragma once
// External groups: named sets of UEs. A group has a number (never used again) and its members as
// ascending handles. Control thread only.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct app;
struct store_batch;

enum { GROUP_ID_MAX = 255, GROUP_DESCRIPTION_MAX = 256 };

struct group {
	char id[GROUP_ID_MAX + 1]; // external group id
	uint32_t number;
	uint32_t n_members;
	char description[GROUP_DESCRIPTION_MAX + 1];
};

struct group_registry;

int group_load(struct app *app); // from the store, at start
void group_registry_free(struct group_registry *groups);

struct group *group_find(const struct app *app, const char *id);
struct group *group_at(const struct app *app, uint32_t number); // NULL when deleted
uint32_t group_next(const struct app *app,
		    uint32_t number); // the first number >= this in use, or UINT32_MAX

// The members, ascending, each once, twins of one subscriber counted once (see ue.h); the array is
// the group's until the next change of it.
const uint32_t *group_members(const struct app *app, struct group *group, uint32_t *n);
bool group_has(const struct app *app, struct group *group, uint32_t handle);

// A handle takes over from another what groups it is in: into the batch, then, durable, in memory.
void group_store_copy(struct app *app, struct store_batch *batch, uint32_t from, uint32_t to);
void group_apply_copy(struct app *app, uint32_t from, uint32_t to);
