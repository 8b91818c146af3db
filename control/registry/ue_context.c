// Keys and addresses of subscribers: into the store, then, once durable, into the data plane. Twins
// have both alike; in the store they stand under the first of them.

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "control/app.h"
#include "control/registry/record.h"
#include "control/registry/ue.h"
#include "control/registry/ue_registry.h"
#include "control/store/store.h"

static void store_del_handle(struct store_batch *batch, enum store_table table, uint32_t handle)
{
	uint8_t key[4];

	record_handle_key(key, handle);
	store_del(batch, table, key, sizeof(key));
}

// Deletes what twins have in a table but for the first's, which is put anew.
static void store_del_twin(struct app *app, struct store_batch *batch, enum store_table table,
			   uint32_t first)
{
	uint32_t twin = ue_twin(app, first);

	if (twin != DP_NONE)
		store_del_handle(batch, table, twin);
}

// ---- Keys

// The subscriber, other than this one, that has the A-KID; DP_NONE.
static uint32_t other_of_akid(const struct app *app, uint32_t handle, const char *akid)
{
	uint32_t other = dp_find(app->dp, DP_AKID, akid, strlen(akid));

	if (other == DP_NONE || ue_first(app, other) == ue_first(app, handle))
		return DP_NONE;
	return ue_first(app, other);
}

void ue_store_context(struct app *app, struct store_batch *batch, uint32_t handle,
		      const struct record_context *context)
{
	uint32_t other = other_of_akid(app, handle, context->akid);
	uint8_t key[4], value[RECORD_CONTEXT_MAX];

	handle = ue_first(app, handle);
	record_handle_key(key, handle);
	store_put(batch, STORE_CONTEXT, key, sizeof(key), value,
		  record_context_write(value, context));
	store_del_twin(app, batch, STORE_CONTEXT, handle);
	if (other != DP_NONE)
		ue_store_no_context(app, batch, other);
	mem_wipe(value, sizeof(value));
}

int ue_apply_context(struct app *app, uint32_t handle, const struct record_context *context)
{
	uint32_t first = ue_first(app, handle), twin = ue_twin(app, first);
	uint32_t other = other_of_akid(app, handle, context->akid);

	if (other != DP_NONE) {
		if (ue_apply_no_context(app, other))
			return -EAGAIN;
		log_warn("ue",
			 "an A-KID was registered for another subscriber (handle %u, now %u): "
			 "the older context is gone",
			 other, first);
	}
	if (!dp_put_key(app->dp, first, context->kakma, context->expiry))
		return -EAGAIN;
	if (twin != DP_NONE) {
		if (!dp_put_key(app->dp, twin, context->kakma, context->expiry))
			return -EAGAIN;
		dp_unbind(app->dp, twin, DP_AKID);
	}
	dp_bind(app->dp, first, DP_AKID, context->akid, strlen(context->akid));
	ue_note_key(app->ues, first, true);
	return 0;
}

void ue_store_no_context(struct app *app, struct store_batch *batch, uint32_t handle)
{
	store_del_handle(batch, STORE_CONTEXT, ue_first(app, handle));
	store_del_twin(app, batch, STORE_CONTEXT, ue_first(app, handle));
}

int ue_apply_no_context(struct app *app, uint32_t handle)
{
	uint32_t first = ue_first(app, handle), twin = ue_twin(app, first);

	if (!dp_del_key(app->dp, first))
		return -EAGAIN;
	if (twin != DP_NONE && !dp_del_key(app->dp, twin))
		return -EAGAIN;
	dp_unbind(app->dp, first, DP_AKID);
	if (twin != DP_NONE)
		dp_unbind(app->dp, twin, DP_AKID);
	ue_note_key(app->ues, first, false);
	return 0;
}

// ---- Addresses

void ue_store_address(struct app *app, struct store_batch *batch, uint32_t handle,
		      const struct dp_address *address)
{
	uint32_t first = ue_first(app, handle);
	uint8_t key[4], value[RECORD_ADDRESS_MAX];

	store_del_twin(app, batch, STORE_ADDRESS, first);
	if (!address) {
		store_del_handle(batch, STORE_ADDRESS, first);
		return;
	}
	record_handle_key(key, first);
	store_put(batch, STORE_ADDRESS, key, sizeof(key), value,
		  record_address_write(value, address));
}

static bool dp_set_address(struct dp *dp, uint32_t handle, const struct dp_address *address)
{
	return address ? dp_put_address(dp, handle, address) : dp_del_address(dp, handle);
}

int ue_apply_address(struct app *app, uint32_t handle, const struct dp_address *address)
{
	uint32_t first = ue_first(app, handle), twin = ue_twin(app, first);

	if (!dp_set_address(app->dp, first, address))
		return -EAGAIN;
	if (twin != DP_NONE && !dp_set_address(app->dp, twin, address))
		return -EAGAIN;
	ue_note_address(app->ues, first, address != NULL);
	return 0;
}

int ue_apply_deleted(struct app *app, uint32_t handle)
{
	if (!dp_del_key(app->dp, handle) || !dp_del_address(app->dp, handle))
		return -EAGAIN;
	dp_unbind(app->dp, handle, DP_AKID);
	ue_note_deleted(app->ues, handle);
	return 0;
}

// ---- Twins

// The context that the store has for a handle: 0 or -errno.
static int get_context(struct app *app, uint32_t handle, struct record_context *context)
{
	uint8_t key[4], value[RECORD_CONTEXT_MAX];
	ssize_t len;
	int error = -ENOENT;

	record_handle_key(key, handle);
	len = store_get(app->store, STORE_CONTEXT, key, sizeof(key), value, sizeof(value));
	if (len >= 0)
		error = record_context_read(value, (size_t)len, context);
	else
		error = (int)len;
	mem_wipe(value, sizeof(value));
	return error;
}

static int get_address(struct app *app, uint32_t handle, struct dp_address *address)
{
	uint8_t key[4], value[RECORD_ADDRESS_MAX];
	ssize_t len;

	record_handle_key(key, handle);
	len = store_get(app->store, STORE_ADDRESS, key, sizeof(key), value, sizeof(value));
	return len < 0 ? (int)len : record_address_read(value, (size_t)len, address);
}

// The newest of the twins' contexts goes to both; what one had stays with neither.
static int join_contexts(struct app *app, uint32_t first, uint32_t twin)
{
	struct record_context a, b;
	bool has_a = get_context(app, first, &a) == 0, has_b = get_context(app, twin, &b) == 0;
	int error = 0;

	if (has_a || has_b) {
		dp_unbind(app->dp, first, DP_AKID);
		dp_unbind(app->dp, twin, DP_AKID);
		error = ue_apply_context(app, first,
					 has_a && (!has_b || a.stamp >= b.stamp) ? &a : &b);
	}
	mem_wipe(&a, sizeof(a));
	mem_wipe(&b, sizeof(b));
	return error;
}

int ue_apply_twins(struct app *app, uint32_t handle)
{
	uint32_t first = ue_first(app, handle), twin = ue_twin(app, first);
	struct dp_address address;
	int error;

	if (twin == DP_NONE)
		return 0; // parted again by a later change that is under way
	error = join_contexts(app, first, twin);
	if (error)
		return error;
	if (get_address(app, first, &address) && get_address(app, twin, &address))
		return 0;
	return ue_apply_address(app, first, &address);
}
