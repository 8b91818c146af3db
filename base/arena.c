#include "base/arena.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"

enum { HUGE_PAGE = 2 << 20, PAGE_MIN = 4096 };

static void *map(size_t size, int flags)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1,
		       0);

	return p == MAP_FAILED ? NULL : p;
}

// A mapping whose start is a multiple of 2 MiB, so that transparent pages can cover it.
static void *map_aligned(size_t size)
{
	uint8_t *p = map(size + HUGE_PAGE, MAP_NORESERVE);
	size_t head;

	if (!p)
		return NULL;
	head = -(uintptr_t)p & (HUGE_PAGE - 1);
	if (head)
		munmap(p, head);
	munmap(p + head + size, HUGE_PAGE - head);
	return p + head;
}

// Whether the kernel makes huge pages of what was advised: it takes the advice in any case.
static bool is_transparent(void)
{
	FILE *const file = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "re");
	char text[64] = "";

	if (!file)
		return false;
	if (!fgets(text, sizeof(text), file))
		text[0] = 0;
	fclose(file);
	return strstr(text, "[always]") || strstr(text, "[madvise]");
}

static void *map_huge(size_t size, enum arena_pages *pages)
{
	void *p = map(size, MAP_HUGETLB);

	*pages = ARENA_PAGES_HUGE;
	if (p)
		return p;
	p = map_aligned(size);
	*pages = p && !madvise(p, size, MADV_HUGEPAGE) && is_transparent() ? ARENA_PAGES_TRANSPARENT
									   : ARENA_PAGES_SMALL;
	return p;
}

int arena_init(struct arena *arena, size_t size, enum arena_pages pages)
{
	size = (size + HUGE_PAGE - 1) & ~(size_t)(HUGE_PAGE - 1);
	arena->pages = ARENA_PAGES_SMALL;
	arena->base = pages == ARENA_PAGES_HUGE ? map_huge(size, &arena->pages)
						: map(size, MAP_NORESERVE);
	if (!arena->base)
		return -ENOMEM;
	arena->size = size;
	arena->used = 0;
	madvise(arena->base, size, MADV_DONTDUMP);
	madvise(arena->base, size, MADV_DONTFORK);
	if (mlock2(arena->base, size, MLOCK_ONFAULT)) {
		munmap(arena->base, size);
		return -EPERM;
	}
	return 0;
}

// Pages that were never touched hold nothing, and a wipe would make them: a table sized for fifty
// million of which a thousand are used would take all of its memory when it ends.
static void wipe_touched(const struct arena *arena)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char touched[HUGE_PAGE / PAGE_MIN];

	for (size_t at = 0; at < arena->used; at += HUGE_PAGE) {
		if (mincore(arena->base + at, HUGE_PAGE, touched))
			memset(touched, 1, sizeof(touched));
		for (size_t i = 0; i < HUGE_PAGE / page; i++) {
			if (touched[i] & 1)
				mem_wipe(arena->base + at + i * page, page);
		}
	}
}

void arena_fini(struct arena *arena)
{
	if (!arena->base)
		return;
	wipe_touched(arena);
	munmap(arena->base, arena->size);
	*arena = (struct arena){0};
}

void *arena_take(struct arena *arena, size_t n, size_t align)
{
	size_t at = (arena->used + align - 1) & ~(align - 1);

	assert(align && !(align & (align - 1)));
	if (at > arena->size || n > arena->size - at)
		return NULL;
	arena->used = at + n;
	return arena->base + at;
}
