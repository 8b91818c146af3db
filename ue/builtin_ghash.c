// GHASH (SP 800-38D 6.4). The product in GF(2^128) goes bit by bit with masks: slow but constant in
// time on every core, also on those whose multiplier is not.

#include "ue/builtin.h"
#include "ue/octets.h"

static uint64_t load64(const uint8_t *p)
{
	return (uint64_t)apue_load_be(p, 4) << 32 | apue_load_be(p + 4, 4);
}

static void store64(uint8_t *p, uint64_t v)
{
	apue_store_be(p, 4, (uint32_t)(v >> 32));
	apue_store_be(p + 4, 4, (uint32_t)v);
}

// y = y * h (SP 800-38D 6.3): bit 0 of a block is the most significant of its first octet.
static void multiply(struct apue_ghash *g)
{
	uint64_t v0 = g->h[0], v1 = g->h[1], z0 = 0, z1 = 0;

	for (unsigned i = 0; i < 128; i++) {
		uint64_t bit = 0 - (g->y[i / 64] >> (63 - i % 64) & 1);
		uint64_t carry = 0 - (v1 & 1);

		z0 ^= v0 & bit;
		z1 ^= v1 & bit;
		v1 = v1 >> 1 | v0 << 63;
		v0 = v0 >> 1 ^ (carry & 0xe100000000000000);
	}
	g->y[0] = z0;
	g->y[1] = z1;
}

void apue_ghash_init(struct apue_ghash *ghash, const uint8_t h[16])
{
	ghash->h[0] = load64(h);
	ghash->h[1] = load64(h + 8);
	ghash->y[0] = 0;
	ghash->y[1] = 0;
}

void apue_ghash_update(struct apue_ghash *ghash, const uint8_t *octets, size_t n)
{
	while (n > 0) {
		size_t some = n < 16 ? n : 16;
		uint8_t block[16] = {0};

		memcpy(block, octets, some);
		ghash->y[0] ^= load64(block);
		ghash->y[1] ^= load64(block + 8);
		multiply(ghash);
		octets += some;
		n -= some;
	}
}

void apue_ghash_final(struct apue_ghash *ghash, uint64_t aad_len, uint64_t text_len,
		      uint8_t out[16])
{
	ghash->y[0] ^= aad_len * 8;
	ghash->y[1] ^= text_len * 8;
	multiply(ghash);
	store64(out, ghash->y[0]);
	store64(out + 8, ghash->y[1]);
}
