#include "control/registry/af.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/app.h"
#include "control/config/config.h"
#include "control/registry/af_registry.h"
#include "control/registry/group.h"
#include "control/registry/record.h"
#include "control/store/store.h"
#include "dataplane/dp.h"

enum { DAY_S = 86400 };

#define SECOND_NS 1000000000ull

// ---- Places

// The place of the first FQDN not below this one, among the live.
static uint32_t fqdn_at(const struct af_registry *afs, const char *fqdn)
{
	uint32_t at = 0, n = afs->n_live;

	while (n > 0) {
		uint32_t half = n / 2;

		if (strcmp(afs->by_fqdn[at + half]->fqdn, fqdn) < 0) {
			at += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return at;
}

static struct af *find_live(const struct af_registry *afs, const char *fqdn)
{
	uint32_t at = fqdn_at(afs, fqdn);

	if (at == afs->n_live || strcmp(afs->by_fqdn[at]->fqdn, fqdn) != 0)
		return NULL;
	return afs->by_fqdn[at];
}

// Another AF's place is taken over only when no place was never used: what was accepted for an AF
// that was deleted has ended by then.
struct af *af_place(struct af_registry *afs, const char *fqdn)
{
	struct af *af = find_live(afs, fqdn);
	uint32_t empty = DP_AF_MAX, left = DP_AF_MAX;

	if (af)
		return af;
	for (uint32_t i = 0; i < DP_AF_MAX; i++) {
		if (afs->by_index[i] && !strcmp(afs->by_index[i]->fqdn, fqdn))
			return afs->by_index[i];
		if (!afs->by_index[i] && empty == DP_AF_MAX)
			empty = i;
		if (!afs->is_live[i] && !afs->n_changes[i] && left == DP_AF_MAX)
			left = i;
	}
	if (empty == DP_AF_MAX && left == DP_AF_MAX)
		return NULL;
	if (empty == DP_AF_MAX)
		empty = left;
	else
		afs->by_index[empty] = malloc(sizeof(*af));
	af = afs->by_index[empty];
	if (!af)
		return NULL;
	*af = (struct af){.index = empty};
	strcpy(af->fqdn, fqdn);
	return af;
}

void af_hold(struct af_registry *afs, const struct af *af)
{
	afs->n_changes[af->index]++;
}

void af_release(struct af_registry *afs, const struct af *af)
{
	afs->n_changes[af->index]--;
}

bool af_is_held(const struct af_registry *afs, const struct af *af)
{
	return afs->n_changes[af->index] > 0;
}

void af_set_live(struct af_registry *afs, struct af *af, bool is_live)
{
	uint32_t at = fqdn_at(afs, af->fqdn);

	if (afs->is_live[af->index] == is_live)
		return;
	afs->is_live[af->index] = is_live;
	if (is_live) {
		memmove(afs->by_fqdn + at + 1, afs->by_fqdn + at,
			(afs->n_live - at) * sizeof(*afs->by_fqdn));
		afs->by_fqdn[at] = af;
		afs->n_live++;
	} else {
		afs->n_live--;
		memmove(afs->by_fqdn + at, afs->by_fqdn + at + 1,
			(afs->n_live - at) * sizeof(*afs->by_fqdn));
	}
}

void af_registry_free(struct af_registry *afs)
{
	if (!afs)
		return;
	for (uint32_t i = 0; i < DP_AF_MAX; i++)
		free(afs->by_index[i]);
	free(afs);
}

// ---- Start

static int load_af(void *ctx, const uint8_t *key, size_t key_len, const uint8_t *value,
		   size_t value_len)
{
	struct app *app = ctx;
	struct af_registry *afs = app->afs;
	struct af *af = calloc(1, sizeof(*af));

	if (!af)
		return -ENOMEM;
	if (key_len > AKMA_FQDN_MAX ||
	    akma_fqdn_parse((const char *)key, key_len, af->fqdn) != (int)key_len ||
	    record_af_read(value, value_len, af) || af->index >= DP_AF_MAX ||
	    afs->by_index[af->index]) {
		free(af);
		return -EBADMSG;
	}
	afs->by_index[af->index] = af;
	af_set_live(afs, af, true);
	if (!dp_af_rate(app->dp, af->index, af->rate) || !dp_af_hot(app->dp, af->index, af->hot))
		return -EAGAIN; // there are no workers yet: commands apply at once
	return 0;
}

int af_load(struct app *app)
{
	int error;

	app->afs = calloc(1, sizeof(*app->afs));
	if (!app->afs)
		return -ENOMEM;
	error = store_scan(app->store, STORE_AF, NULL, 0, NULL, 0, load_af, app);
	if (error)
		log_error("af", "AFs can't be read from the store: %s", strerror(-error));
	return error;
}

// ---- Public

struct af *af_find(const struct app *app, const char *fqdn, size_t len)
{
	char normal[AKMA_FQDN_MAX + 1];

	if (akma_fqdn_parse(fqdn, len, normal) < 0)
		return NULL;
	return find_live(app->afs, normal);
}

struct af *af_find_normal(const struct app *app, const char *fqdn)
{
	return find_live(app->afs, fqdn);
}

struct af *af_at(const struct app *app, uint32_t i)
{
	return i < app->afs->n_live ? app->afs->by_fqdn[i] : NULL;
}

bool af_allows(const struct app *app, const struct af *af, uint32_t handle)
{
	if (af->all_ues)
		return true;
	for (unsigned i = 0; i < af->n_groups; i++) {
		struct group *group = group_at(app, af->groups[i]);

		if (group && group_has(app, group, handle))
			return true;
	}
	return false;
}

// Seconds until the bucket has a whole push, 0 when it has one. The bucket takes a second's worth.
static unsigned rate_wait(struct af *af, uint64_t now_ns)
{
	uint64_t elapsed = now_ns - af->push_tokens_at_ns;
	uint64_t full = af->push_rate * SECOND_NS;

	if (af->push_rate == 0)
		return 0;
	if (af->push_tokens_at_ns == 0 || elapsed >= SECOND_NS)
		af->push_tokens = full;
	else
		af->push_tokens += elapsed * af->push_rate;
	if (af->push_tokens > full)
		af->push_tokens = full;
	af->push_tokens_at_ns = now_ns;
	return af->push_tokens < SECOND_NS; // a push_rate of 1 refills within a second
}

static unsigned quota_wait(struct af *af, uint64_t now_s, uint32_t n_targets)
{
	uint64_t day = now_s / DAY_S;

	if (af->quota == 0)
		return 0;
	if (af->quota_day != day) {
		af->quota_day = day;
		af->quota_used = 0;
	}
	// A quota that was made smaller during the day may be less than what the day has used.
	if (af->quota_used <= af->quota && n_targets <= af->quota - af->quota_used)
		return 0;
	return (unsigned)(DAY_S - now_s % DAY_S);
}

static unsigned wait_for(const struct app *app, struct af *af, uint32_t n_targets)
{
	unsigned wait = quota_wait(af, clock_unix_s(app->clock), n_targets);

	return wait ? wait : rate_wait(af, clock_mono_ns(app->clock));
}

unsigned af_wait(const struct app *app, const struct af *af, uint32_t n_targets)
{
	struct af as_if = *af;

	return wait_for(app, &as_if, n_targets);
}

unsigned af_admit(const struct app *app, struct af *af, uint32_t n_targets)
{
	unsigned wait = wait_for(app, af, n_targets);

	if (wait)
		return wait;
	if (af->push_rate)
		af->push_tokens -= SECOND_NS;
	if (af->quota)
		af->quota_used += n_targets;
	return 0;
}

unsigned af_admit_strangers(const struct app *app, struct af *af, uint32_t n)
{
	uint64_t now_s = clock_unix_s(app->clock), day = now_s / DAY_S;

	if (!n)
		return 0;
	if (af->strangers_day != day) {
		af->strangers_day = day;
		af->strangers_used = 0;
	}
	if (af->strangers_used + n > app->config->push.strangers_max)
		return (unsigned)(DAY_S - now_s % DAY_S);
	af->strangers_used += n;
	return 0;
}
