// Laps and places of a push, on parts without a worker around them.

#include <criterion/criterion.h>

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

#include "dataplane/lap.h"
#include "tests/kit/random.h"

#define MS 1000000ull // nanoseconds

static const struct lap_pauses pauses = {2500, 10000};

static struct dp_push *make(const uint32_t *handles, uint32_t n, unsigned workers, bool ack)
{
	struct dp_push_spec spec = {
		.push_id = {[6] = 0x70, [8] = 0x80},
		.suite = 1,
		.ack_wanted = ack,
		.expiry = UINT32_MAX,
		.af_id = "af.example\xff\x41\x4b\x50\x01",
		.af_id_len = 15,
		.payload = "",
		.segment_size = DP_SEGMENT_MAX,
		.handles = handles,
		.n_handles = n,
	};
	struct dp_push *push;
	int error;

	push = push_new(sha256_best(), workers, &spec, &error);
	cr_assert_not_null(push);
	return push;
}

static uint32_t *some_handles(struct random *random, uint32_t n)
{
	uint32_t *handles = malloc(n * sizeof(*handles)), at = 0;

	for (uint32_t i = 0; i < n; i++) {
		at += 1 + (uint32_t)(random_next(random) % 97);
		handles[i] = at;
	}
	return handles;
}

Test(places, every_handle_has_one_whatever_the_workers)
{
	struct random random = random_start();
	uint32_t *handles = some_handles(&random, 5000);
	struct dp_push *one = make(handles, 5000, 1, true), *three = make(handles, 5000, 3, true);
	unsigned found = 0;

	cr_assert_eq(one->n_places, dp_places(handles, 5000));
	cr_assert_eq(one->n_places, three->n_places);
	for (uint32_t i = 0; i < 5000; i++) {
		uint32_t place = push_place_of(one, handles[i]);

		cr_assert_lt(place, one->n_places);
		cr_assert_eq(one->handles[place], handles[i]);
		cr_assert_eq(place, push_place_of(three, handles[i]));
	}
	for (uint32_t place = 0; place < one->n_places; place++)
		found += one->handles[place] != DP_NONE;
	cr_assert_eq(found, 5000);
	cr_assert_eq(push_place_of(one, 0), DP_NONE);
	cr_assert_eq(push_place_of(one, UINT32_MAX - 1), DP_NONE);
	push_free(one);
	push_free(three);
	free(handles);
}

Test(places, a_single_target_has_place_0)
{
	uint32_t handle = 123456;
	struct dp_push *push = make(&handle, 1, 4, true);

	cr_assert_eq(push->n_places, 1);
	cr_assert_eq(push->handles[0], handle);
	push_free(push);
}

// Tens of thousands of them run at a time; the workers are none of their business.
Test(places, a_single_target_takes_little_memory)
{
	uint32_t handle = 5;

	for (unsigned workers = 1; workers <= 64; workers *= 4) {
		struct dp_push *push = make(&handle, 1, workers, true);
		size_t size = malloc_usable_size(push);

		cr_assert_leq(size, 2048, "%zu octets", size);
		for (unsigned w = 0; w < workers; w++)
			cr_assert_eq(push_part(push, w) != NULL, w == 0);
		push_free(push);
	}
}

// Walks all parts to their ends; seen[place] counts visits.
static void walk_all_on(struct dp_push *push, enum part_mode mode, const struct lap_pauses *on,
			uint64_t now, uint8_t *seen)
{
	for (unsigned w = 0; w < push->n_workers; w++) {
		struct part *part = &push->parts[w];
		uint32_t place[7];

		lap_start(part, mode, on, now);
		while (!lap_is_over(part)) {
			unsigned n = lap_take(part, place, 7);

			for (unsigned i = 0; i < n; i++) {
				seen[place[i]]++;
				lap_sent(part, place[i]);
			}
		}
		lap_end(part, on, now);
		while (!lap_is_over(part))
			lap_step_quietly(part);
	}
}

static void walk_all(struct dp_push *push, enum part_mode mode, uint64_t now, uint8_t *seen)
{
	walk_all_on(push, mode, &pauses, now, seen);
}

Test(lap, visits_every_open_target_once)
{
	struct random random = random_start();
	uint32_t *handles = some_handles(&random, 20000);

	for (unsigned workers = 1; workers <= 5; workers++) {
		struct dp_push *push = make(handles, 20000, workers, true);
		uint8_t *seen = calloc(push->n_places, 1);

		walk_all(push, PART_LAP, 1000, seen);
		for (uint32_t p = 0; p < push->n_places; p++)
			cr_assert_eq(seen[p], push->handles[p] != DP_NONE);
		walk_all(push, PART_LAP, 5000, seen); // SENT stays in the laps
		for (uint32_t p = 0; p < push->n_places; p++)
			cr_assert_eq(seen[p], 2 * (push->handles[p] != DP_NONE));
		free(seen);
		push_free(push);
	}
	free(handles);
}

Test(lap, sent_is_final_without_ack)
{
	uint32_t handles[] = {1, 2, 3, 700};
	struct dp_push *push = make(handles, 4, 1, false);
	uint8_t seen[1024] = {0};

	cr_assert_eq(push->parts[0].n_open, 4);
	walk_all(push, PART_LAP, 1000, seen);
	cr_assert_eq(push->parts[0].n_open, 0);
	push_free(push);
}

Test(lap, pauses_double_up_to_the_longest)
{
	uint32_t handle = 5;
	struct dp_push *push = make(&handle, 1, 1, true);
	struct part *part = &push->parts[0];
	const uint64_t expected[] = {2500, 5000, 10000, 10000};
	uint8_t seen[1];

	for (int i = 0; i < 4; i++) {
		walk_all(push, PART_LAP, 100000, seen);
		cr_assert_eq(part->next_lap_ns, 100000 + expected[i]);
	}
	push_free(push);
}

Test(lap, rewind_visits_again_from_there)
{
	uint32_t handles[] = {1, 2, 3, 700, 701};
	struct dp_push *push = make(handles, 5, 1, true);
	struct part *part = &push->parts[0];
	uint32_t place[5], again[5];

	lap_start(part, PART_LAP, &pauses, 1000);
	cr_assert_eq(lap_take(part, place, 4), 4);
	lap_rewind(part, place[1]);
	cr_assert_eq(lap_take(part, again, 5), 4);
	cr_assert_eq(again[0], place[1]);
	cr_assert_eq(again[2], place[3]);
	push_free(push);
}

Test(hurry, takes_the_marked_ones_only)
{
	struct random random = random_start();
	uint32_t *handles = some_handles(&random, 3000);
	struct dp_push *push = make(handles, 3000, 1, true);
	struct part *part = &push->parts[0];
	uint8_t *seen = calloc(push->n_places, 1);
	uint32_t a = push_place_of(push, handles[17]), b = push_place_of(push, handles[2500]);

	for (uint32_t i = 0; i < 3000; i++)
		part_set_state(part, push_place_of(push, handles[i]), DP_NO_CONTEXT);
	part->lap_end_ns = 1000;
	cr_assert(lap_make_due(part, a, &pauses, 1100));
	cr_assert(lap_make_due(part, b, &pauses, 1100));
	cr_assert_eq(part->hurry_ns, 1100, "what was never sent is due at once");
	walk_all(push, PART_HURRY, 1100, seen);
	for (uint32_t p = 0; p < push->n_places; p++)
		cr_assert_eq(seen[p], p == a || p == b);
	cr_assert_eq(push_state(push, a), PUSH_SENT_RECENTLY);
	cr_assert_eq(push_public_state(push_state(push, a)), DP_SENT);
	free(seen);
	push_free(push);
	free(handles);
}

static const struct lap_pauses real = {2500 * MS, 10000 * MS};

// A mark that may not be served yet waits, though a walk for another comes by.
Test(hurry, those_passed_over_come_when_they_may)
{
	uint32_t handles[] = {1, 2, 3, 700, 5000};
	struct dp_push *push = make(handles, 5, 1, true);
	struct part *part = &push->parts[0];
	uint32_t last = push_place_of(push, 5000), first = push_place_of(push, 1);
	uint8_t seen[1024] = {0};

	walk_all_on(push, PART_LAP, &real, 1000 * MS, seen);
	part_set_state(part, first, DP_NO_CONTEXT);
	cr_assert(lap_make_due(part, last, &real, 1100 * MS));
	cr_assert_eq(part->hurry_ns, 3500 * MS);
	cr_assert(lap_make_due(part, first, &real, 1200 * MS));
	cr_assert_eq(part->hurry_ns, 1200 * MS);
	walk_all_on(push, PART_HURRY, &real, 1200 * MS, seen);
	cr_assert(seen[first] == 2 && seen[last] == 1);
	cr_assert_eq(part->hurry_ns, 3500 * MS);
	walk_all_on(push, PART_HURRY, &real, 3500 * MS, seen);
	cr_assert(seen[first] == 2 && seen[last] == 2);
	cr_assert_eq(part->hurry_ns, UINT64_MAX);
	push_free(push);
}

// However many hurry walks there are, a lap that passes a target over is followed by one that does
// not.
Test(hurry, keeps_nobody_out_of_the_laps)
{
	uint32_t handles[] = {1, 2, 3};
	struct dp_push *push = make(handles, 3, 1, true);
	struct part *part = &push->parts[0];
	uint8_t seen[3] = {0};
	uint64_t now = 1000 * MS;

	part_set_state(part, 0, DP_NO_CONTEXT);
	cr_assert(lap_make_due(part, 0, &real, now));
	walk_all_on(push, PART_HURRY, &real, now, seen);
	for (int lap = 0; lap < 6; lap++) {
		now += 1000 * MS;
		walk_all_on(push, PART_LAP, &real, now, seen);
		now += 2600 * MS;
		cr_assert(lap_make_due(part, 1, &real, now));
		walk_all_on(push, PART_HURRY, &real, now, seen);
	}
	cr_assert_geq(seen[0], 4);
	push_free(push);
}

// A target at most every 2.5 s, whatever a UE does: random marks, laps and walks on a clock. Walks
// take several steps, so that marks fall into them too.
Test(hurry, never_twice_within_the_first_pause)
{
	struct random random = random_start();
	uint32_t *handles = some_handles(&random, 200);
	struct dp_push *push = make(handles, 200, 1, true);
	struct part *part = &push->parts[0];
	uint64_t *last = calloc(push->n_places, sizeof(*last)), now = 10000 * MS;
	unsigned sent = 0, hurried = 0;

	for (int step = 0; step < 100000; step++) {
		uint32_t place = push_place_of(push, handles[random_next(&random) % 200]);
		uint32_t taken[64];
		unsigned n;

		now += random_next(&random) % (200 * MS);
		if (random_next(&random) % 4 == 0)
			lap_make_due(part, place, &real, now);
		if (lap_is_over(part)) {
			if (part->next_lap_ns <= now)
				lap_start(part, PART_LAP, &real, now);
			else if (part->hurry_ns <= now)
				lap_start(part, PART_HURRY, &real, now);
			else
				continue;
		}
		if (part->mode == PART_SETTLE) {
			lap_step_quietly(part);
			continue;
		}
		n = lap_take(part, taken,
			     1 + random_next(&random) % (random_next(&random) % 2 ? 64 : 4));
		hurried += part->mode == PART_HURRY ? n : 0;
		for (unsigned i = 0; i < n; i++) {
			cr_assert(!last[taken[i]] || now - last[taken[i]] >= real.first_ns,
				  "place %u after %" PRIu64 ", step %d, seed %#" PRIx64, taken[i],
				  now - last[taken[i]], step, random.seed);
			last[taken[i]] = now;
			lap_sent(part, taken[i]);
			sent++;
		}
		if (lap_is_over(part))
			lap_end(part, &real, now);
	}
	cr_assert_gt(sent, 1000);
	cr_assert_gt(hurried, 1000);
	free(last);
	push_free(push);
	free(handles);
}

// ---- Runs against one by one

// Walks a part; in runs where it can, or not at all. Notes what it visited.
static unsigned walk_part(struct part *part, bool in_runs, uint32_t visited[])
{
	unsigned n = 0, runs = 0;

	lap_start(part, PART_LAP, &pauses, 0);
	while (!lap_is_over(part)) {
		uint32_t *const place = visited + n;
		const unsigned taken = lap_take(part, place, in_runs ? 64 : PUSH_RUN - 1);

		for (unsigned i = 0; i < taken; i++) {
			if (in_runs && taken - i >= PUSH_RUN &&
			    place[i + PUSH_RUN - 1] - place[i] == PUSH_RUN - 1 &&
			    lap_sent_run(part, place[i])) {
				i += PUSH_RUN - 1;
				runs++;
			} else {
				lap_sent(part, place[i]);
			}
		}
		n += taken;
	}
	visited[n] = DP_NONE;
	return runs;
}

static void same_parts(const struct part *a, const struct part *b)
{
	cr_assert_eq(a->n_open, b->n_open);
	for (unsigned i = 0; i < PUSH_STATES; i++)
		cr_assert_eq(atomic_load(&a->counts[i]), atomic_load(&b->counts[i]));
}

Test(lap, runs_are_as_one_by_one)
{
	enum { N = 20000 };
	static uint32_t visited[2][N + 1];
	struct random random = random_start();
	uint32_t *handles = some_handles(&random, N);

	for (unsigned round = 0; round < 8; round++) {
		struct dp_push *push[2];
		unsigned runs = 0;

		for (unsigned i = 0; i < 2; i++)
			push[i] = make(handles, N, 3, round % 2);
		for (unsigned i = 0; i < 400; i++) { // some are final already, or sent to
			const uint32_t place =
				push_place_of(push[0], handles[random_next(&random) % N]);
			const unsigned state = random_next(&random) % 2 ? DP_DELIVERED : DP_SENT;

			for (unsigned k = 0; k < 2; k++)
				part_set_state(
					&push[k]->parts[context_slot(push[k]->handles[place]) % 3],
					place, state);
		}
		for (unsigned w = 0; w < 3; w++) {
			cr_assert_eq(walk_part(&push[0]->parts[w], false, visited[0]), 0);
			runs += walk_part(&push[1]->parts[w], true, visited[1]);
			for (unsigned i = 0; !i || visited[0][i - 1] != DP_NONE; i++)
				cr_assert_eq(visited[0][i], visited[1][i]);
			same_parts(&push[0]->parts[w], &push[1]->parts[w]);
		}
		cr_assert_gt(runs, 100);
		for (uint32_t p = 0; p < push[0]->n_places; p++)
			cr_assert_eq(push_state(push[0], p), push_state(push[1], p));
		push_free(push[0]);
		push_free(push[1]);
	}
	free(handles);
}

// ---- Quiet walks against naive twins: the same in one step

static bool is_owned(const struct part *part, uint32_t place)
{
	uint32_t handle = part->push->handles[place];

	return handle != DP_NONE && context_slot(handle) % part->push->n_workers == part->worker;
}

// A part whose states are random, with those that hurry walks sent to anywhere; `twin` is a copy.
static void scatter(struct random *random, struct part *part, uint8_t *twin)
{
	static const uint8_t some[] = {DP_PENDING,        DP_SENT,       DP_RECEIVED,
				       DP_DELIVERED,      DP_NO_CONTEXT, PUSH_SENT_DUE,
				       PUSH_SENT_RECENTLY};

	part->recent = (struct places){UINT32_MAX, 0};
	for (uint32_t p = 0; p < part->push->n_places; p++) {
		if (!is_owned(part, p))
			continue;
		twin[p] = some[random_next(random) % sizeof(some)];
		part_set_state(part, p, twin[p]);
		if (twin[p] != PUSH_SENT_RECENTLY)
			continue;
		part->recent.from = p < part->recent.from ? p : part->recent.from;
		part->recent.to = p + 1;
	}
}

// What may happen between two steps: acknowledgements, new keys. The twin has settled already.
static void happen(struct random *random, struct part *part, uint8_t *twin, uint64_t now)
{
	for (int i = 0; i < 200; i++) {
		uint32_t p = (uint32_t)(random_next(random) % part->push->n_places);

		if (!is_owned(part, p))
			continue;
		if (random_next(random) % 2) {
			bool is_due = lap_make_due(part, p, &real, now);

			cr_assert_eq(is_due, twin[p] == DP_SENT || twin[p] == DP_NO_CONTEXT ||
						     twin[p] == DP_PENDING);
			twin[p] = twin[p] == DP_SENT         ? PUSH_SENT_DUE
				  : twin[p] == DP_NO_CONTEXT ? DP_PENDING
							     : twin[p];
		} else if (!push_is_final(part->push, twin[p])) {
			twin[p] = DP_DELIVERED;
			part_set_state(part, p, DP_DELIVERED);
		}
	}
}

static unsigned changed(const struct dp_push *push, const uint8_t *before)
{
	unsigned n = 0;

	for (uint32_t p = 0; p < push->n_places; p++)
		n += push_state(push, p) != before[p];
	return n;
}

static void remember(const struct dp_push *push, uint8_t *states)
{
	for (uint32_t p = 0; p < push->n_places; p++)
		states[p] = (uint8_t)push_state(push, p);
}

Test(settle, ends_as_if_it_were_one_step, .timeout = 60)
{
	enum { N = 60000 };
	struct random random = random_start();
	uint32_t *handles = some_handles(&random, N);

	for (unsigned workers = 1; workers <= 3; workers++) {
		struct dp_push *push = make(handles, N, workers, true);
		struct part *part = &push->parts[workers - 1];
		uint8_t *twin = calloc(push->n_places, 1), *before = calloc(push->n_places, 1);
		unsigned steps = 0;

		scatter(&random, part, twin);
		lap_start(part, PART_LAP, &real, 5000 * MS);
		part->slot = CONTEXT_SLOTS; // it has been walked
		part->hurry_end_ns = 4990 * MS;
		lap_end(part, &real, 5000 * MS);
		for (uint32_t p = 0; p < push->n_places; p++)
			twin[p] = twin[p] == PUSH_SENT_RECENTLY ? DP_SENT : twin[p];
		for (; !lap_is_over(part); steps++) {
			remember(push, before);
			lap_step_quietly(part);
			cr_assert_leq(changed(push, before), LAP_SCAN_MAX);
			happen(&random, part, twin, 5001 * MS);
		}
		cr_assert_geq(steps, N / workers / LAP_SCAN_MAX, "%u steps", steps);
		for (uint32_t p = 0; p < push->n_places; p++)
			cr_assert(!is_owned(part, p) || push_state(push, p) == twin[p],
				  "place %u: %u, not %u, seed %#" PRIx64, p, push_state(push, p),
				  twin[p], random.seed);
		cr_assert_eq(part->next_lap_ns, 7500 * MS);
		cr_assert_geq(part->hurry_ns, 5001 * MS);
		free(twin);
		free(before);
		push_free(push);
	}
	free(handles);
}

// However open targets are spread, a step of a sweep looks at so many places and no more.
Test(sweep, is_a_bounded_step_too)
{
	enum { N = 100000, OPEN_EVERY = 200 };
	uint32_t *handles = malloc(N * sizeof(*handles)), open = 0, left = 0;
	struct dp_push *push;
	struct part *part;

	for (uint32_t i = 0; i < N; i++)
		handles[i] = i;
	push = make(handles, N, 1, true);
	part = &push->parts[0];
	for (uint32_t p = 0; p < push->n_places; p++) {
		if (push->handles[p] != DP_NONE && open++ % OPEN_EVERY)
			part_set_state(part, p, DP_DELIVERED);
	}
	part->sweep_state = DP_EXPIRED;
	lap_start(part, PART_SWEEP, &real, 1000 * MS);
	lap_step_quietly(part);
	for (uint32_t p = 0; p < push->n_places; p++)
		left += push->handles[p] != DP_NONE && push_state(push, p) == DP_PENDING;
	cr_assert_geq(left, (N - LAP_SCAN_MAX) / OPEN_EVERY - 1);
	while (!lap_is_over(part))
		lap_step_quietly(part);
	cr_assert_eq(part->n_open, 0);
	push_free(push);
	free(handles);
}

// What a sweep has left as it was is final, though its state alone does not say so.
Test(sweep, is_the_last_word)
{
	uint32_t handle = 5;
	struct dp_push *push = make(&handle, 1, 1, true);
	struct part *part = &push->parts[0];
	uint32_t place[1];

	part_set_state(part, 0, DP_NO_CONTEXT);
	lap_start(part, PART_SWEEP, &pauses, 1000);
	cr_assert_eq(lap_take(part, place, 1), 1);
	cr_assert_not(lap_make_due(part, 0, &pauses, 1100));
	cr_assert_eq(push_state(push, 0), DP_NO_CONTEXT);
	push_free(push);
}

Test(push, refuses_what_breaks_the_rules)
{
	uint32_t handles[] = {4, 5, 5};
	uint8_t payload[DP_PAYLOAD_MAX + 1] = {0};
	struct dp_push_spec good = {
		.suite = 1,
		.expiry = 1,
		.af_id = "af.example12345",
		.af_id_len = 15,
		.payload = payload,
		.segment_size = 100,
		.handles = handles,
		.n_handles = 2,
	};
	struct dp_push_spec bad;
	struct dp_push *push;
	int error;

#define REFUSED(change, code)                                                                      \
	bad = good;                                                                                \
	bad.change;                                                                                \
	cr_assert_null(push_new(sha256_best(), 1, &bad, &error), #change);                         \
	cr_assert_eq(error, code, #change)

	REFUSED(suite = 0, -EINVAL);
	REFUSED(suite = 3, -EINVAL);
	REFUSED(segment_size = 0, -EINVAL);
	REFUSED(segment_size = DP_SEGMENT_MAX + 1, -EINVAL);
	REFUSED(n_handles = 0, -EINVAL);
	REFUSED(n_handles = 3, -EINVAL); // one handle twice
	REFUSED(af = DP_AF_MAX, -EINVAL);
	REFUSED(af_id_len = 259, -EINVAL);
	REFUSED(payload_len = 1601, -EMSGSIZE); // 17 segments of 100
	good.payload_len = 1600;
	push = push_new(sha256_best(), 1, &good, &error);
	cr_assert_eq(push->n_segments, 16);
	cr_assert_eq(push_segment_len(push, 15), 100);
	push_free(push);
}
