#include <criterion/criterion.h>

#include <stdlib.h>

#include "dataplane/queue.h"
#include "tests/kit/random.h"

enum { PARTS = 200, STEPS = 20000 };

Test(line, first_in_first_out)
{
	struct part part[3] = {0};
	struct line line;

	line_init(&line);
	cr_assert_null(line.first);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 3; i++)
			line_put(&line, &part[i]);
		for (int i = 0; i < 3; i++) {
			cr_assert_eq(line.first, &part[i]);
			line_del(&part[i]);
		}
		cr_assert_null(line.first);
	}
}

// Against an array of the parts in the order they came.
Test(line, any_may_leave)
{
	struct random random = random_start();
	struct part part[8] = {0}, *order[8];
	struct line line;
	unsigned n = 0;

	line_init(&line);
	for (int step = 0; step < STEPS; step++) {
		struct part *one = &part[random_next(&random) % 8], *at;
		unsigned i = 0;

		while (i < n && order[i] != one)
			i++;
		if (i == n) {
			line_put(&line, one);
			order[n++] = one;
		} else {
			line_del(one);
			memmove(&order[i], &order[i + 1], (--n - i) * sizeof(order[0]));
		}
		at = line.first;
		for (i = 0; i < n; i++, at = at->line_next)
			cr_assert_eq(at, order[i], "seed %#" PRIx64, random.seed);
		cr_assert_null(at);
	}
}

static uint64_t naive_first(const struct part *part)
{
	uint64_t first = UINT64_MAX;

	for (int i = 0; i < PARTS; i++) {
		if (part[i].due_index != UINT32_MAX && part[i].due_ns < first)
			first = part[i].due_ns;
	}
	return first;
}

static void random_step(struct due *due, struct part *part, struct random *random)
{
	struct part *one = &part[random_next(random) % PARTS], *taken;
	uint64_t now = random_next(random) % 1000, first;

	switch (random_next(random) % 3) {
	case 0:
		due_put(due, one, random_next(random) % 1000);
		break;
	case 1:
		due_del(due, one);
		break;
	default:
		first = naive_first(part);
		taken = due_take(due, now);
		cr_assert_eq(taken != NULL, first <= now, "seed %#" PRIx64, random->seed);
		cr_assert(!taken || taken->due_ns == first, "seed %#" PRIx64, random->seed);
	}
}

Test(due, agrees_with_a_search)
{
	struct random random = random_start();
	struct part *part = aligned_alloc(64, PARTS * sizeof(*part)), *heap[PARTS];
	struct due due = {heap, 0};

	memset(part, 0, PARTS * sizeof(*part));
	for (int i = 0; i < PARTS; i++)
		part[i].due_index = UINT32_MAX;
	for (int i = 0; i < STEPS; i++) {
		random_step(&due, part, &random);
		cr_assert_eq(due_first_ns(&due), naive_first(part), "seed %#" PRIx64, random.seed);
	}
	free(part);
}
