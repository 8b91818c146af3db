#pragma once
// What control itself keeps of UEs beside the data plane's directory. For ue*.c alone.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Tables by handle; they are as long as the data plane takes handles, and cost what is used.
struct ue_registry {
	uint32_t max;
	uint32_t *twin;    // handle + 1; 0: none
	uint64_t *unsaved; // bit: the name may not be in the store
	uint64_t *keyed;   // bit: registered
	uint64_t *addressed;
	uint32_t spare; // a handle given that could not be named, or DP_NONE
	uint32_t n_twins, n_keyed, n_addressed;
	uint64_t twins_epoch;
	uint64_t stamp; // the last
};

struct ue_registry *ue_registry_new(uint32_t max);

static inline bool bit_is(const uint64_t *bits, uint32_t i)
{
	return bits[i / 64] >> i % 64 & 1;
}

static inline void bit_put(uint64_t *bits, uint32_t i, bool on)
{
	bits[i / 64] = (bits[i / 64] & ~(1ull << i % 64)) | (uint64_t)on << i % 64;
}

// Notes that a subscriber (a handle and its twin) has or has not a key or an address.
void ue_note_key(struct ue_registry *ues, uint32_t handle, bool on);
void ue_note_address(struct ue_registry *ues, uint32_t handle, bool on);
// Neither key nor address any more, of a handle alone.
void ue_note_deleted(struct ue_registry *ues, uint32_t handle);
