// POST /ues: identities bound, addresses set, line by line (see bulk.h).

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/api/bulk.h"
#include "control/api/routes.h"
#include "control/app.h"
#include "control/json/json.h"
#include "control/registry/ue.h"

enum { UE_PORT = 48470 }; // docs/specification.md: UDP port of a UE that names none

// What a line did to the directory, for the way back, and what is left to do once it is durable.
struct ue_item {
	uint32_t handle;
	bool bound_supi, bound_gpsi; // to `handle`
	bool twinned;
	bool has_address, no_address;
	struct dp_address address;
};

struct ue_upload {
	struct bulk bulk;
	uint64_t n_stored;
};

// ---- Binding

static void note_full(struct problem *problem)
{
	problem_set(problem, PROBLEM_INSUFFICIENT_RESOURCES, "the table of UEs is full");
}

static void note_conflict(struct problem *problem, const char *member)
{
	problem_param(problem, PROBLEM_IDENTITY_CONFLICT, member,
		      "is bound to another identity; delete that UE first");
}

// Gives the handle the other identity as well.
static void bind_to(struct app *app, struct ue_item *item, uint32_t handle, enum dp_identity kind,
		    const char *id, struct problem *problem)
{
	char other[DP_IDENTITY_MAX + 1];

	if (ue_identity(app, handle, kind, other)) {
		note_conflict(problem, kind == DP_SUPI ? "/gpsi" : "/supi");
		return;
	}
	if (dp_bind(app->dp, handle, kind, id, strlen(id))) {
		note_full(problem);
		return;
	}
	item->handle = handle;
	item->bound_supi = kind == DP_SUPI;
	item->bound_gpsi = kind == DP_GPSI;
}

// Both identities have handles: they are one subscriber's already, or become twins.
static void join(struct app *app, struct ue_item *item, uint32_t supi_handle, uint32_t gpsi_handle,
		 struct problem *problem)
{
	char other[DP_IDENTITY_MAX + 1];

	item->handle = supi_handle;
	if (ue_first(app, supi_handle) == ue_first(app, gpsi_handle))
		return;
	if (ue_identity(app, gpsi_handle, DP_SUPI, other)) {
		note_conflict(problem, "/gpsi");
		return;
	}
	if (ue_identity(app, supi_handle, DP_GPSI, other)) {
		note_conflict(problem, "/supi");
		return;
	}
	ue_link(app, supi_handle, gpsi_handle);
	item->twinned = true;
}

static void bind_both(struct app *app, struct store_batch *batch, struct ue_item *item,
		      const char *supi, const char *gpsi, struct problem *problem)
{
	uint32_t supi_handle = dp_find(app->dp, DP_SUPI, supi, strlen(supi));
	uint32_t gpsi_handle = dp_find(app->dp, DP_GPSI, gpsi, strlen(gpsi));

	if (supi_handle == DP_NONE && gpsi_handle == DP_NONE)
		supi_handle = ue_name(app, batch, DP_SUPI, supi);
	if (supi_handle == DP_NONE && gpsi_handle == DP_NONE)
		note_full(problem);
	else if (gpsi_handle == DP_NONE)
		bind_to(app, item, supi_handle, DP_GPSI, gpsi, problem);
	else if (supi_handle == DP_NONE)
		bind_to(app, item, gpsi_handle, DP_SUPI, supi, problem);
	else
		join(app, item, supi_handle, gpsi_handle, problem);
}

static void name_one(struct app *app, struct store_batch *batch, struct ue_item *item,
		     enum dp_identity kind, const char *id, struct problem *problem)
{
	item->handle = ue_name(app, batch, kind, id);
	if (item->handle == DP_NONE)
		note_full(problem);
}

// ---- A line

// False when no UE can have the address.
static bool is_of_a_ue(const struct dp_address *address)
{
	static const uint8_t v4[12] = {[10] = 0xff, [11] = 0xff}, zero[16];
	const uint8_t *ip = address->ip;

	if (!memcmp(ip, v4, sizeof(v4)))
		return ip[12] != 0 && ip[12] < 224; // not "this network", multicast, broadcast
	return memcmp(ip, zero, sizeof(zero)) != 0 && ip[0] != 0xff;
}

static bool parse_address(const char *text, struct dp_address *address)
{
	uint8_t v4[4];

	if (inet_pton(AF_INET, text, v4) == 1) {
		memset(address->ip, 0, 10);
		memset(address->ip + 10, 0xff, 2);
		memcpy(address->ip + 12, v4, sizeof(v4));
	} else if (inet_pton(AF_INET6, text, address->ip) != 1) {
		return false;
	}
	return is_of_a_ue(address);
}

static void read_address(const struct json_reader *reader, struct ue_item *item)
{
	const char *text;

	item->no_address = json_has_null(reader, "address");
	if (!item->no_address && json_has(reader, "address")) {
		text = json_string(reader, "address", JSON_REQUIRED, 1, INET6_ADDRSTRLEN);
		if (text && !parse_address(text, &item->address))
			problem_param(reader->problem, PROBLEM_OPTIONAL_IE_INCORRECT, "/address",
				      "the IPv4 or IPv6 address of a UE, or null");
		item->has_address = true;
	}
	item->address.port =
		(uint16_t)json_uint(reader, "port", JSON_OPTIONAL, 1, UINT16_MAX, UE_PORT);
	if (json_has(reader, "port") && !item->has_address)
		problem_param(reader->problem, PROBLEM_OPTIONAL_IE_INCORRECT, "/port",
			      "only together with an address");
}

// An identity that may be absent; what is wrong is noted.
static const char *read_identity(const struct json_reader *reader, const char *name,
				 bool (*is)(const char *id))
{
	const char *id = json_string(reader, name, JSON_OPTIONAL, 1, DP_IDENTITY_MAX);
	char pointer[8];

	if (!id || is(id))
		return id;
	snprintf(pointer, sizeof(pointer), "/%s", name);
	problem_param(reader->problem, PROBLEM_MANDATORY_IE_INCORRECT, pointer, "not a %s",
		      is == ue_is_supi ? "SUPI: imsi- and digits, or nai-"
				       : "GPSI: msisdn- and digits, or extid-");
	return NULL;
}

static void upload_line(struct bulk *bulk, const struct json_reader *reader,
			struct store_batch *batch, void *to)
{
	static const char *const known[] = {"supi", "gpsi", "address", "port", NULL};
	const char *supi = read_identity(reader, "supi", ue_is_supi);
	const char *gpsi = read_identity(reader, "gpsi", ue_is_gpsi);
	struct app *app = bulk->app;
	struct ue_item *item = to;

	*item = (struct ue_item){.handle = DP_NONE};
	json_only(reader, known);
	read_address(reader, item);
	if (!supi && !gpsi)
		problem_set(reader->problem, PROBLEM_MANDATORY_IE_MISSING,
			    "supi, gpsi or both are expected");
	if (problem_is(reader->problem))
		return;
	if (supi && gpsi)
		bind_both(app, batch, item, supi, gpsi, reader->problem);
	else
		name_one(app, batch, item, supi ? DP_SUPI : DP_GPSI, supi ? supi : gpsi,
			 reader->problem);
	if (problem_is(reader->problem))
		return;
	ue_save(app, batch, item->handle);
	if (item->has_address || item->no_address)
		ue_store_address(app, batch, item->handle,
				 item->has_address ? &item->address : NULL);
}

static int upload_apply(struct bulk *bulk, void *at)
{
	const struct ue_item *item = at;
	int error = item->twinned ? ue_apply_twins(bulk->app, item->handle) : 0;

	if (error || !(item->has_address || item->no_address))
		return error;
	return ue_apply_address(bulk->app, item->handle, item->has_address ? &item->address : NULL);
}

static void upload_done(struct bulk *bulk, const void *at, int status)
{
	struct ue_upload *upload = (struct ue_upload *)bulk;
	const struct ue_item *item = at;

	ue_saved(bulk->app, item->handle, status);
	upload->n_stored += status == 0;
	if (!status)
		return;
	if (item->bound_supi)
		dp_unbind(bulk->app->dp, item->handle, DP_SUPI);
	if (item->bound_gpsi)
		dp_unbind(bulk->app->dp, item->handle, DP_GPSI);
	if (item->bound_supi || item->bound_gpsi || item->twinned)
		ue_restore(bulk->app, item->handle);
}

static void upload_answer(const struct bulk *bulk, struct json_writer *w)
{
	json_put_uint(w, "lines", bulk->n_lines);
	json_put_uint(w, "stored", ((const struct ue_upload *)bulk)->n_stored);
}

static void upload_free(struct bulk *bulk)
{
	free(bulk);
}

static const struct bulk_ops upload_ops = {
	.item_size = sizeof(struct ue_item),
	.line = upload_line,
	.apply = upload_apply,
	.done = upload_done,
	.answer = upload_answer,
	.free = upload_free,
};

static void *upload_begin(struct http_request *request)
{
	struct ue_upload *upload = calloc(1, sizeof(*upload));

	if (!upload) {
		problem_answer_cause(request, PROBLEM_INSUFFICIENT_RESOURCES, "no memory");
		return NULL;
	}
	bulk_init(&upload->bulk, &upload_ops, http_app(request), request);
	return upload;
}

const struct http_upload ue_upload = {upload_begin, bulk_line, bulk_end, bulk_gone};
