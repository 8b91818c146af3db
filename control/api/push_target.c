#include "control/api/push_target.h"

#include <stdio.h>
#include <stdlib.h>

#include "control/app.h"
#include "control/config/config.h"
#include "control/json/json.h"
#include "control/json/problem.h"
#include "control/push/push_registry.h"
#include "control/registry/af.h"
#include "control/registry/group.h"
#include "control/registry/ue.h"
#include "control/registry/ue_registry.h"

struct resolving {
	struct app *app;
	struct store_batch *batch;
	struct af *af;
	bool sees_supi;
	struct push_list *list;
	struct problem *problem;
	uint32_t n_strangers; // identities not known, or not the AF's to reach
};

uint32_t push_target_max(const struct app *app, const struct af *af)
{
	return af->targets_max && af->targets_max < app->config->push.targets_max
		       ? af->targets_max
		       : app->config->push.targets_max;
}

static void note_memory(struct problem *problem)
{
	problem_set(problem, PROBLEM_INSUFFICIENT_RESOURCES, "no memory for the list of targets");
}

// False, and the problem is noted, when n targets are too many.
static bool may_be_many(const struct resolving *r, uint64_t n)
{
	uint32_t max = push_target_max(r->app, r->af);

	if (n <= max)
		return true;
	problem_param(r->problem, PROBLEM_TOO_MANY_TARGETS, "/target", "at most %u targets", max);
	return false;
}

// False, and the problem is noted, when rate and quota have no room for n targets now. Asked before
// they are named: naming takes room in the table of UEs, which belongs to all.
static bool may_be_now(const struct resolving *r, uint32_t n)
{
	unsigned wait_s = af_wait(r->app, r->af, n);

	if (!wait_s)
		return true;
	problem_set(r->problem, PROBLEM_NF_CONGESTION_RISK, "rate or quota of the AF is used up");
	r->problem->retry_after_s = wait_s;
	return false;
}

// The same for the strangers among them: a handle that is given to one is never given back. What is
// said is the same whether they are known or not.
static bool may_be_strangers(const struct resolving *r)
{
	unsigned wait_s = af_admit_strangers(r->app, r->af, r->n_strangers);

	if (!wait_s)
		return true;
	r->app->pushes->n_strangers_refused++;
	problem_set(r->problem, PROBLEM_NF_CONGESTION_RISK,
		    "too many UEs in a day that are not known or not allowed");
	r->problem->retry_after_s = wait_s;
	return false;
}

// ---- By identity

// An identity that the AF may name; false, and the problem is noted, when it is none.
static bool read_identity(const struct resolving *r, const struct json_reader *reader,
			  enum dp_identity *kind, const char **id)
{
	if (!ue_read_identity(reader, kind, id))
		return false;
	if (*kind != DP_SUPI || r->sees_supi)
		return true;
	problem_set(r->problem, PROBLEM_NOT_AUTHORIZED, "this AF names UEs by their GPSI only");
	return false;
}

static bool add_identity(struct resolving *r, const struct json_reader *reader)
{
	enum dp_identity kind;
	const char *id;
	uint32_t handle;

	if (!read_identity(r, reader, &kind, &id))
		return false;
	handle = ue_name(r->app, r->batch, kind, id);
	if (handle == DP_NONE) {
		problem_set(r->problem, PROBLEM_INSUFFICIENT_RESOURCES, "the table of UEs is full");
		return false;
	}
	if (!push_list_add(r->list, handle))
		return true;
	note_memory(r->problem);
	return false;
}

static bool check_identity(struct resolving *r, const struct json_reader *reader)
{
	enum dp_identity kind;
	const char *id;
	uint32_t handle;

	if (!read_identity(r, reader, &kind, &id))
		return false;
	handle = ue_find(r->app, kind, id);
	r->n_strangers += handle == DP_NONE || !af_allows(r->app, r->af, handle);
	return true;
}

static bool check_item(struct resolving *r, const struct json_reader *reader)
{
	static const char *const known[] = {"supi", "gpsi", NULL};

	if (!json_is_object(reader->object)) {
		problem_param(r->problem, PROBLEM_MANDATORY_IE_INCORRECT, reader->pointer,
			      "an object is expected");
		return false;
	}
	json_only(reader, known);
	return check_identity(r, reader) && !problem_is(r->problem);
}

// Has `item` look at each; it says false to stop.
static void each_item(struct resolving *r, const struct json *array,
		      bool (*item)(struct resolving *r, const struct json_reader *reader))
{
	size_t n = json_array_len(array);
	char pointer[48];

	for (size_t i = 0; i < n; i++) {
		struct json_reader reader = {json_array_at(array, i), pointer, r->problem};

		snprintf(pointer, sizeof(pointer), "/target/list/%zu", i);
		if (!item(r, &reader))
			return;
	}
}

// The whole list is looked at before an identity of it gets a handle: what is refused uses none up.
static void add_list(struct resolving *r, const struct json *array)
{
	if (!may_be_many(r, json_array_len(array)))
		return;
	each_item(r, array, check_item);
	if (!problem_is(r->problem) && may_be_now(r, (uint32_t)json_array_len(array)) &&
	    may_be_strangers(r))
		each_item(r, array, add_identity);
}

// Marks what the AF may not reach.
static void bar(const struct resolving *r)
{
	for (uint32_t i = 0; i < r->list->n; i++) {
		if (af_allows(r->app, r->af, r->list->handles[i]))
			continue;
		if (push_list_bar(r->list, i)) {
			note_memory(r->problem);
			return;
		}
	}
}

static void resolve_identities(struct resolving *r, const struct json_reader *reader)
{
	if (json_has(reader, "list"))
		add_list(r, json_array(reader, "list", JSON_REQUIRED, 1, SIZE_MAX));
	else if (check_identity(r, reader) && may_be_now(r, 1) && may_be_strangers(r))
		add_identity(r, reader);
	if (problem_is(r->problem))
		return;
	push_list_sort(r->list);
	bar(r);
}

// ---- By group, and all

static void add_group(const struct resolving *r, struct group *group)
{
	uint32_t n;
	const uint32_t *members = group_members(r->app, group, &n);

	if (members && push_list_take(r->list, members, n))
		note_memory(r->problem);
}

static bool is_allowed_group(const struct af *af, const struct group *group)
{
	for (unsigned i = 0; i < af->n_groups; i++) {
		if (af->groups[i] == group->number)
			return true;
	}
	return af->all_ues;
}

// A group that the AF may not reach is answered like one that there is not.
static void resolve_group(const struct resolving *r, const struct json_reader *reader)
{
	const char *id = json_string(reader, "externalGroupId", JSON_REQUIRED, 1, GROUP_ID_MAX);
	struct group *group = id ? group_find(r->app, id) : NULL;

	if (!id)
		return;
	if (!group || !is_allowed_group(r->af, group)) {
		problem_set(r->problem, PROBLEM_GROUP_NOT_FOUND, "no such group");
		return;
	}
	if (may_be_many(r, group->n_members))
		add_group(r, group);
}

// Every subscriber that has an identity; the first of twins.
static void add_everyone(const struct resolving *r)
{
	uint32_t n = dp_handles(r->app->dp);
	char id[DP_IDENTITY_MAX + 1];

	for (uint32_t handle = 0; handle < n; handle++) {
		if (ue_first(r->app, handle) != handle ||
		    (!ue_identity(r->app, handle, DP_GPSI, id) &&
		     !ue_identity(r->app, handle, DP_SUPI, id)))
			continue;
		if (!may_be_many(r, (uint64_t)r->list->n + 1))
			return;
		if (bit_is(r->app->ues->unsaved, handle))
			ue_save(r->app, r->batch, handle);
		if (push_list_add(r->list, handle)) {
			note_memory(r->problem);
			return;
		}
	}
}

// All that the AF may reach.
static void resolve_all(const struct resolving *r, const struct json_reader *reader)
{
	if (!json_bool(reader, "all", JSON_REQUIRED, false)) {
		problem_param(r->problem, PROBLEM_MANDATORY_IE_INCORRECT, "/target/all",
			      "true is expected");
		return;
	}
	if (r->af->all_ues) {
		add_everyone(r);
		return;
	}
	for (unsigned i = 0; i < r->af->n_groups; i++) {
		struct group *group = group_at(r->app, r->af->groups[i]);

		if (group)
			add_group(r, group);
	}
	push_list_sort(r->list);
	may_be_many(r, r->list->n);
}

// ---- The target

static const char *const kinds[] = {"supi", "gpsi", "list", "externalGroupId", "all", NULL};

static bool has_one_kind(const struct json_reader *reader)
{
	unsigned n = 0;

	for (unsigned i = 0; kinds[i]; i++)
		n += json_has(reader, kinds[i]);
	if (n != 1)
		problem_param(reader->problem,
			      n ? PROBLEM_MANDATORY_IE_INCORRECT : PROBLEM_MANDATORY_IE_MISSING,
			      "/target",
			      "exactly one of supi, gpsi, list, externalGroupId and all");
	return n == 1;
}

void push_target_resolve(struct app *app, struct store_batch *batch, struct af *af,
			 const struct json *target, bool sees_supi, struct push_list *list,
			 struct problem *problem)
{
	struct resolving r = {app, batch, af, sees_supi, list, problem, 0};
	struct json_reader reader = {target, "/target", problem};

	json_only(&reader, kinds);
	if (!has_one_kind(&reader) || problem_is(problem))
		return;
	if (json_has(&reader, "externalGroupId"))
		resolve_group(&r, &reader);
	else if (json_has(&reader, "all"))
		resolve_all(&r, &reader);
	else
		resolve_identities(&r, &reader);
	if (!problem_is(problem) && !list->n)
		problem_param(problem, PROBLEM_MANDATORY_IE_INCORRECT, "/target",
			      "there is no UE in it");
}

void push_target_again(struct app *app, struct af *af, struct push_list *list,
		       struct problem *problem)
{
	struct resolving r = {.app = app, .af = af, .list = list, .problem = problem};
	struct push_list now = {.handles = list->handles, .n = list->n, .room = list->room};

	free(list->barred);
	*list = now;
	if (may_be_many(&r, list->n) && !af->all_ues)
		bar(&r);
}

void push_target_saved(struct app *app, const struct push_list *list)
{
	for (uint32_t i = 0; i < list->n; i++) {
		if (bit_is(app->ues->unsaved, list->handles[i]))
			ue_saved(app, list->handles[i], 0);
	}
}
