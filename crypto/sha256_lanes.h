#pragma once
// SHA-256 with a state in each lane of a vector: the algorithm, over the vectors of one instruction
// set. Word i of LANES states is one vector, so that every operation of FIPS 180-4 section 6.2.2 is
// done for all of them at once. Inside crypto/ only; included once by each sha256_<isa>.c, which
// has defined before:
//
//   LANES, vec                    states in a vector; a vector of so many uint32_t
//   every(word)                   one word in all lanes
//   quads_load(p, r, at)          16 octets at p[r] + at, p[r + 4] + at, … one behind the other
//   quads_store(p, r, at, v)      there
//   zip_low(a, b), zip_high       words of two quads in turn, of their low or high halves
//   zip2_low(a, b), zip2_high     the low or high halves of two quads
//   swap_octets(v)                words from network order
//   ROTATE(v, n)                  to the right
//   xor3(a, b, c)                 and FIPS 180-4's choice(e, f, g), majority(a, b, c)
//   rest_kernel()                 the kernel for up to REST_MAX states, or NULL: none is better
//
// n decides branches and addresses here; data does not.

#include <string.h>

#include "base/bytes.h"
#include "crypto/sha256_kernels.h"

// Octets of a pass's frames at most, with some to spare: 8,000 with GCC 12 at -O2.
enum { SPILLS_MAX = 9216 };

enum { QUAD = 16, WORDS = SHA256_BLOCK / 4, GROUP = WAYS * LANES };

#define EACH_WAY(w)       _Pragma("GCC unroll 4") for (unsigned w = 0; w < ways; w++)
#define EACH_WORD(k)      _Pragma("GCC unroll 8") for (unsigned k = 0; k < 8; k++)
#define INLINE            static inline __attribute__((always_inline))
#define NOINLINE          static __attribute__((noinline))
#define UNROLLED(n)       _Pragma(UNROLL_TEXT(GCC unroll n))
#define UNROLL_TEXT(text) #text

// Words of four states' quads to the quads of four words, and back.
INLINE void transpose(vec v[4])
{
	const vec a = zip_low(v[0], v[1]), b = zip_high(v[0], v[1]);
	const vec c = zip_low(v[2], v[3]), d = zip_high(v[2], v[3]);

	v[0] = zip2_low(a, c);
	v[1] = zip2_high(a, c);
	v[2] = zip2_low(b, d);
	v[3] = zip2_high(b, d);
}

// Four words of every lane, from octet `at` on, and back.
INLINE void quads_in(vec v[4], const uint8_t *const p[LANES], unsigned at)
{
	UNROLLED(4)
	for (unsigned r = 0; r < 4; r++)
		v[r] = quads_load(p, r, at);
	transpose(v);
}

INLINE void quads_out(uint8_t *const p[LANES], unsigned at, vec v[4])
{
	transpose(v);
	UNROLLED(4)
	for (unsigned r = 0; r < 4; r++)
		quads_store(p, r, at, v[r]);
}

// Where each lane of a pass has its octets. Lanes that are left over are further copies of the last
// one: they compute what it does and store it over it.
struct lanes {
	uint8_t *at[GROUP];
};

INLINE void lanes_init(struct lanes *lanes, const void *octets, size_t stride, unsigned n,
		       unsigned ways)
{
	for (unsigned l = 0; l < ways * LANES; l++)
		lanes->at[l] = (uint8_t *)octets + stride * (l < n ? l : n - 1);
}

// Eight words of every lane, from octet `at` on, and back.
INLINE void words_in(vec s[][8], const uint8_t *const p[], unsigned at, unsigned ways)
{
	EACH_WAY(w)
	{
		quads_in(s[w], p + w * LANES, at);
		quads_in(s[w] + 4, p + w * LANES, at + QUAD);
	}
}

INLINE void words_out(const struct lanes *lanes, vec s[][8], unsigned ways)
{
	EACH_WAY(w)
	{
		quads_out(lanes->at + w * LANES, 0, s[w]);
		quads_out(lanes->at + w * LANES, QUAD, s[w] + 4);
	}
}

// Round t; instead of the words, their names move on. The sums are in the order in which their
// parts are ready, which the build keeps (meson.build): e of the next round waits for nothing else.
INLINE void one_round(vec s[8], unsigned t, vec wk)
{
	const vec a = s[-t % 8], b = s[(1 - t) % 8], c = s[(2 - t) % 8];
	const vec e = s[(4 - t) % 8], f = s[(5 - t) % 8], g = s[(6 - t) % 8];
	vec *const d = &s[(3 - t) % 8], *const h = &s[(7 - t) % 8];
	const vec sum0 = xor3(ROTATE(a, 2), ROTATE(a, 13), ROTATE(a, 22));
	const vec sum1 = xor3(ROTATE(e, 6), ROTATE(e, 11), ROTATE(e, 25));
	const vec x = ((*h + wk) + choice(e, f, g)) + sum1;

	*d += x;
	*h = x + (majority(a, b, c) + sum0);
}

INLINE vec sigma0(vec w)
{
	return xor3(ROTATE(w, 7), ROTATE(w, 18), w >> 3);
}

INLINE vec sigma1(vec w)
{
	return xor3(ROTATE(w, 17), ROTATE(w, 19), w >> 10);
}

INLINE void states_add(vec s[][8], vec v[][8], unsigned ways)
{
	EACH_WAY(w)
	EACH_WORD(k)
	s[w][k] += v[w][k];
}

// s += what the rounds make of it.
INLINE void same(vec s[][8], const struct sha256_schedule *block, unsigned ways)
{
	vec v[WAYS][8];

	memcpy(v, s, ways * sizeof(v[0]));
	for (unsigned t = 0; t < SHA256_ROUNDS; t += 8) {
		UNROLLED(8)
		for (unsigned i = 0; i < 8; i++) {
			EACH_WAY(w)
			one_round(v[w], i, every(block->wk[t + i]));
		}
	}
	states_add(s, v, ways);
}

// W[t + 16] over W[t], where W of eight rounds, now[i] = W[t], and of the eight after them are
// there.
INLINE void next_word(vec now[8], const vec then[8], unsigned i)
{
	const vec w1 = i + 1 < 8 ? now[i + 1] : then[0];
	const vec w9 = i + 1 < 8 ? then[i + 1] : now[0];
	const vec w14 = i < 2 ? then[i + 6] : now[i - 2];

	now[i] = (now[i] + w9) + sigma0(w1) + sigma1(w14);
}

// Rounds t..t+7, then W of sixteen rounds later when there are so many.
INLINE void eight_rounds(vec v[][8], vec now[][8], vec then[][8], unsigned t, bool goes_on,
			 unsigned ways)
{
	UNROLLED(8)
	for (unsigned i = 0; i < 8; i++) {
		EACH_WAY(w)
		{
			one_round(v[w], i, now[w][i] + every(sha256_k[t + i]));
			if (goes_on)
				next_word(now[w], then[w], i);
		}
	}
}

// Blocks of which word[0] has W[0..7], word[1] W[8..15]; they are overwritten. Loops, because code
// that is too long for the CPU's cache of decoded instructions costs more than it saves.
INLINE void each(vec s[][8], vec word[2][WAYS][8], unsigned ways)
{
	vec v[WAYS][8];
	unsigned t = 0;

	memcpy(v, s, ways * sizeof(v[0]));
	for (; t < SHA256_ROUNDS - WORDS; t += 8)
		eight_rounds(v, word[t / 8 % 2], word[1 - t / 8 % 2], t, true, ways);
	for (; t < SHA256_ROUNDS; t += 8)
		eight_rounds(v, word[t / 8 % 2], word[1 - t / 8 % 2], t, false, ways);
	states_add(s, v, ways);
}

// Blocks of which every lane has the first half of its own.
INLINE void half(vec s[][8], vec first[][8], const uint32_t rest[8], unsigned ways)
{
	vec word[2][WAYS][8];

	EACH_WAY(w)
	EACH_WORD(k)
	{
		word[0][w][k] = first[w][k];
		word[1][w][k] = every(rest[k]);
	}
	each(s, word, ways);
}

// Their code is too large to be there twice.
NOINLINE void same_wide(vec s[][8], const struct sha256_schedule *block)
{
	same(s, block, WAYS);
}

NOINLINE void same_narrow(vec s[][8], const struct sha256_schedule *block)
{
	same(s, block, 1);
}

NOINLINE void each_wide(vec s[][8], vec word[2][WAYS][8])
{
	each(s, word, WAYS);
}

NOINLINE void each_narrow(vec s[][8], vec word[2][WAYS][8])
{
	each(s, word, 1);
}

NOINLINE void half_wide(vec s[][8], vec first[][8], const uint32_t rest[8])
{
	half(s, first, rest, WAYS);
}

NOINLINE void half_narrow(vec s[][8], vec first[][8], const uint32_t rest[8])
{
	half(s, first, rest, 1);
}

INLINE void same_pass(vec s[][8], const struct sha256_schedule *block, unsigned ways)
{
	(ways == 1 ? same_narrow : same_wide)(s, block);
}

INLINE void half_pass(vec s[][8], vec first[][8], const uint32_t rest[8], unsigned ways)
{
	(ways == 1 ? half_narrow : half_wide)(s, first, rest);
}

// The 16 words of every lane's block, from octets in network order.
INLINE void block_in(vec word[2][WAYS][8], const struct lanes *lanes, unsigned ways)
{
	const uint8_t *const *const at = (const uint8_t *const *)lanes->at;

	words_in(word[0], at, 0, ways);
	words_in(word[1], at, SHA256_BLOCK / 2, ways);
	EACH_WAY(w)
	EACH_WORD(k)
	{
		word[0][w][k] = swap_octets(word[0][w][k]);
		word[1][w][k] = swap_octets(word[1][w][k]);
	}
}

// ---- Calls, a pass at a time

// What a call is about; each kind of pass knows its part.
struct job {
	uint32_t (*state)[8];
	const struct sha256_schedule *same;
	const uint8_t (*each)[SHA256_BLOCK];
	const uint32_t (*half)[8];
	const uint32_t *rest;

	const struct hmac_key *const *pads;
	const uint8_t (*key)[SHA256_DIGEST];
	struct sha256_text text, second;
	uint8_t *mac;
	size_t stride;
};

// n <= GROUP items of a job, from the item `from` on. What is secret is in frames below run()'s.
typedef void pass(const struct job *job, unsigned from, unsigned n);

// Takes the place on the stack where passes had states and message words, secret both.
NOINLINE void wipe_spills(void)
{
	uint8_t frame[SPILLS_MAX];

	mem_wipe(frame, sizeof(frame));
}

// All of n items but the few that another kernel does faster. Returns how many.
INLINE unsigned run(const struct job *job, unsigned n, pass *wide, pass *narrow)
{
	const unsigned rest_max = rest_kernel() ? REST_MAX : 0;
	unsigned done = 0;

	for (unsigned count; n - done > rest_max; done += count) {
		count = n - done < GROUP ? n - done : GROUP;
		(count > LANES ? wide : narrow)(job, done, count);
	}
	if (done)
		wipe_spills();
	return done;
}

// A pass over `ways` vectors of lanes, and the two that there are.
#define PASS(name)                                                                                 \
	INLINE void name(const struct job *job, unsigned from, unsigned n, unsigned ways);         \
	NOINLINE void name##_wide(const struct job *job, unsigned from, unsigned n)                \
	{                                                                                          \
		name(job, from, n, WAYS);                                                          \
	}                                                                                          \
	NOINLINE void name##_narrow(const struct job *job, unsigned from, unsigned n)              \
	{                                                                                          \
		name(job, from, n, 1);                                                             \
	}                                                                                          \
	INLINE void name(const struct job *job, unsigned from, unsigned n, unsigned ways)

#define RUN(job, n, name) run(job, n, name##_wide, name##_narrow)

PASS(states_same)
{
	struct lanes lanes;
	vec s[WAYS][8];

	lanes_init(&lanes, job->state + from, sizeof(job->state[0]), n, ways);
	words_in(s, (const uint8_t *const *)lanes.at, 0, ways);
	same_pass(s, job->same, ways);
	words_out(&lanes, s, ways);
}

PASS(states_each)
{
	struct lanes lanes, blocks;
	vec s[WAYS][8], word[2][WAYS][8];

	lanes_init(&lanes, job->state + from, sizeof(job->state[0]), n, ways);
	lanes_init(&blocks, job->each + from, sizeof(job->each[0]), n, ways);
	words_in(s, (const uint8_t *const *)lanes.at, 0, ways);
	block_in(word, &blocks, ways);
	(ways == 1 ? each_narrow : each_wide)(s, word);
	words_out(&lanes, s, ways);
}

PASS(states_half)
{
	struct lanes lanes, halves;
	vec s[WAYS][8], first[WAYS][8];

	lanes_init(&lanes, job->state + from, sizeof(job->state[0]), n, ways);
	lanes_init(&halves, job->half + from, sizeof(job->half[0]), n, ways);
	words_in(s, (const uint8_t *const *)lanes.at, 0, ways);
	words_in(first, (const uint8_t *const *)halves.at, 0, ways);
	half_pass(s, first, job->rest, ways);
	words_out(&lanes, s, ways);
}

static void compress_same(uint32_t state[][8], const struct sha256_schedule *block, unsigned n)
{
	const struct job job = {.state = state, .same = block};
	const unsigned done = RUN(&job, n, states_same);

	if (done < n)
		rest_kernel()->compress_same(state + done, block, n - done);
}

static void compress_each(uint32_t state[][8], const uint8_t block[][SHA256_BLOCK], unsigned n)
{
	const struct job job = {.state = state, .each = block};
	const unsigned done = RUN(&job, n, states_each);

	if (done < n)
		rest_kernel()->compress_each(state + done, block + done, n - done);
}

static void compress_half(uint32_t state[][8], const uint32_t half[][8], const uint32_t rest[8],
			  unsigned n)
{
	const struct job job = {.state = state, .half = half, .rest = rest};
	const unsigned done = RUN(&job, n, states_half);

	if (done < n)
		rest_kernel()->compress_half(state + done, half + done, rest, n - done);
}

#include "crypto/hmac_lanes.h" // the same for whole MACs
