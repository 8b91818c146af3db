#pragma once
// AES-GCM for a group of messages of one length, each under a key of its own: the algorithm, over
// the vectors of one instruction set. A vector holds LANES blocks, each of another message, and a
// group is WAYS vectors side by side, since every instruction here takes several cycles to answer.
// Inside crypto/ only; included once by each aead_<isa>.c, which has defined before:
//
//   LANES, WAYS, vec                messages in a vector, vectors in a group
//   vec_load(p, at)                 16 octets at p[l] + at for lane l; vec_store(p, at, v) there
//   vec_load_flat, vec_store_flat   lanes one behind the other
//   vec_every(block)                one block in all lanes
//   vec_counter(p), vec_count(v)    12 octets at p[l] || be32(1); plus one (its last octet alone)
//   vec_reverse, vec_swap           a block's octets, its 64-bit halves, turned round
//   vec_up(v, n)                    a block's words n places up, zeros below
//   vec_double                      block * x in GHASH's field, octets reversed
//   clmul(a, HALF, b, HALF)         product without carries of 64-bit halves, LOW or HIGH
//   vec_times_poly                  the low half times the lower terms of the field's polynomial
//   aes_sub(v), aes_rot_sub(v, c)   SubWord of a block's last word in all four, with RotWord, ^ c
//   aes_start, aes_round, aes_last  state, round key before, round key after
//
// Round keys are made while H and the block that masks the tag go through their rounds. GHASH
// (SP 800-38D 6.4) multiplies octet-reversed blocks by H * x and folds from below, as POLYVAL does
// (RFC 8452 appendix A): with U = H * x^-64 at hand, a * H is four products and one fold. That is
// so cheap that one reduction for two blocks (with H^2) gained nothing at 128 to 1024 octets.
// Lengths and n decide branches and addresses here; keys and texts do not.

#include <assert.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "crypto/aead_implementations.h"

enum { BLOCK = 16, ROUND_KEYS_MAX = 15, GROUP = WAYS * LANES, BLOCKS = 2, CHUNK = 64 };

#define INLINE        static inline __attribute__((always_inline))
#define EACH_WAY(w)   _Pragma("GCC unroll 8") for (unsigned w = 0; w < ways; w++)
#define EACH_BLOCK(b) _Pragma("GCC unroll 2") for (unsigned b = 0; b < blocks; b++)
#define EACH_LANE(l)  _Pragma("GCC unroll 4") for (unsigned l = 0; l < LANES; l++)
// Keys do not fit the registers: they are operands in memory, and not copied to the stack before a
// loop.
#define FROM_MEMORY() __asm__ volatile("" : : : "memory")
#define UNROLLED      _Pragma("GCC unroll 16")

// What the compilers put on the stack at most: GCC 12 some 900 octets, clang 14 5.5 kB.
#ifdef __clang__
enum { SPILLS_MAX = 6144 };
#else
enum { SPILLS_MAX = 1024 };
#endif

static_assert(offsetof(struct aead_item, nonce) + BLOCK <= sizeof(struct aead_item),
	      "vec_counter reads 16 octets there");
static_assert(AEAD_TEXT_MAX / BLOCK + 2 < 256, "counters change in their last octet only");

// A vector's messages.
struct lanes {
	const uint8_t *key[LANES];
	const uint8_t *aad[LANES];
	const uint8_t *nonce[LANES];
	const uint8_t *in[LANES];
	uint8_t *out[LANES];
};

// A group: its messages, and what becomes of their keys (secret).
struct group {
	vec round_key[ROUND_KEYS_MAX][WAYS];
	vec h[WAYS];    // H * x, octets reversed
	vec u[WAYS];    // h * x^-64
	vec mask[WAYS]; // E(K, J0), which hides the tag
	unsigned aad_len;
	struct lanes lanes[WAYS];
};

// What moves on from block to block; it stays in registers.
struct progress {
	vec counter[WAYS];
	vec hash[WAYS]; // GHASH, octets reversed
};

// ---- Keys: FIPS 197 5.2

// Round key r from the last one and the one nk back: nk is 1 for AES-128, 2 for AES-256.
INLINE vec next_round_key(vec back, vec last, unsigned r, unsigned nk)
{
	static const uint8_t rcon[] = {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0x1b, 0x36};
	const vec word = r % nk ? aes_sub(last) : aes_rot_sub(last, rcon[r / nk - 1]);

	back = back ^ vec_up(back, 1);
	back = back ^ vec_up(back, 2);
	return back ^ word;
}

// All round keys, H and the tag's mask.
INLINE void expand(struct group *g, struct progress *p, unsigned ways, unsigned rounds)
{
	const unsigned nk = rounds == 10 ? 1 : 2;
	vec key[ROUND_KEYS_MAX][WAYS], h[WAYS], mask[WAYS];

	EACH_WAY(w)
	{
		p->counter[w] = vec_counter(g->lanes[w].nonce);
		key[0][w] = vec_load(g->lanes[w].key, 0);
		if (nk == 2)
			key[1][w] = vec_load(g->lanes[w].key, BLOCK);
		h[w] = aes_start((vec){0}, key[0][w]);
		mask[w] = aes_start(p->counter[w], key[0][w]);
		g->round_key[0][w] = key[0][w];
	}
	UNROLLED
	for (unsigned r = 1; r <= rounds; r++) {
		EACH_WAY(w)
		{
			if (r >= nk)
				key[r][w] = next_round_key(key[r - nk][w], key[r - 1][w], r, nk);
			g->round_key[r][w] = key[r][w];
			if (r == rounds)
				continue;
			h[w] = aes_round(h[w], key[r - 1][w], key[r][w]);
			mask[w] = aes_round(mask[w], key[r - 1][w], key[r][w]);
		}
	}
	EACH_WAY(w)
	{
		g->h[w] = aes_last(h[w], key[rounds - 1][w], key[rounds][w]);
		g->mask[w] = aes_last(mask[w], key[rounds - 1][w], key[rounds][w]);
	}
}

// ---- Parts of a block: n octets, 0 < n < 16, in pieces that overlap

INLINE void octets_load(uint8_t block[BLOCK], const uint8_t *p, unsigned n)
{
	uint64_t low, high = 0;

	if (n >= 8) {
		low = load64_le(p);
		if (n > 8)
			high = load64_le(p + n - 8) >> (8 * (16 - n));
	} else if (n >= 4) {
		low = load32_le(p) | (uint64_t)load32_le(p + n - 4) << (8 * (n - 4));
	} else {
		low = p[0] | p[n / 2] << (8 * (n / 2)) | p[n - 1] << (8 * (n - 1));
	}
	store64_le(block, low);
	store64_le(block + 8, high);
}

INLINE void octets_store(uint8_t *p, const uint8_t block[BLOCK], unsigned n)
{
	if (n >= 8) {
		memcpy(p, block, 8);
		memcpy(p + n - 8, block + n - 8, 8);
	} else if (n >= 4) {
		memcpy(p, block, 4);
		memcpy(p + n - 4, block + n - 4, 4);
	} else {
		p[0] = block[0];
		p[n / 2] = block[n / 2];
		p[n - 1] = block[n - 1];
	}
}

// As vec_load, with zeros behind the n octets.
INLINE vec part_load(const uint8_t *const p[], size_t at, unsigned n)
{
	uint8_t part[LANES][BLOCK];

	EACH_LANE(l)
	octets_load(part[l], p[l] + at, n);
	return vec_load_flat(part[0]);
}

INLINE void part_store(uint8_t *const p[], size_t at, unsigned n, vec v)
{
	uint8_t part[LANES][BLOCK];

	vec_store_flat(part[0], v);
	EACH_LANE(l)
	octets_store(p[l] + at, part[l], n);
}

// ---- GHASH

// v * x^-64: the low half goes round the field's polynomial.
INLINE vec fold(vec v)
{
	return vec_swap(v) ^ vec_times_poly(v);
}

INLINE vec multiply(vec a, vec h, vec u)
{
	const vec low = clmul(a, LOW, u, LOW) ^ clmul(a, HIGH, h, LOW);
	const vec high = clmul(a, LOW, u, HIGH) ^ clmul(a, HIGH, h, HIGH);

	return high ^ fold(low);
}

INLINE void absorb(const struct group *g, struct progress *p, unsigned ways, const vec block[])
{
	EACH_WAY(w)
	p->hash[w] = multiply(p->hash[w] ^ vec_reverse(block[w]), g->h[w], g->u[w]);
}

// The hash key, and the hash of the associated data.
INLINE void start_hash(struct group *g, struct progress *p, unsigned ways)
{
	unsigned at = 0;
	vec block[WAYS];

	EACH_WAY(w)
	{
		g->h[w] = vec_double(vec_reverse(g->h[w]));
		g->u[w] = fold(g->h[w]);
		p->hash[w] = (vec){0};
	}
	for (; at + BLOCK <= g->aad_len; at += BLOCK) {
		EACH_WAY(w)
		block[w] = vec_load(g->lanes[w].aad, at);
		absorb(g, p, ways, block);
	}
	if (at < g->aad_len) {
		EACH_WAY(w)
		block[w] = part_load(g->lanes[w].aad, at, g->aad_len - at);
		absorb(g, p, ways, block);
	}
}

// The last block is be64(bits of associated data) || be64(bits of text). Leaves the tags in mask.
INLINE void end_hash(struct group *g, struct progress *p, unsigned ways, unsigned len)
{
	uint8_t lengths[BLOCK];
	vec block[WAYS];

	store64_be(lengths, 8ull * g->aad_len);
	store64_be(lengths + 8, 8ull * len);
	EACH_WAY(w)
	block[w] = vec_every(lengths);
	absorb(g, p, ways, block);
	EACH_WAY(w)
	g->mask[w] = g->mask[w] ^ vec_reverse(p->hash[w]);
}

// ---- Text

// The next `blocks` blocks of each key stream.
INLINE void key_stream(const struct group *g, struct progress *p, unsigned ways, unsigned rounds,
		       unsigned blocks, vec stream[][WAYS])
{
	EACH_BLOCK(b)
	{
		EACH_WAY(w)
		{
			p->counter[w] = vec_count(p->counter[w]);
			stream[b][w] = aes_start(p->counter[w], g->round_key[0][w]);
		}
	}
	UNROLLED
	for (unsigned r = 1; r < rounds; r++) {
		EACH_WAY(w)
		{
			const vec before = g->round_key[r - 1][w], after = g->round_key[r][w];

			EACH_BLOCK(b)
			stream[b][w] = aes_round(stream[b][w], before, after);
		}
	}
	EACH_WAY(w)
	{
		EACH_BLOCK(b)
		stream[b][w] = aes_last(stream[b][w], g->round_key[rounds - 1][w],
					g->round_key[rounds][w]);
	}
}

INLINE void whole_blocks(const struct group *g, struct progress *p, unsigned ways, unsigned rounds,
			 bool sealing, unsigned at, unsigned blocks)
{
	vec stream[BLOCKS][WAYS], in[BLOCKS][WAYS], out[BLOCKS][WAYS];

	FROM_MEMORY();
	key_stream(g, p, ways, rounds, blocks, stream);
	EACH_BLOCK(b)
	{
		EACH_WAY(w)
		{
			in[b][w] = vec_load(g->lanes[w].in, at + b * BLOCK);
			out[b][w] = in[b][w] ^ stream[b][w];
			vec_store(g->lanes[w].out, at + b * BLOCK, out[b][w]);
		}
	}
	EACH_BLOCK(b)
	absorb(g, p, ways, sealing ? out[b] : in[b]);
}

// The last block, of 0 < n < 16 octets.
INLINE void part_block(const struct group *g, struct progress *p, unsigned ways, unsigned rounds,
		       bool sealing, unsigned at, unsigned n)
{
	static const uint8_t ones_zeros[2 * BLOCK] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	};
	const vec kept = vec_every(ones_zeros + BLOCK - n);
	vec stream[1][WAYS], in[WAYS], out[WAYS];

	key_stream(g, p, ways, rounds, 1, stream);
	EACH_WAY(w)
	{
		in[w] = part_load(g->lanes[w].in, at, n);
		out[w] = (in[w] ^ stream[0][w]) & kept;
		part_store(g->lanes[w].out, at, n, out[w]);
	}
	absorb(g, p, ways, sealing ? out : in);
}

INLINE void run(struct group *g, unsigned ways, unsigned rounds, bool sealing, unsigned len)
{
	struct progress p;
	unsigned at = 0;

	expand(g, &p, ways, rounds);
	start_hash(g, &p, ways);
	for (; at + BLOCKS * BLOCK <= len; at += BLOCKS * BLOCK)
		whole_blocks(g, &p, ways, rounds, sealing, at, BLOCKS);
	for (; at + BLOCK <= len; at += BLOCK)
		whole_blocks(g, &p, ways, rounds, sealing, at, 1);
	if (at < len)
		part_block(g, &p, ways, rounds, sealing, at, len - at);
	end_hash(g, &p, ways, len);
}

#define RUN(name, ways, rounds, sealing)                                                           \
	static __attribute__((noinline)) void name(struct group *g, unsigned len)                  \
	{                                                                                          \
		run(g, ways, rounds, sealing, len);                                                \
	}

RUN(seal_128, WAYS, 10, true)
RUN(seal_256, WAYS, 14, true)
RUN(open_128, WAYS, 10, false)
RUN(open_256, WAYS, 14, false)
RUN(seal_128_narrow, 1, 10, true)
RUN(seal_256_narrow, 1, 14, true)
RUN(open_128_narrow, 1, 10, false)
RUN(open_256_narrow, 1, 14, false)

typedef void group_run(struct group *g, unsigned len);

// By key length, direction, and whether one vector is enough.
static group_run *const runs[2][2][2] = {
	{{open_128, open_128_narrow}, {seal_128, seal_128_narrow}},
	{{open_256, open_256_narrow}, {seal_256, seal_256_narrow}},
};

// ---- Bursts

// A group that is not full is filled up with a message of nobody.
struct aead {
	unsigned aad_len;
	struct aead_item spare;
	uint8_t spare_text[AEAD_TEXT_MAX + AEAD_TAG];
};

static struct aead *open_memory(unsigned aad_len)
{
	static const uint8_t zeros[AEAD_AAD_MAX];
	struct aead *const aead = calloc(1, sizeof(*aead));

	assert(aad_len <= AEAD_AAD_MAX);
	if (!aead)
		return NULL;
	aead->aad_len = aad_len;
	aead->spare = (struct aead_item){
		.key = zeros,
		.aad = zeros,
		.in = aead->spare_text,
		.out = aead->spare_text,
	};
	return aead;
}

static void close_memory(struct aead *aead)
{
	free(aead);
}

// Takes the first item of `left` (a bit for each) and others of its length, as many as a group
// holds; what stays is returned.
static uint64_t gather(struct aead_item item[], uint64_t left, struct aead_item *group[],
		       unsigned *n)
{
	const unsigned len = item[__builtin_ctzll(left)].len;
	uint64_t look = left;

	for (*n = 0; look && *n < GROUP; look &= look - 1) {
		const unsigned i = (unsigned)__builtin_ctzll(look);

		if (item[i].len != len)
			continue;
		group[(*n)++] = &item[i];
		left &= ~(1ull << i);
	}
	return left;
}

static void put_lane(struct group *g, unsigned i, const struct aead_item *item)
{
	struct lanes *const lanes = &g->lanes[i / LANES];

	lanes->key[i % LANES] = item->key;
	lanes->aad[i % LANES] = item->aad;
	lanes->nonce[i % LANES] = item->nonce;
	lanes->in[i % LANES] = item->in;
	lanes->out[i % LANES] = item->out;
}

// Tags are compared whole, whatever differs; what is right for a forged message leaves no copy.
INLINE void finish(const struct group *g, struct aead_item *group[], unsigned n, bool sealing)
{
	const uint8_t(*const tag)[BLOCK] = (const void *)g->mask; // lane by lane

	for (unsigned i = 0; i < n; i++) {
		struct aead_item *const item = group[i];

		if (sealing) {
			memcpy(item->out + item->len, tag[i], AEAD_TAG);
			continue;
		}
		item->ok = mem_equal_ct(item->in + item->len, tag[i], AEAD_TAG);
		if (!item->ok)
			mem_wipe(item->out, item->len);
	}
}

INLINE void run_group(struct aead *aead, struct group *g, unsigned key_len,
		      struct aead_item *group[], unsigned n, bool sealing)
{
	const bool narrow = n <= LANES;
	const unsigned len = group[0]->len;

	assert(len <= AEAD_TEXT_MAX);
	for (unsigned i = 0; i < n; i++)
		put_lane(g, i, group[i]);
	for (unsigned i = n; i < (narrow ? LANES : GROUP); i++)
		put_lane(g, i, &aead->spare);
	runs[key_len == 32][sealing][narrow](g, len);
	finish(g, group, n, sealing);
}

INLINE void run_chunk(struct aead *aead, struct group *g, unsigned key_len, struct aead_item item[],
		      unsigned n, bool sealing)
{
	uint64_t left = ~0ull >> (CHUNK - n);

	while (left) {
		struct aead_item *group[GROUP];
		unsigned count;

		left = gather(item, left, group, &count);
		run_group(aead, g, key_len, group, count, sealing);
	}
}

// Takes the place on the stack where a group's functions have spilled: all between them and the
// caller of this is inlined.
static __attribute__((noinline)) void wipe_spills(void)
{
	uint8_t frame[SPILLS_MAX];

	mem_wipe(frame, sizeof(frame));
}

static void run_burst(struct aead *aead, unsigned key_len, struct aead_item item[], unsigned n,
		      bool sealing)
{
	struct group g;

	assert(key_len == 16 || key_len == 32);
	g.aad_len = aead->aad_len;
	for (unsigned count; n; n -= count, item += count) {
		count = n < CHUNK ? n : CHUNK;
		run_chunk(aead, &g, key_len, item, count, sealing);
	}
	mem_wipe(&g, offsetof(struct group, lanes));
	wipe_spills();
}

static void seal(struct aead *aead, unsigned key_len, struct aead_item *item, unsigned n)
{
	run_burst(aead, key_len, item, n, true);
}

static void open_burst(struct aead *aead, unsigned key_len, struct aead_item *item, unsigned n)
{
	run_burst(aead, key_len, item, n, false);
}
