// The first implementation: crypto/ and the frames of dataplane/, with every SHA-256 kernel and
// AEAD that this CPU can run.
#include "tools/vectors/vectors_crypto.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/aead.h"
#include "crypto/akma.h"
#include "crypto/message.h"
#include "dataplane/frame.h"
#include "tools/vectors/vectors_check.h"

struct parts {
	const struct sha256_ops *sha;
	const struct aead_ops *aead;
	struct aead *memory;
};

static struct parts all_parts[VECTORS_IMPLEMENTATIONS_MAX];

static void check_key(const void *arg, struct vectors_check *check, const struct vector_key *v)
{
	const struct parts *p = arg;
	char fqdn[AKMA_FQDN_MAX + 1];
	uint8_t key[1][AKMA_KEY];
	struct akma_af_id af_id;
	struct hmac_message message;
	struct hmac_key kakma;
	const struct hmac_key *const keys[] = {&kakma};

	vectors_check_true(check, "supi", akma_kakma(p->sha, v->kausf, v->supi, key[0]) == 0,
			   "is refused");
	vectors_check_value(check, "kakma", v->kakma, AKMA_KEY, key[0], AKMA_KEY);
	vectors_check_true(check, "supi", akma_atid(p->sha, v->kausf, v->supi, key[0]) == 0,
			   "is refused");
	vectors_check_value(check, "atid", v->atid, AKMA_KEY, key[0], AKMA_KEY);
	if (akma_fqdn_parse(v->fqdn, strlen(v->fqdn), fqdn) < 0) {
		vectors_check_true(check, "fqdn", false, "is refused");
		return;
	}
	akma_af_id_init(&af_id, fqdn, v->ua_star_id);
	akma_kaf_message(&message, &af_id);
	memcpy(key[0], v->kakma, AKMA_KEY);
	hmac_key_init(p->sha, key, 1, &kakma);
	akma_kaf(p->sha, keys, &message, 1, key);
	vectors_check_value(check, "kaf", v->kaf, AKMA_KEY, key[0], AKMA_KEY);
}

static const struct message_suite *derive(const struct parts *p, const uint8_t kaf[AKMA_KEY],
					  unsigned suite_id, unsigned type,
					  const uint8_t push_id[16], struct message_block *block)
{
	const struct message_suite *suite = message_suite_find(suite_id);
	struct message_info info;
	uint8_t keys[1][HMAC_KEY];

	if (!suite)
		return NULL;
	memcpy(keys[0], kaf, HMAC_KEY);
	message_info_init(&info, suite, type, push_id);
	message_blocks(p->sha, &info, keys, 1, block);
	return suite;
}

// `out` holds the header already, and is the whole datagram after this.
static void seal(const struct parts *p, const struct message_suite *suite,
		 const struct message_block *block, const uint8_t nonce[AEAD_NONCE],
		 const struct vector_octets *text, uint8_t *out)
{
	struct aead_item item = {
		.key = message_key(block, suite),
		.aad = out,
		.in = text->octets,
		.out = out + FRAME_HEADER,
		.len = (uint16_t)text->len,
	};

	memcpy(item.nonce, nonce, AEAD_NONCE);
	p->aead->seal(p->memory, suite->key_len, &item, 1);
}

static void check_push(const struct parts *p, struct vectors_check *check,
		       const struct vector_message *v)
{
	uint8_t datagram[FRAME_HEADER + VECTORS_TEXT_MAX + FRAME_TAG], nonce[AEAD_NONCE];
	struct message_block block;
	const struct message_suite *suite =
		derive(p, v->kaf, v->suite, MESSAGE_TYPE_PUSH, v->push_id, &block);
	struct frame_header header;

	vectors_check_value(check, "key", v->key.octets, v->key.len, message_key(&block, suite),
			    suite->key_len);
	vectors_check_value(check, "iv", v->iv, sizeof(v->iv), block.iv, sizeof(block.iv));
	vectors_check_value(check, "selector", v->selector, sizeof(v->selector), block.selector,
			    sizeof(block.selector));
	frame_header_init(&header, v->suite, v->flags & FRAME_FLAG_ACK,
			  v->flags & FRAME_FLAG_ORDERED, v->segment_count, v->push_id, v->expiry);
	frame_write_header(datagram, &header, v->segment_index, block.selector, v->ref);
	message_push_nonce(nonce, &block, v->ref, v->segment_index);
	seal(p, suite, &block, nonce, &v->payload, datagram);
	vectors_check_value(check, "push", v->push.octets, v->push.len, datagram,
			    FRAME_MIN + v->payload.len);
}

// Opens an ACK as the push function does; `reply` takes VECTORS_TEXT_MAX octets.
static bool open_ack(const struct parts *p, const uint8_t kaf[AKMA_KEY],
		     const struct vector_octets *datagram, struct frame_ack *ack, uint8_t *reply)
{
	struct message_block block;
	struct aead_item item;
	const struct message_suite *suite;

	if (frame_parse_ack(ack, datagram->octets, datagram->len) != REASON_RX)
		return false;
	suite = derive(p, kaf, ack->suite, MESSAGE_TYPE_ACK, ack->push_id, &block);
	item = (struct aead_item){
		.key = message_key(&block, suite),
		.aad = ack->aad,
		.in = ack->ciphertext,
		.out = reply,
		.len = ack->reply_len,
	};
	message_ack_nonce(item.nonce, &block, ack->salt);
	p->aead->open_burst(p->memory, suite->key_len, &item, 1);
	return item.ok;
}

static void check_ack_opens(const struct parts *p, struct vectors_check *check,
			    const struct vector_message *v)
{
	uint8_t reply[VECTORS_TEXT_MAX];
	struct frame_ack ack;

	if (!open_ack(p, v->kaf, &v->ack, &ack, reply)) {
		vectors_check_true(check, "ack", false, "does not open");
		return;
	}
	vectors_check_value(check, "ack_status", &v->ack_status, 1, &ack.status, 1);
	vectors_check_value(check, "ref", &v->ref, sizeof(v->ref), &ack.ref, sizeof(ack.ref));
	vectors_check_value(check, "reply", v->reply.octets, v->reply.len, reply, ack.reply_len);
}

static void check_ack(const struct parts *p, struct vectors_check *check,
		      const struct vector_message *v)
{
	uint8_t datagram[FRAME_HEADER + VECTORS_TEXT_MAX + FRAME_TAG] = {0};
	uint8_t salt[MESSAGE_SALT], nonce[AEAD_NONCE];
	struct message_block block;
	const struct message_suite *suite =
		derive(p, v->kaf, v->suite, MESSAGE_TYPE_ACK, v->push_id, &block);

	vectors_check_value(check, "ack_key", v->ack_key.octets, v->ack_key.len,
			    message_key(&block, suite), suite->key_len);
	vectors_check_value(check, "ack_iv", v->ack_iv, sizeof(v->ack_iv), block.iv,
			    sizeof(block.iv));
	datagram[0] = FRAME_VERSION << 4 | MESSAGE_TYPE_ACK;
	datagram[1] = v->suite;
	message_ack_salt(p->sha, v->kaf, datagram, v->push_id, v->ref, v->ack_status,
			 v->reply.octets, v->reply.len, salt);
	memcpy(datagram + 4, salt, 4);
	memcpy(datagram + 8, v->push_id, VECTORS_PUSH_ID);
	store32_be(datagram + 24, v->ref);
	datagram[28] = v->ack_status;
	memcpy(datagram + 29, salt + 4, 3);
	message_ack_nonce(nonce, &block, salt);
	seal(p, suite, &block, nonce, &v->reply, datagram);
	vectors_check_value(check, "ack", v->ack.octets, v->ack.len, datagram,
			    FRAME_MIN + v->reply.len);
	check_ack_opens(p, check, v);
}

static void check_message(const void *arg, struct vectors_check *check,
			  const struct vector_message *v)
{
	check_push(arg, check, v);
	check_ack(arg, check, v);
}

// What goes to a UE is the other implementation's to refuse.
static void check_reject(const void *arg, struct vectors_check *check,
			 const struct vector_reject *v)
{
	uint8_t reply[VECTORS_TEXT_MAX];
	struct frame_ack ack;

	if (!v->to_ue)
		vectors_check_true(check, v->why, !open_ack(arg, v->kaf, &v->datagram, &ack, reply),
				   "the datagram is accepted");
}

unsigned vectors_crypto(struct vectors_implementation *all)
{
	unsigned n = 0;

	for (unsigned i = 0; sha256_kernels[i]; i++) {
		for (unsigned j = 0; aead_implementations[j]; j++) {
			struct parts *p = &all_parts[n];

			if (!sha256_kernels[i]->usable() || !aead_implementations[j]->usable() ||
			    n == VECTORS_IMPLEMENTATIONS_MAX)
				continue;
			*p = (struct parts){sha256_kernels[i], aead_implementations[j],
					    aead_implementations[j]->open(AEAD_AAD)};
			if (!p->memory)
				continue;
			all[n] = (struct vectors_implementation){"", check_key, check_message,
								 check_reject, p};
			snprintf(all[n].name, sizeof(all[n].name), "crypto, SHA-256 %s, AEAD %s",
				 p->sha->name, p->aead->name);
			n++;
		}
	}
	return n;
}

void vectors_crypto_close(void)
{
	for (unsigned i = 0; i < VECTORS_IMPLEMENTATIONS_MAX && all_parts[i].memory; i++)
		all_parts[i].aead->close(all_parts[i].memory);
}
