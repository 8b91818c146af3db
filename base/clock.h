#pragma once
// Two clocks behind one handle, so that tests can turn the hands: monotonic nanoseconds for pauses
// and rates, Unix milliseconds for everything that goes over the wire or into the store.
// A clock is read once per round of a loop, never per item. Any thread.

#include <stdint.h>

struct clock {
	uint64_t (*mono_ns)(const struct clock *clock);
	uint64_t (*unix_ms)(const struct clock *clock);
};

extern const struct clock clock_system;

static inline uint64_t clock_mono_ns(const struct clock *clock)
{
	return clock->mono_ns(clock);
}

static inline uint64_t clock_unix_ms(const struct clock *clock)
{
	return clock->unix_ms(clock);
}

static inline uint32_t clock_unix_s(const struct clock *clock)
{
	return (uint32_t)(clock_unix_ms(clock) / 1000);
}
