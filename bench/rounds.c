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

static bool run_round(struct bench_variant *const variant[], unsigned n, unsigned round,
		      unsigned slot)
{
	for (unsigned i = 0; i < n; i++) {
		struct bench_variant *v = variant[(i + round) % n];

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
	uint64_t start;
	unsigned round;

	if (!run_round(variant, n, 0, 0)) // to warm up; the first of the rounds takes its place
		return 0;
	start = clock_mono_ns(&clock_system);
	for (round = 0; goes_on(round, start, options); round++) {
		if (!run_round(variant, n, round, round))
			return 0;
	}
	return round;
}
