#include "tools/fleet/deliveries.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY_FIRST = 256 };

// The random part of a push_id is hash enough; what an attacker sends never comes here.
static uint64_t hash(const uint8_t push_id[DELIVERIES_PUSH_ID], uint16_t af)
{
	uint64_t a, b;

	memcpy(&a, push_id, 8);
	memcpy(&b, push_id + 8, 8);
	a = (a ^ b ^ af) * 0x9e3779b97f4a7c15;
	return a ^ a >> 32;
}

static void table_put(struct deliveries *d, uint64_t i)
{
	const uint64_t mask = 2 * d->capacity - 1;
	uint64_t at = hash(d->pushes[i].push_id, d->pushes[i].af) & mask;

	while (d->table[at])
		at = (at + 1) & mask;
	d->table[at] = (uint32_t)i + 1;
}

static int grow(struct deliveries *d)
{
	uint64_t capacity = d->capacity ? 2 * d->capacity : CAPACITY_FIRST;
	struct delivery *pushes = realloc(d->pushes, capacity * sizeof(*pushes));
	uint32_t *table;

	if (!pushes)
		return -ENOMEM;
	d->pushes = pushes;
	table = calloc(2 * capacity, sizeof(*table));
	if (!table)
		return -ENOMEM;
	free(d->table);
	d->table = table;
	d->capacity = capacity;
	for (uint64_t i = 0; i < d->n; i++)
		table_put(d, i);
	return 0;
}

int deliveries_init(struct deliveries *d, uint64_t n_ues, uint64_t expect)
{
	*d = (struct deliveries){.n_ues = n_ues, .expect = expect};
	pthread_mutex_init(&d->lock, NULL);
	return grow(d);
}

void deliveries_fini(struct deliveries *d)
{
	for (uint64_t i = 0; i < d->n; i++)
		free(d->pushes[i].bits);
	free(d->pushes);
	free(d->table);
	pthread_mutex_destroy(&d->lock);
}

static struct delivery *find(struct deliveries *d, const uint8_t push_id[DELIVERIES_PUSH_ID],
			     uint16_t af)
{
	const uint64_t mask = 2 * d->capacity - 1;

	for (uint64_t at = hash(push_id, af) & mask; d->table[at]; at = (at + 1) & mask) {
		struct delivery *push = &d->pushes[d->table[at] - 1];

		if (push->af == af && memcmp(push->push_id, push_id, DELIVERIES_PUSH_ID) == 0)
			return push;
	}
	return NULL;
}

static struct delivery *put(struct deliveries *d, const uint8_t push_id[DELIVERIES_PUSH_ID],
			    uint16_t af, uint64_t ue)
{
	struct delivery *push;

	if (d->n == d->capacity && grow(d))
		return NULL;
	push = &d->pushes[d->n];
	*push = (struct delivery){.af = af, .first_ue = ue};
	memcpy(push->push_id, push_id, DELIVERIES_PUSH_ID);
	table_put(d, d->n++);
	return push;
}

static bool test_and_set(struct delivery *push, uint64_t ue)
{
	uint64_t bit = (uint64_t)1 << ue % 64, before = push->bits[ue / 64];

	push->bits[ue / 64] |= bit;
	return before & bit;
}

// 0 for a UE that did not have it, 1 for one that had, -ENOMEM.
static int mark(struct deliveries *d, struct delivery *push, uint64_t ue)
{
	if (push->distinct == 0)
		return 0;
	if (!push->bits && ue == push->first_ue)
		return 1;
	if (!push->bits) {
		push->bits = calloc(d->n_ues / 64 + 1, sizeof(*push->bits));
		if (!push->bits)
			return -ENOMEM;
		test_and_set(push, push->first_ue);
	}
	return test_and_set(push, ue);
}

static int add(struct deliveries *d, const uint8_t push_id[DELIVERIES_PUSH_ID], uint16_t af,
	       uint64_t ue)
{
	struct delivery *push = find(d, push_id, af);
	int r;

	if (!push)
		push = put(d, push_id, af, ue);
	if (!push)
		return -ENOMEM;
	r = mark(d, push, ue);
	if (r < 0)
		return r;
	if (r) {
		push->again++;
		d->again++;
		return 1;
	}
	d->distinct++;
	d->complete += ++push->distinct == d->expect;
	return 0;
}

int deliveries_add(struct deliveries *d, const uint8_t push_id[DELIVERIES_PUSH_ID], uint16_t af,
		   uint64_t ue)
{
	int r;

	assert(ue < d->n_ues);
	pthread_mutex_lock(&d->lock);
	r = add(d, push_id, af, ue);
	pthread_mutex_unlock(&d->lock);
	return r;
}

struct deliveries_sums deliveries_sums(struct deliveries *d)
{
	struct deliveries_sums sums;

	pthread_mutex_lock(&d->lock);
	sums = (struct deliveries_sums){d->n, d->distinct, d->again, d->complete};
	pthread_mutex_unlock(&d->lock);
	return sums;
}

bool deliveries_latest(struct deliveries *d, uint64_t i, struct delivery *push)
{
	bool is_there;

	pthread_mutex_lock(&d->lock);
	is_there = i < d->n;
	if (is_there)
		*push = d->pushes[d->n - 1 - i];
	pthread_mutex_unlock(&d->lock);
	return is_there;
}
