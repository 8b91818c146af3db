#include "bench/burst.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { NAME_MAX_LEN = 39, ROUND_NS = 1000000, TRIALS = 3 };

struct burst_round {
	struct bench_variant variant;
	struct burst_variant burst;
	unsigned repeat; // bursts in a round
	char name[NAME_MAX_LEN + 1];
};

struct burst_bench {
	const char *name;
	const struct bench_options *options;
	struct bench_variant *variant[BENCH_VARIANTS_MAX];
	unsigned n;
};

struct burst_bench *burst_open(const char *name, const struct bench_options *options)
{
	struct burst_bench *const bench = calloc(1, sizeof(*bench));

	if (bench) {
		bench->name = name;
		bench->options = options;
	}
	return bench;
}

void burst_close(struct burst_bench *bench)
{
	while (bench->n--)
		free(bench->variant[bench->n]->state);
	free(bench);
}

static uint64_t time_bursts(struct burst_round *round, unsigned n)
{
	const uint64_t start = clock_mono_ns(&clock_system);

	while (n--)
		round->burst.run(round->burst.state);
	return clock_mono_ns(&clock_system) - start;
}

static unsigned run(void *state, uint64_t *ns)
{
	struct burst_round *const round = state;

	*ns = time_bursts(round, round->repeat);
	return round->repeat * round->burst.items;
}

bool burst_add(struct burst_bench *bench, const struct burst_variant *variant)
{
	const bool prefix = variant->prefix;
	struct burst_round *const round = calloc(1, sizeof(*round));

	assert(bench->n < BENCH_VARIANTS_MAX);
	if (!round)
		return false;
	snprintf(round->name, sizeof(round->name), "%s%s%s", prefix ? variant->prefix : "",
		 prefix ? "-" : "", variant->name);
	if (bench->n && bench->options->only && !strstr(round->name, bench->options->only)) {
		free(round);
		return false;
	}
	round->burst = *variant;
	round->variant = (struct bench_variant){.name = round->name, .state = round, .run = run};
	bench->variant[bench->n++] = &round->variant;
	return true;
}

// The least of a few times: one may have been disturbed.
static void find_repeat(struct burst_round *round)
{
	uint64_t least = ROUND_NS;

	for (unsigned i = 0; i < TRIALS; i++) {
		const uint64_t ns = time_bursts(round, 1);

		if (ns < least)
			least = ns;
	}
	round->repeat = least ? (unsigned)(ROUND_NS / least) : 1;
}

static bool prepare(struct burst_round *round)
{
	round->burst.run(round->burst.state);
	if (round->burst.is_right && !round->burst.is_right(round->burst.state)) {
		fprintf(stderr, "akmapush-bench: %s: its output is wrong\n", round->name);
		return false;
	}
	find_repeat(round);
	return true;
}

int burst_run(struct burst_bench *bench, const char *what)
{
	unsigned rounds;

	if (!bench->n)
		return -ENOENT;
	for (unsigned i = 0; i < bench->n; i++) {
		if (!prepare(bench->variant[i]->state))
			return -EIO;
	}
	rounds = bench_rounds(bench->variant, bench->n, bench->options);
	if (!rounds)
		return -EIO;
	bench_print(bench->name, what, bench->variant, bench->n, rounds, bench->options->json);
	return 0;
}
