// The cache of K_AFs against a naive twin: what it finds is what was put last for this AF and
// handle since the AF is hot and the UE has its key, or nothing.

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/kaf_cache.h"
#include "tests/kit/random.h"

enum { AFS = 20, HANDLES = 3000, STEPS = 60000 };

struct twin {
	bool hot[AFS];
	bool has[AFS][HANDLES];
	uint32_t value[AFS][HANDLES];
};

struct bench {
	struct arena arena;
	struct kaf_cache cache;
};

static void bench_open(struct bench *b, uint64_t octets, unsigned n_workers, unsigned worker)
{
	cr_assert_eq(arena_init(&b->arena, kaf_cache_size(octets, n_workers), ARENA_PAGES_SMALL),
		     0);
	cr_assert_eq(kaf_cache_init(&b->cache, octets, n_workers, worker, &b->arena), 0);
}

static void put(struct bench *b, int slot, uint32_t handle, uint32_t value)
{
	struct hmac_key kaf;

	memset(&kaf, 0, sizeof(kaf));
	kaf.inner[0] = value;
	kaf.outer[7] = ~value;
	kaf_cache_put(&b->cache, slot, handle, &kaf);
}

static unsigned n_hot(const struct twin *t)
{
	unsigned n = 0;

	for (unsigned af = 0; af < AFS; af++)
		n += t->hot[af];
	return n;
}

// Found: then it is right. Returns whether it was found.
static bool find(const struct bench *b, const struct twin *t, unsigned af, uint32_t handle)
{
	const int slot = kaf_cache_slot(&b->cache, af);
	const struct hmac_key *kaf;

	cr_assert_eq(slot >= 0, t->hot[af]);
	kaf = slot < 0 ? NULL : kaf_cache_find(&b->cache, slot, handle);
	if (!kaf)
		return false;
	cr_assert(t->has[af][handle], "AF %u, handle %u", af, handle);
	cr_assert_eq(kaf->inner[0], t->value[af][handle]);
	cr_assert_eq(kaf->outer[7], ~t->value[af][handle]);
	return true;
}

static void set_hot(struct bench *b, struct twin *t, unsigned af, bool hot)
{
	const bool room = t->hot[af] || n_hot(t) < KAF_CACHE_AFS;

	cr_assert_eq(kaf_cache_set_hot(&b->cache, af, hot), !hot || room);
	t->hot[af] = hot && room;
	memset(t->has[af], 0, sizeof(t->has[af]));
}

static uint32_t some_handle(struct random *random, unsigned n_workers, unsigned worker)
{
	uint32_t handle;

	do {
		handle = random_next(random) % HANDLES;
	} while (context_slot(handle) % n_workers != worker);
	return handle;
}

static void step(struct bench *b, struct twin *t, struct random *random, unsigned n_workers,
		 unsigned worker)
{
	const unsigned af = random_next(random) % AFS, what = random_next(random) % 1000;
	const uint32_t handle = some_handle(random, n_workers, worker);
	const int slot = kaf_cache_slot(&b->cache, af);

	if (what < 4) {
		set_hot(b, t, af, what < 3);
	} else if (what < 100) {
		kaf_cache_drop(&b->cache, handle);
		for (unsigned i = 0; i < AFS; i++)
			t->has[i][handle] = false;
	} else if (what < 500 && slot >= 0) {
		t->value[af][handle] = random_next(random);
		t->has[af][handle] = true;
		put(b, slot, handle, t->value[af][handle]);
		cr_assert(find(b, t, af, handle), "what was put last is there");
	} else {
		find(b, t, af, handle);
	}
}

Test(kaf_cache, equals_the_naive_twin)
{
	static const uint64_t sizes[] = {72, 5000, 100000, 8 << 20};
	struct random random = random_start();
	struct twin *const t = malloc(sizeof(*t));

	for (unsigned i = 0; i < 4; i++) {
		const unsigned n_workers = 1 + i, worker = i;
		struct bench b;

		memset(t, 0, sizeof(*t));
		bench_open(&b, sizes[i] * n_workers, n_workers, worker);
		for (unsigned k = 0; k < STEPS; k++)
			step(&b, t, &random, n_workers, worker);
		arena_fini(&b.arena);
	}
	free(t);
}

// With room for all, an AF's UEs do not push one another out; nor do those of a second AF.
Test(kaf_cache, has_a_place_for_each)
{
	struct twin *const t = calloc(1, sizeof(*t));
	struct bench b;

	bench_open(&b, 2 * 4096 * 72, 1, 0);
	for (unsigned af = 0; af < 2; af++) {
		set_hot(&b, t, af, true);
		for (uint32_t handle = 0; handle < 2048; handle++) {
			t->has[af][handle] = true;
			t->value[af][handle] = af << 16 | handle;
			put(&b, kaf_cache_slot(&b.cache, af), handle, t->value[af][handle]);
		}
	}
	for (unsigned af = 0; af < 2; af++) {
		for (uint32_t handle = 0; handle < 2048; handle++)
			cr_assert(find(&b, t, af, handle), "AF %u, handle %u", af, handle);
	}
	arena_fini(&b.arena);
	free(t);
}

// The secret itself is gone, not only its name: also of an AF that is not hot any more.
Test(kaf_cache, drop_wipes)
{
	struct bench b;

	bench_open(&b, 1 << 20, 1, 0);
	cr_assert(kaf_cache_set_hot(&b.cache, 3, true));
	put(&b, 0, 77, 0x12345678);
	cr_assert(kaf_cache_set_hot(&b.cache, 3, false));
	kaf_cache_drop(&b.cache, 77);
	for (uint32_t i = 0; i < b.cache.n; i++)
		cr_assert_eq(b.cache.kaf[i].inner[0], 0);
	arena_fini(&b.arena);
}

Test(kaf_cache, no_memory_no_cache)
{
	struct bench b;

	bench_open(&b, 71, 1, 0);
	cr_assert_eq(b.cache.n, 0);
	cr_assert(kaf_cache_set_hot(&b.cache, 0, true));
	kaf_cache_drop(&b.cache, 0);
	arena_fini(&b.arena);
}
