#include "base/clock.h"

#include <time.h>

static uint64_t read_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t system_mono_ns(const struct clock *clock)
{
	(void)clock;
	return read_ns(CLOCK_MONOTONIC);
}

static uint64_t system_unix_ms(const struct clock *clock)
{
	(void)clock;
	return read_ns(CLOCK_REALTIME) / 1000000;
}

const struct clock clock_system = {system_mono_ns, system_unix_ms};
