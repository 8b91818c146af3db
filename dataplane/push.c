#include "dataplane/push.h"

#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "crypto/akma.h"

static const uint16_t final_always = 1 << DP_DELIVERED | 1 << DP_REFUSED | 1 << DP_TOO_OLD |
				     1 << DP_EXPIRED | 1 << DP_UNCONFIRMED | 1 << DP_NOT_ALLOWED |
				     1 << DP_REPLACED | 1 << DP_RECALLED;

enum { LINE = 64 }; // of the cache

// ---- Layout

// Counts the handles of each slot and gives the slots their places; returns the places in all.
static uint32_t lay_out(const uint32_t *handles, uint32_t n, uint32_t first[CONTEXT_SLOTS + 1],
			uint32_t end[CONTEXT_SLOTS])
{
	uint32_t count[CONTEXT_SLOTS] = {0};
	uint32_t at = 0, last = 0;

	for (uint32_t i = 0; i < n; i++)
		count[context_slot(handles[i])]++;
	for (unsigned slot = 0; slot < CONTEXT_SLOTS; slot++) {
		first[slot] = at;
		end[slot] = at + count[slot];
		if (!count[slot])
			continue;
		last = end[slot];
		at = (last + PUSH_SLOT_ALIGN - 1) & ~(uint32_t)(PUSH_SLOT_ALIGN - 1);
	}
	first[CONTEXT_SLOTS] = at;
	return last;
}

uint32_t push_places(const uint32_t *handles, uint32_t n_handles)
{
	uint32_t first[CONTEXT_SLOTS + 1], end[CONTEXT_SLOTS];

	return lay_out(handles, n_handles, first, end);
}

// ---- Making a push

static int check(const struct dp_push_spec *spec)
{
	if (!spec->n_handles || spec->n_handles > INT32_MAX || !spec->segment_size ||
	    spec->segment_size > DP_SEGMENT_MAX || spec->af >= DP_AF_MAX ||
	    spec->af_id_len > AKMA_AF_ID_MAX || !message_suite_find(spec->suite))
		return -EINVAL;
	for (uint32_t i = 1; i < spec->n_handles; i++) {
		if (spec->handles[i - 1] >= spec->handles[i])
			return -EINVAL; // ascending, each once
	}
	if (spec->payload_len > (size_t)spec->segment_size * DP_SEGMENTS_MAX)
		return -EMSGSIZE;
	return 0;
}

static void prepare(struct dp_push *push, const struct sha256_ops *sha,
		    const struct dp_push_spec *spec)
{
	struct akma_af_id af_id = {.len = (uint16_t)spec->af_id_len};

	memcpy(push->push_id, spec->push_id, sizeof(push->push_id));
	memcpy(af_id.octets, spec->af_id, spec->af_id_len);
	push->suite = message_suite_find(spec->suite);
	akma_kaf_message(&push->kaf_message, &af_id);
	message_info_init(&push->push_info, push->suite, MESSAGE_TYPE_PUSH, push->push_id);
	message_info_init(&push->ack_info, push->suite, MESSAGE_TYPE_ACK, push->push_id);
	ref_key_init(sha, &push->ref_key, spec->secret);
	push->expiry = spec->expiry;
	push->af = spec->af;
	push->final_mask = (uint16_t)(final_always | (spec->ack_wanted ? 0 : 1 << DP_SENT));
	push->segment_size = spec->segment_size;
	push->payload_len = spec->payload_len;
	push->n_segments = spec->payload_len <= spec->segment_size
				   ? 1
				   : (unsigned)((spec->payload_len + spec->segment_size - 1) /
						spec->segment_size);
	frame_header_init(&push->header, push->suite->id, spec->ack_wanted, spec->ordered,
			  push->n_segments, push->push_id, push->expiry);
}

// Handles in their places. The memory comes with all places empty.
static void place_handles(const struct dp_push *push, uint32_t *to, const struct dp_push_spec *spec)
{
	uint32_t at[CONTEXT_SLOTS];

	memcpy(at, push->slot_first, sizeof(at));
	for (uint32_t i = 0; i < spec->n_handles; i++)
		to[at[context_slot(spec->handles[i])]++] = spec->handles[i];
}

static void init_part(struct dp_push *push, unsigned worker)
{
	struct part *part = &push->parts[worker];

	part->push = push;
	part->worker = worker;
	part->slot = CONTEXT_SLOTS; // no walk yet
	part->due_index = UINT32_MAX;
	part->hurry_ns = UINT64_MAX;
	part->hurry = part->recent = (struct places){UINT32_MAX, 0};
	for (unsigned slot = worker; slot < CONTEXT_SLOTS; slot += push->n_workers) {
		for (uint32_t p = push->slot_first[slot]; p < push->slot_end[slot]; p++) {
			unsigned state = push_state(push, p);

			atomic_fetch_add_explicit(&part->counts[state], 1, memory_order_relaxed);
			part->n_open += !push_is_final(push, state);
		}
	}
}

// A clean end of what a spec may bring along: states that are not those of a list at rest.
static void take_states(struct dp_push *push, const uint8_t *states)
{
	for (uint32_t i = 0; i < (push->n_places + 1) / 2; i++) {
		unsigned low = push_public_state(states[i] & 15),
			 high = push_public_state(states[i] >> 4);

		atomic_init(&push->states[i], (uint8_t)(low | high << 4));
	}
}

static size_t whole_lines(size_t octets)
{
	return (octets + LINE - 1) & ~(size_t)(LINE - 1);
}

struct dp_push *push_new(const struct sha256_ops *sha, unsigned n_workers,
			 const struct dp_push_spec *spec, int *error)
{
	uint32_t first[CONTEXT_SLOTS + 1], end[CONTEXT_SLOTS];
	size_t fixed = sizeof(struct dp_push) + n_workers * sizeof(struct part);
	size_t n_places, n_states, handles_size;
	struct dp_push *push;
	uint32_t *handles;
	uint8_t *payload;

	*error = check(spec);
	if (*error)
		return NULL;
	n_places = lay_out(spec->handles, spec->n_handles, first, end);
	n_states = (n_places + 1) / 2;
	fixed = whole_lines(fixed);
	handles_size = whole_lines(n_places * sizeof(*handles));
	push = aligned_alloc(LINE,
			     whole_lines(fixed + handles_size + n_states + spec->payload_len));
	if (!push) {
		*error = -ENOMEM;
		return NULL;
	}
	memset(push, 0, fixed);
	push->n_workers = n_workers;
	push->n_places = (uint32_t)n_places;
	memcpy(push->slot_first, first, sizeof(first));
	memcpy(push->slot_end, end, sizeof(end));
	handles = (uint32_t *)(void *)((uint8_t *)push + fixed);
	memset(handles, 0xff, n_places * sizeof(*handles));
	push->handles = handles;
	push->states = (_Atomic uint8_t *)((uint8_t *)handles + handles_size);
	memset((void *)push->states, 0, n_states);
	payload = (uint8_t *)push->states + n_states;
	if (spec->payload_len)
		memcpy(payload, spec->payload, spec->payload_len);
	push->payload = payload;
	prepare(push, sha, spec);
	place_handles(push, handles, spec);
	if (spec->states)
		take_states(push, spec->states);
	for (unsigned i = 0; i < n_workers; i++)
		init_part(push, i);
	return push;
}

void push_free(struct dp_push *push)
{
	if (!push)
		return;
	mem_wipe(&push->ref_key, sizeof(push->ref_key));
	free(push);
}

// ---- Places and states

uint32_t push_place_of(const struct dp_push *push, uint32_t handle)
{
	unsigned slot = context_slot(handle);
	uint32_t low = push->slot_first[slot], high = push->slot_end[slot];

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (push->handles[middle] < handle)
			low = middle + 1;
		else
			high = middle;
	}
	return low < push->slot_end[slot] && push->handles[low] == handle ? low : DP_NONE;
}

static void count(struct part *part, unsigned state, uint64_t change)
{
	uint64_t now = atomic_load_explicit(&part->counts[state], memory_order_relaxed);

	atomic_store_explicit(&part->counts[state], now + change, memory_order_relaxed);
}

void part_set_state(struct part *part, uint32_t place, unsigned state)
{
	struct dp_push *push = part->push;
	unsigned shift = place % 2 * 4;
	unsigned both = atomic_load_explicit(&push->states[place / 2], memory_order_relaxed);
	unsigned before = both >> shift & 15;

	if (before == state)
		return;
	both = (both & ~(15u << shift)) | state << shift;
	atomic_store_explicit(&push->states[place / 2], (uint8_t)both, memory_order_release);
	count(part, before, UINT64_MAX); // one less
	count(part, state, 1);
	part->n_open -= push_is_final(push, state) && !push_is_final(push, before);
}

uint16_t push_segment_len(const struct dp_push *push, unsigned segment)
{
	size_t rest = push->payload_len - (size_t)segment * push->segment_size;

	return (uint16_t)(rest < push->segment_size ? rest : push->segment_size);
}
