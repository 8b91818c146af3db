#include "tools/waiting.h"

#include <assert.h>
#include <stdlib.h>

static void swap(struct waiting_item *a, struct waiting_item *b)
{
	struct waiting_item t = *a;

	*a = *b;
	*b = t;
}

bool waiting_put(struct waiting *w, const struct waiting_item *item)
{
	size_t i = w->n;

	if (w->n == w->capacity) {
		size_t capacity = w->capacity ? 2 * w->capacity : 64;
		void *items = realloc(w->items, capacity * sizeof(*w->items));

		if (!items)
			return false;
		w->items = items;
		w->capacity = capacity;
	}
	w->items[w->n++] = *item;
	for (; i && w->items[i].due_ns < w->items[(i - 1) / 2].due_ns; i = (i - 1) / 2)
		swap(&w->items[i], &w->items[(i - 1) / 2]);
	return true;
}

const struct waiting_item *waiting_first(const struct waiting *w)
{
	return w->n ? &w->items[0] : NULL;
}

struct waiting_item waiting_take(struct waiting *w)
{
	struct waiting_item first = w->items[0];
	size_t i = 0;

	assert(w->n);
	w->items[0] = w->items[--w->n];
	for (;;) {
		size_t least = i, left = 2 * i + 1, right = left + 1;

		if (left < w->n && w->items[left].due_ns < w->items[least].due_ns)
			least = left;
		if (right < w->n && w->items[right].due_ns < w->items[least].due_ns)
			least = right;
		if (least == i)
			return first;
		swap(&w->items[i], &w->items[least]);
		i = least;
	}
}

void waiting_fini(struct waiting *w)
{
	free(w->items);
}
