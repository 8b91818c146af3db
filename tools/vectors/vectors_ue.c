// The second implementation: libakmapush-ue, with each crypto table.
#include "tools/vectors/vectors_ue.h"

#include <stdio.h>
#include <string.h>

#include "tools/vectors/vectors_check.h"
#include "ue/protocol.h"

static void check_key(const void *arg, struct vectors_check *check, const struct vector_key *v)
{
	const struct akmapush_ue_crypto *crypto = arg;
	struct akmapush_ue_af af = {.fqdn = v->fqdn};
	uint8_t key[APUE_KEY] = {0};

	memcpy(af.ua_star_id, v->ua_star_id, sizeof(af.ua_star_id));
	apue_kakma(crypto, v->kausf, v->supi, key);
	vectors_check_value(check, "kakma", v->kakma, APUE_KEY, key, APUE_KEY);
	apue_atid(crypto, v->kausf, v->supi, key);
	vectors_check_value(check, "atid", v->atid, APUE_KEY, key, APUE_KEY);
	apue_kaf(crypto, v->kakma, &af, key);
	vectors_check_value(check, "kaf", v->kaf, APUE_KEY, key, APUE_KEY);
}

static void check_push_header(struct vectors_check *check, const struct vector_message *v,
			      const struct apue_push *push)
{
	const uint8_t numbers[] = {v->suite, v->flags, v->segment_index, v->segment_count};
	const uint8_t got[] = {push->suite, push->flags, push->segment_index, push->segment_cnt};
	const uint8_t ref[] = {(uint8_t)(v->ref >> 24), (uint8_t)(v->ref >> 16),
			       (uint8_t)(v->ref >> 8), (uint8_t)v->ref};
	const bool is_expiry = push->expiry == v->expiry;

	vectors_check_value(check, "suite, flags, segment_index, segment_count", numbers,
			    sizeof(numbers), got, sizeof(got));
	vectors_check_value(check, "push_id", v->push_id, sizeof(v->push_id), push->push_id,
			    AKMAPUSH_UE_PUSH_ID);
	vectors_check_value(check, "ref", ref, sizeof(ref), push->ref, sizeof(ref));
	vectors_check_true(check, "expiry", is_expiry, "is another in the push");
}

static void check_push(const struct akmapush_ue_crypto *crypto, struct vectors_check *check,
		       const struct vector_message *v)
{
	uint8_t payload[AKMAPUSH_UE_SEGMENT_MAX];
	struct apue_block block;
	struct apue_push push;
	enum akmapush_ue_outcome outcome;

	if (!apue_block_derive(crypto, v->kaf, v->suite, APUE_PUSH, v->push_id, &block)) {
		vectors_check_true(check, "key", false, "can't be derived");
		return;
	}
	vectors_check_value(check, "key", v->key.octets, v->key.len, block.key, block.key_len);
	vectors_check_value(check, "iv", v->iv, sizeof(v->iv), block.iv, APUE_NONCE);
	vectors_check_value(check, "selector", v->selector, sizeof(v->selector), block.selector, 4);
	outcome = apue_push_parse(v->push.octets, v->push.len, &push);
	if (outcome != AKMAPUSH_UE_DELIVERED) {
		vectors_check_true(check, "push", false, akmapush_ue_outcome_text(outcome));
		return;
	}
	check_push_header(check, v, &push);
	if (!apue_push_open(crypto, v->kaf, &push, payload))
		vectors_check_true(check, "push", false, "does not open");
	else
		vectors_check_value(check, "payload", v->payload.octets, v->payload.len, payload,
				    push.n);
}

static void check_ack(const struct akmapush_ue_crypto *crypto, struct vectors_check *check,
		      const struct vector_message *v)
{
	uint8_t datagram[AKMAPUSH_UE_DATAGRAM_MAX];
	struct apue_block block;
	struct apue_ack_fields fields = {
		.suite = v->suite,
		.status = v->ack_status,
		.ref = {(uint8_t)(v->ref >> 24), (uint8_t)(v->ref >> 16), (uint8_t)(v->ref >> 8),
			(uint8_t)v->ref},
		.reply = v->reply.octets,
		.reply_len = v->reply.len,
	};
	size_t n;

	memcpy(fields.push_id, v->push_id, sizeof(fields.push_id));
	if (!apue_block_derive(crypto, v->kaf, v->suite, APUE_ACK, v->push_id, &block)) {
		vectors_check_true(check, "ack_key", false, "can't be derived");
		return;
	}
	vectors_check_value(check, "ack_key", v->ack_key.octets, v->ack_key.len, block.key,
			    block.key_len);
	vectors_check_value(check, "ack_iv", v->ack_iv, sizeof(v->ack_iv), block.iv, APUE_NONCE);
	n = apue_ack_seal(crypto, v->kaf, &fields, datagram);
	vectors_check_value(check, "ack", v->ack.octets, v->ack.len, datagram, n);
}

static void check_message(const void *arg, struct vectors_check *check,
			  const struct vector_message *v)
{
	check_push(arg, check, v);
	check_ack(arg, check, v);
}

static bool opens_push(const struct akmapush_ue_crypto *crypto, const struct vector_reject *v)
{
	uint8_t payload[AKMAPUSH_UE_SEGMENT_MAX];
	struct apue_push push;

	return apue_push_parse(v->datagram.octets, v->datagram.len, &push) ==
		       AKMAPUSH_UE_DELIVERED &&
	       apue_push_open(crypto, v->kaf, &push, payload);
}

// The library never opens an ACK; its parts can.
static bool opens_ack(const struct akmapush_ue_crypto *crypto, const struct vector_reject *v)
{
	const uint8_t *d = v->datagram.octets;
	uint8_t nonce[APUE_NONCE], reply[AKMAPUSH_UE_SEGMENT_MAX];
	struct apue_block block;
	size_t n;

	if (apue_form_check(d, v->datagram.len, APUE_ACK) != AKMAPUSH_UE_DELIVERED)
		return false;
	n = v->datagram.len - APUE_HEADER - APUE_TAG;
	if (!apue_ack_is_valid(d[APUE_AT_STATUS], n) ||
	    !apue_block_derive(crypto, v->kaf, d[1], APUE_ACK, d + APUE_AT_PUSH_ID, &block))
		return false;
	apue_ack_nonce(block.iv, d, nonce);
	return crypto->aead_open(crypto->arg, block.key, block.key_len, nonce, d, APUE_HEADER,
				 d + APUE_HEADER, n, d + APUE_HEADER + n, reply);
}

static void check_reject(const void *arg, struct vectors_check *check,
			 const struct vector_reject *v)
{
	vectors_check_true(check, v->why, !(v->to_ue ? opens_push(arg, v) : opens_ack(arg, v)),
			   "the datagram is accepted");
}

unsigned vectors_ue(struct vectors_implementation *all)
{
	const struct akmapush_ue_crypto *const tables[] = {&akmapush_ue_crypto_openssl,
							   &akmapush_ue_crypto_builtin};
	const unsigned n = sizeof(tables) / sizeof(tables[0]);

	for (unsigned i = 0; i < n; i++) {
		all[i] = (struct vectors_implementation){"", check_key, check_message, check_reject,
							 tables[i]};
		snprintf(all[i].name, sizeof(all[i].name), "ue, crypto %s", tables[i]->name);
	}
	return n;
}
