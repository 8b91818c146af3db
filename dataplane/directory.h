#pragma once
// Identities to handles: a cold record of 32 octets per handle and one index per kind of identity.
// Identities of digits (imsi-…, msisdn-…) are packed into a word; others are kept as text; an
// A-KID, which only has to be recognised, as the first 16 octets of its SHA-256. Control thread
// only.
//
// The index is open addressing over 8-octet slots {32 bits of XXH3-64 under a secret seed, handle},
// linear probing, deletion by shifting back: a lookup costs one line of slots and one record.

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "crypto/sha256.h"
#include "dataplane/dp.h"

enum { DIRECTORY_DIGEST = 16, DIRECTORY_TEXT_UNIT = 16, DIRECTORY_TEXT_CLASSES = 16 };

struct subscriber {
	uint64_t text[2];               // SUPI, GPSI: packed (see identity_pack), 0: none
	uint8_t akid[DIRECTORY_DIGEST]; // all zero: none
};
_Static_assert(sizeof(struct subscriber) == 32, "half a cache line");

struct index {
	uint64_t *slots; // tag << 32 | handle + 1; 0: empty
	uint32_t mask;
};

// Texts in units of 16 octets (a length octet, then the text), freed ones in lists by size.
struct texts {
	uint8_t *base;
	uint32_t n_units, used;
	uint32_t free[DIRECTORY_TEXT_CLASSES]; // unit + 1 of the first free piece; 0: none
};

struct directory {
	const struct sha256_ops *sha;
	struct subscriber *subscribers;
	uint32_t n, max;
	struct index index[DP_IDENTITIES];
	struct texts texts;
	uint64_t seed;
	struct arena arena;
};

// 0, -ENOMEM, -EPERM (see arena_init).
int directory_init(struct directory *directory, const struct sha256_ops *sha, uint32_t max);
void directory_fini(struct directory *directory);

// As the dp_ functions of the same names.
uint32_t directory_find(const struct directory *directory, enum dp_identity kind, const char *id,
			size_t len);
uint32_t directory_new(struct directory *directory);
int directory_bind(struct directory *directory, uint32_t handle, enum dp_identity kind,
		   const char *id, size_t len);
void directory_unbind(struct directory *directory, uint32_t handle, enum dp_identity kind);
size_t directory_identity(const struct directory *directory, uint32_t handle, enum dp_identity kind,
			  char id[DP_IDENTITY_MAX + 1]);
bool directory_akid(const struct directory *directory, uint32_t handle,
		    uint8_t digest[DIRECTORY_DIGEST]);
