// The floor of SHA-256 by the x86 SHA extensions. Compiled without AVX, as the kernel is: its
// instructions have no VEX encoding.

#include <cpuid.h>
#include <stdint.h>

#include "bench/floor_list.h"

enum { STATES = 256 };

// All that is loaded and stored; small enough for the first cache.
static struct {
	_Alignas(64) uint32_t wk[64];
	_Alignas(64) uint32_t state[STATES][8];
} data;

// Register by register: every instruction names those that it needs, so that none waits. xmm0 is
// W + K, xmm15 is read and never written, and the targets of a kind go round.
#define TURN                                                                                       \
	"movdqu (%[state]), %%xmm13\n\t"                                                           \
	"movdqu 16(%[state]), %%xmm14\n\t"                                                         \
	"movdqa %%xmm14, %%xmm12\n\t"                                                              \
	"punpcklqdq %%xmm13, %%xmm14\n\t"                                                          \
	"punpckhqdq %%xmm13, %%xmm12\n\t"                                                          \
	"pshufd $0xb1, %%xmm14, %%xmm14\n\t"                                                       \
	"pshufd $0xb1, %%xmm12, %%xmm12\n\t"
#define ADD                                                                                        \
	"paddd %%xmm15, %%xmm13\n\t"                                                               \
	"paddd %%xmm15, %%xmm14\n\t"

#define TWO_ROUNDS(s)     "sha256rnds2 %%xmm0, %%xmm15, %%xmm" s "\n\t"
#define FOUR_ROUNDS(s, t) TWO_ROUNDS(s) "pshufd $0x0e, %%xmm0, %%xmm0\n\t" TWO_ROUNDS(t)

#define SAME(q, s, t) "movdqa 16*" q "(%[wk]), %%xmm0\n\t" FOUR_ROUNDS(s, t)

// Quads 0 and 1 are the message's own, 2 and 3 shared, the others from those before; w is the new
// quad, c a copy.
#define WITH_K(q, w)       "movdqa 16*" q "(%[wk]), %%xmm0\n\tpaddd %%xmm" w ", %%xmm0\n\t"
#define OWN(q, w, s, t)    WITH_K(q, w) FOUR_ROUNDS(s, t)
#define SHARED(q, w, s, t) "movdqa 16*" q "(%[wk]), %%xmm" w "\n\t" SAME(q, s, t)
#define MSG1(w)            "sha256msg1 %%xmm15, %%xmm" w "\n\t"
#define NEXT(q, w, c, s, t)                                                                        \
	"movdqa %%xmm15, %%xmm" c "\n\t"                                                           \
	"palignr $4, %%xmm15, %%xmm" c "\n\t"                                                      \
	"paddd %%xmm" c ", %%xmm" w "\n\t"                                                         \
	"sha256msg2 %%xmm15, %%xmm" w "\n\t" WITH_K(q, w) FOUR_ROUNDS(s, t)

// clang-format off
#define COMPRESS_SAME                                                                              \
	SAME("0", "1", "2")  SAME("1", "3", "4")  SAME("2", "5", "6")   SAME("3", "7", "8")        \
	SAME("4", "1", "2")  SAME("5", "3", "4")  SAME("6", "5", "6")   SAME("7", "7", "8")        \
	SAME("8", "1", "2")  SAME("9", "3", "4")  SAME("10", "5", "6")  SAME("11", "7", "8")       \
	SAME("12", "1", "2") SAME("13", "3", "4") SAME("14", "5", "6")  SAME("15", "7", "8")       \
	ADD
#define COMPRESS_HALF                                                                              \
	OWN("0", "7", "1", "2")                 OWN("1", "8", "3", "4")                            \
	SHARED("2", "9", "5", "6")              SHARED("3", "10", "1", "2")                        \
	MSG1("7") NEXT("4", "7", "11", "3", "4")    MSG1("8") NEXT("5", "8", "11", "5", "6")       \
	NEXT("6", "9", "11", "1", "2")              MSG1("10") NEXT("7", "10", "11", "3", "4")     \
	MSG1("7") NEXT("8", "7", "11", "5", "6")    MSG1("8") NEXT("9", "8", "11", "1", "2")       \
	MSG1("9") NEXT("10", "9", "11", "3", "4")   MSG1("10") NEXT("11", "10", "11", "5", "6")    \
	MSG1("7") NEXT("12", "7", "11", "1", "2")   MSG1("8") NEXT("13", "8", "11", "3", "4")      \
	MSG1("9") NEXT("14", "9", "11", "5", "6")   MSG1("10") NEXT("15", "10", "11", "1", "2")    \
	ADD
// clang-format on

#define DO(instructions, at)                                                                       \
	__asm__ volatile(instructions                                                              \
			 :                                                                         \
			 : [state] "r"(data.state[(at) % STATES]), [wk] "r"(data.wk)               \
			 : "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",       \
			   "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",    \
			   "xmm15")

static void run(const struct sha256_work *work, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		for (unsigned k = 0; k < work->turns; k++)
			DO(TURN, i + k);
		for (unsigned k = 0; k < work->same; k++)
			DO(COMPRESS_SAME, i);
		for (unsigned k = 0; k < work->half; k++)
			DO(COMPRESS_HALF, i);
	}
}

static bool usable(void)
{
	unsigned a, b, c, d;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSSE3))
		return false;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}

const struct sha256_floor sha256_floor_shani = {.name = "shani", .usable = usable, .run = run};
