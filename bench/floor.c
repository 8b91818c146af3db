#include "bench/floor.h"

#include <stdint.h>

#ifdef __x86_64__

#include <cpuid.h>

enum { STATES = 256 };

// All that is loaded and stored; small enough for the first cache.
static struct {
	_Alignas(64) uint32_t wk[64];
	uint32_t block[16];
	uint32_t state[STATES][8];
} data;

// Register by register: every instruction names those that it needs, so that none waits. xmm0 is
// W + K, xmm15 is read and never written, and the targets of a kind go round.
#define LOAD                                                                                       \
	"movdqu (%[state]), %%xmm13\n\t"                                                           \
	"movdqu 16(%[state]), %%xmm14\n\t"                                                         \
	"movdqa %%xmm14, %%xmm12\n\t"                                                              \
	"punpcklqdq %%xmm13, %%xmm14\n\t"                                                          \
	"punpckhqdq %%xmm13, %%xmm12\n\t"                                                          \
	"pshufd $0xb1, %%xmm14, %%xmm14\n\t"                                                       \
	"pshufd $0xb1, %%xmm12, %%xmm12\n\t"
#define ADD                                                                                        \
	"pshufd $0xb1, %%xmm14, %%xmm14\n\t"                                                       \
	"pshufd $0xb1, %%xmm12, %%xmm12\n\t"                                                       \
	"movdqa %%xmm14, %%xmm13\n\t"                                                              \
	"punpckhqdq %%xmm12, %%xmm13\n\t"                                                          \
	"punpcklqdq %%xmm12, %%xmm14\n\t"                                                          \
	"paddd (%[state]), %%xmm13\n\t"                                                            \
	"paddd 16(%[state]), %%xmm14\n\t"                                                          \
	"movdqu %%xmm13, (%[state])\n\t"                                                           \
	"movdqu %%xmm14, 16(%[state])\n\t"

#define TWO_ROUNDS(s)     "sha256rnds2 %%xmm0, %%xmm15, %%xmm" s "\n\t"
#define FOUR_ROUNDS(s, t) TWO_ROUNDS(s) "pshufd $0x0e, %%xmm0, %%xmm0\n\t" TWO_ROUNDS(t)

#define SAME(q, s, t) "movdqa 16*" q "(%[wk]), %%xmm0\n\t" FOUR_ROUNDS(s, t)

// Quads 0 to 3 come from the block, the others from those before; w is the new quad, c a copy.
#define WITH_K(q, w) "movdqa 16*" q "(%[wk]), %%xmm0\n\tpaddd %%xmm" w ", %%xmm0\n\t"
#define FIRST(q, w, s, t)                                                                          \
	"movdqu 16*" q "(%[block]), %%xmm" w "\n\t"                                                \
	"pshufb %%xmm15, %%xmm" w "\n\t" WITH_K(q, w) FOUR_ROUNDS(s, t)
#define NEXT(q, w, c, s, t)                                                                        \
	"movdqa %%xmm15, %%xmm" c "\n\t"                                                           \
	"palignr $4, %%xmm15, %%xmm" c "\n\t"                                                      \
	"sha256msg1 %%xmm15, %%xmm" w "\n\t"                                                       \
	"paddd %%xmm" c ", %%xmm" w "\n\t"                                                         \
	"sha256msg2 %%xmm15, %%xmm" w "\n\t" WITH_K(q, w) FOUR_ROUNDS(s, t)

// clang-format off
#define COMPRESS_SAME                                                                              \
	LOAD                                                                                       \
	SAME("0", "1", "2")  SAME("1", "3", "4")  SAME("2", "5", "6")   SAME("3", "7", "8")        \
	SAME("4", "1", "2")  SAME("5", "3", "4")  SAME("6", "5", "6")   SAME("7", "7", "8")        \
	SAME("8", "1", "2")  SAME("9", "3", "4")  SAME("10", "5", "6")  SAME("11", "7", "8")       \
	SAME("12", "1", "2") SAME("13", "3", "4") SAME("14", "5", "6")  SAME("15", "7", "8")       \
	ADD
#define COMPRESS_EACH                                                                              \
	LOAD                                                                                       \
	FIRST("0", "7", "1", "2")         FIRST("1", "8", "3", "4")                                \
	FIRST("2", "9", "5", "6")         FIRST("3", "10", "1", "2")                               \
	NEXT("4", "7", "11", "3", "4")    NEXT("5", "8", "11", "5", "6")                           \
	NEXT("6", "9", "11", "1", "2")    NEXT("7", "10", "11", "3", "4")                          \
	NEXT("8", "7", "11", "5", "6")    NEXT("9", "8", "11", "1", "2")                           \
	NEXT("10", "9", "11", "3", "4")   NEXT("11", "10", "11", "5", "6")                         \
	NEXT("12", "7", "11", "1", "2")   NEXT("13", "8", "11", "3", "4")                          \
	NEXT("14", "9", "11", "5", "6")   NEXT("15", "10", "11", "1", "2")                         \
	ADD
// clang-format on

#define CLOBBERS                                                                                   \
	"memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",  \
		"xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"

void floor_same(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		__asm__ volatile(COMPRESS_SAME
				 :
				 : [state] "r"(data.state[i % STATES]), [wk] "r"(data.wk)
				 : CLOBBERS);
}

void floor_each(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		__asm__ volatile(COMPRESS_EACH
				 :
				 : [state] "r"(data.state[i % STATES]), [wk] "r"(data.wk),
				   [block] "r"(data.block)
				 : CLOBBERS);
}

bool floor_usable(void)
{
	unsigned a, b, c, d;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSSE3))
		return false;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}

#else

bool floor_usable(void)
{
	return false;
}

void floor_same(unsigned n)
{
	(void)n;
}

void floor_each(unsigned n)
{
	(void)n;
}

#endif
