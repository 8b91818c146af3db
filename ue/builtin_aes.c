// AES encryption (FIPS 197), bit-sliced: a state is eight planes of 64 bits, plane b holding bit b
// of 64 octets, which are four blocks. The S-box is computed, as the inverse x^254 in GF(2^8) and
// the affine map; no table is indexed by data. Four blocks cost what one does, which suits counter
// mode.

#include "ue/builtin.h"
#include "ue/octets.h"

typedef uint64_t planes[8];

// Transposes eight octets of eight bits: bit b of octet i becomes bit i of octet b.
static uint64_t transpose(uint64_t x)
{
	uint64_t t;

	t = (x ^ x >> 7) & 0x00aa00aa00aa00aa;
	x ^= t ^ t << 7;
	t = (x ^ x >> 14) & 0x0000cccc0000cccc;
	x ^= t ^ t << 14;
	t = (x ^ x >> 28) & 0x00000000f0f0f0f0;
	return x ^ t ^ t << 28;
}

static void planes_load(planes s, const uint8_t octets[64])
{
	memset(s, 0, sizeof(planes));
	for (unsigned g = 0; g < 8; g++) {
		uint64_t x = 0;

		for (unsigned i = 0; i < 8; i++)
			x |= (uint64_t)octets[8 * g + i] << 8 * i;
		x = transpose(x);
		for (unsigned b = 0; b < 8; b++)
			s[b] |= (x >> 8 * b & 255) << 8 * g;
	}
}

static void planes_store(const planes s, uint8_t octets[64])
{
	for (unsigned g = 0; g < 8; g++) {
		uint64_t x = 0;

		for (unsigned b = 0; b < 8; b++)
			x |= (s[b] >> 8 * g & 255) << 8 * b;
		x = transpose(x);
		for (unsigned i = 0; i < 8; i++)
			octets[8 * g + i] = (uint8_t)(x >> 8 * i);
	}
}

// A state and what comes up on the way of a block. Each of them gives a round key away together
// with the ciphertext, so all are in one place, which is wiped once for all rounds.
struct work {
	planes s;
	planes x2, x3, x12;
	uint64_t p[15]; // a product
};

// z = p mod x^8 + x^4 + x^3 + x + 1, for p of degree 14.
static void reduce(planes z, uint64_t p[15])
{
	for (unsigned i = 14; i >= 8; i--) {
		p[i - 4] ^= p[i];
		p[i - 5] ^= p[i];
		p[i - 7] ^= p[i];
		p[i - 8] ^= p[i];
	}
	memcpy(z, p, sizeof(planes));
}

static void multiply(planes z, const planes x, const planes y, uint64_t p[15])
{
	memset(p, 0, 15 * sizeof(p[0]));
	for (unsigned i = 0; i < 8; i++)
		for (unsigned j = 0; j < 8; j++)
			p[i + j] ^= x[i] & y[j];
	reduce(z, p);
}

// z = x^(2^n)
static void square(planes z, const planes x, unsigned n, uint64_t p[15])
{
	memmove(z, x, sizeof(planes));
	while (n--) {
		memset(p, 0, 15 * sizeof(p[0]));
		for (unsigned i = 0; i < 8; i++)
			p[2 * i] = z[i];
		reduce(z, p);
	}
}

// The inverse by x^254 = x^240 x^12 x^2 (which leaves 0 at 0), then the affine map of FIPS
// 197 5.1.1.
static void sub_octets(struct work *w)
{
	uint64_t *s = w->s, *t = w->x3;

	square(w->x2, s, 1, w->p);
	multiply(w->x3, w->x2, s, w->p);
	square(w->x12, w->x3, 2, w->p);
	multiply(t, w->x12, w->x3, w->p);
	square(t, t, 4, w->p);
	multiply(t, t, w->x12, w->p);
	multiply(t, t, w->x2, w->p);
	for (unsigned b = 0; b < 8; b++) {
		s[b] = t[b] ^ t[(b + 4) % 8] ^ t[(b + 5) % 8] ^ t[(b + 6) % 8] ^ t[(b + 7) % 8];
		if (0x63 >> b & 1) // the constant of the map, not data
			s[b] = ~s[b];
	}
}

// Octet r + 4c of a block is row r, column c. Row r turns left by r columns, which turns its bits
// in each lane of 16 right by 4r.
static uint64_t shift_rows(uint64_t x)
{
	return (x & 0x1111111111111111) | (x & 0x2220222022202220) >> 4 |
	       (x & 0x0002000200020002) << 12 | (x & 0x4400440044004400) >> 8 |
	       (x & 0x0044004400440044) << 8 | (x & 0x8000800080008000) >> 12 |
	       (x & 0x0888088808880888) << 4;
}

// Turns each column (a lane of four bits) so that row r holds what row r + 1 held.
static uint64_t next_row(uint64_t x)
{
	return (x & 0xeeeeeeeeeeeeeeee) >> 1 | (x & 0x1111111111111111) << 3;
}

// Row r of a column becomes 2 (a[r] + a[r+1]) + a[r+1] + a[r+2] + a[r+3].
static void mix_columns(struct work *w)
{
	uint64_t *s = w->s, *next = w->x2, *sum = w->x3;

	for (unsigned b = 0; b < 8; b++) {
		next[b] = next_row(s[b]);
		sum[b] = s[b] ^ next[b];
	}
	for (unsigned b = 0; b < 8; b++) {
		uint64_t twice = b > 0 ? sum[b - 1] : 0;

		if (0x1b >> b & 1) // the field polynomial, not data
			twice ^= sum[7];
		s[b] = twice ^ next[b] ^ next_row(next_row(sum[b]));
	}
}

static void add_round_key(planes s, const uint16_t key[8])
{
	for (unsigned b = 0; b < 8; b++)
		s[b] ^= key[b] * UINT64_C(0x0001000100010001);
}

void apue_aes_encrypt4(const struct apue_aes *aes, uint8_t blocks[64])
{
	struct work w;

	planes_load(w.s, blocks);
	add_round_key(w.s, aes->plane[0]);
	for (unsigned round = 1; round <= aes->rounds; round++) {
		sub_octets(&w);
		for (unsigned b = 0; b < 8; b++)
			w.s[b] = shift_rows(w.s[b]);
		if (round < aes->rounds)
			mix_columns(&w);
		add_round_key(w.s, aes->plane[round]);
	}
	planes_store(w.s, blocks);
	apue_wipe(&w, sizeof(w));
}

static void sub_word(uint8_t word[4])
{
	uint8_t octets[64] = {0};
	struct work w;

	memcpy(octets, word, 4);
	planes_load(w.s, octets);
	sub_octets(&w);
	planes_store(w.s, octets);
	memcpy(word, octets, 4);
	apue_wipe(octets, sizeof(octets));
	apue_wipe(&w, sizeof(w));
}

// Word i of the schedule from the words before it (FIPS 197 5.2).
static void next_word(uint8_t *words, unsigned i, unsigned key_words, uint8_t *rcon)
{
	uint8_t t[4], first;

	memcpy(t, words + 4 * (i - 1), 4);
	if (i % key_words == 0) {
		first = t[0];
		memmove(t, t + 1, 3);
		t[3] = first;
		sub_word(t);
		t[0] ^= *rcon;
		*rcon = (uint8_t)(*rcon << 1 ^ (*rcon >> 7) * 0x1b);
	} else if (key_words == 8 && i % 8 == 4) {
		sub_word(t);
	}
	for (unsigned k = 0; k < 4; k++)
		words[4 * i + k] = words[4 * (i - key_words) + k] ^ t[k];
	apue_wipe(t, sizeof(t));
}

void apue_aes_init(struct apue_aes *aes, const uint8_t *key, size_t key_len)
{
	unsigned key_words = (unsigned)key_len / 4;
	uint8_t words[16 * (APUE_AES_ROUNDS_MAX + 1)], octets[64] = {0}, rcon = 1;
	planes s;

	AKMAPUSH_UE_ASSERT(key_len == 16 || key_len == 32);
	aes->rounds = key_words + 6;
	memcpy(words, key, key_len);
	for (unsigned i = key_words; i < 4 * (aes->rounds + 1); i++)
		next_word(words, i, key_words, &rcon);
	for (unsigned round = 0; round <= aes->rounds; round++) {
		memcpy(octets, words + 16 * round, 16);
		planes_load(s, octets);
		for (unsigned b = 0; b < 8; b++)
			aes->plane[round][b] = (uint16_t)s[b];
	}
	apue_wipe(words, sizeof(words));
	apue_wipe(octets, sizeof(octets));
	apue_wipe(s, sizeof(s));
}
