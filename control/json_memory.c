#include "control/json_memory.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

#include <jansson.h>

#include "base/bytes.h"

// In front of each piece, so that freeing knows how much there is to wipe.
struct piece {
	_Alignas(max_align_t) size_t size;
};

static void *take(size_t size)
{
	struct piece *piece;

	if (size > SIZE_MAX - sizeof(*piece))
		return NULL;
	piece = malloc(sizeof(*piece) + size);
	if (piece == NULL)
		return NULL;
	piece->size = size;
	return piece + 1;
}

void json_memory_free(void *memory)
{
	struct piece *piece;

	if (memory == NULL)
		return;
	piece = (struct piece *)memory - 1;
	mem_wipe(memory, piece->size);
	free(piece);
}

static void set(void)
{
	json_set_alloc_funcs(take, json_memory_free);
}

void json_memory_init(void)
{
	static once_flag once = ONCE_FLAG_INIT;

	call_once(&once, set);
}
