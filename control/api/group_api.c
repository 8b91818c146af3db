// /akma-push/v1/groups: groups made, read and deleted; their members listed.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "control/api/answer.h"
#include "control/api/bulk.h"
#include "control/api/routes.h"
#include "control/app.h"
#include "control/apply.h"
#include "control/json/json.h"
#include "control/json/problem.h"
#include "control/registry/group_registry.h"
#include "control/registry/record.h"
#include "control/registry/ue.h"
#include "control/store/store.h"

// A PUT or DELETE under way.
struct group_change {
	struct change change;
	struct http_request *request;
	struct group_entry *entry;
	bool is_new;
	char description[GROUP_DESCRIPTION_MAX + 1];
};

static void put_group(struct json_writer *w, const struct group *group)
{
	json_put_string(w, "externalGroupId", group->id);
	json_put_uint(w, "members", group->n_members);
	json_put_string(w, "description", group->description);
}

static void answer_group(struct http_request *request, int status, const struct group *group)
{
	struct json_writer *w = json_write();

	put_group(w, group);
	answer_json(request, status, w);
}

static bool is_group_id(const char *id)
{
	size_t len = strlen(id);

	for (size_t i = 0; i < len; i++) {
		if (id[i] < '!' || id[i] > '~')
			return false;
	}
	return len > 0 && len <= GROUP_ID_MAX;
}

// ---- PUT

static int apply_put(struct change *change, struct app *app)
{
	struct group_change *c = (struct group_change *)change;

	(void)app;
	c->entry->is_live = true;
	strcpy(c->entry->group.description, c->description);
	return 0;
}

static void set_location(struct http_request *request, const char *id)
{
	static const char base[] = "/akma-push/v1/groups/";
	static const char digits[] = "0123456789ABCDEF";
	char location[sizeof(base) + 3 * GROUP_ID_MAX];
	char *at = location + sizeof(base) - 1;

	memcpy(location, base, sizeof(base));
	for (; *id; id++) {
		bool is_plain = (*id >= 'a' && *id <= 'z') || (*id >= 'A' && *id <= 'Z') ||
				(*id >= '0' && *id <= '9') || strchr("-._~@:!$&'()*+,;=", *id);

		if (is_plain) {
			*at++ = *id;
			continue;
		}
		*at++ = '%';
		*at++ = digits[(uint8_t)*id >> 4];
		*at++ = digits[*id & 15];
	}
	*at = 0;
	http_set_header(request, "location", location);
}

static void put_done(struct change *change, struct app *app, int status)
{
	struct group_change *c = (struct group_change *)change;

	(void)app;
	if (status) {
		problem_answer_cause(c->request, problem_of_errno(status), "%s", strerror(-status));
		free(c);
		return;
	}
	if (c->is_new)
		set_location(c->request, c->entry->group.id);
	answer_group(c->request, c->is_new ? 201 : 200, &c->entry->group);
	free(c);
}

static bool read_properties(struct http_request *request, char *description)
{
	static const char *const known[] = {"description", NULL};
	struct json_reader reader = {.pointer = ""};
	struct problem problem;
	struct json *document;
	const char *text;

	problem_init(&problem);
	document = json_parse((const char *)request->body, request->body_len, &problem);
	if (document) {
		reader.object = document;
		reader.problem = &problem;
		json_only(&reader, known);
		text = json_string(&reader, "description", JSON_OPTIONAL, 0, GROUP_DESCRIPTION_MAX);
		strcpy(description, text ? text : "");
		json_free(document);
	}
	if (!problem_is(&problem))
		return true;
	problem_answer(request, &problem);
	return false;
}

// The entry of the id, or a new one. Until one is live its number goes into the batch: an earlier
// try may have failed.
static struct group_entry *entry_for(struct app *app, struct store_batch *batch, const char *id)
{
	struct group_entry *entry = group_entry_find(app->groups, id);
	uint8_t next[4];

	if (!entry && app->groups->next < GROUP_NUMBERS_MAX)
		entry = group_entry_new(app->groups, id, app->groups->next);
	if (!entry || entry->is_live)
		return entry;
	store32_be(next, app->groups->next);
	store_put(batch, STORE_META, "group_next", 10, next, sizeof(next));
	return entry;
}

static void put_group_resource(struct http_request *request, void *app)
{
	const char *id = request->segment[0];
	uint8_t value[RECORD_GROUP_MAX];
	struct store_batch *batch;
	struct group_change *c;
	struct problem problem;
	struct group record;

	if (!is_group_id(id)) {
		problem_init(&problem);
		problem_param(&problem, PROBLEM_MANDATORY_IE_INCORRECT, "externalGroupId",
			      "a group id has 1 to 255 printable characters without blanks");
		problem_answer(request, &problem);
		return;
	}
	if (!read_properties(request, record.description))
		return;
	batch = answer_begin(request, sizeof(*c), (void **)&c);
	if (!batch)
		return;
	c->change = (struct change){.apply = apply_put, .done = put_done};
	c->request = request;
	c->entry = entry_for(app, batch, id);
	if (!c->entry) {
		store_abort(batch);
		free(c);
		problem_answer_cause(request, PROBLEM_INSUFFICIENT_RESOURCES,
				     "no room for a group");
		return;
	}
	c->is_new = !c->entry->is_live;
	strcpy(c->description, record.description);
	record.number = c->entry->group.number;
	store_put(batch, STORE_GROUP, id, strlen(id), value, record_group_write(value, &record));
	apply_commit(app, batch, &c->change);
}

// ---- GET

static void get_group(struct http_request *request, void *app)
{
	struct group *group = group_find(app, request->segment[0]);

	if (!group)
		problem_answer_cause(request, PROBLEM_GROUP_NOT_FOUND, "no such group");
	else
		answer_group(request, 200, group);
}

static void list_groups(struct http_request *request, void *ctx)
{
	const struct group_registry *groups = ((struct app *)ctx)->groups;
	struct json_writer *w = json_write();

	json_open_array(w, "groups");
	for (uint32_t i = 0; i < groups->n_ids; i++) {
		if (!groups->by_id[i]->is_live)
			continue;
		json_open_object(w, NULL);
		put_group(w, &groups->by_id[i]->group);
		json_close(w);
	}
	json_close(w);
	answer_json(request, 200, w);
}

// ---- DELETE

static int apply_delete(struct change *change, struct app *app)
{
	struct group_change *c = (struct group_change *)change;

	if (!c->entry)
		return 0;
	group_entry_free(app->groups, c->entry);
	c->entry = NULL;
	return 0;
}

static void delete_done(struct change *change, struct app *app, int status)
{
	struct group_change *c = (struct group_change *)change;

	if (status) {
		group_entry_show(app->groups, c->entry);
		problem_answer_cause(c->request, problem_of_errno(status), "%s", strerror(-status));
	} else {
		http_answer(c->request, 204, NULL, NULL, 0);
	}
	free(c);
}

static void delete_group(struct http_request *request, void *ctx)
{
	struct group *group = group_find(ctx, request->segment[0]);
	struct store_batch *batch;
	struct group_change *c;
	struct app *app = ctx;
	uint8_t prefix[4], next[4];

	if (!group) {
		problem_answer_cause(request, PROBLEM_GROUP_NOT_FOUND, "no such group");
		return;
	}
	batch = answer_begin(request, sizeof(*c), (void **)&c);
	if (!batch)
		return;
	c->change = (struct change){.apply = apply_delete, .done = delete_done};
	c->request = request;
	c->entry = (struct group_entry *)group;
	group_entry_hide(app->groups, c->entry);
	store32_be(next, app->groups->next);
	store_put(batch, STORE_META, "group_next", 10, next, sizeof(next));
	store32_be(prefix, group->number);
	store_del(batch, STORE_GROUP, group->id, strlen(group->id));
	store_del_prefix(batch, STORE_MEMBER, prefix, sizeof(prefix));
	apply_commit(app, batch, &c->change);
}

// ---- Members

// A listing under way: the members as they were when it began.
struct listing {
	struct app *app;
	uint32_t n, at;
	char *line; // what did not fit yet
	size_t line_len, line_at;
	uint32_t handles[];
};

// The next member as a line; false without memory.
static bool next_line(struct listing *l)
{
	struct json_writer *w = json_write();
	uint32_t handle = l->handles[l->at++];
	char id[DP_IDENTITY_MAX + 1];

	if (ue_identity(l->app, handle, DP_SUPI, id))
		json_put_string(w, "supi", id);
	if (ue_identity(l->app, handle, DP_GPSI, id))
		json_put_string(w, "gpsi", id);
	l->line = json_take(w, &l->line_len);
	l->line_at = 0;
	return l->line != NULL;
}

static long listing_next(void *source, uint8_t *to, size_t max)
{
	struct listing *l = source;
	size_t n = 0;

	while (n < max) {
		size_t take;

		if (!l->line) {
			if (l->at == l->n)
				break;
			if (!next_line(l))
				return -EIO;
		}
		if (l->line_at == l->line_len) { // all but the end of the line is out
			to[n++] = '\n';
			json_text_free(l->line, l->line_len);
			l->line = NULL;
			continue;
		}
		take = l->line_len - l->line_at < max - n ? l->line_len - l->line_at : max - n;
		memcpy(to + n, l->line + l->line_at, take);
		l->line_at += take;
		n += take;
	}
	return (long)n;
}

static void listing_done(void *source)
{
	struct listing *l = source;

	if (l->line)
		json_text_free(l->line, l->line_len);
	free(l);
}

static void list_members(struct http_request *request, void *app)
{
	static const struct http_source source = {listing_next, listing_done};
	struct group *group = group_find(app, request->segment[0]);
	const uint32_t *members;
	struct listing *l;
	uint32_t n;

	if (!group) {
		problem_answer_cause(request, PROBLEM_GROUP_NOT_FOUND, "no such group");
		return;
	}
	members = group_members(app, group, &n);
	l = calloc(1, sizeof(*l) + n * sizeof(*members));
	if (!l || (!members && group->n_members > 0)) {
		free(l);
		problem_answer_cause(request, PROBLEM_INSUFFICIENT_RESOURCES, "no memory");
		return;
	}
	l->app = app;
	l->n = n;
	if (n > 0)
		memcpy(l->handles, members, n * sizeof(*members));
	http_answer_stream(request, 200, "application/x-ndjson", &source, l);
}

#define GROUP "/akma-push/v1/groups/{externalGroupId}"

const struct http_route group_routes[] = {
	{HTTP_GET, "/akma-push/v1/groups", HTTP_ROLE_OPERATOR, HTTP_NONE, 0, list_groups, NULL,
	 "list-groups"},
	{HTTP_PUT, GROUP, HTTP_ROLE_OPERATOR, HTTP_JSON, 0, put_group_resource, NULL, "put-group"},
	{HTTP_GET, GROUP, HTTP_ROLE_OPERATOR, HTTP_NONE, 0, get_group, NULL, "get-group"},
	{HTTP_DELETE, GROUP, HTTP_ROLE_OPERATOR, HTTP_NONE, 0, delete_group, NULL, "delete-group"},
	{HTTP_POST, GROUP "/members", HTTP_ROLE_OPERATOR, HTTP_NDJSON, BULK_LINE_MAX, NULL,
	 &group_upload, "change-members"},
	{HTTP_GET, GROUP "/members", HTTP_ROLE_OPERATOR, HTTP_NONE, 0, list_members, NULL,
	 "list-members"},
	{0},
};
