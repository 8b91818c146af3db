// SHA-256 with the ARMv8 instructions: sha256h and sha256h2 take some four cycles to answer, and
// the next four rounds wait for both. How many states side by side are best was not measured. Data
// never decides a branch or an address.

#include <arm_neon.h>
#include <sys/auxv.h>

enum { LANES = 1, WAYS = 4, SIDE_BY_SIDE = 4 };

#include "crypto/sha256_rows.h"

typedef uint32x4_t vec;

INLINE vec quad_load(const void *p)
{
	return vld1q_u32(p);
}

INLINE void quad_store(void *p, vec v)
{
	vst1q_u32(p, v);
}

INLINE vec every(uint32_t word)
{
	return vdupq_n_u32(word);
}

INLINE vec swap_octets(vec v)
{
	return vreinterpretq_u32_u8(vrev32q_u8(vreinterpretq_u8_u32(v)));
}

INLINE vec plus(vec a, vec b)
{
	return vaddq_u32(a, b);
}

// In the state's own order.
struct halves {
	vec abcd;
	vec efgh;
};

INLINE struct halves halves_of(const vec state[2])
{
	return (struct halves){.abcd = state[0], .efgh = state[1]};
}

INLINE void halves_add(vec state[2], struct halves s)
{
	state[0] = plus(state[0], s.abcd);
	state[1] = plus(state[1], s.efgh);
}

INLINE void four_rounds(struct halves s[], const vec wk[], unsigned ways)
{
	EACH_WAY(i)
	{
		const vec abcd = s[i].abcd;

		s[i].abcd = vsha256hq_u32(abcd, s[i].efgh, wk[i]);
		s[i].efgh = vsha256h2q_u32(s[i].efgh, abcd, wk[i]);
	}
}

INLINE vec next_quad(const vec w[4], unsigned oldest)
{
	const vec w16 = w[oldest], w12 = w[(oldest + 1) % 4];
	const vec w8 = w[(oldest + 2) % 4], w4 = w[(oldest + 3) % 4];

	return vsha256su1q_u32(vsha256su0q_u32(w16, w12), w8, w4);
}

#include "crypto/sha256_streams.h" // stands on what is defined above

static bool usable(void)
{
	return getauxval(AT_HWCAP) & HWCAP_SHA2;
}

const struct sha256_ops sha256_armv8 = {
	.name = "armv8",
	.lanes = GROUP,
	.usable = usable,
	.compress_same = compress_same,
	.compress_each = compress_each,
	.compress_half = compress_half,
	.hmac_pads = run_pads,
	.hmac_keys = run_keys,
	.hmac_chain = run_chain,
};
