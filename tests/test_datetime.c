// Moments as text, against the C library for moments of all years.

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/datetime.h"
#include "tests/kit/random.h"

static void expect(uint64_t unix_ms, const char *expected)
{
	char text[DATETIME_MAX];

	datetime_write(text, unix_ms);
	cr_expect_str_eq(text, expected);
}

Test(datetime, known)
{
	expect(0, "1970-01-01T00:00:00.000Z");
	expect(951782400123, "2000-02-29T00:00:00.123Z");
	expect(951868799999, "2000-02-29T23:59:59.999Z");
	expect(4107542400000, "2100-03-01T00:00:00.000Z"); // 2100 has no leap day
	expect(4294967295000, "2106-02-07T06:28:15.000Z");
	expect(253402300799999, "9999-12-31T23:59:59.999Z");
	expect(UINT64_MAX, "9999-12-31T23:59:59.999Z");
}

Test(datetime, any)
{
	struct random random = random_start();

	for (int i = 0; i < 100000; i++) {
		uint64_t ms = random_next(&random) % 253402300800000;
		time_t s = (time_t)(ms / 1000);
		char text[DATETIME_MAX], expected[64];
		struct tm tm;

		gmtime_r(&s, &tm);
		strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S", &tm);
		snprintf(expected + strlen(expected), 8, ".%03uZ", (unsigned)(ms % 1000));
		datetime_write(text, ms);
		cr_assert_str_eq(text, expected, "seed %#" PRIx64, random.seed);
	}
}
