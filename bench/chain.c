#include "bench/chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/akma.h"

// 33 octets of FQDN: the KDF's S has 41.
static const char af_id[] = "meters.telemetry.operator.example\xff\x41\x4b\x50\x01";

const uint32_t *chain_walk(struct chain_walk *walk, const struct table *table, unsigned n,
			   uint32_t made[2 * CHAIN_BURST])
{
	const unsigned end = walk->in_order ? table->ues : TABLE_ORDER;

	if (walk->at + 2 * n > end)
		walk->at = 0;
	walk->at += n;
	if (!walk->in_order)
		return table->order + walk->at - n;
	for (unsigned i = 0; i < 2 * n; i++)
		made[i] = walk->at - n + i;
	return made;
}

void chain_lookup(const struct chain *c, const uint32_t handle[], unsigned n, struct target *target)
{
	for (unsigned i = 0; i < n; i++) {
		target[i] = (struct target){
			.place = handle[i],
			.handle = handle[i],
			.next_handle = handle[i + n],
			.context = chain_context(c, handle[i]),
			.next = chain_context(c, handle[i + n]),
		};
	}
}

void chain_protect(struct chain *c, struct protect *protect, const uint32_t handle[], unsigned n)
{
	struct target target[CHAIN_BURST];

	chain_lookup(c, handle, n, target);
	protect_seal(protect, c->push, target, n, c->frame);
}

// ---- Open and close

static int chain_open_push(struct chain *c, unsigned payload)
{
	const uint32_t first = 0;
	struct dp_push_spec spec = {
		.push_id = {1, [6] = 0x70, [8] = 0x80},
		.secret = {2},
		.suite = 1,
		.expiry = 1800000000,
		.af_id = af_id,
		.af_id_len = sizeof(af_id) - 1,
		.payload = c->payload,
		.payload_len = payload,
		.segment_size = DP_SEGMENT_MAX,
		.handles = &first,
		.n_handles = 1,
	};
	int error = 0;

	c->push = push_new(c->protect.sha, 1, &spec, &error);
	if (!c->push)
		return error;
	c->s[0] = AKMA_FC_KAF;
	memcpy(c->s + 1, af_id, spec.af_id_len);
	store16_be(c->s + 1 + spec.af_id_len, (uint16_t)spec.af_id_len);
	c->s_len = (unsigned)spec.af_id_len + 3;
	memcpy(c->info, c->push->push_info.info, MESSAGE_INFO);
	c->info[MESSAGE_INFO] = 1;
	return 0;
}

struct chain *chain_open(const struct bench_options *options)
{
	struct chain *const c = calloc(1, sizeof(*c));

	if (!c || !table_open(&c->table, sha256_best(), options->ues)) {
		free(c);
		return NULL;
	}
	for (unsigned i = 0; i < CHAIN_BURST; i++) {
		c->frames[i].data = c->octets[i];
		c->frame[i] = &c->frames[i];
	}
	if (!protect_init(&c->protect, sha256_best(), aead_best()) &&
	    !chain_open_push(c, options->payload))
		return c;
	table_close(&c->table);
	free(c);
	return NULL;
}

void chain_close(struct chain *c)
{
	push_free(c->push);
	protect_fini(&c->protect);
	table_close(&c->table);
	free(c);
}
