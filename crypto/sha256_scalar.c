// SHA-256 in plain C, one state after the other: for every CPU, and what the other kernels are
// tested against. No branch and no index depends on data.

#include "base/bytes.h"
#include "crypto/sha256_kernels.h"

// The two temporary words of a round, FIPS 180-4 section 6.2.2 step 3.
static uint32_t t1(uint32_t e, uint32_t f, uint32_t g, uint32_t h, uint32_t wk)
{
	const uint32_t sum = rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25);
	const uint32_t choice = g ^ (e & (f ^ g));

	return h + sum + choice + wk;
}

static uint32_t t2(uint32_t a, uint32_t b, uint32_t c)
{
	const uint32_t sum = rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22);
	const uint32_t majority = (a & b) | (c & (a | b));

	return sum + majority;
}

static void compress(uint32_t state[8], const struct sha256_schedule *block)
{
	uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
	uint32_t e = state[4], f = state[5], g = state[6], h = state[7];

	for (unsigned t = 0; t < SHA256_ROUNDS; t++) {
		const uint32_t x = t1(e, f, g, h, block->wk[t]);
		const uint32_t y = t2(a, b, c);

		h = g, g = f, f = e, e = d + x;
		d = c, c = b, b = a, a = x + y;
	}
	state[0] += a, state[1] += b, state[2] += c, state[3] += d;
	state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

static void compress_same(uint32_t state[][8], const struct sha256_schedule *block, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		compress(state[i], block);
}

static void compress_each(uint32_t state[][8], const uint8_t block[][SHA256_BLOCK], unsigned n)
{
	struct sha256_schedule schedule;

	if (!n)
		return;
	for (unsigned i = 0; i < n; i++) {
		sha256_expand(&schedule, block[i]);
		compress(state[i], &schedule);
	}
	mem_wipe(&schedule, sizeof(schedule));
}

static void compress_half(uint32_t state[][8], const uint32_t half[][8],
			  const struct sha256_tail *tail, unsigned n)
{
	struct sha256_schedule schedule;

	if (!n)
		return;
	for (unsigned i = 0; i < n; i++) {
		memcpy(schedule.wk, half[i], sizeof(half[i]));
		memcpy(schedule.wk + 8, tail->word, sizeof(tail->word));
		sha256_expand_words(&schedule);
		compress(state[i], &schedule);
	}
	mem_wipe(&schedule, sizeof(schedule));
}

static bool usable(void)
{
	return true;
}

const struct sha256_ops sha256_scalar = {
	.name = "scalar",
	.lanes = 1,
	.usable = usable,
	.compress_same = compress_same,
	.compress_each = compress_each,
	.compress_half = compress_half,
};
