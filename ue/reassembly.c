// Rule 4: pushes of several segments, in buffers of a pool that UEs may share.
//
// Segments but the last lie in their place from the start. The last may come first, when the
// segment size is not known yet: it waits at the end of the buffer until the push is complete.
//
// A buffer holds what was sealed, so it is wiped when its push is over, and after a delivery with
// the next datagram, until which the application may read it.

#include "ue/ue.h"

struct buffer {
	const struct akmapush_ue *owner; // NULL: free
	uint32_t generation;             // of the key that opened what is in it
	uint32_t expiry;
	uint16_t received; // a bit per segment
	uint16_t segment_size;
	uint16_t last_len;
	uint16_t af;
	uint8_t header[APUE_HEADER]; // of the first segment that came
	uint8_t octets[];
};

struct akmapush_ue_pool {
	size_t capacity;
	size_t stride;
	size_t n;
	struct buffer *spent; // its push was delivered; still owned, but by no AF
};

static size_t stride_of(size_t capacity)
{
	return (sizeof(struct buffer) + capacity + 7) / 8 * 8;
}

size_t akmapush_ue_pool_size(unsigned n, size_t capacity)
{
	if (n < 1 || n >= UINT16_MAX || capacity < 1 || capacity > AKMAPUSH_UE_PAYLOAD_MAX)
		return 0;
	return (sizeof(struct akmapush_ue_pool) + 7) / 8 * 8 + n * stride_of(capacity);
}

static struct buffer *pool_buffer(struct akmapush_ue_pool *pool, size_t i)
{
	uint8_t *base = (uint8_t *)pool + (sizeof(*pool) + 7) / 8 * 8;

	return (struct buffer *)(void *)(base + i * pool->stride);
}

struct akmapush_ue_pool *akmapush_ue_pool_init(void *memory, size_t size, unsigned n,
					       size_t capacity)
{
	struct akmapush_ue_pool *pool = memory;
	size_t needed = akmapush_ue_pool_size(n, capacity);

	if (needed == 0 || size < needed)
		return NULL;
	AKMAPUSH_UE_ASSERT((uintptr_t)memory % sizeof(uint64_t) == 0);
	pool->capacity = capacity;
	pool->stride = stride_of(capacity);
	pool->n = n;
	pool->spent = NULL;
	for (size_t i = 0; i < n; i++)
		pool_buffer(pool, i)->owner = NULL;
	return pool;
}

// The buffer of an AF, unless another UE has taken it since because it had expired.
static struct buffer *buffer_of(struct akmapush_ue *ue, unsigned i)
{
	struct apue_af *af = apue_af(ue, i);
	struct buffer *buffer;

	if (af->buffer == 0)
		return NULL;
	buffer = pool_buffer(ue->config->pool, af->buffer - 1u);
	if (buffer->owner == ue && buffer->af == i)
		return buffer;
	af->buffer = 0;
	return NULL;
}

static void buffer_wipe(const struct akmapush_ue_pool *pool, struct buffer *buffer)
{
	size_t before_last = buffer->segment_size * (buffer->header[3] & 15u);

	apue_wipe(buffer->octets, before_last + buffer->last_len);
	apue_wipe(buffer->octets + pool->capacity - buffer->last_len, buffer->last_len);
}

void apue_buffer_release(struct akmapush_ue *ue, unsigned i)
{
	struct buffer *buffer = buffer_of(ue, i);

	if (!buffer)
		return;
	buffer_wipe(ue->config->pool, buffer);
	buffer->owner = NULL;
	apue_af(ue, i)->buffer = 0;
}

void apue_spent_wipe(const struct akmapush_ue *ue, bool own)
{
	struct akmapush_ue_pool *pool = ue->config->pool;

	if (!pool || !pool->spent || (own && pool->spent->owner != ue))
		return;
	buffer_wipe(pool, pool->spent);
	pool->spent->owner = NULL;
	pool->spent = NULL;
}

void apue_buffer_expire(struct akmapush_ue *ue, unsigned i, uint32_t clock_s)
{
	struct buffer *buffer = buffer_of(ue, i);

	if (buffer && buffer->expiry < clock_s)
		apue_buffer_release(ue, i);
}

// A free buffer before one that has expired: what has expired by the clock of this AF may not have
// by that of the AF whose it is. n if there is none.
static size_t buffer_pick(struct akmapush_ue_pool *pool, uint32_t clock_s)
{
	size_t expired = pool->n;

	for (size_t k = 0; k < pool->n; k++) {
		struct buffer *buffer = pool_buffer(pool, k);

		if (!buffer->owner)
			return k;
		if (buffer->expiry < clock_s)
			expired = k;
	}
	return expired;
}

static struct buffer *buffer_take(struct akmapush_ue *ue, unsigned i, uint32_t clock_s)
{
	struct akmapush_ue_pool *pool = ue->config->pool;
	size_t k = pool ? buffer_pick(pool, clock_s) : 0;
	struct buffer *buffer;

	if (!pool || k == pool->n)
		return NULL;
	buffer = pool_buffer(pool, k);
	if (buffer->owner)
		buffer_wipe(pool, buffer);
	buffer->owner = ue;
	buffer->af = (uint16_t)i;
	apue_af(ue, i)->buffer = (uint16_t)(k + 1);
	return buffer;
}

static void buffer_start(struct buffer *buffer, const struct apue_push *push, uint32_t generation)
{
	memcpy(buffer->header, push->header, APUE_HEADER);
	buffer->generation = generation;
	buffer->expiry = push->expiry;
	buffer->received = 0;
	buffer->segment_size = 0;
	buffer->last_len = 0;
}

static bool is_last(const struct apue_push *push)
{
	return push->segment_index + 1 == push->segment_cnt;
}

// Octets 1, 2, the count and 4..31 agree, and so does the segment size.
static bool is_consistent(const struct buffer *buffer, const struct apue_push *push)
{
	const uint8_t *a = buffer->header, *b = push->header;

	if (a[1] != b[1] || a[2] != b[2] || (a[3] & 15) != (b[3] & 15) || memcmp(a + 4, b + 4, 28))
		return false;
	if (is_last(push))
		return buffer->segment_size == 0 || push->n <= buffer->segment_size;
	return buffer->segment_size == 0 ? push->n >= buffer->last_len
					 : push->n == buffer->segment_size;
}

// What of the push is known to be there when this segment is in; it has to fit.
static size_t extent(const struct buffer *buffer, const struct apue_push *push)
{
	size_t size = is_last(push) ? buffer->segment_size : push->n;
	size_t last = is_last(push) ? push->n : buffer->last_len;

	return size * (push->segment_cnt - 1u) + last;
}

static void segment_put(struct buffer *buffer, size_t capacity, const struct apue_push *push,
			const uint8_t *segment)
{
	uint8_t *place;

	if (is_last(push)) {
		buffer->last_len = (uint16_t)push->n;
		place = buffer->octets + capacity - push->n;
	} else {
		buffer->segment_size = (uint16_t)push->n;
		place = buffer->octets + push->segment_index * push->n;
	}
	memcpy(place, segment, push->n);
	buffer->received |= (uint16_t)(1u << push->segment_index);
}

// The buffer that this segment goes into, empty if it is the first one of its push.
static enum akmapush_ue_outcome buffer_choose(struct akmapush_ue *ue, unsigned i,
					      const struct apue_push *push, uint32_t generation,
					      uint32_t clock_s, struct buffer **chosen)
{
	struct buffer *buffer = buffer_of(ue, i);
	int order;

	*chosen = buffer;
	if (buffer) {
		order = memcmp(push->push_id, buffer->header + 8, AKMAPUSH_UE_PUSH_ID);
		if (order < 0 ||
		    (order == 0 && (int32_t)(generation - buffer->generation) < 0)) // it wraps
			return AKMAPUSH_UE_SUPERSEDED;
		if (order == 0 && generation == buffer->generation)
			return AKMAPUSH_UE_SEGMENT;
		buffer_wipe(ue->config->pool, buffer);
	} else {
		*chosen = buffer_take(ue, i, clock_s);
		if (!*chosen)
			return AKMAPUSH_UE_NO_BUFFER;
	}
	buffer_start(*chosen, push, generation);
	return AKMAPUSH_UE_SEGMENT;
}

enum akmapush_ue_outcome apue_reassemble(struct akmapush_ue *ue, unsigned i, unsigned slot,
					 const struct apue_push *push, const uint8_t *segment,
					 uint32_t clock_s, const uint8_t **payload, size_t *len)
{
	uint32_t generation = ue->generation - (slot != ue->current);
	size_t capacity = ue->config->pool ? ue->config->pool->capacity : 0, at;
	size_t least = is_last(push) ? push->n : push->n * (push->segment_cnt - 1u);
	enum akmapush_ue_outcome outcome;
	struct buffer *buffer;

	if (least > capacity)
		return AKMAPUSH_UE_NO_BUFFER;
	if (push->n == 0 && !is_last(push))
		return AKMAPUSH_UE_INCONSISTENT;
	outcome = buffer_choose(ue, i, push, generation, clock_s, &buffer);
	if (outcome != AKMAPUSH_UE_SEGMENT)
		return outcome;
	if (!is_consistent(buffer, push))
		return AKMAPUSH_UE_INCONSISTENT;
	if (extent(buffer, push) > capacity)
		return AKMAPUSH_UE_NO_BUFFER;
	segment_put(buffer, capacity, push, segment);
	if (buffer->received != (1u << push->segment_cnt) - 1)
		return AKMAPUSH_UE_SEGMENT;
	at = buffer->segment_size * (push->segment_cnt - 1u);
	memmove(buffer->octets + at, buffer->octets + capacity - buffer->last_len,
		buffer->last_len);
	*payload = buffer->octets;
	*len = at + buffer->last_len;
	ue->config->pool->spent = buffer;
	apue_af(ue, i)->buffer = 0;
	return AKMAPUSH_UE_DELIVERED;
}
