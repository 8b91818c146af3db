#include <criterion/criterion.h>

#include <inttypes.h>

#include "dataplane/pace.h"
#include "tests/kit/random.h"

// Waits as a worker does for messages of n datagrams each; how many messages leave in `seconds`.
static uint64_t messages_in(struct pace *pace, unsigned n, uint64_t seconds)
{
	uint64_t now = 0, messages = 0;

	while (now <= seconds * PACE_UNIT) {
		uint64_t when = pace_when_ns(pace, pace_batch(pace, n));

		if (when > now) {
			now = when;
			continue;
		}
		for (unsigned go = pace_allow(pace, 64, now) / n; go; go--) {
			pace_take(pace, n);
			messages++;
		}
	}
	return messages;
}

Test(pace, gives_its_rate_to_messages_of_any_size)
{
	static const uint64_t rates[] = {1, 2, 3, 10, 63, 64, 65, 1000, 99999, 1000000};
	static const unsigned sizes[] = {1, 2, 7, 16};
	struct pace pace;

	for (unsigned r = 0; r < sizeof(rates) / sizeof(rates[0]); r++) {
		for (unsigned s = 0; s < 4; s++) {
			uint64_t wanted = rates[r] * 100 / sizes[s], got;

			pace_set(&pace, rates[r], 0);
			got = messages_in(&pace, sizes[s], 100);
			cr_assert(got <= wanted + 1 && got + 1 + wanted / 1000 >= wanted,
				  "%" PRIu64 " of %" PRIu64 " messages of %u at %" PRIu64, got,
				  wanted, sizes[s], rates[r]);
		}
	}
}

Test(pace, never_allows_more_than_its_rate)
{
	struct random random = random_start();

	for (unsigned round = 0; round < 200; round++) {
		uint64_t rate = 1 + random_next(&random) % (1ull << random_next(&random) % 30);
		uint64_t now = 0, sent = 0;
		struct pace pace;

		pace_set(&pace, rate, 0);
		for (unsigned i = 0; i < 1000; i++) {
			unsigned n;

			now += random_next(&random) % (1ull << random_next(&random) % 36);
			n = pace_allow(&pace, 64, now);
			pace_take(&pace, n);
			sent += n;
			cr_assert(sent <= (unsigned __int128)rate * now / PACE_UNIT,
				  "seed %#" PRIx64, random.seed);
		}
	}
}

Test(pace, holds_a_hundredth_of_a_second)
{
	struct pace pace;

	pace_set(&pace, 1000000, 0);
	cr_assert_eq(pace_allow(&pace, 1000000, 3600 * PACE_UNIT), 10000);
	pace_set(&pace, 10, 0);
	cr_assert_eq(pace_allow(&pace, 1000000, 3600 * PACE_UNIT), PACE_TOKENS_MIN);
}

Test(pace, no_rate_no_limit)
{
	struct pace pace = {0};

	cr_assert_eq(pace_allow(&pace, 77, 5), 77);
	pace_take(&pace, 77);
	cr_assert_leq(pace_when_ns(&pace, 64), 5);
}

Test(pace, the_highest_rate_overflows_nothing)
{
	struct pace pace;

	pace_set(&pace, UINT64_MAX, 0);
	cr_assert_eq(pace.rate, PACE_RATE_MAX);
	cr_assert_eq(pace_allow(&pace, UINT32_MAX, UINT64_MAX), PACE_RATE_MAX / PACE_HELD_PER_S);
}
