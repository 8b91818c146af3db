#include "control/push/push_material.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "control/app.h"
#include "control/config/config.h"
#include "control/push/push_places.h"
#include "control/push/push_registry.h"
#include "control/registry/af.h"
#include "control/store/store.h"

void push_material_free(struct push_material *material)
{
	if (!material)
		return;
	push_list_free(&material->list);
	mem_wipe(material, sizeof(*material));
	free(material);
}

// ---- Into the store

static void put_list(struct store_batch *batch, const struct push_facts *facts,
		     const struct push_list *list, uint8_t *value)
{
	uint8_t key[PUSH_KEY_MAX];

	for (uint32_t chunk = 0; chunk < push_chunks(list->n); chunk++)
		store_put(batch, STORE_TARGET, key, push_key_target(key, facts->id, chunk), value,
			  push_chunk_write(value, list, chunk));
}

static void put_push(struct store_batch *batch, const struct push_facts *facts,
		     const struct push_material *material)
{
	uint8_t value[PUSH_LIVE_MAX], chunk[PUSH_INLINE_OCTETS], key[PUSH_KEY_MAX];
	struct push_live live = {.facts = *facts, .payload = material->payload};

	memcpy(live.secret, material->secret, PUSH_SECRET);
	if (material->list.n <= PUSH_INLINE) {
		live.chunk = chunk;
		live.chunk_len = push_chunk_write(chunk, &material->list, 0);
	}
	store_put(batch, STORE_PUSH, key, push_key_live(key, facts->id), value,
		  push_live_write(value, &live));
	mem_wipe(value, sizeof(value));
	mem_wipe(live.secret, PUSH_SECRET);
}

int push_material_put(struct store_batch *batch, const struct push_facts *facts,
		      const struct push_material *material)
{
	uint8_t *chunk;

	if (facts->n_targets > PUSH_INLINE) {
		chunk = malloc(PUSH_CHUNK_OCTETS);
		if (!chunk)
			return -ENOMEM;
		put_list(batch, facts, &material->list, chunk);
		free(chunk);
	}
	put_push(batch, facts, material);
	return 0;
}

// ---- From the store

static int load_chunks(struct app *app, const struct push_facts *facts, struct push_list *list)
{
	uint8_t *value = malloc(PUSH_CHUNK_OCTETS), key[PUSH_KEY_MAX];
	int error = value ? push_list_reserve(list, facts->n_targets) : -ENOMEM;

	for (uint32_t chunk = 0; !error && chunk < push_chunks(facts->n_targets); chunk++) {
		size_t key_len = push_key_target(key, facts->id, chunk);
		ssize_t len =
			store_get(app->store, STORE_TARGET, key, key_len, value, PUSH_CHUNK_OCTETS);

		if (len == -ENOENT || len > PUSH_CHUNK_OCTETS)
			error = -EBADMSG;
		else
			error = len < 0 ? (int)len : push_chunk_read(value, (size_t)len, list);
	}
	free(value);
	return error;
}

static int load(struct app *app, const struct push_facts *facts, struct push_material *material)
{
	uint8_t value[PUSH_LIVE_MAX], key[PUSH_KEY_MAX];
	ssize_t len = store_get(app->store, STORE_PUSH, key, push_key_live(key, facts->id), value,
				sizeof(value));
	struct push_live live;
	int error;

	if (len < 0)
		return len == -ENOENT ? -EBADMSG : (int)len;
	error = (size_t)len > sizeof(value) ? -EBADMSG : push_live_read(value, (size_t)len, &live);
	if (error)
		goto wipe;
	memcpy(material->secret, live.secret, PUSH_SECRET);
	memcpy(material->payload, live.payload, live.facts.payload_len);
	error = live.chunk ? push_chunk_read(live.chunk, live.chunk_len, &material->list)
			   : load_chunks(app, facts, &material->list);
	if (!error &&
	    (material->list.n != facts->n_targets || material->list.n_barred != facts->n_barred))
		error = -EBADMSG;
wipe:
	mem_wipe(value, sizeof(value));
	mem_wipe(&live, sizeof(live));
	return error;
}

struct push_material *push_material_load(struct app *app, const struct push_facts *facts,
					 int *error)
{
	struct push_material *material = calloc(1, sizeof(*material));

	*error = material ? load(app, facts, material) : -ENOMEM;
	if (!*error)
		return material;
	push_material_free(material);
	return NULL;
}

// ---- Its part in the data plane

static void put_state(uint8_t *states, uint32_t place, enum dp_state state)
{
	unsigned shift = place % 2 * 4;

	states[place / 2] =
		(uint8_t)((states[place / 2] & ~(15u << shift)) | (unsigned)state << shift);
}

// Only a push tells the places of its targets: one is made to ask it.
static int bar_places(struct app *app, const struct dp_push_spec *spec,
		      const struct push_list *list, uint8_t *states)
{
	int error;
	struct dp_push *dp = dp_push_new(app->dp, spec, &error);

	if (!dp)
		return error;
	for (uint32_t i = 0; i < list->n; i++) {
		if (push_list_is_barred(list, i))
			put_state(states, dp_push_place(dp, list->handles[i]), DP_NOT_ALLOWED);
	}
	dp_push_free(dp);
	return 0;
}

// States by place that the push goes on with; *states NULL: all are pending. The caller frees them.
static int make_states(struct app *app, const struct push *push, const struct dp_push_spec *spec,
		       const struct push_list *list, uint8_t **states)
{
	uint32_t n_places = dp_places(list->handles, list->n);
	int error = 0;

	*states = NULL;
	if (!list->n_barred && !push->was_run)
		return 0;
	*states = calloc(1, ((size_t)n_places + 1) / 2);
	if (!*states)
		return -ENOMEM;
	if (list->n_barred)
		error = bar_places(app, spec, list, *states);
	if (!error && push->was_run)
		error = push_read_places(app, &push->facts, *states, n_places);
	return error;
}

int push_make_dp(struct app *app, struct push *push, const struct push_material *material)
{
	const struct push_facts *facts = &push->facts;
	const struct af *af = af_find(app, facts->fqdn, strlen(facts->fqdn));
	struct dp_push_spec spec = {
		.suite = facts->suite,
		.ack_wanted = facts->ack_wanted,
		.ordered = facts->ordered,
		.expiry = facts->expiry,
		.af = af ? af->index : 0, // without its AF a push only ends
		.payload = material->payload,
		.payload_len = facts->payload_len,
		.segment_size = facts->segment_size,
		.handles = material->list.handles,
		.n_handles = material->list.n,
	};
	struct akma_af_id af_id;
	uint8_t *states;
	struct dp_push *dp;
	int error;

	akma_af_id_init(&af_id, facts->fqdn, app->config->akma.mode_d_id);
	spec.af_id = af_id.octets;
	spec.af_id_len = af_id.len;
	memcpy(spec.push_id, facts->id, PUSH_ID);
	memcpy(spec.secret, material->secret, PUSH_SECRET);
	error = make_states(app, push, &spec, &material->list, &states);
	if (error)
		goto out;
	spec.states = states;
	dp = dp_push_new(app->dp, &spec, &error);
	if (dp)
		push_set_dp(app, push, dp);
out:
	mem_wipe(spec.secret, sizeof(spec.secret));
	free(states);
	return error;
}
