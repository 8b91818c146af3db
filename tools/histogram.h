#pragma once
// Durations in logarithmic buckets: 64 to every power of two, so a quantile is within 1.6 % of the
// exact one, from 0 to 2^64 - 1, in 30 KiB. Adding is a few instructions and never fails. One
// thread at a time; several threads have one each and merge.

#include <stdint.h>

enum {
	HISTOGRAM_SUB_BITS = 6, // buckets to an octave, as a power of two
	HISTOGRAM_BUCKETS = (64 - HISTOGRAM_SUB_BITS + 1) << HISTOGRAM_SUB_BITS,
};

struct histogram {
	uint64_t n;
	uint64_t min, max; // exact; 0 while n is 0
	double sum;
	uint64_t bucket[HISTOGRAM_BUCKETS];
};

void histogram_init(struct histogram *h);
void histogram_add(struct histogram *h, uint64_t value);
void histogram_merge(struct histogram *h, const struct histogram *other);

// The smallest recorded value v, to the width of a bucket, such that at least the part q (0..1) of
// all values is not above v; never above max. 0 of an empty histogram.
uint64_t histogram_quantile(const struct histogram *h, double q);
double histogram_mean(const struct histogram *h);
