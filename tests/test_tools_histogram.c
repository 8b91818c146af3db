// The histogram against a sorted array.
#include <criterion/criterion.h>
#include <math.h>

#include "tests/kit/random.h"
#include "tools/histogram.h"

enum { VALUES = 20000 };

static int compare(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

// Of any magnitude: each power of two is as likely as the next.
static uint64_t any_value(struct random *random)
{
	return random_next(random) >> random_next(random) % 64;
}

Test(tools_histogram, quantiles_are_within_a_bucket)
{
	static const double qs[] = {0, 0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1};
	static struct histogram h;
	static uint64_t values[VALUES];
	struct random random = random_start();

	histogram_init(&h);
	for (unsigned i = 0; i < VALUES; i++) {
		values[i] = any_value(&random);
		histogram_add(&h, values[i]);
	}
	qsort(values, VALUES, sizeof(values[0]), compare);
	for (unsigned i = 0; i < sizeof(qs) / sizeof(qs[0]); i++) {
		const uint64_t rank = (uint64_t)ceil(qs[i] * VALUES);
		const uint64_t exact = values[rank ? rank - 1 : 0];
		const uint64_t got = histogram_quantile(&h, qs[i]);

		cr_assert(got >= exact && got - exact <= exact / 64, "q %g: %lu for %lu, seed %#lx",
			  qs[i], got, exact, random.seed);
	}
	cr_assert_eq(h.min, values[0]);
	cr_assert_eq(h.max, values[VALUES - 1]);
	cr_assert_eq(histogram_quantile(&h, 1), values[VALUES - 1]);
}

Test(tools_histogram, every_edge_has_a_bucket)
{
	static struct histogram h;

	for (unsigned shift = 0; shift < 64; shift++) {
		for (int d = -1; d <= 1; d++) {
			const uint64_t value = ((uint64_t)1 << shift) + (uint64_t)(int64_t)d;

			histogram_init(&h);
			histogram_add(&h, value);
			cr_assert_eq(histogram_quantile(&h, 0.5), value);
		}
	}
}

Test(tools_histogram, small_values_are_exact)
{
	static struct histogram h;

	histogram_init(&h);
	for (uint64_t v = 1; v <= 100; v++)
		histogram_add(&h, v);
	cr_assert_eq(histogram_quantile(&h, 0.5), 50);
	cr_assert_eq(histogram_quantile(&h, 0.99), 99);
	cr_assert_float_eq(histogram_mean(&h), 50.5, 1e-9);
}

Test(tools_histogram, merging_is_adding_to_one)
{
	static struct histogram a, b, both;
	struct random random = random_start();

	histogram_init(&a);
	histogram_init(&b);
	histogram_init(&both);
	for (unsigned i = 0; i < VALUES; i++) {
		const uint64_t value = any_value(&random);

		histogram_add(i % 3 ? &a : &b, value);
		histogram_add(&both, value);
	}
	histogram_merge(&a, &b);
	cr_assert_eq(a.n, both.n);
	cr_assert_eq(a.min, both.min);
	cr_assert_eq(a.max, both.max);
	cr_assert_arr_eq(a.bucket, both.bucket, sizeof(both.bucket));
}

Test(tools_histogram, empty_is_zero)
{
	static struct histogram h, other;

	histogram_init(&h);
	histogram_init(&other);
	histogram_merge(&h, &other);
	cr_assert_eq(histogram_quantile(&h, 0.99), 0);
	cr_assert_eq(histogram_mean(&h), 0);
	histogram_add(&other, 7);
	histogram_merge(&h, &other);
	cr_assert_eq(h.min, 7);
}
