// Downlink derive → seal → frame, uplink derive → open.

#include "dataplane/protect.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/akma.h"
#include "crypto/message.h"

int protect_init(struct protect *p, const struct sha256_ops *sha, const struct aead_ops *aead_ops)
{
	*p = (struct protect){
		.sha = sha,
		.aead_ops = aead_ops,
		.aead = aead_ops->open(AEAD_AAD),
	};
	return p->aead ? 0 : -ENOMEM;
}

void protect_fini(struct protect *p)
{
	p->aead_ops->close(p->aead);
}

// ---- Keys

_Static_assert(DP_BURST_MAX <= UINT8_MAX + 1, "a place in a burst is an octet");

// What a burst is derived for.
struct keys {
	uint32_t handle[DP_BURST_MAX];
	const struct hmac_key *kakma[DP_BURST_MAX];
};

// The AF's slot in the cache, or -1.
static int slot_of(const struct protect *p, const struct dp_push *push)
{
	return p->cache.n ? kaf_cache_slot(&p->cache, push->af) : -1;
}

// A hot AF's message does not need K_AKMA, mostly.
static void prefetch(const struct protect *p, int slot, uint32_t handle,
		     const struct context *context)
{
	context_prefetch_address(context);
	if (slot < 0 || p->misses)
		context_prefetch_key(context);
	if (slot >= 0)
		kaf_cache_prefetch(&p->cache, slot, handle);
}

void protect_prefetch(const struct protect *p, const struct dp_push *push, uint32_t handle,
		      const struct context *context)
{
	prefetch(p, slot_of(p, push), handle, context);
}

// Which of n K_AFs are in the cache: pointers to them, NULL else. Returns how many are not; theirs
// are the first of missed, their places in the burst in which.
static unsigned look_up(const struct kaf_cache *cache, int slot, const struct keys *keys,
			unsigned n, const struct hmac_key *kaf[], struct keys *missed,
			uint8_t which[])
{
	unsigned k = 0;

	for (unsigned i = 0; i < n; i++) {
		kaf[i] = kaf_cache_find(cache, slot, keys->handle[i]);
		if (kaf[i])
			continue;
		missed->kakma[k] = keys->kakma[i];
		missed->handle[k] = keys->handle[i];
		which[k++] = (uint8_t)i;
	}
	return k;
}

// The same with the AF's cache. What is new goes into it last: it may take the place of an entry
// that this burst uses.
static void derive_hot(struct protect *p, int slot, const struct dp_push *push,
		       const struct message_info *info, const struct keys *keys, unsigned n,
		       struct message_block *block)
{
	const struct hmac_key *kaf[DP_BURST_MAX];
	struct hmac_key made[DP_BURST_MAX];
	uint8_t octets[DP_BURST_MAX][AKMA_KEY], which[DP_BURST_MAX];
	struct keys missed;
	const unsigned k = look_up(&p->cache, slot, keys, n, kaf, &missed, which);

	if (k) {
		hmac_blocks(p->sha, missed.kakma, push->kaf, k, octets[0], AKMA_KEY);
		hmac_key_init(p->sha, (const uint8_t(*)[AKMA_KEY])octets, k, made);
	}
	for (unsigned i = 0; i < k; i++)
		kaf[which[i]] = &made[i];
	message_blocks_from(p->sha, info, kaf, n, block);
	for (unsigned i = 0; i < k; i++)
		kaf_cache_put(&p->cache, slot, missed.handle[i], &made[i]);
	p->cached += n - k;
	p->missed += k;
	p->misses = k;
	mem_wipe(octets, k * sizeof(octets[0]));
	mem_wipe(made, k * sizeof(made[0]));
}

static void derive(struct protect *p, const struct dp_push *push, const struct message_info *info,
		   const struct keys *keys, unsigned n, struct message_block *block)
{
	const int slot = slot_of(p, push);

	if (slot < 0)
		message_blocks_chain(p->sha, push->kaf, info, keys->kakma, n, block);
	else
		derive_hot(p, slot, push, info, keys, n, block);
}

// ---- Downlink

// Writes header and peer of one datagram and makes it ready to seal in place.
static void frame_one(const struct dp_push *push, const struct target *target, uint32_t ref,
		      const struct message_block *block, unsigned segment, struct frame *frame,
		      struct aead_item *item)
{
	frame_write_header(frame->data, &push->header, segment, block->selector, ref);
	memcpy(frame->ip, target->context->ip, sizeof(frame->ip));
	frame->port = target->context->port;
	*item = (struct aead_item){
		.key = message_key(block, push->suite),
		.aad = frame->data,
		.in = push->payload + (size_t)segment * push->segment_size,
		.out = frame->data + FRAME_HEADER,
		.len = push_segment_len(push, segment),
	};
	frame->len = (uint16_t)(FRAME_MIN + item->len);
	message_push_nonce(item->nonce, block, ref, segment);
}

// A quarter of what the next burst needs, between two stages: a core has some sixteen lines on
// their way at a time, and the work that follows hides them. All of a quarter at once and nothing
// in between: where translations miss as well, a core that waits for one goes no further than its
// window, and there the others have to be.
enum { QUARTERS = 4 };

static void look_ahead(const struct protect *p, int slot, const struct target target[], unsigned n,
		       unsigned quarter)
{
	for (unsigned i = n * quarter / QUARTERS; i < n * (quarter + 1) / QUARTERS; i++)
		prefetch(p, slot, target[i].next_handle, target[i].next);
}

void protect_seal(struct protect *p, const struct dp_push *push, const struct target target[],
		  unsigned n, struct frame *const frame[])
{
	struct keys keys;
	struct message_block block[DP_BURST_MAX];
	struct aead_item item[DP_BURST_MAX];
	uint32_t ref[DP_BURST_MAX];
	const int slot = slot_of(p, push);
	unsigned k = 0;

	assert(0 < n && n * push->n_segments <= DP_BURST_MAX);
	look_ahead(p, slot, target, n, 0);
	for (unsigned i = 0; i < n; i++) {
		keys.handle[i] = target[i].handle;
		keys.kakma[i] = &target[i].context->kakma;
		ref[i] = target[i].place;
	}
	derive(p, push, &push->push_info, &keys, n, block);
	look_ahead(p, slot, target, n, 1);
	ref_of_places(&push->ref_key, ref, n, ref);
	look_ahead(p, slot, target, n, 2);
	for (unsigned i = 0; i < n; i++) {
		for (unsigned segment = 0; segment < push->n_segments; segment++, k++)
			frame_one(push, &target[i], ref[i], &block[i], segment, frame[k], &item[k]);
	}
	look_ahead(p, slot, target, n, 3);
	p->aead_ops->seal(p->aead, push->suite->key_len, item, k);
	mem_wipe(item, k * sizeof(item[0])); // nonces, which tell the iv
	mem_wipe(block, n * sizeof(block[0]));
}

// ---- Uplink

static void item_of_ack(struct aead_item *item, const struct ack *ack,
			const struct message_block *block)
{
	*item = (struct aead_item){
		.key = message_key(block, ack->part->push->suite),
		.aad = ack->frame.aad,
		.in = ack->frame.ciphertext,
		.out = ack->reply,
		.len = ack->frame.reply_len,
	};
	message_ack_nonce(item->nonce, block, ack->frame.salt);
}

unsigned protect_verify(struct protect *p, struct ack *ack[], unsigned n)
{
	const struct dp_push *push = ack[0]->part->push;
	struct keys keys;
	struct message_block block[DP_BURST_MAX];
	struct aead_item item[DP_BURST_MAX];
	unsigned kept = 0;

	assert(0 < n && n <= DP_BURST_MAX);
	for (unsigned i = 0; i < n; i++) {
		keys.handle[i] = ack[i]->handle;
		keys.kakma[i] = &ack[i]->context->kakma;
	}
	derive(p, push, &push->ack_info, &keys, n, block);
	for (unsigned i = 0; i < n; i++)
		item_of_ack(&item[i], ack[i], &block[i]);
	p->aead_ops->open_burst(p->aead, push->suite->key_len, item, n);
	for (unsigned i = 0; i < n; i++) {
		if (item[i].ok)
			ack[kept++] = ack[i];
	}
	mem_wipe(item, n * sizeof(item[0]));
	mem_wipe(block, n * sizeof(block[0]));
	return kept;
}
