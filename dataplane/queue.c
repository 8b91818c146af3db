#include "dataplane/queue.h"

#include <assert.h>
#include <stddef.h>

void line_init(struct line *line)
{
	*line = (struct line){NULL, &line->first};
}

void line_put(struct line *line, struct part *part)
{
	assert(!part->line);
	part->line = line;
	part->line_next = NULL;
	part->line_prev = line->last;
	*line->last = part;
	line->last = &part->line_next;
}

void line_del(struct part *part)
{
	if (!part->line)
		return;
	*part->line_prev = part->line_next;
	if (part->line_next)
		part->line_next->line_prev = part->line_prev;
	else
		part->line->last = part->line_prev;
	part->line = NULL;
}

static void set(struct due *due, uint32_t at, struct part *part)
{
	due->heap[at] = part;
	part->due_index = at;
}

static void sift_up(struct due *due, uint32_t at, struct part *part)
{
	for (; at; at = (at - 1) / 2) {
		struct part *parent = due->heap[(at - 1) / 2];

		if (parent->due_ns <= part->due_ns)
			break;
		set(due, at, parent);
	}
	set(due, at, part);
}

static void sift_down(struct due *due, uint32_t at, struct part *part)
{
	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child >= due->n)
			break;
		if (child + 1 < due->n && due->heap[child + 1]->due_ns < due->heap[child]->due_ns)
			child++;
		if (part->due_ns <= due->heap[child]->due_ns)
			break;
		set(due, at, due->heap[child]);
		at = child;
	}
	set(due, at, part);
}

void due_put(struct due *due, struct part *part, uint64_t due_ns)
{
	due_del(due, part);
	part->due_ns = due_ns;
	sift_up(due, due->n++, part);
}

void due_del(struct due *due, struct part *part)
{
	uint32_t at = part->due_index;
	struct part *last;

	if (at == UINT32_MAX)
		return;
	part->due_index = UINT32_MAX;
	last = due->heap[--due->n];
	if (last == part)
		return;
	sift_up(due, at, last);
	sift_down(due, last->due_index, last);
}

struct part *due_take(struct due *due, uint64_t now_ns)
{
	struct part *part = due->n ? due->heap[0] : NULL;

	if (!part || part->due_ns > now_ns)
		return NULL;
	due_del(due, part);
	return part;
}

uint64_t due_first_ns(const struct due *due)
{
	return due->n ? due->heap[0]->due_ns : UINT64_MAX;
}
