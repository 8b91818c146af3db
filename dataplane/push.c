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
static uint32_t lay_out(const uint32_t *handles, uint32_t n, struct places slots[CONTEXT_SLOTS])
{
	uint32_t count[CONTEXT_SLOTS] = {0};
	uint32_t at = 0, last = 0;

	for (uint32_t i = 0; i < n; i++)
		count[context_slot(handles[i])]++;
	for (unsigned slot = 0; slot < CONTEXT_SLOTS; slot++) {
		slots[slot] = (struct places){at, at + count[slot]};
		if (!count[slot])
			continue;
		last = slots[slot].to;
		at = (last + PUSH_SLOT_ALIGN - 1) & ~(uint32_t)(PUSH_SLOT_ALIGN - 1);
	}
	return last;
}

uint32_t push_places(const uint32_t *handles, uint32_t n_handles)
{
	struct places slots[CONTEXT_SLOTS];

	return lay_out(handles, n_handles, slots);
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
	memcpy(push->push_id, spec->push_id, sizeof(push->push_id));
	push->suite = message_suite_find(spec->suite);
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

// Handles in their places; all others are empty.
static void place_handles(const struct dp_push *push, uint32_t *to, const struct dp_push_spec *spec)
{
	uint32_t at[CONTEXT_SLOTS];

	memset(to, 0xff, push->n_places * sizeof(*to));
	for (unsigned slot = 0; slot < CONTEXT_SLOTS; slot++)
		at[slot] = push_slot(push, slot).from;
	for (uint32_t i = 0; i < spec->n_handles; i++)
		to[at[context_slot(spec->handles[i])]++] = spec->handles[i];
}

static void init_part(struct dp_push *push, struct part *part, unsigned worker)
{
	part->push = push;
	part->worker = worker;
	part->slot = CONTEXT_SLOTS; // no walk yet
	part->due_index = UINT32_MAX;
	part->hurry_ns = UINT64_MAX;
	part->hurry = part->recent = (struct places){UINT32_MAX, 0};
	for (unsigned slot = worker; slot < CONTEXT_SLOTS; slot += push->n_workers) {
		const struct places places = push_slot(push, slot);

		for (uint32_t p = places.from; p < places.to; p++) {
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

// Where things lie behind the struct and its parts, in octets from its start.
struct layout {
	size_t kaf_blocks, slots, handles, states, payload, size;
};

static struct layout lay_memory(const struct dp_push *shape, const struct dp_push_spec *spec)
{
	const bool is_list = !push_is_single(shape);
	struct layout at;

	at.kaf_blocks = whole_lines(sizeof(*shape) + shape->n_parts * sizeof(struct part));
	at.slots = at.kaf_blocks + shape->kaf.n_blocks * sizeof(struct sha256_schedule);
	at.handles = at.slots + is_list * CONTEXT_SLOTS * sizeof(struct places);
	at.states = at.handles + shape->n_places * sizeof(uint32_t);
	if (is_list) // a worker's states share no line with anything else
		at.states = whole_lines(at.states);
	at.payload = at.states + (shape->n_places + 1) / 2;
	at.size = whole_lines(at.payload + spec->payload_len);
	return at;
}

// What lies behind the struct: copies of what the spec and the two others hold.
static void fill(struct dp_push *push, const struct layout *at, const struct dp_push_spec *spec,
		 const struct hmac_message *kaf, const struct places slots[CONTEXT_SLOTS])
{
	uint8_t *base = (uint8_t *)push;
	uint32_t *handles = (uint32_t *)(void *)(base + at->handles);

	memcpy(base + at->kaf_blocks, kaf->block, kaf->n_blocks * sizeof(kaf->block[0]));
	push->kaf.block = (const struct sha256_schedule *)(const void *)(base + at->kaf_blocks);
	push->handles = handles;
	if (push_is_single(push)) {
		handles[0] = spec->handles[0];
	} else {
		memcpy(base + at->slots, slots, CONTEXT_SLOTS * sizeof(slots[0]));
		push->slots = (const struct places *)(const void *)(base + at->slots);
		place_handles(push, handles, spec);
	}
	memset(base + at->states, 0, (push->n_places + 1) / 2);
	push->states = (_Atomic uint8_t *)(base + at->states);
	if (spec->payload_len)
		memcpy(base + at->payload, spec->payload, spec->payload_len);
	push->payload = base + at->payload;
	if (spec->states)
		take_states(push, spec->states);
}

static void init_parts(struct dp_push *push)
{
	if (push_is_single(push)) {
		init_part(push, &push->parts[0], context_slot(push->handles[0]) % push->n_workers);
		return;
	}
	for (unsigned i = 0; i < push->n_parts; i++)
		init_part(push, &push->parts[i], i);
}

// TS 33.535 A.4
static void prepare_kaf(struct hmac_message *kaf, const struct dp_push_spec *spec)
{
	struct akma_af_id af_id = {.len = (uint16_t)spec->af_id_len};

	memcpy(af_id.octets, spec->af_id, spec->af_id_len);
	akma_kaf_message(kaf, &af_id);
}

struct dp_push *push_new(const struct sha256_ops *sha, unsigned n_workers,
			 const struct dp_push_spec *spec, int *error)
{
	struct dp_push shape = {.n_workers = n_workers}, *push;
	struct places slots[CONTEXT_SLOTS];
	struct hmac_message kaf;
	struct layout at;

	*error = check(spec);
	if (*error)
		return NULL;
	shape.n_places = lay_out(spec->handles, spec->n_handles, slots);
	shape.n_parts = push_is_single(&shape) ? 1 : n_workers;
	prepare_kaf(&kaf, spec);
	shape.kaf.n_blocks = kaf.n_blocks;
	at = lay_memory(&shape, spec);
	push = aligned_alloc(LINE, at.size);
	if (!push) {
		*error = -ENOMEM;
		return NULL;
	}
	memset(push, 0, at.kaf_blocks);
	*push = shape;
	prepare(push, sha, spec);
	fill(push, &at, spec, &kaf, slots);
	init_parts(push);
	return push;
}

void push_free(struct dp_push *push)
{
	if (!push)
		return;
	mem_wipe(&push->ref_key, sizeof(push->ref_key));
	mem_wipe((uint8_t *)push->payload, push->payload_len);
	free(push);
}

// ---- Places and states

static bool has_targets(const struct dp_push *push, unsigned worker)
{
	for (unsigned slot = worker; slot < CONTEXT_SLOTS; slot += push->n_workers) {
		const struct places places = push_slot(push, slot);

		if (places.from < places.to)
			return true;
	}
	return false;
}

struct part *push_part(struct dp_push *push, unsigned worker)
{
	if (!has_targets(push, worker))
		return NULL;
	return &push->parts[push_is_single(push) ? 0 : worker];
}

uint32_t push_place_of(const struct dp_push *push, uint32_t handle)
{
	const struct places places = push_slot(push, context_slot(handle));
	uint32_t low = places.from, high = places.to;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (push->handles[middle] < handle)
			low = middle + 1;
		else
			high = middle;
	}
	return low < places.to && push->handles[low] == handle ? low : DP_NONE;
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

// ---- Runs

typedef uint64_t __attribute__((may_alias)) run_word; // the states of a run

static run_word *run_at(const struct dp_push *push, uint32_t place)
{
	return (run_word *)(uintptr_t)&push->states[place / 2];
}

// The state in every place.
static uint64_t run_of(unsigned state)
{
	return state * 0x1111111111111111;
}

bool push_run_is(const struct dp_push *push, uint32_t place, unsigned state)
{
	return __atomic_load_n(run_at(push, place), __ATOMIC_RELAXED) == run_of(state);
}

void part_set_run(struct part *part, uint32_t place, unsigned before, unsigned state)
{
	const struct dp_push *const push = part->push;

	__atomic_store_n(run_at(push, place), run_of(state), __ATOMIC_RELEASE);
	count(part, before, (uint64_t)-PUSH_RUN);
	count(part, state, PUSH_RUN);
	if (push_is_final(push, state) && !push_is_final(push, before))
		part->n_open -= PUSH_RUN;
}
