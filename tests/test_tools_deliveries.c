// The fleet's book of deliveries against a plain list of pairs.
#include <criterion/criterion.h>
#include <string.h>

#include "tests/kit/random.h"
#include "tools/fleet/deliveries.h"

enum { UES = 70, PUSHES = 600, STEPS = 40000 };

Test(tools_deliveries, as_a_table_of_pairs)
{
	static unsigned seen[PUSHES][UES];
	struct random random = random_start();
	struct deliveries d;
	struct deliveries_sums sums;
	uint64_t distinct = 0, again = 0, pushes = 0, complete = 0;

	cr_assert_eq(deliveries_init(&d, UES, 3), 0);
	for (unsigned step = 0; step < STEPS; step++) {
		const unsigned push = (unsigned)(random_next(&random) % PUSHES) % (step / 8 + 1);
		const unsigned ue = (unsigned)(random_next(&random) % UES);
		uint8_t id[DELIVERIES_PUSH_ID] = {0};
		unsigned n = 0;

		// Push numbers 2k and 2k + 1 share the push_id and differ in the AF.
		memcpy(id, &(unsigned){push / 2}, sizeof(unsigned));
		cr_assert_eq(deliveries_add(&d, id, push % 2, ue), seen[push][ue] != 0,
			     "step %u, seed %#lx", step, random.seed);
		for (unsigned i = 0; i < UES; i++)
			n += seen[push][i] != 0;
		pushes += n == 0;
		complete += n == 2 && !seen[push][ue];
		*(seen[push][ue] ? &again : &distinct) += 1;
		seen[push][ue]++;
	}
	sums = deliveries_sums(&d);
	cr_assert_eq(sums.distinct, distinct);
	cr_assert_eq(sums.again, again);
	cr_assert_eq(sums.pushes, pushes);
	cr_assert_eq(sums.complete, complete);
	deliveries_fini(&d);
}

Test(tools_deliveries, latest_first)
{
	const uint8_t first[DELIVERIES_PUSH_ID] = {1}, second[DELIVERIES_PUSH_ID] = {2};
	struct delivery push;
	struct deliveries d;

	cr_assert_eq(deliveries_init(&d, 10, 0), 0);
	cr_assert_not(deliveries_latest(&d, 0, &push));
	deliveries_add(&d, first, 0, 3);
	deliveries_add(&d, second, 0, 4);
	deliveries_add(&d, second, 0, 5);
	deliveries_add(&d, second, 0, 5);
	cr_assert(deliveries_latest(&d, 0, &push));
	cr_assert_eq(push.push_id[0], 2);
	cr_assert_eq(push.distinct, 2);
	cr_assert_eq(push.again, 1);
	cr_assert(deliveries_latest(&d, 1, &push));
	cr_assert_eq(push.first_ue, 3);
	cr_assert_not(deliveries_latest(&d, 2, &push));
	deliveries_fini(&d);
}
