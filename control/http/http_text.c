#include "control/http/http_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

void text_init(struct text *text)
{
	text->blocks = NULL;
	text->used = 0;
}

void text_fini(struct text *text)
{
	mem_wipe(text->inline_, text->used);
	while (text->blocks != NULL) {
		struct text_block *block = text->blocks;

		text->blocks = block->next;
		mem_wipe(block->octets, block->used);
		free(block);
	}
	text->used = 0;
}

static struct text_block *block_add(struct text *text, size_t n)
{
	size_t size = n > TEXT_BLOCK ? n : TEXT_BLOCK;
	struct text_block *block;

	if (n > SIZE_MAX - sizeof(*block))
		return NULL;
	block = malloc(sizeof(*block) + size);
	if (block == NULL)
		return NULL;
	block->size = size;
	block->used = 0;
	block->next = text->blocks;
	text->blocks = block;
	return block;
}

char *text_take(struct text *text, size_t n)
{
	struct text_block *block = text->blocks;
	char *at;

	if (n <= sizeof(text->inline_) - text->used) {
		at = text->inline_ + text->used;
		text->used += n;
		return at;
	}
	if (block == NULL || n > block->size - block->used)
		block = block_add(text, n);
	if (block == NULL)
		return NULL;
	at = block->octets + block->used;
	block->used += n;
	return at;
}

char *text_copy(struct text *text, const void *octets, size_t n)
{
	char *copy = n < SIZE_MAX ? text_take(text, n + 1) : NULL;

	if (copy == NULL)
		return NULL;
	memcpy(copy, octets, n);
	copy[n] = '\0';
	return copy;
}
