// Rule 5 against a naive twin, and the promise that follows from it: delivered at most once,
// whatever is repeated, reordered, lost in a restart or re-keyed.

#include "tests/kit/ue_kit.h"

enum { PUSHES = 200, LIST = 64 };

// The lists as the rule has them, without any bound on memory but the 64.
struct twin_list {
	unsigned n;
	int entry[PUSHES * 2]; // index of the push, which is its order
	int floor;             // -1: none
};

struct twin {
	struct twin_list current, previous;
	int ordered;
};

static struct kit kit;

static void twin_add(struct twin_list *list, int push)
{
	list->entry[list->n++] = push;
	while (list->n > LIST) {
		unsigned smallest = 0;

		for (unsigned i = 1; i < list->n; i++)
			if (list->entry[i] < list->entry[smallest])
				smallest = i;
		if (list->entry[smallest] > list->floor)
			list->floor = list->entry[smallest];
		list->entry[smallest] = list->entry[--list->n];
	}
}

static bool twin_has(const struct twin_list *list, int push)
{
	for (unsigned i = 0; i < list->n; i++)
		if (list->entry[i] == push)
			return true;
	return false;
}

static void twin_erase_previous(struct twin *t)
{
	for (unsigned i = 0; i < t->previous.n; i++)
		twin_add(&t->current, t->previous.entry[i]);
	if (t->previous.floor > t->current.floor)
		t->current.floor = t->previous.floor;
	t->previous = (struct twin_list){.floor = -1};
}

static void twin_authenticate(struct twin *t)
{
	twin_erase_previous(t);
	t->previous = t->current;
	t->current = (struct twin_list){.floor = -1};
}

static enum akmapush_ue_outcome twin_input(struct twin *t, int push, bool ordered, bool previous)
{
	if (twin_has(&t->current, push) || twin_has(&t->previous, push))
		return AKMAPUSH_UE_DUPLICATE;
	if (push <= t->current.floor || push <= t->previous.floor)
		return AKMAPUSH_UE_TOO_OLD;
	if (ordered && push <= t->ordered)
		return AKMAPUSH_UE_OUT_OF_ORDER;
	if (ordered)
		t->ordered = push;
	twin_add(previous ? &t->previous : &t->current, push);
	return AKMAPUSH_UE_DELIVERED;
}

static enum akmapush_ue_outcome input(int push, bool ordered)
{
	struct kit_push p = {.flags = ordered ? APUE_FLAG_ORDERED : 0,
			     .expiry = KIT_START_S + 1000000};

	kit_push_id(p.push_id, 1000000 - push, (uint32_t)push);
	return kit_push(&kit, &p);
}

static void restart_maybe(uint64_t *seed)
{
	if (kit_random(seed) % 8)
		return;
	kit_save(&kit);
	kit_restart(&kit);
}

static void model_run(uint64_t first_seed)
{
	uint64_t seed = first_seed;
	struct twin t = {{.floor = -1}, {.floor = -1}, -1};
	bool has_previous = false;
	uint8_t key = 1;

	kit_init(&kit);
	for (unsigned step = 0; step < 150; step++) {
		int push = (int)(kit_random(&seed) % PUSHES);
		bool ordered = push % 5 == 0;
		bool previous = has_previous && kit_random(&seed) % 3 == 0;

		if (kit_random(&seed) % 40 == 0) {
			kit_authenticate(&kit, ++key);
			twin_authenticate(&t);
			has_previous = true;
			previous = false;
		}
		if (has_previous && kit_random(&seed) % 40 == 0) {
			kit_pass(&kit, 24 * 3600 * 1000);
			akmapush_ue_poll(kit.ue, &kit.now);
			twin_erase_previous(&t);
			has_previous = previous = false;
		}
		memset(kit.kakma, previous ? key - 1 : key, 32);
		cr_assert_eq(input(push, ordered), twin_input(&t, push, ordered, previous),
			     "seed %lu, step %u", (unsigned long)first_seed, step);
		restart_maybe(&seed);
	}
}

Test(ue_replay, equals_the_naive_twin)
{
	for (uint64_t seed = 1; seed <= 300; seed++)
		model_run(seed * 1000003);
}

// Duplication, reordering, restarts that lose nothing saved, key changes, time: a push reaches the
// application once at most, and a push that is new and in time at least once.
static void once_run(uint64_t first_seed)
{
	uint8_t delivered[128] = {0}, key = 1;
	uint64_t seed = first_seed;

	for (unsigned step = 0; step < 60; step++) {
		int push = (int)(kit_random(&seed) % 128);

		if (kit_random(&seed) % 16 == 0)
			kit_authenticate(&kit, ++key);
		memset(kit.kakma, kit_random(&seed) % 3 || key == 1 ? key : key - 1, 32);
		kit_pass(&kit, (uint32_t)(kit_random(&seed) % 60000));
		if (input(push, false) == AKMAPUSH_UE_DELIVERED) {
			kit_save(&kit); // rule 6: before the application has it
			if (kit_random(&seed) % 4 == 0)
				kit_restart(&kit);
			delivered[push]++;
		}
		if (kit_random(&seed) % 16 == 0)
			kit_restart(&kit);
		cr_assert_leq(delivered[push], 1, "seed %lu, step %u", (unsigned long)first_seed,
			      step);
	}
}

Test(ue_replay, delivered_at_most_once)
{
	for (uint64_t seed = 1; seed <= 3000; seed++) {
		kit_init(&kit);
		kit.config.list_max = seed % 3 ? 64 : 4;
		kit_new_ue(&kit);
		kit_authenticate(&kit, 1);
		kit_save(&kit);
		once_run(seed * 7919);
	}
}

// Rule 6 for every push there is, also those that left the list or never were on it.
struct pace {
	uint64_t last_ms;
	unsigned acks;
};

static void pace_check(struct pace *pace, uint64_t now_ms, uint64_t seed)
{
	uint64_t gap = now_ms - pace->last_ms;

	if (pace->acks > 0)
		cr_assert_geq(gap, pace->acks < 4 ? 2000 : 60000, "seed %lu, ACK %u after %lu ms",
			      (unsigned long)seed, pace->acks + 1, (unsigned long)gap);
	pace->last_ms = now_ms;
	pace->acks++;
}

static void pace_run(uint64_t first_seed, uint8_t list_max)
{
	struct pace pace[200] = {{0}};
	uint64_t seed = first_seed;
	uint8_t key = 1;

	kit_init(&kit);
	kit.config.list_max = list_max;
	kit_new_ue(&kit);
	kit_authenticate(&kit, key);
	for (unsigned step = 0; step < 600; step++) {
		// Half of the runs go through many pushes in little time, so that lists overflow.
		bool crowd = first_seed & 2;
		uint32_t n = (uint32_t)(kit_random(&seed) % 40) + (crowd ? step / 4 : 0);
		struct kit_push p = {.flags = n % 2 ? 3 : 1, .expiry = KIT_START_S + 1000000};

		kit_pass(&kit, (uint32_t)(kit_random(&seed) % (crowd ? 200 : 4000)));
		if (kit_random(&seed) % 100 == 0)
			kit_authenticate(&kit, ++key);
		kit_push_id(p.push_id, 0, n);
		kit_push(&kit, &p);
		if (kit_ack(&kit) > 0)
			pace_check(&pace[n], kit.now.ms, first_seed);
	}
}

Test(ue_replay, acks_of_every_push_are_spaced)
{
	for (uint64_t seed = 1; seed <= 200; seed++)
		pace_run(seed, seed % 2 ? 3 : 64);
}

// (key, nonce) of an ACK: another content has another salt; the same content is the same octets.
Test(ue_replay, acks_of_other_content_have_other_nonces)
{
	uint8_t received[48], again[48];
	struct kit_push p = {.flags = APUE_FLAG_ACK_WANTED};

	kit_init(&kit);
	kit_push_id(p.push_id, 0, 1);
	kit_push(&kit, &p);
	cr_assert_eq(kit_ack(&kit), 48);
	memcpy(received, kit.ack, 48);
	kit_pass(&kit, 2000);
	cr_assert_eq(kit_ack(&kit), 48);
	memcpy(again, kit.ack, 48);
	cr_expect_arr_eq(received, again, 48);
	kit_pass(&kit, 2000);
	cr_assert_eq(akmapush_ue_answer(kit.ue, &kit.got.id, 1, NULL, 0, &kit.now), 0);
	cr_assert_eq(kit_ack(&kit), 48);
	cr_expect_arr_neq(received + 4, kit.ack + 4, 4);
}
