#include <stdio.h>

#include "base/clock.h"
#include "bench/bench.h"

static bool run_one(struct bench_variant *variant, double *ns_each)
{
	uint64_t ns = 0;
	unsigned n = variant->run(variant->state, &ns);

	if (!n) {
		fprintf(stderr, "akmapush-bench: variant %s failed\n", variant->name);
		return false;
	}
	*ns_each = (double)ns / n;
	return true;
}

// xorshift32: the same orders in every run.
static uint32_t next_random(uint32_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 17;
	*x ^= *x << 5;
	return *x;
}

// A new order of the n. Whoever runs before a variant leaves it a clock and caches: a core that has
// just run scalar code is faster with vectors for a while. So nobody always follows the same one.
static void shuffle(unsigned order[], unsigned n, uint32_t *random)
{
	for (unsigned i = n; i > 1; i--) {
		const unsigned k = next_random(random) % i, last = order[i - 1];

		order[i - 1] = order[k];
		order[k] = last;
	}
}

static bool run_round(struct bench_variant *const variant[], const unsigned order[], unsigned n,
		      unsigned slot)
{
	for (unsigned i = 0; i < n; i++) {
		struct bench_variant *v = variant[order[i]];

		if (!run_one(v, &v->ns[slot]))
			return false;
	}
	return true;
}

static bool goes_on(unsigned round, uint64_t start, const struct bench_options *options)
{
	const uint64_t spent = clock_mono_ns(&clock_system) - start;

	if (options->rounds)
		return round < options->rounds;
	return round < BENCH_ROUNDS_MIN ||
	       (round < BENCH_ROUNDS_MAX && (double)spent < options->seconds * 1e9);
}

unsigned bench_rounds(struct bench_variant *const variant[], unsigned n,
		      const struct bench_options *options)
{
	unsigned order[BENCH_VARIANTS_MAX], round;
	uint32_t random = 1;
	uint64_t start;

	for (unsigned i = 0; i < n; i++)
		order[i] = i;
	// to warm up; the first of the rounds takes its place
	if (!run_round(variant, order, n, 0))
		return 0;
	start = clock_mono_ns(&clock_system);
	for (round = 0; goes_on(round, start, options); round++) {
		shuffle(order, n, &random);
		if (!run_round(variant, order, n, round))
			return 0;
	}
	return round;
}
