// POST /groups/{externalGroupId}/members: members come and go, line by line (see bulk.h).

#include <stdlib.h>

#include "control/api/bulk.h"
#include "control/api/routes.h"
#include "control/app.h"
#include "control/json/json.h"
#include "control/json/problem.h"
#include "control/registry/group_registry.h"
#include "control/registry/record.h"
#include "control/registry/ue.h"
#include "control/store/store.h"

struct member_item {
	uint32_t handle; // DP_NONE: the identity is not known, so nothing is removed
	bool remove;
	int changed; // as group_add and group_del told
};

struct member_upload {
	struct bulk bulk;
	uint32_t number;
	uint64_t n_added, n_removed, n_unchanged;
};

static struct group_entry *entry_of(struct bulk *bulk)
{
	return (struct group_entry *)group_at(bulk->app, ((struct member_upload *)bulk)->number);
}

static void del_member(struct store_batch *batch, uint32_t number, uint32_t handle)
{
	uint8_t key[8];

	if (handle == DP_NONE)
		return;
	record_member_key(key, number, handle);
	store_del(batch, STORE_MEMBER, key, sizeof(key));
}

static void store_member(struct app *app, struct store_batch *batch, uint32_t number,
			 const struct member_item *item)
{
	uint8_t key[8];

	if (item->remove) {
		del_member(batch, number, item->handle);
		if (item->handle != DP_NONE)
			del_member(batch, number, ue_twin(app, item->handle));
		return;
	}
	record_member_key(key, number, item->handle);
	store_put(batch, STORE_MEMBER, key, sizeof(key), NULL, 0);
}

static void member_line(struct bulk *bulk, const struct json_reader *reader,
			struct store_batch *batch, void *to)
{
	static const char *const known[] = {"supi", "gpsi", "remove", NULL};
	struct member_item *item = to;
	enum dp_identity kind;
	const char *id;

	*item = (struct member_item){.handle = DP_NONE};
	json_only(reader, known);
	item->remove = json_bool(reader, "remove", JSON_OPTIONAL, false);
	if (!ue_read_identity(reader, &kind, &id) || problem_is(reader->problem))
		return;
	if (!entry_of(bulk)) {
		problem_set(reader->problem, PROBLEM_GROUP_NOT_FOUND, "the group was deleted");
		return;
	}
	item->handle =
		item->remove ? ue_find(bulk->app, kind, id) : ue_name(bulk->app, batch, kind, id);
	if (item->handle == DP_NONE && !item->remove) {
		problem_set(reader->problem, PROBLEM_INSUFFICIENT_RESOURCES,
			    "the table of UEs is full");
		return;
	}
	store_member(bulk->app, batch, ((struct member_upload *)bulk)->number, item);
}

static int member_apply(struct bulk *bulk, void *at)
{
	struct group_entry *entry = entry_of(bulk);
	struct member_item *item = at;
	uint32_t twin;

	if (!entry || item->handle == DP_NONE)
		return 0;
	if (!item->remove) {
		item->changed = group_add(entry, item->handle);
		return 0;
	}
	twin = ue_twin(bulk->app, item->handle);
	item->changed = group_del(entry, item->handle);
	if (twin != DP_NONE)
		item->changed |= group_del(entry, twin);
	return 0;
}

static void member_done(struct bulk *bulk, const void *at, int status)
{
	struct member_upload *upload = (struct member_upload *)bulk;
	const struct member_item *item = at;

	if (item->handle != DP_NONE)
		ue_saved(bulk->app, item->handle, status);
	if (status)
		return;
	if (item->changed < 0)
		bulk->status = item->changed; // in the store, but no memory for it until a restart
	upload->n_added += item->changed == 1 && !item->remove;
	upload->n_removed += item->changed == 1 && item->remove;
	upload->n_unchanged += item->changed == 0;
}

static void member_answer(const struct bulk *bulk, struct json_writer *w)
{
	const struct member_upload *upload = (const struct member_upload *)bulk;

	json_put_uint(w, "added", upload->n_added);
	json_put_uint(w, "removed", upload->n_removed);
	json_put_uint(w, "unchanged", upload->n_unchanged);
}

static void member_free(struct bulk *bulk)
{
	free(bulk);
}

static const struct bulk_ops member_ops = {
	.item_size = sizeof(struct member_item),
	.line = member_line,
	.apply = member_apply,
	.done = member_done,
	.answer = member_answer,
	.free = member_free,
};

static void *member_begin(struct http_request *request)
{
	struct group *group = group_find(http_app(request), request->segment[0]);
	struct member_upload *upload;

	if (!group) {
		problem_answer_cause(request, PROBLEM_GROUP_NOT_FOUND, "no such group");
		return NULL;
	}
	upload = calloc(1, sizeof(*upload));
	if (!upload) {
		problem_answer_cause(request, PROBLEM_INSUFFICIENT_RESOURCES, "no memory");
		return NULL;
	}
	upload->number = group->number;
	bulk_init(&upload->bulk, &member_ops, http_app(request), request);
	return upload;
}

const struct http_upload group_upload = {member_begin, bulk_line, bulk_end, bulk_gone};
