#include "control/registry/ue.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "control/app.h"
#include "control/json/json.h"
#include "control/json/problem.h"
#include "control/registry/record.h"
#include "control/registry/ue_registry.h"
#include "control/store/store.h"

// ---- Registry

struct ue_registry *ue_registry_new(uint32_t max)
{
	struct ue_registry *ues = calloc(1, sizeof(*ues));
	size_t words = (size_t)max / 64 + 1;

	if (!ues)
		return NULL;
	ues->max = max;
	ues->spare = DP_NONE;
	ues->twin = calloc(max, sizeof(*ues->twin));
	ues->unsaved = calloc(words, sizeof(*ues->unsaved));
	ues->keyed = calloc(words, sizeof(*ues->keyed));
	ues->addressed = calloc(words, sizeof(*ues->addressed));
	if (ues->twin && ues->unsaved && ues->keyed && ues->addressed)
		return ues;
	ue_registry_free(ues);
	return NULL;
}

void ue_registry_free(struct ue_registry *ues)
{
	if (!ues)
		return;
	free(ues->addressed);
	free(ues->keyed);
	free(ues->unsaved);
	free(ues->twin);
	free(ues);
}

void ue_stats(const struct app *app, struct ue_stats *stats)
{
	const struct ue_registry *ues = app->ues;

	*stats = (struct ue_stats){dp_handles(app->dp), ues->n_twins, ues->n_keyed,
				   ues->n_addressed};
}

bool ue_is_registered(const struct app *app, uint32_t handle)
{
	return bit_is(app->ues->keyed, ue_first(app, handle));
}

uint64_t ue_stamp(struct app *app)
{
	uint64_t now = clock_unix_ms(app->clock) * 1000;
	struct ue_registry *ues = app->ues;

	ues->stamp = now > ues->stamp ? now : ues->stamp + 1;
	return ues->stamp;
}

// ---- Twins

static uint32_t twin_of(const struct ue_registry *ues, uint32_t handle)
{
	return ues->twin[handle] ? ues->twin[handle] - 1 : DP_NONE;
}

uint32_t ue_twin(const struct app *app, uint32_t handle)
{
	return twin_of(app->ues, handle);
}

static uint32_t first_of(const struct ue_registry *ues, uint32_t handle)
{
	uint32_t twin = twin_of(ues, handle);

	return twin < handle ? twin : handle;
}

uint32_t ue_first(const struct app *app, uint32_t handle)
{
	return first_of(app->ues, handle);
}

uint64_t ue_twins_epoch(const struct app *app)
{
	return app->ues->twins_epoch;
}

// What one handle adds to a count of subscribers: twins count once.
static uint32_t counts(const struct ue_registry *ues, const uint64_t *bits, uint32_t handle)
{
	return bit_is(bits, handle) && first_of(ues, handle) == handle;
}

static void set_twins(struct ue_registry *ues, uint32_t a, uint32_t b, bool on)
{
	ues->n_keyed -= counts(ues, ues->keyed, a) + counts(ues, ues->keyed, b);
	ues->n_addressed -= counts(ues, ues->addressed, a) + counts(ues, ues->addressed, b);
	ues->twin[a] = on ? b + 1 : 0;
	ues->twin[b] = on ? a + 1 : 0;
	ues->n_keyed += counts(ues, ues->keyed, a) + counts(ues, ues->keyed, b);
	ues->n_addressed += counts(ues, ues->addressed, a) + counts(ues, ues->addressed, b);
	ues->n_twins += on ? 1 : -1;
	ues->twins_epoch++;
}

void ue_link(struct app *app, uint32_t a, uint32_t b)
{
	assert(a != b && !app->ues->twin[a] && !app->ues->twin[b]);
	set_twins(app->ues, a, b, true);
}

void ue_unlink(struct app *app, uint32_t handle)
{
	uint32_t twin = ue_twin(app, handle);

	if (twin != DP_NONE)
		set_twins(app->ues, handle, twin, false);
}

static void note(struct ue_registry *ues, uint64_t *bits, uint32_t *n, uint32_t handle, bool on)
{
	uint32_t first = first_of(ues, handle), twin = twin_of(ues, first);

	*n -= counts(ues, bits, first);
	bit_put(bits, first, on);
	if (twin != DP_NONE)
		bit_put(bits, twin, on);
	*n += counts(ues, bits, first);
}

void ue_note_key(struct ue_registry *ues, uint32_t handle, bool on)
{
	note(ues, ues->keyed, &ues->n_keyed, handle, on);
}

void ue_note_address(struct ue_registry *ues, uint32_t handle, bool on)
{
	note(ues, ues->addressed, &ues->n_addressed, handle, on);
}

void ue_note_deleted(struct ue_registry *ues, uint32_t handle)
{
	uint32_t first = first_of(ues, handle);

	ues->n_keyed -= counts(ues, ues->keyed, first);
	ues->n_addressed -= counts(ues, ues->addressed, first);
	bit_put(ues->keyed, handle, false);
	bit_put(ues->addressed, handle, false);
	ues->n_keyed += counts(ues, ues->keyed, first);
	ues->n_addressed += counts(ues, ues->addressed, first);
}

// ---- Identities

static bool is_printable(const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++) {
		if (text[i] < '!' || text[i] > '~')
			return false;
	}
	return len <= DP_IDENTITY_MAX;
}

static bool is_digits(const char *text)
{
	size_t len = strspn(text, "0123456789");

	return text[len] == 0 && len >= 5 && len <= 15;
}

bool ue_is_supi(const char *id)
{
	if (!strncmp(id, "imsi-", 5))
		return is_digits(id + 5);
	return !strncmp(id, "nai-", 4) && id[4] && is_printable(id);
}

bool ue_is_gpsi(const char *id)
{
	const char *at = strchr(id, '@');

	if (!strncmp(id, "msisdn-", 7))
		return is_digits(id + 7);
	return !strncmp(id, "extid-", 6) && is_printable(id) && at && at > id + 6 && at[1] &&
	       !strchr(at + 1, '@');
}

static void note_identity(const struct json_reader *reader, enum problem_cause cause,
			  const char *name, const char *reason)
{
	char pointer[64];

	snprintf(pointer, sizeof(pointer), "%s/%s", reader->pointer, name);
	problem_param(reader->problem, cause, pointer, "%s", reason);
}

bool ue_read_identity(const struct json_reader *reader, enum dp_identity *kind, const char **id)
{
	bool has_supi = json_has(reader, "supi"), has_gpsi = json_has(reader, "gpsi");
	const char *name = has_supi ? "supi" : "gpsi";

	if (has_supi == has_gpsi) {
		enum problem_cause cause =
			has_supi ? PROBLEM_MANDATORY_IE_INCORRECT : PROBLEM_MANDATORY_IE_MISSING;

		problem_set(reader->problem, cause, "exactly one of supi and gpsi is expected");
		note_identity(reader, cause, "supi", "exactly one of supi and gpsi");
		note_identity(reader, cause, "gpsi", "exactly one of supi and gpsi");
		return false;
	}
	*kind = has_supi ? DP_SUPI : DP_GPSI;
	*id = json_string(reader, name, JSON_REQUIRED, 1, DP_IDENTITY_MAX);
	if (!*id)
		return false;
	if (has_supi ? ue_is_supi(*id) : ue_is_gpsi(*id))
		return true;
	note_identity(reader, PROBLEM_MANDATORY_IE_INCORRECT, name,
		      has_supi ? "imsi- and 5 to 15 digits, or nai- and a NAI"
			       : "msisdn- and 5 to 15 digits, or extid-<id>@<domain>");
	return false;
}

size_t ue_identity(const struct app *app, uint32_t handle, enum dp_identity kind,
		   char id[DP_IDENTITY_MAX + 1])
{
	size_t len = dp_identity(app->dp, handle, kind, id);
	uint32_t twin = ue_twin(app, handle);

	return len || twin == DP_NONE ? len : dp_identity(app->dp, twin, kind, id);
}

uint32_t ue_find(const struct app *app, enum dp_identity kind, const char *id)
{
	uint32_t handle = dp_find(app->dp, kind, id, strlen(id));

	return handle == DP_NONE ? DP_NONE : ue_first(app, handle);
}

// A handle for an identity that has none.
static uint32_t new_handle(struct app *app, enum dp_identity kind, const char *id)
{
	struct ue_registry *ues = app->ues;
	uint32_t handle = ues->spare != DP_NONE ? ues->spare : dp_new(app->dp);

	ues->spare = DP_NONE;
	if (handle == DP_NONE)
		return DP_NONE;
	if (dp_bind(app->dp, handle, kind, id, strlen(id))) {
		ues->spare = handle;
		return DP_NONE;
	}
	bit_put(ues->unsaved, handle, true);
	return handle;
}

uint32_t ue_name(struct app *app, struct store_batch *batch, enum dp_identity kind, const char *id)
{
	uint32_t handle = dp_find(app->dp, kind, id, strlen(id));

	if (handle == DP_NONE)
		handle = new_handle(app, kind, id);
	if (handle == DP_NONE)
		return DP_NONE;
	if (bit_is(app->ues->unsaved, handle))
		ue_save(app, batch, handle);
	return ue_first(app, handle);
}

static void save_one(struct app *app, struct store_batch *batch, uint32_t handle)
{
	uint8_t key[4], value[RECORD_IDENTITY_MAX];
	struct record_identity identity;

	dp_identity(app->dp, handle, DP_SUPI, identity.supi);
	dp_identity(app->dp, handle, DP_GPSI, identity.gpsi);
	identity.twin = ue_twin(app, handle);
	record_handle_key(key, handle);
	store_put(batch, STORE_IDENTITY, key, sizeof(key), value,
		  record_identity_write(value, &identity));
}

void ue_save(struct app *app, struct store_batch *batch, uint32_t handle)
{
	uint32_t twin = ue_twin(app, handle);

	save_one(app, batch, handle);
	if (twin != DP_NONE)
		save_one(app, batch, twin);
}

void ue_saved(struct app *app, uint32_t handle, int status)
{
	uint32_t twin = ue_twin(app, handle);

	bit_put(app->ues->unsaved, handle, status != 0);
	if (twin != DP_NONE)
		bit_put(app->ues->unsaved, twin, status != 0);
}

// ---- The way back

static int stored_identity(const struct app *app, uint32_t handle, struct record_identity *identity)
{
	uint8_t key[4], value[RECORD_IDENTITY_MAX];
	ssize_t len;

	record_handle_key(key, handle);
	len = store_get(app->store, STORE_IDENTITY, key, sizeof(key), value, sizeof(value));
	if (len < 0)
		return (int)len;
	return (size_t)len > sizeof(value) ? -EBADMSG
					   : record_identity_read(value, (size_t)len, identity);
}

static void restore_id(struct app *app, uint32_t handle, enum dp_identity kind, const char *id)
{
	uint32_t holder;

	if (!*id) {
		dp_unbind(app->dp, handle, kind);
		return;
	}
	holder = dp_find(app->dp, kind, id, strlen(id));
	if (holder == handle)
		return;
	if (holder != DP_NONE)
		dp_unbind(app->dp, holder, kind);
	dp_bind(app->dp, handle, kind, id, strlen(id));
}

static void restore_twin(struct app *app, uint32_t handle, uint32_t twin)
{
	if (ue_twin(app, handle) == twin)
		return;
	ue_unlink(app, handle);
	if (twin == DP_NONE)
		return;
	ue_unlink(app, twin);
	ue_link(app, handle, twin);
}

void ue_restore(struct app *app, uint32_t handle)
{
	struct record_identity identity = {.twin = DP_NONE};
	int error = stored_identity(app, handle, &identity);

	if (error && error != -ENOENT)
		return; // what is in memory holds until the store can be read
	if (!error) {
		restore_id(app, handle, DP_SUPI, identity.supi);
		restore_id(app, handle, DP_GPSI, identity.gpsi);
	}
	restore_twin(app, handle, identity.twin);
}
