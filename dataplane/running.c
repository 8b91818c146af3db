#include "dataplane/running.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"

static uint32_t table_slots(uint32_t push_max)
{
	uint32_t n = 64;

	while (n < 2 * push_max)
		n *= 2;
	return n;
}

size_t running_size(uint32_t push_max)
{
	return 2 * (size_t)table_slots(push_max) * sizeof(struct part *) + 128;
}

int running_init(struct running *running, uint32_t push_max, struct arena *arena)
{
	uint32_t n = table_slots(push_max);

	*running = (struct running){.mask = n - 1, .max = push_max};
	running->slots = arena_take(arena, n * sizeof(struct part *), 64);
	running->singles = arena_take(arena, n * sizeof(struct part *), 64);
	return running->slots && running->singles ? 0 : -ENOMEM;
}

// The last octets of a UUIDv7 are random; the multiplication spreads what a sender may choose.
static uint32_t home_of(const struct running *running, const uint8_t push_id[16])
{
	return (uint32_t)((load64_be(push_id + 8) ^ load64_be(push_id)) * 0x9e3779b97f4a7c15 >>
			  32) &
	       running->mask;
}

static uint32_t probe(const struct running *running, const uint8_t push_id[16])
{
	uint32_t at = home_of(running, push_id);

	while (running->slots[at] && memcmp(running->slots[at]->push->push_id, push_id, 16))
		at = (at + 1) & running->mask;
	return at;
}

struct part *running_find(const struct running *running, const uint8_t push_id[16])
{
	return running->slots[probe(running, push_id)];
}

static struct part **single_chain(const struct running *running, uint32_t handle)
{
	return &running->singles[handle * 0x9e3779b1u & running->mask];
}

static void chain_put(struct part **head, struct part *part)
{
	part->chain_next = *head;
	part->chain_prev = head;
	if (*head)
		(*head)->chain_prev = &part->chain_next;
	*head = part;
}

static void chain_del(struct part *part)
{
	*part->chain_prev = part->chain_next;
	if (part->chain_next)
		part->chain_next->chain_prev = part->chain_prev;
}

void running_put(struct running *running, struct part *part)
{
	struct dp_push *push = part->push;
	uint32_t at = probe(running, push->push_id);

	assert(!running->slots[at] && running->n < running->max);
	running->n++;
	running->slots[at] = part;
	chain_put(push_is_single(push) ? single_chain(running, push->handles[0]) : &running->lists,
		  part);
}

void running_del(struct running *running, struct part *part)
{
	uint32_t at = probe(running, part->push->push_id), next = at;

	chain_del(part);
	running->n--;
	for (;;) {
		uint32_t home;

		next = (next + 1) & running->mask;
		if (!running->slots[next])
			break;
		home = home_of(running, running->slots[next]->push->push_id);
		if (((next - home) & running->mask) < ((next - at) & running->mask))
			continue; // it stands between its home and the gap
		running->slots[at] = running->slots[next];
		at = next;
	}
	running->slots[at] = NULL;
}

struct part *running_singles(const struct running *running, uint32_t handle)
{
	return *single_chain(running, handle);
}
