// /akma-push/v1/afs: AFs registered, read and deleted.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/api/answer.h"
#include "control/api/routes.h"
#include "control/app.h"
#include "control/apply.h"
#include "control/json/json.h"
#include "control/json/problem.h"
#include "control/push/push.h"
#include "control/registry/af_registry.h"
#include "control/registry/group.h"
#include "control/registry/record.h"
#include "control/store/store.h"

enum {
	RATE_MAX = 1000000000, // datagrams a second
	PUSH_RATE_MAX = 1000000,
};

#define QUOTA_MAX 1000000000000000ull

// A PUT or DELETE under way.
struct af_change {
	struct change change;
	struct http_request *request;
	struct af *af;
	struct af next; // of a PUT, or a suspension: the registration to be
	bool is_new;
};

// ---- Out

static void put_allowed(const struct app *app, struct json_writer *w, const struct af *af)
{
	json_open_object(w, "allowedUes");
	if (af->all_ues) {
		json_put_bool(w, "all", true);
	} else {
		json_open_array(w, "externalGroupIds");
		for (unsigned i = 0; i < af->n_groups; i++) {
			const struct group *group = group_at(app, af->groups[i]);

			if (group)
				json_put_string(w, NULL, group->id);
		}
		json_close(w);
	}
	json_close(w);
}

static void put_af(const struct app *app, struct json_writer *w, const struct af *af)
{
	json_put_string(w, "afId", af->fqdn);
	put_allowed(app, w, af);
	json_put_bool(w, "suspended", af->suspended);
	json_put_bool(w, "trusted", af->trusted);
	json_put_bool(w, "hot", af->hot);
	json_put_uint(w, "rate", af->rate);
	json_put_uint(w, "pushRate", af->push_rate);
	json_put_uint(w, "quota", af->quota);
	json_put_uint(w, "maxTargets", af->targets_max);
	json_put_uint(w, "maxPayload", af->payload_max);
	json_put_string(w, "description", af->description);
}

static void answer_af(const struct app *app, struct http_request *request, int status,
		      const struct af *af)
{
	struct json_writer *w = json_write();

	put_af(app, w, af);
	answer_json(request, status, w);
}

// ---- In

static bool is_listed(const struct af *af, uint32_t number)
{
	for (unsigned i = 0; i < af->n_groups; i++) {
		if (af->groups[i] == number)
			return true;
	}
	return false;
}

static void read_groups(const struct app *app, const struct json_reader *reader, struct af *af)
{
	const struct json *array =
		json_array(reader, "externalGroupIds", JSON_REQUIRED, 1, AF_GROUPS_MAX);
	size_t n = json_array_len(array);

	for (size_t i = 0; i < n; i++) {
		const char *id = json_text(json_array_at(array, i));
		const struct group *group = id ? group_find(app, id) : NULL;
		char pointer[64];

		snprintf(pointer, sizeof(pointer), "/allowedUes/externalGroupIds/%zu", i);
		if (!id)
			problem_param(reader->problem, PROBLEM_MANDATORY_IE_INCORRECT, pointer,
				      "a string is expected");
		else if (!group)
			problem_param(reader->problem, PROBLEM_GROUP_NOT_FOUND, pointer,
				      "no such group");
		else if (!is_listed(af, group->number))
			af->groups[af->n_groups++] = group->number;
	}
}

static void read_allowed(const struct app *app, const struct json_reader *top, struct af *af)
{
	static const char *const known[] = {"all", "externalGroupIds", NULL};
	const struct json *object = json_object(top, "allowedUes", JSON_REQUIRED);
	struct json_reader reader = {object, "/allowedUes", top->problem};
	bool has_all, has_groups;

	if (!object)
		return;
	json_only(&reader, known);
	has_all = json_has(&reader, "all");
	has_groups = json_has(&reader, "externalGroupIds");
	if (has_all == has_groups) {
		problem_param(top->problem, PROBLEM_MANDATORY_IE_INCORRECT, "/allowedUes",
			      "exactly one of all and externalGroupIds is expected");
		return;
	}
	if (has_groups) {
		read_groups(app, &reader, af);
		return;
	}
	af->all_ues = json_bool(&reader, "all", JSON_REQUIRED, false);
	if (!af->all_ues)
		problem_param(top->problem, PROBLEM_MANDATORY_IE_INCORRECT, "/allowedUes/all",
			      "true is expected");
}

static void read_own_name(const struct json_reader *reader, const struct af *af)
{
	const char *id =
		json_string(reader, "afId", JSON_OPTIONAL, AKMA_FQDN_MIN, AKMA_FQDN_MAX + 1);
	char fqdn[AKMA_FQDN_MAX + 1];

	if (!id)
		return;
	if (akma_fqdn_parse(id, strlen(id), fqdn) < 0 || strcmp(fqdn, af->fqdn) != 0)
		problem_param(reader->problem, PROBLEM_OPTIONAL_IE_INCORRECT, "/afId",
			      "not the afId of the path");
}

static void read_registration(const struct app *app, const struct json_reader *reader,
			      struct af *af)
{
	static const char *const known[] = {"afId",       "allowedUes",  "suspended",
					    "trusted",    "hot",         "rate",
					    "pushRate",   "quota",       "maxTargets",
					    "maxPayload", "description", "notificationDestination",
					    NULL};
	const char *description;

	if (json_has(reader, "notificationDestination"))
		problem_param(reader->problem, PROBLEM_NOT_BUILT, "/notificationDestination",
			      "notifications are not supported by this version");
	json_only(reader, known);
	read_own_name(reader, af);
	read_allowed(app, reader, af);
	af->suspended = json_bool(reader, "suspended", JSON_OPTIONAL, false);
	af->trusted = json_bool(reader, "trusted", JSON_OPTIONAL, false);
	af->hot = json_bool(reader, "hot", JSON_OPTIONAL, false);
	af->rate = json_uint(reader, "rate", JSON_OPTIONAL, 0, RATE_MAX, 0);
	af->push_rate = (uint32_t)json_uint(reader, "pushRate", JSON_OPTIONAL, 0, PUSH_RATE_MAX, 0);
	af->quota = json_uint(reader, "quota", JSON_OPTIONAL, 0, QUOTA_MAX, 0);
	af->targets_max =
		(uint32_t)json_uint(reader, "maxTargets", JSON_OPTIONAL, 0, UINT32_MAX - 1, 0);
	af->payload_max =
		(uint32_t)json_uint(reader, "maxPayload", JSON_OPTIONAL, 0, DP_PAYLOAD_MAX, 0);
	description = json_string(reader, "description", JSON_OPTIONAL, 0, AF_DESCRIPTION_MAX);
	strcpy(af->description, description ? description : "");
}

// Reads path and body of a PUT; false when the request was answered.
static bool read_put(struct http_request *request, struct af *af)
{
	struct json_reader reader = {.pointer = ""};
	struct problem problem;
	struct json *document;

	*af = (struct af){0};
	problem_init(&problem);
	reader.problem = &problem;
	if (akma_fqdn_parse(request->segment[0], strlen(request->segment[0]), af->fqdn) < 0)
		problem_param(&problem, PROBLEM_MANDATORY_IE_INCORRECT, "afId",
			      "an FQDN of 4 to 253 letters, digits and hyphens is expected");
	document = problem_is(&problem)
			   ? NULL
			   : json_parse((const char *)request->body, request->body_len, &problem);
	if (document) {
		reader.object = document;
		read_registration(http_app(request), &reader, af);
		json_free(document);
	}
	if (!problem_is(&problem))
		return true;
	problem_answer(request, &problem);
	return false;
}

// ---- PUT

// What pushes and buckets know of the AF stays; the registration is replaced whole.
static void take_over(struct af *af, const struct af *next)
{
	af->suspended = next->suspended;
	af->trusted = next->trusted;
	af->hot = next->hot;
	af->all_ues = next->all_ues;
	af->n_groups = next->n_groups;
	memcpy(af->groups, next->groups, sizeof(af->groups));
	af->rate = next->rate;
	af->push_rate = next->push_rate;
	af->quota = next->quota;
	af->targets_max = next->targets_max;
	af->payload_max = next->payload_max;
	memcpy(af->description, next->description, sizeof(af->description));
}

static int apply_put(struct change *change, struct app *app)
{
	struct af_change *c = (struct af_change *)change;

	if (!dp_af_rate(app->dp, c->af->index, c->next.rate) ||
	    (c->next.hot != c->af->hot && !dp_af_hot(app->dp, c->af->index, c->next.hot)))
		return -EAGAIN;
	take_over(c->af, &c->next);
	af_set_live(app->afs, c->af, true);
	return c->af->suspended ? push_suspend_af(app, c->af) : 0;
}

static void put_done(struct change *change, struct app *app, int status)
{
	struct af_change *c = (struct af_change *)change;
	char location[sizeof("/akma-push/v1/afs/") + AKMA_FQDN_MAX];

	af_release(app->afs, c->af);
	if (status) {
		problem_answer_cause(c->request, problem_of_errno(status), "%s", strerror(-status));
		free(c);
		return;
	}
	if (c->is_new) {
		snprintf(location, sizeof(location), "/akma-push/v1/afs/%s", c->af->fqdn);
		http_set_header(c->request, "location", location);
	}
	answer_af(app, c->request, c->is_new ? 201 : 200, &c->next);
	free(c);
}

// One change of an AF at a time: who changes it builds on what is in force, and what one change has
// answered (a suspension) is not undone by one that was under way beside it.
static bool is_changing(struct http_request *request, const struct app *app, const struct af *af)
{
	if (!af_is_held(app->afs, af))
		return false;
	answer_later(request, "another change of the AF is under way");
	return true;
}

static void commit_put(struct app *app, struct store_batch *batch, struct af_change *c)
{
	uint8_t value[RECORD_AF_MAX];

	af_hold(app->afs, c->af);
	c->next.index = c->af->index;
	c->is_new = !app->afs->is_live[c->af->index];
	store_put(batch, STORE_AF, c->next.fqdn, strlen(c->next.fqdn), value,
		  record_af_write(value, &c->next));
	apply_commit(app, batch, &c->change);
}

// Whether the cache has room for one more hot AF, if that is what is wanted; else it is answered.
static bool may_be_hot(struct http_request *request, const struct app *app, const struct af *af,
		       const struct af *next)
{
	struct problem problem;
	unsigned hot = 0;

	for (uint32_t i = 0; af_at(app, i); i++)
		hot += af_at(app, i) != af && af_at(app, i)->hot;
	if (!next->hot || (dp_kaf_cache(app->dp) && hot < DP_AF_HOT_MAX))
		return true;
	problem_init(&problem);
	problem_param(&problem, PROBLEM_OPTIONAL_IE_INCORRECT, "/hot", "%s",
		      hot < DP_AF_HOT_MAX ? "no K_AFs are kept: dataplane.kaf_cache is 0"
					  : "as many AFs as possible are hot: 16");
	problem_answer(request, &problem);
	return false;
}

static void put_af_resource(struct http_request *request, void *ctx)
{
	struct store_batch *batch;
	struct app *app = ctx;
	struct af_change *c;
	struct af next, *af;

	if (!read_put(request, &next))
		return;
	af = af_place(app->afs, next.fqdn);
	if (!af) {
		problem_answer_cause(request, PROBLEM_INSUFFICIENT_RESOURCES,
				     "as many AFs as possible are registered");
		return;
	}
	if (is_changing(request, app, af) || !may_be_hot(request, app, af, &next))
		return;
	batch = answer_begin(request, sizeof(*c), (void **)&c);
	if (!batch)
		return;
	*c = (struct af_change){.change = {.apply = apply_put, .done = put_done},
				.request = request,
				.af = af,
				.next = next};
	commit_put(app, batch, c);
}

// ---- GET

// The AF of the path, or NULL and the request is answered.
static struct af *find_af(struct http_request *request, const struct app *app)
{
	struct af *af = af_find(app, request->segment[0], strlen(request->segment[0]));

	if (!af)
		problem_answer_cause(request, PROBLEM_AF_NOT_FOUND, "the AF is not registered");
	return af;
}

static void get_af(struct http_request *request, void *app)
{
	const struct af *af = find_af(request, app);

	if (af)
		answer_af(app, request, 200, af);
}

static void list_afs(struct http_request *request, void *ctx)
{
	struct json_writer *w = json_write();
	struct app *app = ctx;

	json_open_array(w, "afs");
	for (uint32_t i = 0; af_at(app, i); i++) {
		json_open_object(w, NULL);
		put_af(app, w, af_at(app, i));
		json_close(w);
	}
	json_close(w);
	answer_json(request, 200, w);
}

// ---- Suspension

// One member changes, whatever the others are.
static void set_suspended(struct http_request *request, struct app *app, bool suspended)
{
	struct af *af = find_af(request, app);
	struct store_batch *batch;
	struct af_change *c;

	if (!af || is_changing(request, app, af))
		return;
	batch = answer_begin(request, sizeof(*c), (void **)&c);
	if (!batch)
		return;
	*c = (struct af_change){.change = {.apply = apply_put, .done = put_done},
				.request = request,
				.af = af,
				.next = *af};
	c->next.suspended = suspended;
	commit_put(app, batch, c);
}

static void put_suspension(struct http_request *request, void *app)
{
	set_suspended(request, app, true);
}

static void delete_suspension(struct http_request *request, void *app)
{
	set_suspended(request, app, false);
}

// ---- DELETE

static int apply_delete(struct change *change, struct app *app)
{
	struct af_change *c = (struct af_change *)change;

	if (!dp_af_rate(app->dp, c->af->index, 0) || !dp_af_hot(app->dp, c->af->index, false))
		return -EAGAIN;
	c->af->suspended = true; // for those who still have it in hand
	c->af->hot = false;
	if (push_suspend_af(app, c->af))
		return -EAGAIN;
	af_set_live(app->afs, c->af, false);
	return 0;
}

static void delete_done(struct change *change, struct app *app, int status)
{
	struct af_change *c = (struct af_change *)change;

	af_release(app->afs, c->af);
	if (status)
		problem_answer_cause(c->request, problem_of_errno(status), "%s", strerror(-status));
	else
		http_answer(c->request, 204, NULL, NULL, 0);
	free(c);
}

static void delete_af(struct http_request *request, void *ctx)
{
	struct store_batch *batch;
	struct app *app = ctx;
	struct af *af = find_af(request, app);
	struct af_change *c;

	if (!af || is_changing(request, app, af))
		return;
	batch = answer_begin(request, sizeof(*c), (void **)&c);
	if (!batch)
		return;
	c->change = (struct change){.apply = apply_delete, .done = delete_done};
	c->request = request;
	c->af = af;
	af_hold(app->afs, af);
	store_del(batch, STORE_AF, af->fqdn, strlen(af->fqdn));
	apply_commit(app, batch, &c->change);
}

const struct http_route af_routes[] = {
	{HTTP_GET, "/akma-push/v1/afs", HTTP_ROLE_OPERATOR, HTTP_NONE, 0, list_afs, NULL,
	 "list-afs"},
	{HTTP_PUT, "/akma-push/v1/afs/{afId}", HTTP_ROLE_OPERATOR, HTTP_JSON, 0, put_af_resource,
	 NULL, "put-af"},
	{HTTP_GET, "/akma-push/v1/afs/{afId}", HTTP_ROLE_OPERATOR, HTTP_NONE, 0, get_af, NULL,
	 "get-af"},
	{HTTP_DELETE, "/akma-push/v1/afs/{afId}", HTTP_ROLE_OPERATOR, HTTP_NONE, 0, delete_af, NULL,
	 "delete-af"},
	{HTTP_PUT, "/akma-push/v1/afs/{afId}/suspension", HTTP_ROLE_OPERATOR, HTTP_NONE, 0,
	 put_suspension, NULL, "suspend-af"},
	{HTTP_DELETE, "/akma-push/v1/afs/{afId}/suspension", HTTP_ROLE_OPERATOR, HTTP_NONE, 0,
	 delete_suspension, NULL, "resume-af"},
	{0},
};
