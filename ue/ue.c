// Life cycle of a UE, and of its two keys.

#include "ue/ue.h"

enum {
	PREVIOUS_MET_MS = 300 * 1000, // from the first valid push under the new key
};

APUE_STATIC_ASSERT(entry, sizeof(struct apue_entry) == 24);
APUE_STATIC_ASSERT(fixed, sizeof(struct akmapush_ue) <= AKMAPUSH_UE_SIZE_FIXED);
APUE_STATIC_ASSERT(fixed_aligned, AKMAPUSH_UE_SIZE_FIXED % sizeof(uint64_t) == 0);
APUE_STATIC_ASSERT(af, sizeof(struct apue_af) <= AKMAPUSH_UE_SIZE_AF);
APUE_STATIC_ASSERT(af_aligned, AKMAPUSH_UE_SIZE_AF % sizeof(uint64_t) == 0);
APUE_STATIC_ASSERT(reply, sizeof(struct apue_reply) == 24);
APUE_STATIC_ASSERT(one_af, AKMAPUSH_UE_SIZE(1, 64, 0, 0) <= 4096);

static unsigned list_max(const struct akmapush_ue_config *config)
{
	return config->list_max ? config->list_max : AKMAPUSH_UE_LIST_MAX;
}

static bool af_is_valid(const struct akmapush_ue_af *af)
{
	return af->fqdn && apue_fqdn_is_valid(af->fqdn) &&
	       af->n_push_functions <= AKMAPUSH_UE_PUSH_FUNCTIONS_MAX &&
	       (af->push_functions || af->n_push_functions == 0);
}

static bool af_is_same(const struct akmapush_ue_af *a, const struct akmapush_ue_af *b)
{
	struct akmapush_ue_octets p[2], q[2];

	apue_af_id(a, p);
	apue_af_id(b, q);
	return p[0].len == q[0].len && !memcmp(a->fqdn, b->fqdn, p[0].len) &&
	       !memcmp(a->ua_star_id, b->ua_star_id, sizeof(a->ua_star_id));
}

static bool config_is_valid(const struct akmapush_ue_config *config)
{
	if (!config->crypto || !config->afs || config->n_afs < 1 ||
	    config->n_afs > AKMAPUSH_UE_AFS_MAX || config->list_max > AKMAPUSH_UE_LIST_MAX ||
	    config->reply_max > AKMAPUSH_UE_SEGMENT_MAX ||
	    (config->n_replies > 0 && config->reply_max == 0))
		return false;
	for (unsigned i = 0; i < config->n_afs; i++) {
		if (!af_is_valid(&config->afs[i]))
			return false;
		for (unsigned k = 0; k < i; k++)
			if (af_is_same(&config->afs[i], &config->afs[k]))
				return false;
	}
	return true;
}

size_t akmapush_ue_size(const struct akmapush_ue_config *config)
{
	if (!config_is_valid(config))
		return 0;
	return AKMAPUSH_UE_SIZE(config->n_afs, list_max(config), config->n_replies,
				config->reply_max);
}

struct apue_af *apue_af(const struct akmapush_ue *ue, unsigned i)
{
	uint8_t *base = (uint8_t *)ue + AKMAPUSH_UE_SIZE_FIXED;
	size_t stride = AKMAPUSH_UE_SIZE_AF + 2 * sizeof(struct apue_entry) * ue->list_max;

	return (struct apue_af *)(void *)(base + i * stride);
}

struct apue_entry *apue_list(const struct akmapush_ue *ue, struct apue_af *af, unsigned slot)
{
	return af->entries + slot * ue->list_max;
}

// Replies follow the last AF.
struct apue_reply *apue_reply(const struct akmapush_ue *ue, unsigned i)
{
	uint8_t *base = (uint8_t *)apue_af(ue, ue->config->n_afs);

	return (struct apue_reply *)(void *)(base +
					     i * AKMAPUSH_UE_SIZE_REPLY(ue->config->reply_max));
}

void apue_clear(struct akmapush_ue *ue)
{
	const struct akmapush_ue_config *config = ue->config;

	apue_wipe(ue, akmapush_ue_size(config));
	ue->config = config;
	ue->list_max = (uint8_t)list_max(config);
	for (unsigned i = 0; i < config->n_afs; i++)
		apue_af(ue, i)->address = APUE_NO_ADDRESS;
}

struct akmapush_ue *akmapush_ue_init(void *memory, size_t size,
				     const struct akmapush_ue_config *config)
{
	struct akmapush_ue *ue = memory;
	size_t needed = akmapush_ue_size(config);

	if (needed == 0 || size < needed)
		return NULL;
	AKMAPUSH_UE_ASSERT((uintptr_t)memory % sizeof(uint64_t) == 0);
	ue->config = config;
	apue_clear(ue);
	return ue;
}

void akmapush_ue_fini(struct akmapush_ue *ue)
{
	for (unsigned i = 0; i < ue->config->n_afs; i++)
		apue_buffer_release(ue, i);
	apue_spent_wipe(ue, true);
	apue_clear(ue);
}

// Derives what belongs to a key before the slot counts as holding it.
bool apue_take_key(struct akmapush_ue *ue, unsigned slot, const uint8_t kakma[APUE_KEY])
{
	const struct akmapush_ue_config *config = ue->config;

	for (unsigned i = 0; i < config->n_afs; i++) {
		struct apue_af *af = apue_af(ue, i);

		if (!apue_kaf(config->crypto, kakma, &config->afs[i], af->kaf[slot]))
			return false;
		af->usable[slot] = true;
	}
	memcpy(ue->kakma[slot], kakma, APUE_KEY);
	ue->has[slot] = true;
	return true;
}

static void slot_wipe(struct akmapush_ue *ue, unsigned slot)
{
	for (unsigned i = 0; i < ue->config->n_afs; i++) {
		struct apue_af *af = apue_af(ue, i);

		apue_wipe(af->kaf[slot], APUE_KEY);
		af->usable[slot] = false;
	}
	apue_wipe(ue->kakma[slot], APUE_KEY);
	ue->has[slot] = false;
}

// Erases the previous key; what its lists know stays known.
static void previous_erase(struct akmapush_ue *ue, uint64_t now_ms)
{
	unsigned slot = !ue->current;

	for (unsigned i = 0; i < ue->config->n_afs; i++)
		apue_merge(ue, i, slot, now_ms);
	slot_wipe(ue, slot);
}

uint32_t apue_later_s(uint32_t unix_s, uint32_t s)
{
	return s < UINT32_MAX - unix_s ? unix_s + s : UINT32_MAX;
}

static void deadline_set(struct akmapush_ue *ue, const struct akmapush_ue_now *now, uint32_t ms)
{
	ue->erase_ms = now->ms + ms;
	ue->erase_s = now->trusted ? apue_later_s(now->unix_s, ms / 1000) : 0;
}

int akmapush_ue_set_kakma(struct akmapush_ue *ue, const uint8_t kakma[32],
			  const struct akmapush_ue_now *now)
{
	unsigned slot = !ue->current;

	if (ue->has[ue->current] && apue_equal_ct(ue->kakma[ue->current], kakma, APUE_KEY))
		return 0;
	previous_erase(ue, now->ms);
	if (!apue_take_key(ue, slot, kakma)) {
		slot_wipe(ue, slot);
		return AKMAPUSH_UE_ECRYPTO;
	}
	ue->current = (uint8_t)slot;
	ue->generation++;
	ue->met = false;
	deadline_set(ue, now, APUE_PREVIOUS_KEPT_MS);
	return 0;
}

int akmapush_ue_set_kausf(struct akmapush_ue *ue, const uint8_t kausf[32], const char *supi,
			  const struct akmapush_ue_now *now)
{
	uint8_t kakma[APUE_KEY];
	int error;

	if (!apue_supi_is_valid(supi))
		return AKMAPUSH_UE_EINVAL;
	error = apue_kakma(ue->config->crypto, kausf, supi, kakma)
			? akmapush_ue_set_kakma(ue, kakma, now)
			: AKMAPUSH_UE_ECRYPTO;
	apue_wipe(kakma, sizeof(kakma));
	return error;
}

void apue_floor_set(struct apue_af *af, unsigned slot, uint64_t unix_s)
{
	uint64_t ms = unix_s * 1000;

	apue_store_be(af->floor[slot], 2, (uint32_t)(ms >> 32));
	apue_store_be(af->floor[slot] + 2, 4, (uint32_t)ms);
	memset(af->floor[slot] + 6, 0xff, AKMAPUSH_UE_PUSH_ID - 6);
}

int akmapush_ue_recover(struct akmapush_ue *ue, const uint8_t current[32],
			const uint8_t previous[32], const struct akmapush_ue_now *now)
{
	if (ue->has[0] || ue->has[1])
		return AKMAPUSH_UE_EINVAL;
	if (!now->trusted)
		return AKMAPUSH_UE_EREFUSED;
	if (!apue_take_key(ue, ue->current, current) ||
	    (previous && !apue_take_key(ue, !ue->current, previous))) {
		apue_clear(ue);
		return AKMAPUSH_UE_ECRYPTO;
	}
	for (unsigned i = 0; i < ue->config->n_afs; i++)
		apue_floor_set(apue_af(ue, i), ue->current,
			       (uint64_t)now->unix_s + APUE_LOST_LISTS_S);
	deadline_set(ue, now, APUE_PREVIOUS_KEPT_MS);
	return 0;
}

uint32_t apue_clock_s(const struct apue_af *af, const struct akmapush_ue_now *now)
{
	uint64_t s = af->clock_ms / 1000;

	if (now->trusted)
		return now->unix_s;
	return s < UINT32_MAX ? (uint32_t)s : UINT32_MAX;
}

bool akmapush_ue_poll(struct akmapush_ue *ue, const struct akmapush_ue_now *now)
{
	for (unsigned i = 0; i < ue->config->n_afs; i++)
		apue_buffer_expire(ue, i, apue_clock_s(apue_af(ue, i), now));
	if (!ue->has[!ue->current] || now->ms < ue->erase_ms)
		return false;
	previous_erase(ue, now->ms);
	return true;
}

bool apue_current_met(struct akmapush_ue *ue, const struct akmapush_ue_now *now)
{
	if (ue->met || !ue->has[!ue->current])
		return false;
	ue->met = true;
	if (now->ms + PREVIOUS_MET_MS < ue->erase_ms)
		deadline_set(ue, now, PREVIOUS_MET_MS);
	return true;
}
