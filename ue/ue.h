#ifndef AKMAPUSH_UE_UE_H
#define AKMAPUSH_UE_UE_H
// What a UE remembers, and the parts of its state machine. Private to the library.
//
// Two slots hold the two K_AKMA generations and all that belongs to them; `current` names the slot
// of the current one. A slot without a key has empty lists and floors of zero, which are below
// every push_id.

#include "ue/akmapush_ue.h"
#include "ue/octets.h"
#include "ue/protocol.h"

enum {
	APUE_LATE = 8,       // answers with status 3 that are spaced at a time, per AF
	APUE_QUICK_ACKS = 4, // ACKs of one push at the quick pace (rule 6)
	APUE_TICK_MS = 8,
	APUE_TICK_MASK = (1 << 23) - 1,
	APUE_QUICK_TICKS = 2000 / APUE_TICK_MS,
	APUE_SLOW_TICKS = 60000 / APUE_TICK_MS,
	APUE_NO_ADDRESS = 255,
	APUE_PREVIOUS_KEPT_MS = 24 * 3600 * 1000, // at most, from the new authentication
};

// One push that was accepted, or (in `late`) that is answered with status 3.
struct apue_entry {
	uint8_t push_id[AKMAPUSH_UE_PUSH_ID];
	uint8_t ref[4];
	unsigned acked : 23;  // when the last ACK left, in ticks, rounded up
	unsigned acks : 3;    // how many did, up to 4
	unsigned status : 2;  // to be sent
	unsigned suite2 : 1;  // the last copy came in suite 2,
	unsigned slot : 1;    // opened under the key of this slot,
	unsigned wanted : 1;  // with an ACK wanted
	unsigned replied : 1; // a reply is stored
};

struct apue_af {
	uint8_t kaf[2][APUE_KEY];
	uint8_t floor[2][AKMAPUSH_UE_PUSH_ID];
	uint8_t ordered[AKMAPUSH_UE_PUSH_ID]; // largest accepted push_id with the flag
	struct apue_entry late[APUE_LATE];    // push_id zero: free
	uint64_t clock_ms;                    // largest push_id time verified
	uint16_t buffer;                      // reassembly buffer + 1; 0: none
	uint16_t port;                        // where the last copy came from
	uint8_t address; // the same, index into push_functions; APUE_NO_ADDRESS
	uint8_t n[2];    // entries of each slot
	bool usable[2];  // the slot's key may be used: false without a key or by rule 7
	bool crowded;    // an entry of `late` had to go: new ones start at the slow pace
	struct apue_entry entries[]; // list_max of slot 0, then of slot 1, each in rising order
};

// A stored reply, found by the push it belongs to.
struct apue_reply {
	uint8_t push_id[AKMAPUSH_UE_PUSH_ID];
	uint32_t expiry;
	uint16_t len;
	uint8_t af;
	bool used;
	uint8_t octets[];
};

struct akmapush_ue {
	const struct akmapush_ue_config *config;
	uint64_t erase_ms;   // when the previous key is erased, elapsed time
	uint32_t erase_s;    // the same in Unix time if that was known, else 0
	uint32_t generation; // of the current key; the previous one has one less
	uint8_t kakma[2][APUE_KEY];
	uint8_t current;
	bool has[2];
	bool met; // a valid push came under the current key
	uint8_t list_max;
};

// ue.c
struct apue_af *apue_af(const struct akmapush_ue *ue, unsigned i);
struct apue_entry *apue_list(const struct akmapush_ue *ue, struct apue_af *af, unsigned slot);
struct apue_reply *apue_reply(const struct akmapush_ue *ue, unsigned i);
void apue_clear(struct akmapush_ue *ue);
bool apue_take_key(struct akmapush_ue *ue, unsigned slot, const uint8_t kakma[APUE_KEY]);
void apue_floor_set(struct apue_af *af, unsigned slot, uint64_t unix_s);
// Unix seconds, up to the last there is.
uint32_t apue_later_s(uint32_t unix_s, uint32_t s);
// The first valid push under the current key limits the time of the previous one; true if it did.
bool apue_current_met(struct akmapush_ue *ue, const struct akmapush_ue_now *now);
// The UE's clock for one AF (rule 3), Unix seconds.
uint32_t apue_clock_s(const struct apue_af *af, const struct akmapush_ue_now *now);

// replay.c
enum { APUE_LOST_LISTS_S = 120 }; // rule 7
struct apue_entry *apue_find(const struct akmapush_ue *ue, struct apue_af *af,
			     const uint8_t *push_id);
struct apue_entry *apue_late_find(struct apue_af *af, const uint8_t *push_id);
bool apue_is_below_floor(const struct apue_af *af, const uint8_t *push_id);
// Puts a push_id that is on neither list onto the list of `slot`. The entry is in `late` if it is
// smaller than all of a full list, or NULL if that has no room for it: then it goes without an ACK.
struct apue_entry *apue_accept(struct akmapush_ue *ue, unsigned af, unsigned slot,
			       const uint8_t *push_id, uint64_t now_ms);
// An entry for an answer with status 3, NULL if it has to go without one.
struct apue_entry *apue_late(struct apue_af *af, const uint8_t *push_id, uint64_t now_ms);
// Takes back an acceptance.
void apue_forget(struct akmapush_ue *ue, unsigned af, const uint8_t *push_id);
// Merges the list of a slot into the other one (rule 5, last sentence) and leaves it empty.
void apue_merge(struct akmapush_ue *ue, unsigned af, unsigned from, uint64_t now_ms);

// reply.c
struct apue_reply *apue_reply_find(const struct akmapush_ue *ue, unsigned af,
				   const uint8_t *push_id);
// A free slot, or that of a push that has expired (no copy of it is answered any more); NULL if
// none.
struct apue_reply *apue_reply_take(struct akmapush_ue *ue, const struct akmapush_ue_now *now);
void apue_reply_drop(struct akmapush_ue *ue, unsigned af, struct apue_entry *entry);

// reassembly.c
// Rule 4 for one opened segment. DELIVERED if it completes the push, whose payload is given then.
enum akmapush_ue_outcome apue_reassemble(struct akmapush_ue *ue, unsigned af, unsigned slot,
					 const struct apue_push *push, const uint8_t *segment,
					 uint32_t clock_s, const uint8_t **payload, size_t *len);
void apue_buffer_release(struct akmapush_ue *ue, unsigned af);
// Wipes the payload that the pool delivered last; with `own` only if this UE had it.
void apue_spent_wipe(const struct akmapush_ue *ue, bool own);
void apue_buffer_expire(struct akmapush_ue *ue, unsigned af, uint32_t clock_s);

// ack.c
uint32_t apue_ticks_since(const struct apue_entry *entry, uint64_t now_ms);
void apue_entry_acked(struct apue_entry *entry, uint64_t now_ms);

#endif
