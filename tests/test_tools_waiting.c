// What waits comes out in the order of its time.
#include <criterion/criterion.h>

#include "tests/kit/random.h"
#include "tools/waiting.h"

Test(tools_waiting, earliest_first)
{
	struct random random = random_start();
	struct waiting w = {0};
	uint64_t n = 0, floor = 0;

	cr_assert_null(waiting_first(&w));
	for (unsigned step = 0; step < 20000; step++) {
		if (random_next(&random) % 3) {
			const struct waiting_item item = {
				.due_ns = floor + random_next(&random) % 1000, .item = step};

			cr_assert(waiting_put(&w, &item));
			n++;
		} else if (n) {
			const uint64_t first = waiting_first(&w)->due_ns;
			const struct waiting_item item = waiting_take(&w);

			cr_assert_eq(item.due_ns, first);
			cr_assert_geq(item.due_ns, floor, "seed %#lx", random.seed);
			floor = item.due_ns;
			n--;
		}
		cr_assert_eq(w.n, n);
	}
	waiting_fini(&w);
}
