#include "control/push/push_list.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/registry/record.h"
#include "dataplane/dp.h"

enum { VERSION = 1 };

static_assert((int)PUSH_CHUNK_OCTETS <= 1 << 20, "a chunk is a value of the store");
static_assert(PUSH_CHUNK % 64 == 0 && PUSH_INLINE <= PUSH_CHUNK, "chunks start at whole words");

// ---- In memory

void push_list_free(struct push_list *list)
{
	free(list->handles);
	free(list->barred);
	*list = (struct push_list){0};
}

static int grow_barred(struct push_list *list, uint32_t room)
{
	uint64_t *grown;

	if (!list->barred)
		return 0;
	grown = calloc((size_t)room / 64 + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	memcpy(grown, list->barred, ((size_t)list->room / 64 + 1) * sizeof(*grown));
	free(list->barred);
	list->barred = grown;
	return 0;
}

int push_list_reserve(struct push_list *list, uint32_t n)
{
	uint64_t need = (uint64_t)list->n + n;
	uint32_t *grown;

	if (need <= list->room)
		return 0;
	if (need > INT32_MAX)
		return -ENOMEM;
	if (need < 2 * (uint64_t)list->n)
		need = 2 * (uint64_t)list->n;
	grown = reallocarray(list->handles, need, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	list->handles = grown;
	if (grow_barred(list, (uint32_t)need))
		return -ENOMEM;
	list->room = (uint32_t)need;
	return 0;
}

int push_list_add(struct push_list *list, uint32_t handle)
{
	if (push_list_reserve(list, 1))
		return -ENOMEM;
	list->handles[list->n++] = handle;
	return 0;
}

int push_list_take(struct push_list *list, const uint32_t *handles, uint32_t n)
{
	if (push_list_reserve(list, n))
		return -ENOMEM;
	if (n)
		memcpy(list->handles + list->n, handles, n * sizeof(*handles));
	list->n += n;
	return 0;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static bool is_sorted(const struct push_list *list)
{
	for (uint32_t i = 1; i < list->n; i++) {
		if (list->handles[i - 1] >= list->handles[i])
			return false;
	}
	return true;
}

void push_list_sort(struct push_list *list)
{
	uint32_t kept = 0;

	assert(!list->barred);
	if (is_sorted(list))
		return;
	qsort(list->handles, list->n, sizeof(*list->handles), compare);
	for (uint32_t i = 1; i < list->n; i++) {
		if (list->handles[i] != list->handles[kept])
			list->handles[++kept] = list->handles[i];
	}
	list->n = kept + 1;
}

// The bits stand for as many targets as the handles have room for.
int push_list_bar(struct push_list *list, uint32_t index)
{
	assert(index < list->n && !push_list_is_barred(list, index));
	if (!list->barred)
		list->barred = calloc((size_t)list->room / 64 + 1, sizeof(*list->barred));
	if (!list->barred)
		return -ENOMEM;
	list->barred[index / 64] |= 1ull << index % 64;
	list->n_barred++;
	return 0;
}

int push_list_find(const struct push_list *list, uint32_t handle)
{
	const uint32_t *found =
		list->n ? bsearch(&handle, list->handles, list->n, sizeof(handle), compare) : NULL;

	return found ? (int)(found - list->handles) : -1;
}

// ---- In the store: version, count, and for each target a number in base 128, lowest digits first:
// twice the handles passed over since the last target, plus one when it is barred.

static uint8_t *put_number(uint8_t *to, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*to++ = (uint8_t)(v | 0x80);
	*to++ = (uint8_t)v;
	return to;
}

// False when there is no number of at most 33 bits.
static bool get_number(struct record_reader *r, uint64_t *v)
{
	*v = 0;
	for (unsigned shift = 0; shift < 35; shift += 7) {
		uint8_t digit = record_get8(r);

		*v |= (uint64_t)(digit & 0x7f) << shift;
		if (!(digit & 0x80))
			return !r->failed && *v < 1ull << 33;
	}
	return false;
}

size_t push_chunk_write(uint8_t *to, const struct push_list *list, uint32_t chunk)
{
	uint32_t from = chunk * PUSH_CHUNK;
	uint32_t n = list->n - from < PUSH_CHUNK ? list->n - from : PUSH_CHUNK;
	struct record_writer w = record_write(to, 1 + 4);
	uint64_t next = 0; // the least handle that may come
	uint8_t *at;

	assert(from < list->n);
	record_put8(&w, VERSION);
	record_put32(&w, n);
	at = w.at;
	for (uint32_t i = from; i < from + n; i++) {
		at = put_number(at, (list->handles[i] - next) << 1 | push_list_is_barred(list, i));
		next = (uint64_t)list->handles[i] + 1;
	}
	return (size_t)(at - to);
}

static int read_targets(struct record_reader *r, struct push_list *list, uint32_t n)
{
	uint64_t next = 0, v;

	for (uint32_t i = 0; i < n; i++) {
		if (!get_number(r, &v))
			return -EBADMSG;
		next += v >> 1;
		if (next >= DP_NONE || (list->n && next <= list->handles[list->n - 1]))
			return -EBADMSG;
		list->handles[list->n++] = (uint32_t)next++;
		if (v & 1 && push_list_bar(list, list->n - 1))
			return -ENOMEM;
	}
	return record_is_end(r) ? 0 : -EBADMSG;
}

int push_chunk_read(const void *value, size_t len, struct push_list *list)
{
	struct record_reader r = record_read(value, len);
	uint8_t version = record_get8(&r);
	uint32_t n = record_get32(&r);

	if (r.failed || version != VERSION || !n || n > PUSH_CHUNK)
		return -EBADMSG;
	if (push_list_reserve(list, n))
		return -ENOMEM;
	return read_targets(&r, list, n);
}

// ---- States

size_t push_states_write(uint8_t *to, const uint8_t *states, uint32_t n)
{
	*to++ = VERSION;
	for (uint32_t i = 0; i < n; i += 2)
		*to++ = (uint8_t)(states[i] | (i + 1 < n ? states[i + 1] : 0) << 4);
	return 1 + ((size_t)n + 1) / 2;
}

int push_states_read(const void *value, size_t len, uint8_t *states, uint32_t n)
{
	const uint8_t *at = value;

	if (len != 1 + ((size_t)n + 1) / 2 || at[0] != VERSION)
		return -EBADMSG;
	for (uint32_t i = 0; i < n; i++) {
		states[i] = at[1 + i / 2] >> i % 2 * 4 & 15;
		if (states[i] >= DP_STATE_COUNT)
			return -EBADMSG;
	}
	return 0;
}
