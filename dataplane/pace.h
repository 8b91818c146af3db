#pragma once
// A pace: a token bucket, one token a datagram. It holds at most 10 ms' worth, at least 64 tokens.
// Credit is kept in 1e-9 tokens, so that nothing is lost to rounding and nothing is divided.
// Times are monotonic nanoseconds. Worker thread only.

#include <stdint.h>

enum { PACE_TOKENS_MIN = 64, PACE_HELD_PER_S = 100 };
#define PACE_UNIT     1000000000ull // credit of one token; also nanoseconds in a second
#define PACE_RATE_MAX 1000000000ull

struct pace {
	uint64_t rate; // datagrams a second, at most PACE_RATE_MAX; 0: no limit
	uint64_t cap, credit;
	uint64_t at_ns; // up to when credit was given
};

static inline void pace_set(struct pace *pace, uint64_t rate, uint64_t now_ns)
{
	uint64_t held;

	if (rate > PACE_RATE_MAX)
		rate = PACE_RATE_MAX;
	held = rate / PACE_HELD_PER_S;
	*pace = (struct pace){
		.rate = rate,
		.cap = (held > PACE_TOKENS_MIN ? held : PACE_TOKENS_MIN) * PACE_UNIT,
		.at_ns = now_ns,
	};
}

// How many of n datagrams may go now.
static inline unsigned pace_allow(struct pace *pace, unsigned n, uint64_t now_ns)
{
	// The longest that any bucket of such a rate takes to fill: the product stays below 2^61.
	const uint64_t fills =
		pace->rate < PACE_TOKENS_MIN ? PACE_TOKENS_MIN * PACE_UNIT : PACE_UNIT;
	uint64_t passed = now_ns - pace->at_ns, tokens;

	if (!pace->rate)
		return n;
	passed = passed < fills ? passed : fills;
	pace->credit += pace->rate * passed;
	if (pace->credit > pace->cap)
		pace->credit = pace->cap;
	pace->at_ns = now_ns;
	tokens = pace->credit / PACE_UNIT;
	return tokens < n ? (unsigned)tokens : n;
}

// n datagrams have gone; a few more than allowed are paid for later by none.
static inline void pace_take(struct pace *pace, unsigned n)
{
	uint64_t price = n * PACE_UNIT;

	if (pace->rate)
		pace->credit -= price < pace->credit ? price : pace->credit;
}

// When n tokens will be there, at most the bucket's.
static inline uint64_t pace_when_ns(const struct pace *pace, unsigned n)
{
	uint64_t wanted = n * PACE_UNIT;

	if (!pace->rate || pace->credit >= wanted)
		return pace->at_ns;
	return pace->at_ns + (wanted - pace->credit) / pace->rate + 1;
}

// Tokens worth waiting for: what one message needs, or a millisecond's worth.
static inline unsigned pace_batch(const struct pace *pace, unsigned needed)
{
	uint64_t tokens = pace->rate / 1000;

	if (tokens > PACE_TOKENS_MIN)
		tokens = PACE_TOKENS_MIN;
	return tokens > needed ? (unsigned)tokens : needed;
}
