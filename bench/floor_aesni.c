// The floor of AES-128-GCM by AES-NI and PCLMULQDQ, one message at a time; with AVX's encoding,
// which spares the copies.

#include <cpuid.h>

enum { LANES = 1 };

#define REG(n)   "%%xmm" #n
#define MOVE     "vmovdqu"
#define PXOR     "vpxor"
#define XOR3(d)  XOR(d) XOR(d)
#define ORDER(d) BYTES(d)

#include "bench/floor_aead.h" // stands on what is defined above

static bool usable(void)
{
	unsigned a, b, c, d;

	return __builtin_cpu_supports("avx") && __get_cpuid(1, &a, &b, &c, &d) && (c & bit_AES) &&
	       (c & bit_PCLMUL);
}

const struct aead_floor aead_floor_aesni = {.name = "aesni", .usable = usable, .run = run};
