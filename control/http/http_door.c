#include "control/http/http_door.h"

#include <stdlib.h>

struct door_block {
	struct door_block *next;
};

struct door *door_new(const struct http_limits *limits)
{
	struct door *door = calloc(1, sizeof(*door));

	if (door == NULL)
		return NULL;
	door->limits = *limits;
	TAILQ_INIT(&door->arriving);
	TAILQ_INIT(&door->leaving);
	return door;
}

static void door_free_if_empty(struct door *door)
{
	struct door_block *block;

	if (!door->closed || door->n_exchanges > 0)
		return;
	while ((block = door->pool) != NULL) {
		door->pool = block->next;
		free(block);
	}
	free(door);
}

void door_close(struct door *door)
{
	door->closed = true;
	door_free_if_empty(door);
}

void *door_take(struct door *door, size_t size)
{
	struct door_block *block = door->pool;

	// Beyond `requests` there is still a 503 to say, but not without end.
	if (door->n_exchanges / 2 >= door->limits.requests)
		return NULL;
	if (block != NULL) {
		door->pool = block->next;
		door->n_pool--;
	} else {
		block = malloc(size);
	}
	door->n_exchanges += block != NULL;
	return block;
}

void door_give(struct door *door, void *memory)
{
	struct door_block *block = memory;

	door->n_exchanges--;
	if (door->n_pool < DOOR_POOL) {
		block->next = door->pool;
		door->pool = block;
		door->n_pool++;
	} else {
		free(block);
	}
	door_free_if_empty(door);
}
