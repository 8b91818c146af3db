// Rule 5 against a naive twin, and the promise that follows from it: delivered at most once,
// whatever is repeated, reordered, lost in a restart or re-keyed.

#include "tests/kit/ue_kit.h"

enum { PUSHES = 200, WINDOW = 110, STEPS = 600, LIST = 64 };

// The naive twin is the text of the rules over plain numbers: a push is its place in the order,
// what was accepted is kept for ever, and a list is worked out anew from all of it whenever one
// asks.
enum { NONE = -1, GENERATIONS = 64 };

struct twin {
	int8_t under[PUSHES]; // key generation under which it was accepted, NONE: never
	uint8_t status[PUSHES];
	bool gone[PUSHES]; // evicted
	int floor[GENERATIONS];
	int ordered;
	int8_t current, previous; // generations, NONE: there is no such key
	uint64_t end_ms;          // of the previous
	bool met;
};

static struct kit kit;
static uint64_t model_seed;

static bool twin_is_listed(const struct twin *t, int push)
{
	return t->under[push] != NONE && !t->gone[push];
}

// "the 64 largest stay, and the floor becomes the largest of both floors and all evicted"
static void twin_evict(struct twin *t, int8_t generation)
{
	unsigned larger = 0;

	for (int push = PUSHES - 1; push >= 0; push--) {
		if (!twin_is_listed(t, push) || t->under[push] != generation || ++larger <= LIST)
			continue;
		t->gone[push] = true;
		if (push > t->floor[generation])
			t->floor[generation] = push;
	}
}

static void twin_erase_previous(struct twin *t)
{
	if (t->previous == NONE)
		return;
	for (int push = 0; push < PUSHES; push++)
		if (t->under[push] == t->previous)
			t->under[push] = t->current;
	if (t->floor[t->previous] > t->floor[t->current])
		t->floor[t->current] = t->floor[t->previous];
	t->floor[t->previous] = NONE;
	t->previous = NONE;
	twin_evict(t, t->current);
}

static void twin_authenticate(struct twin *t, uint64_t now_ms)
{
	twin_erase_previous(t);
	t->previous = t->current++;
	t->floor[t->current] = NONE;
	t->end_ms = now_ms + 24 * 3600 * 1000;
	t->met = false;
}

static void twin_time(struct twin *t, uint64_t now_ms)
{
	if (t->previous != NONE && now_ms >= t->end_ms)
		twin_erase_previous(t);
}

static void twin_valid(struct twin *t, int8_t under, uint64_t now_ms)
{
	if (t->met || under != t->current)
		return;
	t->met = true;
	if (now_ms + 300 * 1000 < t->end_ms)
		t->end_ms = now_ms + 300 * 1000;
}

static enum akmapush_ue_outcome twin_input(struct twin *t, int push, bool ordered, int8_t under,
					   uint64_t now_ms)
{
	twin_time(t, now_ms);
	if (under == NONE || (under != t->current && under != t->previous))
		return AKMAPUSH_UE_NO_KEY;
	twin_valid(t, under, now_ms);
	if (twin_is_listed(t, push))
		return AKMAPUSH_UE_DUPLICATE;
	if (push <= t->floor[t->current] || (t->previous != NONE && push <= t->floor[t->previous]))
		return AKMAPUSH_UE_TOO_OLD;
	if (ordered && push <= t->ordered)
		return AKMAPUSH_UE_OUT_OF_ORDER;
	if (ordered)
		t->ordered = push;
	t->under[push] = under;
	t->gone[push] = false;
	twin_evict(t, under);
	return AKMAPUSH_UE_DELIVERED;
}

static enum akmapush_ue_outcome input(int push, bool ordered)
{
	struct kit_push p = {.flags = APUE_FLAG_ACK_WANTED | (ordered ? APUE_FLAG_ORDERED : 0),
			     .expiry = KIT_START_S + 100000000};

	kit_push_id(p.push_id, 1000000 - push, (uint32_t)push);
	return kit_push(&kit, &p);
}

// Not more than the rules ask: what was saved is what is there.
static void restart_maybe(uint64_t *seed)
{
	if (kit_random(seed) % 16)
		return;
	kit_save(&kit);
	kit_restart(&kit);
}

static void answer_maybe(struct twin *t, int push, uint64_t *seed)
{
	uint8_t status = 1 + (kit_random(seed) & 1);
	int error;

	if (kit_random(seed) % 2)
		return;
	error = akmapush_ue_answer(kit.ue, &kit.got.id, status, NULL, 0, &kit.now);
	cr_assert_eq(error, t->status[push] ? AKMAPUSH_UE_EFINAL : 0);
	if (!error)
		t->status[push] = status;
}

// An ACK that may leave carries what was answered, and 3 for what is not on a list.
static void ack_check(const struct twin *t, int push, enum akmapush_ue_outcome outcome)
{
	int status = kit_answered(&kit, 0);

	if (status < 0)
		return;
	cr_assert_leq(outcome, AKMAPUSH_UE_ANSWERED_LAST);
	cr_assert_eq(status, outcome <= AKMAPUSH_UE_DUPLICATE ? t->status[push] : 3, "seed %lu",
		     (unsigned long)model_seed);
}

// Pushes come from a window that moves on, so that lists fill and floors rise.
static void model_step(struct twin *t, unsigned step, uint64_t *seed)
{
	int push = (int)(step * (PUSHES - WINDOW) / STEPS + kit_random(seed) % WINDOW);
	int8_t under = t->current - (int8_t)(kit_random(seed) % 8 == 0 ? 2 : kit_random(seed) % 2);
	enum akmapush_ue_outcome outcome;

	if (kit_random(seed) % 4)
		kit_pass(&kit, (uint32_t)(kit_random(seed) % 8000));
	else if (kit_random(seed) % 40 == 0)
		kit_pass(&kit, (uint32_t)(kit_random(seed) % (25 * 3600 * 1000)));
	memset(kit.kakma, (uint8_t)(under + 1), 32);
	outcome = input(push, push % 5 == 0);
	cr_assert_eq(outcome, twin_input(t, push, push % 5 == 0, under, kit.now.ms),
		     "seed %lu, step %u: %s", (unsigned long)model_seed, step,
		     akmapush_ue_outcome_text(outcome));
	if (outcome == AKMAPUSH_UE_DELIVERED)
		t->status[push] = 0;
	if (outcome <= AKMAPUSH_UE_DUPLICATE && twin_is_listed(t, push)) {
		answer_maybe(t, push, seed);
		ack_check(t, push, outcome);
	}
	if (outcome > AKMAPUSH_UE_DUPLICATE)
		ack_check(t, push, outcome);
}

static void model_run(uint64_t first_seed)
{
	static struct twin t;
	uint64_t seed = first_seed;

	kit_init(&kit);
	t = (struct twin){.floor = {NONE}, .ordered = NONE, .previous = NONE};
	memset(t.under, NONE, sizeof(t.under));
	for (unsigned step = 0; step < STEPS; step++) {
		if (kit_random(&seed) % 100 == 0 && t.current < GENERATIONS - 1) {
			twin_time(&t, kit.now.ms);
			twin_authenticate(&t, kit.now.ms);
			kit_authenticate(&kit, (uint8_t)(t.current + 1));
		}
		model_step(&t, step, &seed);
		restart_maybe(&seed);
	}
}

Test(ue_replay, equals_the_naive_twin)
{
	for (model_seed = 1; model_seed <= 200; model_seed++)
		model_run(model_seed * 1000003);
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

// Fills the list of the first AF with `from` and the pushes after it, the last one ordered.
static void fill_list(uint32_t from)
{
	for (uint32_t n = 0; n < LIST; n++) {
		struct kit_push p = {.flags = n + 1 < LIST ? 0 : APUE_FLAG_ORDERED};

		kit_push_id(p.push_id, 0, from + n);
		cr_assert_eq(kit_push(&kit, &p), AKMAPUSH_UE_DELIVERED);
	}
}

// No push function changes the flags of a push. Of one that does, a push that was late as an
// ordered one and is accepted without that flag, below a full list, has one entry: its ACKs keep
// their distance, and what is withdrawn is gone.
Test(ue_replay, a_late_push_accepted_after_all_has_one_entry)
{
	struct kit_push p = {.flags = APUE_FLAG_ORDERED | APUE_FLAG_ACK_WANTED};

	kit_init(&kit);
	fill_list(10);
	kit_push_id(p.push_id, 0, 1);
	cr_assert_eq(kit_push(&kit, &p), AKMAPUSH_UE_OUT_OF_ORDER);
	cr_assert_eq(kit_answered(&kit, 0), 3);

	kit_pass(&kit, 1000);
	p.flags = APUE_FLAG_ACK_WANTED;
	cr_assert_eq(kit_push(&kit, &p), AKMAPUSH_UE_DELIVERED);
	cr_assert_lt(kit_ack(&kit), 0, "within 2 s of the last");
	kit_pass(&kit, 1000);
	cr_assert_eq(kit_answered(&kit, 0), 0);

	akmapush_ue_withdraw(kit.ue, &kit.got.id);
	kit_pass(&kit, 60000);
	cr_assert_eq(kit_ack(&kit), 0);
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
