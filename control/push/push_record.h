#pragma once
// Pushes in the store. A push that is not over stands under its push_id with all that is needed to
// run it; one that is over stands without payload and secret, but with its counts. Short lists and
// their final states are in the record itself, long ones in chunks of their own.
//
//   PUSH      'L' push_id                     live: what was accepted
//             'O' ~push_id                    over: what is left; newest first
//             'A' FQDN 0 ~push_id             over, by AF → nothing
//             'R' time, push_id               over, by the second it ended → nothing
//   TARGET    push_id, chunk                  handles (push_list.h)
//   PROGRESS  push_id 'S'                     stop: the state of open targets from now on
//             push_id 'C'                     counts at the last checkpoint
//             push_id 'P' chunk               states by place (dp.h) at the last checkpoint
//             push_id 'F' chunk               final states in the order of the list
//   REPLY     push_id, handle                 status, reply
//   META      "push_id " FQDN                 the AF's last push_id
//
// Readers give 0 or -EBADMSG. Any thread.

#include <stddef.h>
#include <stdint.h>

#include "control/push/push_id.h"
#include "control/push/push_list.h"
#include "crypto/akma.h"
#include "dataplane/dp.h"

enum {
	PUSH_SECRET = 16,
	PUSH_PLACES = 131072, // of one chunk of states by place: 64 KiB
	PUSH_PLACES_OCTETS = PUSH_PLACES / 2,
	PUSH_KEY_MAX = 1 + AKMA_FQDN_MAX + 1 + PUSH_ID + 4,
	PUSH_FACTS_OCTETS = PUSH_ID + 8 + 4 + 4 + 4 + 1 + 1 + 2 + 2 + 2 + AKMA_FQDN_MAX,
	PUSH_COUNTS_OCTETS = 1 + DP_STATE_COUNT * 4 + 8,
	PUSH_LIVE_MAX =
		1 + PUSH_FACTS_OCTETS + PUSH_SECRET + DP_PAYLOAD_MAX + 4 + PUSH_INLINE_OCTETS,
	PUSH_OVER_MAX = 1 + PUSH_FACTS_OCTETS + PUSH_COUNTS_OCTETS + 8 + 1 + 4 +
			PUSH_INLINE_OCTETS + 4 + PUSH_INLINE_STATES,
};

// What never changes of a push, and is told of it.
struct push_facts {
	uint8_t id[PUSH_ID];
	char fqdn[AKMA_FQDN_MAX + 1];
	uint64_t created_ms;
	uint32_t expiry; // Unix seconds
	uint32_t n_targets, n_barred;
	uint8_t suite;
	bool ack_wanted, ordered;
	uint16_t segment_size, payload_len;
};

struct push_counts {
	uint32_t of[DP_STATE_COUNT]; // targets
	uint64_t sent;               // datagrams
};

// Pointers are into what was read.
struct push_live {
	struct push_facts facts;
	uint8_t secret[PUSH_SECRET];
	const uint8_t *payload;
	const uint8_t *chunk; // the list, or NULL: in chunks of TARGET
	size_t chunk_len;
};

struct push_over {
	struct push_facts facts;
	struct push_counts counts;
	uint64_t ended_ms;
	bool has_replies;
	const uint8_t *chunk; // as above
	size_t chunk_len;
	const uint8_t *states;
	size_t states_len;
};

size_t push_live_write(uint8_t to[PUSH_LIVE_MAX], const struct push_live *live);
int push_live_read(const void *value, size_t len, struct push_live *live);
size_t push_over_write(uint8_t to[PUSH_OVER_MAX], const struct push_over *over);
int push_over_read(const void *value, size_t len, struct push_over *over);
size_t push_counts_write(uint8_t to[PUSH_COUNTS_OCTETS], const struct push_counts *counts);
int push_counts_read(const void *value, size_t len, struct push_counts *counts);

// Keys into key[PUSH_KEY_MAX]; their length.
size_t push_key_live(uint8_t *key, const uint8_t id[PUSH_ID]);
size_t push_key_over(uint8_t *key, const uint8_t id[PUSH_ID]);
size_t push_key_of_af(uint8_t *key, const char *fqdn, const uint8_t id[PUSH_ID]);
size_t push_key_af(uint8_t *key, const char *fqdn); // what those of an AF start with
size_t push_key_ended(uint8_t *key, uint64_t ended_ms, const uint8_t id[PUSH_ID]);
size_t push_key_target(uint8_t *key, const uint8_t id[PUSH_ID], uint32_t chunk);
size_t push_key_progress(uint8_t *key, const uint8_t id[PUSH_ID], char kind); // 'S', 'C'
size_t push_key_states(uint8_t *key, const uint8_t id[PUSH_ID], char kind,
		       uint32_t chunk); // 'P', 'F'
size_t push_key_reply(uint8_t *key, const uint8_t id[PUSH_ID], uint32_t handle);
size_t push_key_last(char key[64 + AKMA_FQDN_MAX], const char *fqdn);

// The push_id at the end of an 'O' or 'A' key, turned back.
void push_key_id(uint8_t id[PUSH_ID], const uint8_t *key, size_t key_len);
