#pragma once
// Reproducible randomness for tests: SplitMix64. The seed is new in every run unless AKMAPUSH_SEED
// gives it; a failing assertion prints it ("seed %#" PRIx64, random->seed).

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

struct random {
	uint64_t seed;
	uint64_t state;
};

static inline struct random random_start(void)
{
	const char *const given = getenv("AKMAPUSH_SEED");
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);

	const uint64_t seed = given ? strtoull(given, NULL, 0)
				    : (uint64_t)now.tv_sec << 30 ^ (uint64_t)now.tv_nsec;

	return (struct random){.seed = seed, .state = seed};
}

static inline uint64_t random_next(struct random *random)
{
	uint64_t x = random->state += 0x9e3779b97f4a7c15;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

static inline void random_fill(struct random *random, void *p, size_t n)
{
	uint8_t *octets = p;

	for (size_t i = 0; i < n; i++)
		octets[i] = (uint8_t)random_next(random);
}
