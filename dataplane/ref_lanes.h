// The permutation of ref.h in lanes, WAYS vectors side by side, since one waits for its
// multiplications. Included by ref.c once for each width, which has defined before, and which this
// undefines:
//
//   TARGET  the attribute of functions with the instructions
//   LANES   words of a vector
//   GROUPS  the function's name: n refs of places, or `back`; the arrays may be the same

#define WAYS        4
#define EACH_WAY(w) _Pragma("GCC unroll 4") for (unsigned w = 0; w < WAYS; w++)
#define JOIN(a, b)  a##_##b
#define OF(a, b)    JOIN(a, b)
#define VEC         OF(vec, LANES)
#define MIX_IN      OF(mix_in, LANES)
#define GROUP       OF(group, LANES)

_Static_assert(REF_ROUNDS % 2 == 0, "the halves are in their places after the last round");

typedef uint32_t VEC __attribute__((vector_size(4 * LANES)));

// a ^= what b mixes to.
TARGET static inline void MIX_IN(VEC a[WAYS], const VEC b[WAYS], uint32_t round)
{
	EACH_WAY(w)
	{
		VEC x = b[w] * 0x9e3779b1 + round;

		x = (x ^ x >> 16) * 0x85ebca6b;
		x = (x ^ x >> 13) * 0xc2b2ae35;
		a[w] ^= x >> 16;
	}
}

TARGET static inline void GROUP(const struct ref_key *key, uint32_t of[WAYS * LANES], bool back)
{
	VEC x[WAYS], left[WAYS], right[WAYS];

	memcpy(x, of, sizeof(x));
	EACH_WAY(w)
	{
		left[w] = x[w] >> 16;
		right[w] = x[w] & 0xffff;
	}
	// In two rounds the halves change places twice.
	for (unsigned i = 0; i < REF_ROUNDS; i += 2) {
		if (back) {
			MIX_IN(right, left, key->round[REF_ROUNDS - 1 - i]);
			MIX_IN(left, right, key->round[REF_ROUNDS - 2 - i]);
		} else {
			MIX_IN(left, right, key->round[i]);
			MIX_IN(right, left, key->round[i + 1]);
		}
	}
	EACH_WAY(w)
	x[w] = left[w] << 16 | right[w];
	memcpy(of, x, sizeof(x));
}

TARGET static void GROUPS(const struct ref_key *key, const uint32_t from[], unsigned n,
			  uint32_t to[], bool back)
{
	for (unsigned at = 0; at < n; at += WAYS * LANES) {
		const unsigned count = n - at < WAYS * LANES ? n - at : WAYS * LANES;
		uint32_t of[WAYS * LANES] = {0};

		memcpy(of, from + at, count * sizeof(from[0]));
		GROUP(key, of, back);
		memcpy(to + at, of, count * sizeof(to[0]));
	}
}

#undef TARGET
#undef LANES
#undef GROUPS
#undef WAYS
#undef EACH_WAY
#undef JOIN
#undef OF
#undef VEC
#undef MIX_IN
#undef GROUP
