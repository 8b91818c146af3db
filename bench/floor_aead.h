#pragma once
// The floor of AES-128-GCM over the registers of one instruction set: what floor.h counts. Included
// once by each floor_<isa>.c for it, which has defined before:
//
//   LANES, REG(n)   messages in a register; the name of register n
//   MOVE, PXOR      instructions that move and xor it
//   XOR3(d)         d becomes a xor of three
//   ORDER(d)        octets of a block of each message reversed, from messages in memory
//
// Registers 0 to 3 are read and never written; targets of a kind go round among 4 to 15.

#include <stdint.h>

#include "bench/floor_list.h"
#include "crypto/aead.h"

enum {
	BLOCK = 16,
	DATA_BLOCKS = AEAD_AAD / BLOCK,
	LENGTH_BLOCKS = 1,
	KEYS = 10,
	POWER = 4, // of H: what it costs, in reductions
};

static struct {
	_Alignas(64) uint8_t in[LANES * BLOCK];
	_Alignas(64) uint8_t out[LANES * BLOCK];
} data;

#define OF_ONE(d)   ", " REG(2) ", " REG(d) "\n\t"
#define XOR(d)      PXOR " " REG(3) OF_ONE(d)
#define XOR_TEXT(d) PXOR " (%[in])" OF_ONE(d)
#define BYTES(d)    "vpshufb " REG(3) OF_ONE(d)
#define WORDS(d)    "vpshufd $0x4e" OF_ONE(d)
#define UP(d)       "vpslldq $4" OF_ONE(d)
#define SHIFT(d)    "vpsllq $1" OF_ONE(d)
#define AES(d)      "vaesenc " REG(3) OF_ONE(d)
#define AES_LAST(d) "vaesenclast " REG(3) OF_ONE(d)
#define CLMUL(d)    "vpclmulqdq $0x10, " REG(3) OF_ONE(d)
#define LOAD(d)     MOVE " (%[in]), " REG(d) "\n\t"
#define STORE(d)    MOVE " " REG(d) ", (%[out])\n\t"

// Kinds are mixed, since they have units of their own.
// clang-format off
#define START      LOAD(4) XOR3(5) XOR(6)
#define KEY        BYTES(4) AES(5) UP(6) AES_LAST(7) XOR(8) UP(9) AES(10) XOR3(11)
#define REDUCTION  CLMUL(12) WORDS(13) XOR(14)
#define HASH_KEY   BYTES(4) SHIFT(5) SHIFT(6) WORDS(7) XOR3(8) WORDS(9) XOR3(10) REDUCTION
#define PRODUCT    CLMUL(7) XOR3(10) CLMUL(11) CLMUL(7) XOR3(15) CLMUL(11)
#define DATA_BLOCK LOAD(4) ORDER(14) PRODUCT
#define TEXT_BLOCK                                                                                 \
	XOR(4)    AES(5) AES(6) CLMUL(7)  AES(8) AES(9) XOR3(10) CLMUL(11) AES(12) AES(13)         \
	ORDER(14) AES(5) AES(6) CLMUL(7)  AES(8)        XOR3(15) CLMUL(11) AES_LAST(12)            \
	XOR_TEXT(13) STORE(13)
#define TAG        BYTES(4) XOR(5) STORE(5)
// clang-format on

#define USED                                                                                       \
	"xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",        \
		"xmm14", "xmm15"
#define DO(instructions)                                                                           \
	__asm__ volatile(instructions : : [in] "r"(data.in), [out] "r"(data.out) : "memory", USED)

static void keys(void)
{
	DO(START);
	for (unsigned i = 0; i < KEYS; i++)
		DO(KEY);
	DO(HASH_KEY);
}

// As few as pay for n blocks, powers of H counted with them.
static unsigned reductions(unsigned n)
{
	unsigned least = n;

	for (unsigned k = 2; k < n && POWER * (k - 1) < least; k++) {
		const unsigned count = (n + k - 1) / k + POWER * (k - 1);

		if (count < least)
			least = count;
	}
	return least;
}

static void texts(unsigned blocks, unsigned folds)
{
	for (unsigned i = 0; i < DATA_BLOCKS; i++)
		DO(DATA_BLOCK);
	for (unsigned i = 0; i < blocks; i++)
		DO(TEXT_BLOCK);
	for (unsigned i = 0; i < LENGTH_BLOCKS; i++)
		DO(PRODUCT);
	for (unsigned i = 0; i < folds; i++)
		DO(REDUCTION);
	DO(TAG);
}

static void run(unsigned len, unsigned n)
{
	const unsigned blocks = (len + BLOCK - 1) / BLOCK;
	const unsigned folds = reductions(DATA_BLOCKS + blocks + LENGTH_BLOCKS);

	for (unsigned i = 0; i < n; i += LANES) {
		keys();
		texts(blocks, folds);
	}
	__asm__ volatile("vzeroupper");
}
