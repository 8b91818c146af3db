#include <criterion/criterion.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/push/push_list.h"
#include "control/push/push_record.h"
#include "tests/kit/random.h"

// ---- Lists

static struct push_list some_list(struct random *random, uint32_t n, uint32_t gap)
{
	struct push_list list = {0};
	uint32_t handle = (uint32_t)(random_next(random) % gap);

	for (uint32_t i = 0; i < n; i++) {
		cr_assert_eq(push_list_add(&list, handle), 0);
		handle += 1 + (uint32_t)(random_next(random) % gap);
	}
	for (uint32_t i = 0; i < n; i++) {
		if (random_next(random) % 7 == 0)
			cr_assert_eq(push_list_bar(&list, i), 0);
	}
	return list;
}

static void check_list(struct random *random, uint32_t n, uint32_t gap)
{
	struct push_list list = some_list(random, n, gap), back = {0};
	uint8_t *value = malloc(PUSH_CHUNK_OCTETS);

	for (uint32_t chunk = 0; chunk < push_chunks(n); chunk++) {
		size_t len = push_chunk_write(value, &list, chunk);

		cr_assert_leq(len, PUSH_CHUNK_OCTETS);
		cr_assert_eq(push_chunk_read(value, len, &back), 0, "seed %#" PRIx64, random->seed);
	}
	cr_assert_eq(back.n, n);
	cr_assert_eq(back.n_barred, list.n_barred, "seed %#" PRIx64, random->seed);
	cr_assert(!memcmp(back.handles, list.handles, n * sizeof(*list.handles)));
	for (uint32_t i = 0; i < n; i++)
		cr_assert_eq(push_list_is_barred(&back, i), push_list_is_barred(&list, i),
			     "seed %#" PRIx64, random->seed);
	push_list_free(&list);
	push_list_free(&back);
	free(value);
}

Test(push_list, chunks_and_back)
{
	static const uint32_t sizes[] = {
		1, 2, 63, 64, 65, 256, 257, PUSH_CHUNK - 1, PUSH_CHUNK, PUSH_CHUNK + 1, 200000};
	struct random random = random_start();

	for (unsigned i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		check_list(&random, sizes[i], 1);
		check_list(&random, sizes[i], 300);
		check_list(&random, sizes[i], 8000);
	}
}

Test(push_list, neighbours_take_an_octet)
{
	struct push_list list = {0};
	uint8_t *value = malloc(PUSH_CHUNK_OCTETS);

	for (uint32_t i = 0; i < PUSH_CHUNK; i++)
		push_list_add(&list, 1000000 + i);
	cr_assert_leq(push_chunk_write(value, &list, 0), PUSH_CHUNK + 16);
	push_list_free(&list);
	free(value);
}

Test(push_list, is_sorted_each_once)
{
	struct random random = random_start();
	struct push_list list = {0};
	bool is_there[500] = {false};
	uint32_t n = 0;

	for (unsigned i = 0; i < 600; i++) {
		uint32_t handle = (uint32_t)(random_next(&random) % 500);

		n += !is_there[handle];
		is_there[handle] = true;
		push_list_add(&list, handle);
	}
	push_list_sort(&list);
	cr_assert_eq(list.n, n, "seed %#" PRIx64, random.seed);
	for (uint32_t handle = 0; handle < 500; handle++)
		cr_assert_eq(push_list_find(&list, handle) >= 0, is_there[handle]);
	push_list_free(&list);
}

// What is damaged is refused, never believed: every cut and every changed octet either fails or
// gives an ascending list.
Test(push_list, damaged_chunks)
{
	struct random random = random_start();
	struct push_list list = some_list(&random, 50, 1000);
	uint8_t value[PUSH_INLINE_OCTETS], damaged[PUSH_INLINE_OCTETS];
	size_t len = push_chunk_write(value, &list, 0);

	for (size_t cut = 0; cut < len; cut++) {
		struct push_list back = {0};

		cr_assert_eq(push_chunk_read(value, cut, &back), -EBADMSG);
		push_list_free(&back);
	}
	for (size_t at = 0; at < len; at++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			struct push_list back = {0};

			memcpy(damaged, value, len);
			damaged[at] ^= (uint8_t)(1 << bit);
			if (!push_chunk_read(damaged, len, &back)) {
				for (uint32_t i = 1; i < back.n; i++)
					cr_assert_lt(back.handles[i - 1], back.handles[i]);
			}
			push_list_free(&back);
		}
	}
	push_list_free(&list);
}

Test(push_list, states_and_back)
{
	uint8_t states[301], back[301], value[PUSH_CHUNK_STATES];

	for (unsigned i = 0; i < 301; i++)
		states[i] = (uint8_t)(i % DP_STATE_COUNT);
	for (uint32_t n = 1; n <= 301; n++) {
		size_t len = push_states_write(value, states, n);

		cr_assert_eq(push_states_read(value, len, back, n), 0);
		cr_assert(!memcmp(states, back, n));
		cr_assert_eq(push_states_read(value, len - 1, back, n), -EBADMSG);
		cr_assert_eq(push_states_read(value, len, back, n + 2), -EBADMSG);
	}
	value[1] = 0xff;
	cr_assert_eq(push_states_read(value, 2, back, 1), -EBADMSG, "no such state");
}

// ---- Records

static struct push_facts some_facts(void)
{
	return (struct push_facts){
		.id = {1, 2, 3},
		.fqdn = "meters.example.com",
		.created_ms = 1800000000123,
		.expiry = 1800000100,
		.n_targets = 5,
		.n_barred = 1,
		.suite = 2,
		.ack_wanted = true,
		.ordered = true,
		.segment_size = 1000,
		.payload_len = 300,
	};
}

static void check_facts(const struct push_facts *a, const struct push_facts *b)
{
	cr_assert_arr_eq(a->id, b->id, PUSH_ID);
	cr_assert_str_eq(a->fqdn, b->fqdn);
	cr_assert_eq(a->created_ms, b->created_ms);
	cr_assert_eq(a->expiry, b->expiry);
	cr_assert_eq(a->n_targets, b->n_targets);
	cr_assert_eq(a->n_barred, b->n_barred);
	cr_assert_eq(a->suite, b->suite);
	cr_assert_eq(a->ack_wanted, b->ack_wanted);
	cr_assert_eq(a->ordered, b->ordered);
	cr_assert_eq(a->segment_size, b->segment_size);
	cr_assert_eq(a->payload_len, b->payload_len);
}

Test(push_record, live_and_back)
{
	uint8_t payload[300] = "payload", chunk[] = {1, 2, 3}, value[PUSH_LIVE_MAX];
	struct push_live live = {.facts = some_facts(),
				 .secret = "secret of a push",
				 .payload = payload,
				 .chunk = chunk,
				 .chunk_len = 3},
			 back;
	size_t len = push_live_write(value, &live);

	cr_assert_eq(push_live_read(value, len, &back), 0);
	check_facts(&live.facts, &back.facts);
	cr_assert_arr_eq(back.secret, live.secret, PUSH_SECRET);
	cr_assert_arr_eq(back.payload, payload, sizeof(payload));
	cr_assert_eq(back.chunk_len, 3);
	cr_assert_arr_eq(back.chunk, chunk, 3);
	for (size_t cut = 0; cut < len; cut++)
		cr_assert_eq(push_live_read(value, cut, &back), -EBADMSG);
}

Test(push_record, largest_live_fits)
{
	static uint8_t payload[DP_PAYLOAD_MAX], chunk[PUSH_INLINE_OCTETS], value[PUSH_LIVE_MAX];
	struct push_live live = {.facts = some_facts(),
				 .payload = payload,
				 .chunk = chunk,
				 .chunk_len = sizeof(chunk)};

	memset(live.facts.fqdn, 'a', AKMA_FQDN_MAX);
	live.facts.payload_len = DP_PAYLOAD_MAX;
	cr_assert_gt(push_live_write(value, &live), 0);
}

Test(push_record, over_and_back)
{
	static uint8_t chunk[PUSH_INLINE_OCTETS], states[PUSH_INLINE_STATES], value[PUSH_OVER_MAX];
	struct push_over over = {.facts = some_facts(),
				 .counts = {.sent = 77},
				 .ended_ms = 5,
				 .has_replies = true,
				 .chunk = chunk,
				 .chunk_len = sizeof(chunk),
				 .states = states,
				 .states_len = sizeof(states)},
			 back;
	size_t len;

	memset(over.facts.fqdn, 'a', AKMA_FQDN_MAX);
	over.counts.of[DP_DELIVERED] = 4;
	over.counts.of[DP_NOT_ALLOWED] = 1;
	len = push_over_write(value, &over);
	cr_assert_gt(len, 0);
	cr_assert_eq(push_over_read(value, len, &back), 0);
	check_facts(&over.facts, &back.facts);
	cr_assert_eq(memcmp(&over.counts, &back.counts, sizeof(over.counts)), 0);
	cr_assert_eq(back.ended_ms, 5);
	cr_assert(back.has_replies);
	cr_assert_eq(back.states_len, sizeof(states));
	for (size_t cut = 0; cut < len; cut++)
		cr_assert_eq(push_over_read(value, cut, &back), -EBADMSG);
}

// Newer pushes come first, and an AF's name is not the start of another's.
Test(push_record, keys_are_in_order)
{
	uint8_t older[PUSH_ID] = {1, 2, 3}, newer[PUSH_ID] = {1, 2, 4}, id[PUSH_ID];
	uint8_t a[PUSH_KEY_MAX], b[PUSH_KEY_MAX];
	size_t len = push_key_over(a, older);

	push_key_over(b, newer);
	cr_assert_gt(memcmp(a, b, len), 0);
	push_key_id(id, a, len);
	cr_assert_arr_eq(id, older, PUSH_ID);
	len = push_key_af(a, "a.example");
	push_key_of_af(b, "a.example.com", newer);
	cr_assert_neq(memcmp(a, b, len), 0);
	push_key_of_af(b, "a.example", newer);
	cr_assert_eq(memcmp(a, b, len), 0);
}
