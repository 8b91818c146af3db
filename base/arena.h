#pragma once
// Memory for the life of a program: one mapping, handed out from the front, given back as a whole.
// The pages are zero, not dumped, not shared with children, locked as they are touched (a table
// sized for fifty million costs what is used of it), and wiped by arena_fini. Not thread-safe.

#include <stddef.h>
#include <stdint.h>

// What an arena asks for, SMALL or HUGE; and what it got: HUGE, 2 MiB pages that were reserved, or
// TRANSPARENT, those that the kernel makes as memory is touched.
enum arena_pages { ARENA_PAGES_SMALL, ARENA_PAGES_HUGE, ARENA_PAGES_TRANSPARENT };

struct arena {
	uint8_t *base;
	size_t size; // octets mapped
	size_t used;
	enum arena_pages pages;
};

// Maps `size` octets, for ARENA_PAGES_HUGE in the best pages that can be had. Returns 0, -ENOMEM,
// or -EPERM when locking is not permitted (RLIMIT_MEMLOCK).
int arena_init(struct arena *arena, size_t size, enum arena_pages pages);
void arena_fini(struct arena *arena);

// n octets at a multiple of align (a power of two), zero; NULL when the arena is used up.
void *arena_take(struct arena *arena, size_t n, size_t align);
