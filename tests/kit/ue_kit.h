#pragma once
// What the tests of the UE share: a UE of two AFs with a fake clock, and the push function it talks
// to.

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "ue/akmapush_ue.h"
#include "ue/peer.h"

enum {
	KIT_AFS = 2,
	KIT_REPLY = 64,
	KIT_REPLIES = 4,
	KIT_START_S = 1800000000,
};

static const struct akmapush_ue_address kit_functions[2] = {
	{.octets = {[10] = 0xff, [11] = 0xff, 192, 0, 2, 1}},
	{.octets = {0x20, 1, 0xd, 0xb8, [15] = 1}, .port = 7000},
};

static const struct akmapush_ue_af kit_afs[KIT_AFS] = {
	{"meters.example.com", {0xff, 0x41, 0x4b, 0x50, 1}, kit_functions, 2},
	{"locks.example.com", {0xff, 0x41, 0x4b, 0x50, 1}, kit_functions + 1, 1},
};

struct kit {
	struct akmapush_ue_config config;
	struct akmapush_ue_now now;
	struct akmapush_ue *ue;
	struct akmapush_ue_address source, to;
	struct akmapush_ue_push got;
	size_t datagram_len;
	int32_t ack_len;
	uint8_t kakma[32]; // that the push function uses
	uint8_t datagram[AKMAPUSH_UE_DATAGRAM_MAX], ack[AKMAPUSH_UE_DATAGRAM_MAX];
	uint8_t scratch[AKMAPUSH_UE_SEGMENT_MAX];
	uint64_t memory[4096], pool[4096], blob_[2048];
	int32_t blob_len;
};

static inline uint64_t kit_random(uint64_t *seed)
{
	uint64_t x = *seed += 0x9e3779b97f4a7c15;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

static inline void kit_new_ue(struct kit *kit)
{
	kit->ue = akmapush_ue_init(kit->memory, sizeof(kit->memory), &kit->config);
	cr_assert_not_null(kit->ue);
}

static inline void kit_authenticate(struct kit *kit, uint8_t number)
{
	memset(kit->kakma, number, sizeof(kit->kakma));
	cr_assert_eq(akmapush_ue_set_kakma(kit->ue, kit->kakma, &kit->now), 0);
}

// A UE under key 1, with a trusted clock and room for replies and one segmented push.
static inline void kit_init(struct kit *kit)
{
	memset(kit, 0, sizeof(*kit));
	kit->config.crypto = &akmapush_ue_crypto_openssl;
	kit->config.afs = kit_afs;
	kit->config.n_afs = KIT_AFS;
	kit->config.n_replies = KIT_REPLIES;
	kit->config.reply_max = KIT_REPLY;
	kit->config.pool =
		akmapush_ue_pool_init(kit->pool, sizeof(kit->pool), 1, AKMAPUSH_UE_PAYLOAD_MAX);
	kit->now = (struct akmapush_ue_now){.ms = 5000, .unix_s = KIT_START_S, .trusted = true};
	kit->source = kit_functions[0];
	kit->source.port = 5000;
	kit_new_ue(kit);
	kit_authenticate(kit, 1);
}

static inline void kit_pass(struct kit *kit, uint32_t ms)
{
	kit->now.ms += ms;
	kit->now.unix_s = KIT_START_S + (uint32_t)((kit->now.ms - 5000) / 1000);
}

// A push_id of `age_ms` before KIT_START_S (negative: after), told apart by `tail`.
static inline void kit_push_id(uint8_t id[16], int64_t age_ms, uint32_t tail)
{
	uint64_t ms = (uint64_t)KIT_START_S * 1000 - (uint64_t)age_ms;

	memset(id, 0, 16);
	for (unsigned i = 0; i < 6; i++)
		id[i] = (uint8_t)(ms >> (40 - 8 * i));
	id[6] = 0x70;
	id[8] = 0x80;
	for (unsigned i = 0; i < 4; i++)
		id[12 + i] = (uint8_t)(tail >> (24 - 8 * i));
}

struct kit_push {
	unsigned af;
	uint8_t flags;
	uint8_t suite; // 0: 1
	uint8_t index;
	uint8_t cnt; // 0: 1
	uint8_t push_id[16];
	uint32_t ref;
	uint32_t expiry; // 0: KIT_START_S + 3600
	const char *payload;
	size_t payload_len;
};

// Seals under kit->kakma, into kit->datagram.
static inline void kit_seal(struct kit *kit, const struct kit_push *p)
{
	const char *text = p->payload ? p->payload : "open the valve";
	struct apue_push_fields fields = {
		.suite = p->suite ? p->suite : 1,
		.flags = p->flags,
		.segment_index = p->index,
		.segment_cnt = p->cnt ? p->cnt : 1,
		.push_id = p->push_id,
		.ref = p->ref,
		.expiry = p->expiry ? p->expiry : KIT_START_S + 3600,
		.payload = (const uint8_t *)text,
		.payload_len = p->payload ? p->payload_len : strlen(text),
	};
	uint8_t kaf[32];

	cr_assert(apue_kaf(kit->config.crypto, kit->kakma, &kit_afs[p->af], kaf));
	kit->datagram_len = apue_push_seal(kit->config.crypto, kaf, &fields, kit->datagram);
	cr_assert_neq(kit->datagram_len, 0);
}

static inline enum akmapush_ue_outcome kit_feed(struct kit *kit)
{
	return akmapush_ue_input(kit->ue, kit->datagram, kit->datagram_len, &kit->source, &kit->now,
				 kit->scratch, &kit->got);
}

static inline enum akmapush_ue_outcome kit_push(struct kit *kit, const struct kit_push *p)
{
	kit_seal(kit, p);
	return kit_feed(kit);
}

static inline int32_t kit_ack(struct kit *kit)
{
	kit->ack_len = akmapush_ue_ack(kit->ue, &kit->got.id, &kit->now, kit->ack, sizeof(kit->ack),
				       &kit->to);
	return kit->ack_len;
}

// The status of the ACK in kit->ack as the push function reads it under kit->kakma; -1 if it
// cannot.
static inline int kit_status(struct kit *kit, unsigned af, struct apue_ack_fields *fields,
			     uint8_t reply[AKMAPUSH_UE_SEGMENT_MAX])
{
	uint8_t kaf[32];

	cr_assert(apue_kaf(kit->config.crypto, kit->kakma, &kit_afs[af], kaf));
	if (kit->ack_len <= 0 ||
	    !apue_ack_open(kit->config.crypto, kaf, kit->ack, (size_t)kit->ack_len, fields, reply))
		return -1;
	return fields->status;
}

static inline int kit_answered(struct kit *kit, unsigned af)
{
	struct apue_ack_fields fields;
	uint8_t reply[AKMAPUSH_UE_SEGMENT_MAX];

	if (kit_ack(kit) <= 0)
		return -1;
	return kit_status(kit, af, &fields, reply);
}

static inline void kit_save(struct kit *kit)
{
	kit->blob_len =
		akmapush_ue_save(kit->ue, &kit->now, (uint8_t *)kit->blob_, sizeof(kit->blob_));
	cr_assert_gt(kit->blob_len, 0, "save: %d", kit->blob_len);
}

// The power goes and comes again: only what was saved is left.
static inline void kit_restart(struct kit *kit)
{
	kit->config.pool =
		akmapush_ue_pool_init(kit->pool, sizeof(kit->pool), 1, AKMAPUSH_UE_PAYLOAD_MAX);
	memset(kit->memory, 0xa5, sizeof(kit->memory));
	kit_new_ue(kit);
	cr_assert_eq(
		akmapush_ue_load(kit->ue, &kit->now, (uint8_t *)kit->blob_, (size_t)kit->blob_len),
		0);
}
