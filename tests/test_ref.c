#include <criterion/criterion.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/ref.h"
#include "tests/kit/random.h"

Test(ref, is_a_permutation_and_its_inverse)
{
	struct random random = random_start();
	uint8_t secret[REF_SECRET];
	struct ref_key key;

	random_fill(&random, secret, sizeof(secret));
	ref_key_init(sha256_best(), &key, secret);
	for (uint32_t i = 0; i < 300000; i++) {
		uint32_t place = i < 100000 ? i : (uint32_t)random_next(&random);

		cr_assert_eq(ref_to_place(&key, ref_of_place(&key, place)), place,
			     "place %u, seed %#" PRIx64, place, random.seed);
	}
	cr_assert_eq(ref_to_place(&key, ref_of_place(&key, UINT32_MAX)), UINT32_MAX);
}

// Places of one target's two pushes must not be linkable: two secrets agree no more than chance.
Test(ref, secrets_give_unrelated_refs)
{
	uint8_t a[REF_SECRET] = {1}, b[REF_SECRET] = {2};
	struct ref_key ka, kb;
	unsigned same = 0, ascending = 0;

	ref_key_init(sha256_best(), &ka, a);
	ref_key_init(sha256_best(), &kb, b);
	for (uint32_t place = 0; place < 65536; place++) {
		same += (ref_of_place(&ka, place) ^ ref_of_place(&kb, place)) >> 16 == 0;
		ascending += ref_of_place(&ka, place) < ref_of_place(&ka, place + 1);
	}
	cr_assert_lt(same, 20);
	cr_assert(ascending > 32000 && ascending < 33600, "%u of 65536 ascend", ascending);
}

typedef void groups(const struct ref_key *key, const uint32_t from[], unsigned n, uint32_t to[],
		    bool back);

enum { MANY = 150 };

static void check_groups(groups *all, const char *name)
{
	uint8_t secret[REF_SECRET] = "a burst's secret";
	uint32_t place[MANY], ref[MANY], back[MANY];
	struct ref_key key;

	ref_key_init(sha256_best(), &key, secret);
	for (unsigned i = 0; i < MANY; i++)
		place[i] = i * 0x01234567 + (i & 1);
	for (unsigned n = 0; n <= MANY; n++) {
		memset(ref, 0xa5, sizeof(ref));
		all(&key, place, n, ref, false);
		for (unsigned i = 0; i < n; i++)
			cr_assert_eq(ref[i], ref_of_place(&key, place[i]), "%s: %u of %u", name, i,
				     n);
		cr_assert(n == MANY || ref[n] == 0xa5a5a5a5);
		memset(back, 0xa5, sizeof(back));
		all(&key, ref, n, back, true);
		cr_assert_arr_eq(back, place, n * sizeof(place[0]));
		cr_assert(n == MANY || back[n] == 0xa5a5a5a5);
		all(&key, ref, n, ref, true); // where they are
		cr_assert_arr_eq(ref, place, n * sizeof(place[0]));
	}
}

static void as_called(const struct ref_key *key, const uint32_t from[], unsigned n, uint32_t to[],
		      bool back)
{
	(back ? ref_to_places : ref_of_places)(key, from, n, to);
}

#define TARGET
#define LANES  4
#define GROUPS groups_plain
#include "dataplane/ref_lanes.h"

#ifdef __x86_64__
#define TARGET __attribute__((target("avx2")))
#define LANES  8
#define GROUPS groups_avx2
#include "dataplane/ref_lanes.h"
#endif

// In the width that this CPU has, and in those of others.
Test(ref, many_places_are_as_one_by_one)
{
	check_groups(as_called, "as called");
	check_groups(groups_plain, "plain");
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2"))
		check_groups(groups_avx2, "avx2");
#endif
}

// Sixteen bits of output each, over consecutive places: every value of either half about equally
// often.
Test(ref, halves_are_spread)
{
	static unsigned high[256], low[256];
	uint8_t secret[REF_SECRET] = "another secret";
	struct ref_key key;

	ref_key_init(sha256_best(), &key, secret);
	for (uint32_t place = 0; place < 1 << 18; place++) {
		uint32_t ref = ref_of_place(&key, place);

		high[ref >> 24]++;
		low[ref & 255]++;
	}
	for (unsigned i = 0; i < 256; i++) {
		cr_assert(high[i] > 850 && high[i] < 1200, "high octet %u: %u of 1024", i, high[i]);
		cr_assert(low[i] > 850 && low[i] < 1200, "low octet %u: %u of 1024", i, low[i]);
	}
}
