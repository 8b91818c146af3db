#pragma once
// Benches whose variants do the same burst over and over. A variant is run once, and what it made
// is checked; then it is found out how many bursts make a round of a millisecond, so that rounds
// are fine-grained and alike long whatever the variant costs.

#include "bench/bench.h"

struct burst_variant {
	const char *prefix, *name; // called prefix-name, or name
	void *state;
	unsigned items; // in one burst
	void (*run)(void *state);
	bool (*is_right)(void *state); // after a run; NULL: nothing to check
};

struct burst_bench; // the variants so far

struct burst_bench *burst_open(const char *bench, const struct bench_options *options); // or NULL
void burst_close(struct burst_bench *bench);

// The first is the reference. false when there is no memory for it, or `options.only` leaves it
// out.
bool burst_add(struct burst_bench *bench, const struct burst_variant *variant);

// Checks, measures and prints. `what` as in bench_print. 0 or -errno, said why.
int burst_run(struct burst_bench *bench, const char *what);
