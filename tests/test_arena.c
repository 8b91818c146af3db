// Arenas: memory handed out from the front, and an end that touches nothing that was not used.

#include <criterion/criterion.h>
#include <sys/resource.h>

#include "base/arena.h"

enum { MIB = 1 << 20 };

static void opened(struct arena *arena, size_t size, enum arena_pages pages)
{
	const int status = arena_init(arena, size, pages);

	cr_assert_eq(status, 0, "%d", status);
}

Test(arena, hands_out_until_it_is_used_up)
{
	struct arena arena;
	uint8_t *a, *b;

	opened(&arena, 2 * MIB, ARENA_PAGES_SMALL);
	a = arena_take(&arena, 100, 1);
	b = arena_take(&arena, MIB, 64);
	cr_assert(a && b && b >= a + 100 && (uintptr_t)b % 64 == 0);
	for (unsigned i = 0; i < MIB; i++)
		cr_assert_eq(b[i], 0);
	cr_assert_null(arena_take(&arena, MIB, 1));
	cr_assert_null(arena_take(&arena, SIZE_MAX, 1));
	cr_assert_not_null(arena_take(&arena, MIB - 1024, 1));
	arena_fini(&arena);
	arena_fini(&arena); // nothing is left to give back
}

static long resident_max_kib(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

Test(arena, its_end_takes_no_memory)
{
	enum { SIZE = 1024 * MIB, MUCH_KIB = 64 * 1024 };
	const enum arena_pages pages[] = {ARENA_PAGES_SMALL, ARENA_PAGES_HUGE};
	const long before = resident_max_kib();

	for (unsigned i = 0; i < 2; i++) {
		struct arena arena;
		uint8_t *all;

		opened(&arena, SIZE, pages[i]);
		all = arena_take(&arena, SIZE, 1);
		all[0] = all[SIZE / 2] = all[SIZE - 1] = 1;
		arena_fini(&arena);
	}
	cr_assert_lt(resident_max_kib() - before, MUCH_KIB);
}
