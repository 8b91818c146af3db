#include "ue/peer.h"
#include "ue/octets.h"

size_t apue_push_seal(const struct akmapush_ue_crypto *crypto, const uint8_t kaf[APUE_KEY],
		      const struct apue_push_fields *fields,
		      uint8_t datagram[AKMAPUSH_UE_DATAGRAM_MAX])
{
	struct apue_block block;
	uint8_t nonce[APUE_NONCE];
	size_t n = fields->payload_len, len = APUE_HEADER + n + APUE_TAG;
	bool ok;

	if (n > AKMAPUSH_UE_SEGMENT_MAX || fields->segment_cnt < 1 ||
	    fields->segment_cnt > APUE_SEGMENTS_MAX || fields->segment_index > 15 ||
	    !apue_block_derive(crypto, kaf, fields->suite, APUE_PUSH, fields->push_id, &block))
		return 0;
	datagram[0] = APUE_VERSION << 4 | APUE_PUSH;
	datagram[APUE_AT_SUITE] = fields->suite;
	datagram[APUE_AT_FLAGS] = fields->flags;
	datagram[APUE_AT_SEGMENT] =
		(uint8_t)(fields->segment_index << 4 | (fields->segment_cnt - 1));
	memcpy(datagram + APUE_AT_SELECTOR, block.selector, 4);
	memcpy(datagram + APUE_AT_PUSH_ID, fields->push_id, AKMAPUSH_UE_PUSH_ID);
	apue_store_be(datagram + APUE_AT_REF, 4, fields->ref);
	apue_store_be(datagram + APUE_AT_EXPIRY, 4, fields->expiry);
	apue_push_nonce(block.iv, datagram, nonce);
	ok = apue_form_check(datagram, len, APUE_PUSH) == AKMAPUSH_UE_DELIVERED &&
	     crypto->aead_seal(crypto->arg, block.key, block.key_len, nonce, datagram, APUE_HEADER,
			       fields->payload, n, datagram + APUE_HEADER,
			       datagram + APUE_HEADER + n);
	apue_wipe(nonce, sizeof(nonce));
	apue_wipe(&block, sizeof(block));
	return ok ? len : 0;
}

bool apue_ack_open(const struct akmapush_ue_crypto *crypto, const uint8_t kaf[APUE_KEY],
		   const uint8_t *datagram, size_t len, struct apue_ack_fields *fields,
		   uint8_t reply[AKMAPUSH_UE_SEGMENT_MAX])
{
	struct apue_block block;
	uint8_t nonce[APUE_NONCE];
	size_t n = len - APUE_HEADER - APUE_TAG;
	bool ok;

	if (apue_form_check(datagram, len, APUE_ACK) != AKMAPUSH_UE_DELIVERED ||
	    !apue_ack_is_valid(datagram[APUE_AT_STATUS], n))
		return false;
	ok = apue_block_derive(crypto, kaf, datagram[APUE_AT_SUITE], APUE_ACK,
			       datagram + APUE_AT_PUSH_ID, &block);
	if (ok) {
		apue_ack_nonce(block.iv, datagram, nonce);
		ok = crypto->aead_open(crypto->arg, block.key, block.key_len, nonce, datagram,
				       APUE_HEADER, datagram + APUE_HEADER, n,
				       datagram + APUE_HEADER + n, reply);
		apue_wipe(nonce, sizeof(nonce));
	}
	apue_wipe(&block, sizeof(block));
	if (!ok)
		return false;
	fields->suite = datagram[APUE_AT_SUITE];
	fields->status = datagram[APUE_AT_STATUS];
	memcpy(fields->push_id, datagram + APUE_AT_PUSH_ID, AKMAPUSH_UE_PUSH_ID);
	memcpy(fields->ref, datagram + APUE_AT_REF, 4);
	fields->reply = reply;
	fields->reply_len = n;
	return true;
}
