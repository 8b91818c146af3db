// Groups from the store, at start.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "control/app.h"
#include "control/registry/group_registry.h"
#include "control/registry/record.h"
#include "control/store/store.h"
#include "dataplane/dp.h"

struct loading {
	struct app *app;
	struct group_entry *entry; // of the last member
	uint32_t number;
	uint32_t n_members;
};

static int load_group(void *ctx, const uint8_t *key, size_t key_len, const uint8_t *value,
		      size_t value_len)
{
	struct group_registry *groups = ((struct loading *)ctx)->app->groups;
	struct group_entry *entry;
	struct group group = {0};

	if (key_len == 0 || key_len > GROUP_ID_MAX || memchr(key, 0, key_len) ||
	    record_group_read(value, value_len, &group))
		return -EBADMSG;
	memcpy(group.id, key, key_len);
	if (group.number >= GROUP_NUMBERS_MAX ||
	    (group.number < groups->n_numbers && groups->by_number[group.number]))
		return -EBADMSG;
	entry = group_entry_new(groups, group.id, group.number);
	if (!entry)
		return -ENOMEM;
	memcpy(entry->group.description, group.description, sizeof(group.description));
	entry->is_live = true;
	return 0;
}

static int load_member(void *ctx, const uint8_t *key, size_t key_len, const uint8_t *value,
		       size_t value_len)
{
	struct loading *loading = ctx;
	uint32_t number, handle;
	int changed;

	(void)value;
	(void)value_len;
	if (key_len != 8)
		return -EBADMSG;
	number = load32_be(key);
	handle = load32_be(key + 4);
	if (handle >= dp_handles(loading->app->dp))
		return -EBADMSG;
	if (!loading->entry || loading->number != number) {
		loading->entry = (struct group_entry *)group_at(loading->app, number);
		loading->number = number;
	}
	if (!loading->entry)
		return 0; // came after its group was deleted; the number never comes again
	changed = group_add(loading->entry, handle);
	loading->n_members++;
	return changed < 0 ? changed : 0;
}

int group_load(struct app *app)
{
	struct loading loading = {.app = app};
	uint8_t next[4];
	int error;

	app->groups = calloc(1, sizeof(*app->groups));
	if (!app->groups)
		return -ENOMEM;
	error = store_scan(app->store, STORE_GROUP, NULL, 0, NULL, 0, load_group, &loading);
	if (!error)
		error = store_scan(app->store, STORE_MEMBER, NULL, 0, NULL, 0, load_member,
				   &loading);
	if (error) {
		log_error("group", "groups can't be read from the store: %s", strerror(-error));
		return error;
	}
	if (store_get(app->store, STORE_META, "group_next", 10, next, sizeof(next)) ==
		    sizeof(next) &&
	    load32_be(next) > app->groups->next)
		app->groups->next = load32_be(next);
	if (loading.n_members > 0)
		log_info("group", "%u groups, %u memberships", app->groups->n_ids,
			 loading.n_members);
	return 0;
}
