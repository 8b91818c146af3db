#include "control/json/json_memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

#include <jansson.h>

#include "base/bytes.h"

enum { STACK_SIZE = 16384, ALIGN = _Alignof(max_align_t) };

// The pieces of a document come and go together, and most documents are small: they are cut from
// the front of a stack of the thread, which is wiped and empty again when the last piece is given
// back. What does not fit comes from malloc. A document belongs to the thread that made it.
static _Thread_local struct {
	_Alignas(ALIGN) uint8_t octets[STACK_SIZE];
	size_t used;
	unsigned pieces;
} stack;

// In front of each piece from malloc, so that freeing knows how much there is to wipe.
struct piece {
	_Alignas(ALIGN) size_t size;
};

static void *take_from_stack(size_t size)
{
	void *memory = stack.octets + stack.used;

	stack.used += (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	stack.pieces++;
	return memory;
}

static void *take(size_t size)
{
	struct piece *piece;

	if (size <= STACK_SIZE - ALIGN && stack.used <= STACK_SIZE - ALIGN - size)
		return take_from_stack(size);
	if (size > SIZE_MAX - sizeof(*piece))
		return NULL;
	piece = malloc(sizeof(*piece) + size);
	if (piece == NULL)
		return NULL;
	piece->size = size;
	return piece + 1;
}

static bool is_on_stack(const void *memory)
{
	return (uintptr_t)memory - (uintptr_t)stack.octets < STACK_SIZE;
}

static void give_to_stack(void)
{
	if (--stack.pieces)
		return;
	mem_wipe(stack.octets, stack.used);
	stack.used = 0;
}

static void give(void *memory)
{
	struct piece *piece;

	if (memory == NULL)
		return;
	if (is_on_stack(memory)) {
		give_to_stack();
		return;
	}
	piece = (struct piece *)memory - 1;
	mem_wipe(memory, piece->size);
	free(piece);
}

static void set(void)
{
	json_set_alloc_funcs(take, give);
}

void json_memory_init(void)
{
	static once_flag once = ONCE_FLAG_INIT;

	call_once(&once, set);
}
