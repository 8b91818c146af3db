// /akma-push/v1/ues: one UE read and deleted.

#include "control/api/routes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/datetime.h"
#include "control/api/answer.h"
#include "control/api/bulk.h"
#include "control/app.h"
#include "control/apply.h"
#include "control/json/json.h"
#include "control/json/problem.h"
#include "control/registry/group.h"
#include "control/registry/ue.h"
#include "control/registry/ue_registry.h"
#include "control/store/store.h"

// The UE of a path, or DP_NONE and the request is answered. There is a UE when it has a key, an
// address or both identities.
static uint32_t find_ue(struct http_request *request)
{
	struct app *app = http_app(request);
	const char *id = request->segment[0];
	char other[DP_IDENTITY_MAX + 1];
	bool is_supi = ue_is_supi(id);
	struct problem problem;
	uint32_t handle;

	if (!is_supi && !ue_is_gpsi(id)) {
		problem_init(&problem);
		problem_param(&problem, PROBLEM_MANDATORY_IE_INCORRECT, "ueId",
			      "the path ends with a SUPI or GPSI");
		problem_answer(request, &problem);
		return DP_NONE;
	}
	handle = ue_find(app, is_supi ? DP_SUPI : DP_GPSI, id);
	if (handle != DP_NONE &&
	    (bit_is(app->ues->keyed, handle) || bit_is(app->ues->addressed, handle) ||
	     ue_identity(app, handle, is_supi ? DP_GPSI : DP_SUPI, other)))
		return handle;
	problem_answer_cause(request, PROBLEM_UE_NOT_FOUND, "no such UE");
	return DP_NONE;
}

// ---- GET

static void put_address(struct json_writer *w, const struct dp_address *address)
{
	static const uint8_t v4[12] = {[10] = 0xff, [11] = 0xff};
	char text[INET6_ADDRSTRLEN];

	if (!memcmp(address->ip, v4, sizeof(v4)))
		inet_ntop(AF_INET, address->ip + 12, text, sizeof(text));
	else
		inet_ntop(AF_INET6, address->ip, text, sizeof(text));
	json_put_string(w, "address", text);
	json_put_uint(w, "port", address->port);
}

static void get_ue(struct http_request *request, void *ctx)
{
	uint32_t handle = find_ue(request);
	char id[DP_IDENTITY_MAX + 1], expiry[DATETIME_MAX];
	struct dp_context context;
	struct app *app = ctx;
	struct json_writer *w;

	if (handle == DP_NONE)
		return;
	w = json_write();
	if (ue_identity(app, handle, DP_SUPI, id))
		json_put_string(w, "supi", id);
	if (ue_identity(app, handle, DP_GPSI, id))
		json_put_string(w, "gpsi", id);
	dp_context(app->dp, handle, &context);
	if (context.has_address)
		put_address(w, &context.address);
	json_put_bool(w, "registered", context.has_key);
	if (context.has_key) {
		datetime_write(expiry, context.expiry * 1000ull);
		json_put_string(w, "keyExpiry", expiry);
	}
	if (request->roles & HTTP_ROLE_ADMIN)
		json_put_uint(w, "handle", handle);
	answer_json(request, 200, w);
}

// ---- DELETE

struct removal {
	struct change change;
	struct http_request *request;
	uint32_t handle[2];   // the UE's; the second its twin's or DP_NONE
	uint32_t supi_handle; // new, for the SUPI that had shared the handle; or DP_NONE
};

static int apply_removal(struct change *change, struct app *app)
{
	struct removal *r = (struct removal *)change;

	for (int i = 0; i < 2; i++) {
		if (r->handle[i] != DP_NONE && ue_apply_deleted(app, r->handle[i]))
			return -EAGAIN;
	}
	if (r->supi_handle != DP_NONE)
		group_apply_copy(app, r->handle[0], r->supi_handle);
	return 0;
}

static void removal_done(struct change *change, struct app *app, int status)
{
	struct removal *r = (struct removal *)change;

	for (int i = 0; i < 2; i++) {
		if (r->handle[i] != DP_NONE)
			ue_saved(app, r->handle[i], status);
	}
	for (int i = 0; status && i < 2; i++) {
		if (r->handle[i] != DP_NONE)
			ue_restore(app, r->handle[i]);
	}
	if (status) {
		problem_answer_cause(r->request, problem_of_errno(status), "%s", strerror(-status));
	} else {
		http_answer(r->request, 204, NULL, NULL, 0);
	}
	free(r);
}

// Parts the identities. Where they share a handle the GPSI keeps it (groups are named by GPSIs in
// the first place) and the SUPI gets one of its own, in the same groups. 0 or -ENOSPC.
static int part(struct app *app, struct store_batch *batch, struct removal *r)
{
	char supi[DP_IDENTITY_MAX + 1], gpsi[DP_IDENTITY_MAX + 1];

	r->handle[1] = ue_twin(app, r->handle[0]);
	if (r->handle[1] != DP_NONE) {
		ue_unlink(app, r->handle[0]);
		return 0;
	}
	if (!dp_identity(app->dp, r->handle[0], DP_SUPI, supi) ||
	    !dp_identity(app->dp, r->handle[0], DP_GPSI, gpsi))
		return 0;
	dp_unbind(app->dp, r->handle[0], DP_SUPI);
	r->supi_handle = ue_name(app, batch, DP_SUPI, supi);
	if (r->supi_handle == DP_NONE) {
		dp_bind(app->dp, r->handle[0], DP_SUPI, supi, strlen(supi));
		return -ENOSPC;
	}
	group_store_copy(app, batch, r->handle[0], r->supi_handle);
	return 0;
}

static void store_removal(struct app *app, struct store_batch *batch, const struct removal *r)
{
	for (int i = 0; i < 2; i++) {
		if (r->handle[i] == DP_NONE)
			continue;
		ue_save(app, batch, r->handle[i]);
		ue_store_no_context(app, batch, r->handle[i]);
		ue_store_address(app, batch, r->handle[i], NULL);
	}
}

static void delete_ue(struct http_request *request, void *ctx)
{
	uint32_t handle = find_ue(request);
	struct store_batch *batch;
	struct app *app = ctx;
	struct removal *r;

	if (handle == DP_NONE)
		return;
	batch = answer_begin(request, sizeof(*r), (void **)&r);
	if (!batch)
		return;
	*r = (struct removal){.change = {.apply = apply_removal, .done = removal_done},
			      .request = request,
			      .handle = {handle, DP_NONE},
			      .supi_handle = DP_NONE};
	if (part(app, batch, r)) {
		store_abort(batch);
		free(r);
		problem_answer_cause(request, PROBLEM_INSUFFICIENT_RESOURCES,
				     "the table of UEs is full");
		return;
	}
	store_removal(app, batch, r);
	apply_commit(app, batch, &r->change);
}

const struct http_route ue_routes[] = {
	{HTTP_POST, "/akma-push/v1/ues", HTTP_ROLE_OPERATOR, HTTP_NDJSON, BULK_LINE_MAX, NULL,
	 &ue_upload, "put-ues"},
	{HTTP_GET, "/akma-push/v1/ues/{ueId}", HTTP_ROLE_OPERATOR, HTTP_NONE, 0, get_ue, NULL,
	 "get-ue"},
	{HTTP_DELETE, "/akma-push/v1/ues/{ueId}", HTTP_ROLE_OPERATOR, HTTP_NONE, 0, delete_ue, NULL,
	 "delete-ue"},
	{0},
};
