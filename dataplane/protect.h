#pragma once
// What protects a burst: from key contexts to sealed datagrams, and from acknowledgements to what
// they say. The one place of the data plane where K_AF and message blocks exist, each burst's in
// frames of the stack that are wiped before protect_seal or protect_verify returns. Nothing here
// knows laps, paces or back ends. Worker thread only.

#include <stdbool.h>
#include <stdint.h>

#include "crypto/aead.h"
#include "crypto/sha256.h"
#include "dataplane/context.h"
#include "dataplane/frame.h"
#include "dataplane/io/io.h"
#include "dataplane/kaf_cache.h"
#include "dataplane/push.h"

struct protect {
	const struct sha256_ops *sha;
	const struct aead_ops *aead_ops;
	struct aead *aead;
	struct kaf_cache cache;
	uint64_t cached, missed; // K_AFs of hot AFs that were there, that were not
	bool misses;             // the last burst of a hot AF did
};

// A target of a push, its context looked up, and what the next burst needs: it is fetched while
// this one is protected.
struct target {
	uint32_t place;
	uint32_t handle;
	uint32_t next_handle; // probably wanted soon, or this one again
	const struct context *context;
	const struct context *next; // of next_handle; only asked for, so that it may be NULL
};

// An acknowledgement, read and matched, of one push and one UE.
struct ack {
	struct frame_ack frame;
	struct part *part;
	uint32_t place;
	uint32_t handle;
	const struct context *context;
	uint8_t *reply; // in the datagram, opened in place
};

// 0, or -ENOMEM. Its cache is the caller's to set up; left zero there is none.
int protect_init(struct protect *protect, const struct sha256_ops *sha,
		 const struct aead_ops *aead_ops);
void protect_fini(struct protect *protect);

// Fetches what protects a message of this push to this UE, or verifies its acknowledgement.
void protect_prefetch(const struct protect *protect, const struct dp_push *push, uint32_t handle,
		      const struct context *context);

// The whole datagrams with their peers, all segments of n targets, target by target:
// frame [n * n_segments], at most DP_BURST_MAX of them. n > 0.
void protect_seal(struct protect *protect, const struct dp_push *push, const struct target target[],
		  unsigned n, struct frame *const frame[]);

// Opens n > 0 acknowledgements of one push; those whose tag verifies are left in ack, packed at the
// front. Returns how many.
unsigned protect_verify(struct protect *protect, struct ack *ack[], unsigned n);
