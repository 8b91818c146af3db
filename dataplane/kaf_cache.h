#pragma once
// K_AFs of hot AFs, as pad states: a message to a UE whose K_AF is here costs two compressions
// instead of six. A table of fixed size in the worker's locked arena, each AF and handle with one
// place in it: what comes later takes it over. An AF is made hot by control; at most
// KAF_CACHE_AFS are. An entry goes with its UE's key. Entries are secret. Worker thread only.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "crypto/hmac.h"
#include "dataplane/context.h"
#include "dataplane/dp.h"

enum { KAF_CACHE_AFS = DP_AF_HOT_MAX, KAF_CACHE_NO_AF = UINT32_MAX };

struct kaf_cache {
	uint32_t n; // entries, a power of two; 0: no cache
	struct hmac_key *kaf;
	uint64_t *owner; // whose each entry is; 0: nobody's
	// By hot slot: the AF, and how often the slot was given, which old entries do not know.
	uint32_t af[KAF_CACHE_AFS];
	uint32_t given[KAF_CACHE_AFS];
	// Handles of this worker, without those of the others between them.
	unsigned slots;                 // context slots of this worker
	uint8_t ordinal[CONTEXT_SLOTS]; // of a context slot among them
};

// Octets of the arena for a worker's share: `octets` among n_workers, less what is over a power of
// two.
size_t kaf_cache_size(uint64_t octets, unsigned n_workers);
// 0, or -ENOMEM.
int kaf_cache_init(struct kaf_cache *cache, uint64_t octets, unsigned n_workers, unsigned worker,
		   struct arena *arena);

// Makes an AF hot or not; what was kept of it is not found any more. False: too many are hot.
bool kaf_cache_set_hot(struct kaf_cache *cache, uint32_t af, bool hot);
// The AF's slot for the calls below, or -1: not hot.
int kaf_cache_slot(const struct kaf_cache *cache, uint32_t af);

void kaf_cache_prefetch(const struct kaf_cache *cache, int slot, uint32_t handle);
// NULL when it is not there; valid until the next put.
const struct hmac_key *kaf_cache_find(const struct kaf_cache *cache, int slot, uint32_t handle);
void kaf_cache_put(struct kaf_cache *cache, int slot, uint32_t handle, const struct hmac_key *kaf);
// The UE has another key now, or none: wipes what was made from the old one.
void kaf_cache_drop(struct kaf_cache *cache, uint32_t handle);
