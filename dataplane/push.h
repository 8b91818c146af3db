#pragma once
// A running push: what was accepted, prepared for sealing, and four bits of state for each target.
// Made and freed by the control thread, immutable but for the states and the parts: a part is one
// worker's share, written by that worker alone (control reads counters and states as they are).
//
// The list is laid out in places: handles in slot order (context.h), ascending within a slot, each
// slot's first place a multiple of PUSH_SLOT_ALIGN, so that no two workers share a line of states.
// Places in between are empty.
//
// Tens of thousands of single pushes may run: what only lists need is not there for them.

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "crypto/message.h"
#include "dataplane/context.h"
#include "dataplane/dp.h"
#include "dataplane/frame.h"
#include "dataplane/ref.h"

enum {
	PUSH_SLOT_ALIGN = 128, // places; two an octet: one cache line
	PUSH_RUN = 16,         // places; eight octets
	// States of the data plane alone, shown to others as SENT; see lap.h.
	PUSH_SENT_DUE = DP_STATE_COUNT,
	PUSH_SENT_RECENTLY,
	PUSH_STATES,
};
_Static_assert(PUSH_STATES <= 16, "a state is four bits");

// Where a part stands; see lap.h.
enum part_mode { PART_LAP, PART_HURRY, PART_SETTLE, PART_SWEEP };

// Places from `from` up to `to`; from >= to: none.
struct places {
	uint32_t from, to;
};

struct line;

struct part {
	_Alignas(64) struct dp_push *push;
	unsigned worker;

	// The walk under way: slot by slot, within `walk`.
	enum part_mode mode;
	struct places walk;
	uint32_t place; // the next one to look at
	uint32_t end;   // behind the last one of this slot within `walk`
	unsigned slot;  // CONTEXT_SLOTS: the walk is over
	bool again; // a lap that may repeat what the last hurry walk sent, or the other way round
	uint8_t sweep_state; // what a sweep makes of open targets; DP_EXPIRED: what expiry makes
	uint32_t n_open;     // targets of this part that are not final

	// Times of laps, monotonic.
	uint64_t pause_ns;   // after the last lap
	uint64_t lap_end_ns; // 0: there was none yet
	uint64_t next_lap_ns;
	uint64_t hurry_ns;     // the next hurry walk; UINT64_MAX: none
	uint64_t hurry_end_ns; // of the last one
	struct places hurry;   // what it has to walk
	struct places recent;  // what hurry walks have sent to since the last lap

	// Where it stands with its worker (turns.c, queue.h).
	struct line *line; // NULL: in none
	struct part *line_next, **line_prev;
	unsigned promised; // tokens of its AF: it was called out of the line for them
	uint64_t due_ns;
	uint32_t due_index; // in the heap of those that wait for a time; UINT32_MAX: not there
	struct part *chain_next, **chain_prev; // the lists, or the singles of one bucket of handles

	_Atomic uint64_t counts[PUSH_STATES]; // targets by state
	_Atomic uint64_t sent;                // datagrams
};

struct dp_push {
	uint8_t push_id[MESSAGE_PUSH_ID];
	const struct message_suite *suite;
	struct sha256_text kaf; // what makes the AF's K_AF of K_AKMA
	struct message_info push_info, ack_info;
	struct ref_key ref_key;
	struct frame_header header; // but for segment, selector and ref
	uint32_t expiry;            // Unix seconds
	unsigned af;
	uint16_t final_mask; // bit per state
	unsigned n_segments;
	uint16_t segment_size;
	const uint8_t *payload;
	size_t payload_len;

	uint32_t n_places;
	const uint32_t *handles;    // [n_places], DP_NONE: empty
	_Atomic uint8_t *states;    // [n_places / 2, up], low nibble first
	const struct places *slots; // [CONTEXT_SLOTS], of a list; NULL: a single target

	unsigned n_workers, n_parts;
	unsigned n_parts_open; // control's: parts whose DONE has not come
	struct part parts[];   // [n_parts]: of every worker, or of a single target's
};

// See dp.h. `sha` prepares the blocks; n_workers share the list.
struct dp_push *push_new(const struct sha256_ops *sha, unsigned n_workers,
			 const struct dp_push_spec *spec, int *error);
void push_free(struct dp_push *push);

// The worker's part; NULL when it has no target in the list.
struct part *push_part(struct dp_push *push, unsigned worker);

// Places that a list takes.
uint32_t push_places(const uint32_t *handles, uint32_t n_handles);
uint32_t push_place_of(const struct dp_push *push, uint32_t handle); // or DP_NONE

static inline bool push_is_single(const struct dp_push *push)
{
	return push->n_places == 1;
}

// The places of a slot.
static inline struct places push_slot(const struct dp_push *push, unsigned slot)
{
	if (push->slots)
		return push->slots[slot];
	return (struct places){0, slot == context_slot(push->handles[0])};
}

static inline unsigned push_state(const struct dp_push *push, uint32_t place)
{
	unsigned both = atomic_load_explicit(&push->states[place / 2], memory_order_relaxed);

	return both >> (place % 2 * 4) & 15;
}

static inline bool push_is_final(const struct dp_push *push, unsigned state)
{
	return push->final_mask >> state & 1;
}

// As others see it.
static inline enum dp_state push_public_state(unsigned state)
{
	return state >= DP_STATE_COUNT ? DP_SENT : (enum dp_state)state;
}

// Changes a target's state and the part's counts. Owner's thread only.
void part_set_state(struct part *part, uint32_t place, unsigned state);

// A run of PUSH_RUN places from a multiple of it on, for what is the same for all of them: most
// targets of a large push. Whether all are in that state; changing all of them from it to another.
// Owner's thread only.
bool push_run_is(const struct dp_push *push, uint32_t place, unsigned state);
void part_set_run(struct part *part, uint32_t place, unsigned before, unsigned state);

// Octets of a segment's payload, and where it starts.
static inline uint16_t push_segment_len(const struct dp_push *push, unsigned segment)
{
	const size_t rest = push->payload_len - (size_t)segment * push->segment_size;

	return (uint16_t)(rest < push->segment_size ? rest : push->segment_size);
}
