// The floor of SHA-256 by AVX-512, sixteen states a pass.

#include <stdint.h>

#include "bench/floor_list.h"

enum {
	LANES = 16,
	ROUNDS = 64,
	SHARED_ROUNDS = 8,
	SIGMAS = 2 * (ROUNDS - 16) - 10,
	WORD_ADDITIONS = 3 * (ROUNDS - 16) - 9,
	// Sigmas take the units that rotate, rounds leave those that add: they go together, and
	// what remains of each comes after.
	PAIRS = SIGMAS / 2,
	PAIR_ADDITIONS = 3,
	ALONE = ROUNDS - SHARED_ROUNDS - PAIRS,
	STATE_ADDITIONS = 8,
};

// All that is loaded and stored.
static struct {
	_Alignas(64) uint32_t wk[ROUNDS];
	_Alignas(64) uint32_t state[LANES][8];
} data;

// zmm0 to zmm7 are read and never written; the targets of a kind go round.
#define ZMM(d)     "%%zmm" #d
#define ROTATE(d)  "vprord $7, %%zmm0, " ZMM(d) "\n\t"
#define SHIFT(d)   "vpsrld $3, %%zmm1, " ZMM(d) "\n\t"
#define OF_3(d)    "vpternlogd $0x96, %%zmm2, %%zmm3, " ZMM(d) "\n\t"
#define PLUS(d)    "vpaddd %%zmm4, %%zmm5, " ZMM(d) "\n\t"
#define PLUS_WK(d) "vpaddd (%[wk])%{1to16%}, %%zmm6, " ZMM(d) "\n\t"

// clang-format off
#define ROUND                                                                                      \
	ROTATE(16) OF_3(8)  PLUS_WK(24) ROTATE(17) PLUS(25) ROTATE(18) OF_3(9)  PLUS(26)           \
	ROTATE(19) OF_3(10) PLUS(27)    ROTATE(20) PLUS(28) ROTATE(21) OF_3(11) PLUS(29)
#define SIGMA_PAIR                                                                                 \
	ROTATE(22) PLUS(30) SHIFT(23)  OF_3(12) ROTATE(22) PLUS(31)                                \
	ROTATE(23) PLUS(24) SHIFT(22)  OF_3(13) ROTATE(23)
#define PLUS_K PLUS(28)
#define SHUFFLES                                                                                   \
	"vpunpckldq %%zmm0, %%zmm1, %%zmm8\n\t"    "vpunpckhdq %%zmm0, %%zmm1, %%zmm9\n\t"         \
	"vpunpckldq %%zmm2, %%zmm3, %%zmm10\n\t"   "vpunpckhdq %%zmm2, %%zmm3, %%zmm11\n\t"        \
	"vpunpcklqdq %%zmm0, %%zmm1, %%zmm12\n\t"  "vpunpckhqdq %%zmm0, %%zmm1, %%zmm13\n\t"
#define LOADS(at)                                                                                  \
	"vmovdqu64 " #at "(%[state]), %%zmm16\n\t" "vmovdqu64 64+" #at "(%[state]), %%zmm17\n\t"
// clang-format on
#define TURN LOADS(0) SHUFFLES LOADS(128) SHUFFLES LOADS(256) SHUFFLES LOADS(384) SHUFFLES

#define DO(instructions, t)                                                                        \
	__asm__ volatile(instructions                                                              \
			 :                                                                         \
			 : [wk] "r"(data.wk + (t)), [state] "r"(data.state)                        \
			 : "memory", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",  \
			   "xmm15", "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", \
			   "xmm23", "xmm24", "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", \
			   "xmm31")

static void add(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		DO(PLUS(24), 0);
}

static void same(void)
{
	for (unsigned t = 0; t < ROUNDS; t++)
		DO(ROUND, t);
	add(STATE_ADDITIONS);
}

static void half(void)
{
	for (unsigned t = 0; t < PAIRS; t++)
		DO(ROUND PLUS_K SIGMA_PAIR, t);
	for (unsigned t = 0; t < ALONE; t++)
		DO(ROUND PLUS_K, t);
	for (unsigned t = 0; t < SHARED_ROUNDS; t++)
		DO(ROUND, t);
	add(WORD_ADDITIONS - PAIR_ADDITIONS * PAIRS + STATE_ADDITIONS);
}

static void run(const struct sha256_work *work, unsigned n)
{
	for (unsigned i = 0; i < n; i += LANES) {
		for (unsigned k = 0; k < work->turns; k++)
			DO(TURN, 0);
		for (unsigned k = 0; k < work->same; k++)
			same();
		for (unsigned k = 0; k < work->half; k++)
			half();
	}
	__asm__ volatile("vzeroupper");
}

static bool usable(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
}

const struct sha256_floor sha256_floor_avx512 = {.name = "avx512", .usable = usable, .run = run};
