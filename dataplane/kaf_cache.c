#include "dataplane/kaf_cache.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

enum {
	ENTRY = sizeof(struct hmac_key) + sizeof(uint64_t),
	ALIGN = 64,
	SLOT_SHIFT = 32,
	GIVEN_SHIFT = 36
};

static uint32_t entries(uint64_t octets, unsigned n_workers)
{
	uint64_t most = octets / n_workers / ENTRY, n = 1;

	if (!most)
		return 0;
	while (2 * n <= most && n < 1u << 31)
		n *= 2;
	return (uint32_t)n;
}

size_t kaf_cache_size(uint64_t octets, unsigned n_workers)
{
	return entries(octets, n_workers) * (size_t)ENTRY + 2 * ALIGN;
}

int kaf_cache_init(struct kaf_cache *c, uint64_t octets, unsigned n_workers, unsigned worker,
		   struct arena *arena)
{
	const uint32_t n = entries(octets, n_workers);

	*c = (struct kaf_cache){.n = n};
	for (unsigned i = 0; i < KAF_CACHE_AFS; i++)
		c->af[i] = KAF_CACHE_NO_AF;
	for (unsigned slot = worker; slot < CONTEXT_SLOTS; slot += n_workers)
		c->ordinal[slot] = (uint8_t)c->slots++;
	if (!n)
		return 0;
	c->kaf = arena_take(arena, n * sizeof(c->kaf[0]), ALIGN);
	c->owner = arena_take(arena, n * sizeof(c->owner[0]), ALIGN);
	return c->kaf && c->owner ? 0 : -ENOMEM;
}

// ---- Hot AFs

int kaf_cache_slot(const struct kaf_cache *c, uint32_t af)
{
	for (int slot = 0; slot < KAF_CACHE_AFS; slot++) {
		if (c->af[slot] == af)
			return slot;
	}
	return -1;
}

bool kaf_cache_set_hot(struct kaf_cache *c, uint32_t af, bool hot)
{
	int slot = kaf_cache_slot(c, af);

	if (slot >= 0)
		c->af[slot] = KAF_CACHE_NO_AF;
	if (!hot)
		return true;
	slot = kaf_cache_slot(c, KAF_CACHE_NO_AF);
	if (slot < 0)
		return false;
	c->af[slot] = af;
	c->given[slot]++;
	return true;
}

// ---- Entries

// Neighbours in a list are neighbours here. Slots start as far from one another as can be.
static uint32_t place(const struct kaf_cache *c, int slot, uint32_t handle)
{
	static const uint8_t starts[KAF_CACHE_AFS] = {0, 8, 4, 12, 2, 10, 6, 14,
						      1, 9, 5, 13, 3, 11, 7, 15};
	const uint32_t block = handle >> CONTEXT_BLOCK_SHIFT;
	const uint32_t row = block / CONTEXT_SLOTS * c->slots + c->ordinal[context_slot(handle)];
	const uint32_t local =
		row << CONTEXT_BLOCK_SHIFT | (handle & ((1u << CONTEXT_BLOCK_SHIFT) - 1));

	return (local + (uint32_t)((uint64_t)c->n * starts[slot] / KAF_CACHE_AFS)) & (c->n - 1);
}

// Never 0: a slot was given at least once.
static uint64_t owner(const struct kaf_cache *c, int slot, uint32_t handle)
{
	return (uint64_t)c->given[slot] << GIVEN_SHIFT | (uint64_t)slot << SLOT_SHIFT | handle;
}

void kaf_cache_prefetch(const struct kaf_cache *c, int slot, uint32_t handle)
{
	const uint32_t at = place(c, slot, handle);

	__builtin_prefetch(&c->owner[at]);
	__builtin_prefetch(&c->kaf[at]);
}

const struct hmac_key *kaf_cache_find(const struct kaf_cache *c, int slot, uint32_t handle)
{
	const uint32_t at = place(c, slot, handle);

	return c->owner[at] == owner(c, slot, handle) ? &c->kaf[at] : NULL;
}

void kaf_cache_put(struct kaf_cache *c, int slot, uint32_t handle, const struct hmac_key *kaf)
{
	const uint32_t at = place(c, slot, handle);

	c->kaf[at] = *kaf;
	c->owner[at] = owner(c, slot, handle);
}

void kaf_cache_drop(struct kaf_cache *c, uint32_t handle)
{
	for (int slot = 0; c->n && slot < KAF_CACHE_AFS; slot++) {
		const uint32_t at = place(c, slot, handle);

		// Also what was kept when the slot was another AF's.
		if ((c->owner[at] ^ owner(c, slot, handle)) << (64 - GIVEN_SHIFT))
			continue;
		mem_wipe(&c->kaf[at], sizeof(c->kaf[at]));
		c->owner[at] = 0;
	}
}
