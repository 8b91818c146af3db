#pragma once
// A kernel's calls, a pass at a time, over an algorithm. Inside crypto/ only; included once by the
// algorithm's file at its end, which has defined:
//
//   vec, VECS                        a vector of words; how many hold the eight words of a state
//   every(word), initial(k)          a word everywhere; vector k of FIPS 180-4's initial states
//   swap_octets(v)                   words from network order
//   words_in(s, p, at, ways)         eight words at each of the pointers p, from octet `at` on
//   words_out(rows, s, ways)         and back
//   WAYS_OF(n)                       what a pass of n > LANES states takes
//   same_pass(s, block, ways)        s += what the rounds make of it: of a block that all share,
//   each_pass(s, word, ways)         of blocks of their own, which it overwrites,
//   half_pass(s, first, tail, ways)  of halves of their own and one that all share
//   rest_kernel(), REST_MAX          the kernel for up to REST_MAX states, or NULL: none is better
//   SPILLS_MAX                       octets of a pass's frames at most
//
// What a call is about; each kind of pass knows its part.
struct job {
	uint32_t (*state)[8];
	const struct sha256_schedule *same;
	const uint8_t (*each)[SHA256_BLOCK];
	const uint32_t (*half)[8];
	const struct sha256_tail *tail;

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
		name(job, from, n, WAYS_OF(n));                                                    \
	}                                                                                          \
	NOINLINE void name##_narrow(const struct job *job, unsigned from, unsigned n)              \
	{                                                                                          \
		name(job, from, n, 1);                                                             \
	}                                                                                          \
	INLINE void name(const struct job *job, unsigned from, unsigned n, unsigned ways)

#define RUN(job, n, name) run(job, n, name##_wide, name##_narrow)

// The 16 words of every block, from octets in network order.
INLINE void block_in(vec word[2][WAYS][VECS], const struct rows *rows, unsigned ways)
{
	const uint8_t *const *const at = (const uint8_t *const *)rows->at;

	words_in(word[0], at, 0, ways);
	words_in(word[1], at, SHA256_BLOCK / 2, ways);
	EACH_WAY(w)
	EACH_VEC(k)
	{
		word[0][w][k] = swap_octets(word[0][w][k]);
		word[1][w][k] = swap_octets(word[1][w][k]);
	}
}

PASS(states_same)
{
	struct rows rows;
	vec s[WAYS][VECS];

	rows_init(&rows, job->state + from, sizeof(job->state[0]), n, ways);
	words_in(s, (const uint8_t *const *)rows.at, 0, ways);
	same_pass(s, job->same, ways);
	words_out(&rows, s, ways);
}

PASS(states_each)
{
	struct rows rows, blocks;
	vec s[WAYS][VECS], word[2][WAYS][VECS];

	rows_init(&rows, job->state + from, sizeof(job->state[0]), n, ways);
	rows_init(&blocks, job->each + from, sizeof(job->each[0]), n, ways);
	words_in(s, (const uint8_t *const *)rows.at, 0, ways);
	block_in(word, &blocks, ways);
	each_pass(s, word, ways);
	words_out(&rows, s, ways);
}

PASS(states_half)
{
	struct rows rows, halves;
	vec s[WAYS][VECS], first[WAYS][VECS];

	rows_init(&rows, job->state + from, sizeof(job->state[0]), n, ways);
	rows_init(&halves, job->half + from, sizeof(job->half[0]), n, ways);
	words_in(s, (const uint8_t *const *)rows.at, 0, ways);
	words_in(first, (const uint8_t *const *)halves.at, 0, ways);
	half_pass(s, first, job->tail, ways);
	words_out(&rows, s, ways);
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

static void compress_half(uint32_t state[][8], const uint32_t half[][8],
			  const struct sha256_tail *tail, unsigned n)
{
	const struct job job = {.state = state, .half = half, .tail = tail};
	const unsigned done = RUN(&job, n, states_half);

	if (done < n)
		rest_kernel()->compress_half(state + done, half + done, tail, n - done);
}

#include "crypto/hmac_passes.h" // the same for whole MACs
