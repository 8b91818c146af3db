// The floor of AES-128-GCM by VAES and VPCLMULQDQ on 512-bit registers: four messages in each.

#include <cpuid.h>

enum { LANES = 4 };

#define REG(n)   "%%zmm" #n
#define MOVE     "vmovdqu64"
#define PXOR     "vpxorq"
#define XOR3(d)  "vpternlogq $0x96, " REG(3) OF_ONE(d)
#define ORDER(d) "vshufi64x2 $0x44, " REG(3) OF_ONE(d) "vpshufb " REG(3) OF_ONE(d)

#include "bench/floor_aead.h" // stands on what is defined above

static bool usable(void)
{
	unsigned a, b, c, d;

	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	       __get_cpuid_count(7, 0, &a, &b, &c, &d) && (c & bit_VAES) && (c & bit_VPCLMULQDQ);
}

const struct aead_floor aead_floor_vaes512 = {.name = "vaes512", .usable = usable, .run = run};
