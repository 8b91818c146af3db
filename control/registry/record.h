#pragma once
// Values of the store as octets: written and read in one place, bounds first. A record starts with
// its version; numbers are big-endian; texts have a length of two octets before them. A writer or
// reader that ran out of room stays failed, so that only the end has to be looked at. Any thread.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/registry/af.h"
#include "control/registry/group.h"
#include "dataplane/dp.h"

// ---- Cursors

struct record_writer {
	uint8_t *at, *end;
	bool failed; // no room
};

struct record_reader {
	const uint8_t *at, *end;
	bool failed; // too short
};

static inline struct record_writer record_write(void *to, size_t max)
{
	return (struct record_writer){to, (uint8_t *)to + max, false};
}

static inline struct record_reader record_read(const void *from, size_t len)
{
	return (struct record_reader){from, (const uint8_t *)from + len, false};
}

void record_put(struct record_writer *w, const void *octets, size_t n);
void record_put8(struct record_writer *w, uint8_t v);
void record_put16(struct record_writer *w, uint16_t v);
void record_put32(struct record_writer *w, uint32_t v);
void record_put64(struct record_writer *w, uint64_t v);
void record_put_text(struct record_writer *w, const char *text, size_t len); // len < 65536
// Octets written since `start`, 0 when it failed.
size_t record_written(const struct record_writer *w, const void *start);

// Each gives zeros after a failure.
void record_get(struct record_reader *r, void *octets, size_t n);
const uint8_t *record_skip(struct record_reader *r, size_t n); // the n octets; NULL
uint8_t record_get8(struct record_reader *r);
uint16_t record_get16(struct record_reader *r);
uint32_t record_get32(struct record_reader *r);
uint64_t record_get64(struct record_reader *r);
// Text of at most max octets, terminated, into to[max + 1]; its length. Zeros inside fail.
size_t record_get_text(struct record_reader *r, char *to, size_t max);
// Whether all went well and nothing is left.
bool record_is_end(const struct record_reader *r);

// ---- Keys

void record_handle_key(uint8_t key[4], uint32_t handle);
void record_member_key(uint8_t key[8], uint32_t group, uint32_t handle);

// ---- Values: sizes that always suffice, writers give the length, readers 0 or -EBADMSG (also for
// a version they do not know) with the output undefined.

enum {
	RECORD_AKID_MAX = 253,
	RECORD_IDENTITY_MAX = 1 + 2 * (2 + DP_IDENTITY_MAX) + 4,
	RECORD_CONTEXT_MAX = 1 + 8 + 4 + 32 + 2 + RECORD_AKID_MAX,
	RECORD_ADDRESS_MAX = 1 + 16 + 2,
	RECORD_AF_MAX =
		1 + 4 + 1 + 8 + 4 + 8 + 4 + 4 + 2 + AF_DESCRIPTION_MAX + 4 + AF_GROUPS_MAX * 4,
	RECORD_GROUP_MAX = 1 + 4 + 2 + GROUP_DESCRIPTION_MAX,
};

// IDENTITY: who a handle is.
struct record_identity {
	char supi[DP_IDENTITY_MAX + 1]; // empty: none
	char gpsi[DP_IDENTITY_MAX + 1];
	uint32_t twin; // or DP_NONE
};

// CONTEXT: what the last registration gave. Secret.
struct record_context {
	uint64_t stamp;  // of the registration: microseconds, ever growing; the newest wins
	uint32_t expiry; // of K_AFs, Unix seconds
	uint8_t kakma[32];
	char akid[RECORD_AKID_MAX + 1];
};

size_t record_identity_write(uint8_t *to, const struct record_identity *identity);
int record_identity_read(const void *value, size_t len, struct record_identity *identity);
size_t record_context_write(uint8_t *to, const struct record_context *context);
int record_context_read(const void *value, size_t len, struct record_context *context);
size_t record_address_write(uint8_t *to, const struct dp_address *address);
int record_address_read(const void *value, size_t len, struct dp_address *address);
// What is registered; not the FQDN, which is the key.
size_t record_af_write(uint8_t *to, const struct af *af);
int record_af_read(const void *value, size_t len, struct af *af);
// Number and description; not the id, which is the key, nor the members.
size_t record_group_write(uint8_t *to, const struct group *group);
int record_group_read(const void *value, size_t len, struct group *group);
