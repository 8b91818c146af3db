// The two datagrams: form, sealing, opening. Layout: docs/specification.md, Datagrams.

#include "ue/octets.h"
#include "ue/protocol.h"

enum {
	VERSION = 1,
	AT_SUITE = 1,
	AT_FLAGS = 2,
	AT_SEGMENT = 3,
	AT_SELECTOR = 4, // of a PUSH; salt[0..3] of an ACK
	AT_PUSH_ID = 8,
	AT_REF = 24,
	AT_EXPIRY = 28, // of a PUSH; status and salt[4..6] of an ACK
	AT_STATUS = 28,
};

static bool push_id_is_uuidv7(const uint8_t *push_id)
{
	return push_id[6] >> 4 == 7 && push_id[8] >> 6 == 2;
}

static enum akmapush_ue_outcome form_check(const uint8_t *p, size_t len, uint8_t type)
{
	if (len < APUE_HEADER + APUE_TAG || len > AKMAPUSH_UE_DATAGRAM_MAX)
		return AKMAPUSH_UE_BAD_LENGTH;
	if (p[0] >> 4 != VERSION)
		return AKMAPUSH_UE_BAD_VERSION;
	if ((p[0] & 15) != type)
		return AKMAPUSH_UE_BAD_TYPE;
	if (p[AT_SUITE] < 1 || p[AT_SUITE] > 2)
		return AKMAPUSH_UE_BAD_SUITE;
	if (p[AT_FLAGS] & ~(type == APUE_PUSH ? APUE_FLAG_ACK_WANTED | APUE_FLAG_ORDERED : 0))
		return AKMAPUSH_UE_BAD_FLAGS;
	if (type == APUE_PUSH ? p[AT_SEGMENT] >> 4 > (p[AT_SEGMENT] & 15) : p[AT_SEGMENT] != 0)
		return AKMAPUSH_UE_BAD_SEGMENT;
	if (!push_id_is_uuidv7(p + AT_PUSH_ID))
		return AKMAPUSH_UE_BAD_PUSH_ID;
	return AKMAPUSH_UE_DELIVERED;
}

enum akmapush_ue_outcome apue_push_parse(const uint8_t *datagram, size_t len,
					 struct apue_push *push)
{
	enum akmapush_ue_outcome outcome = form_check(datagram, len, APUE_PUSH);

	if (outcome != AKMAPUSH_UE_DELIVERED)
		return outcome;
	push->suite = datagram[AT_SUITE];
	push->flags = datagram[AT_FLAGS];
	push->segment_index = datagram[AT_SEGMENT] >> 4;
	push->segment_cnt = (datagram[AT_SEGMENT] & 15) + 1;
	push->header = datagram;
	push->selector = datagram + AT_SELECTOR;
	push->push_id = datagram + AT_PUSH_ID;
	push->ref = datagram + AT_REF;
	push->expiry = load_be(datagram + AT_EXPIRY, 4);
	push->ciphertext = datagram + APUE_HEADER;
	push->n = len - APUE_HEADER - APUE_TAG;
	return AKMAPUSH_UE_DELIVERED;
}

// iv XOR (0^7 || ref || segment index)
static void push_nonce(const uint8_t *iv, const uint8_t *header, uint8_t nonce[APUE_NONCE])
{
	memcpy(nonce, iv, APUE_NONCE);
	for (unsigned i = 0; i < 4; i++)
		nonce[7 + i] ^= header[AT_REF + i];
	nonce[11] ^= header[AT_SEGMENT] >> 4;
}

// iv XOR (salt || 0^5); the salt stands in two places of the header.
static void ack_nonce(const uint8_t *iv, const uint8_t *header, uint8_t nonce[APUE_NONCE])
{
	memcpy(nonce, iv, APUE_NONCE);
	for (unsigned i = 0; i < 4; i++)
		nonce[i] ^= header[AT_SELECTOR + i];
	for (unsigned i = 0; i < 3; i++)
		nonce[4 + i] ^= header[AT_STATUS + 1 + i];
}

bool apue_push_open(const struct akmapush_ue_crypto *crypto, const uint8_t kaf[APUE_KEY],
		    const struct apue_push *push, uint8_t *payload)
{
	struct apue_block block;
	uint8_t nonce[APUE_NONCE];
	bool ok;

	ok = apue_block_derive(crypto, kaf, push->suite, APUE_PUSH, push->push_id, &block) &&
	     equal_ct(block.selector, push->selector, 4);
	if (ok) {
		push_nonce(block.iv, push->header, nonce);
		ok = crypto->aead_open(crypto->arg, block.key, block.key_len, nonce, push->header,
				       APUE_HEADER, push->ciphertext, push->n,
				       push->ciphertext + push->n, payload);
		wipe(nonce, sizeof(nonce));
	}
	wipe(&block, sizeof(block));
	return ok;
}

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
	datagram[0] = VERSION << 4 | APUE_PUSH;
	datagram[AT_SUITE] = fields->suite;
	datagram[AT_FLAGS] = fields->flags;
	datagram[AT_SEGMENT] = (uint8_t)(fields->segment_index << 4 | (fields->segment_cnt - 1));
	memcpy(datagram + AT_SELECTOR, block.selector, 4);
	memcpy(datagram + AT_PUSH_ID, fields->push_id, AKMAPUSH_UE_PUSH_ID);
	store_be(datagram + AT_REF, 4, fields->ref);
	store_be(datagram + AT_EXPIRY, 4, fields->expiry);
	push_nonce(block.iv, datagram, nonce);
	ok = form_check(datagram, len, APUE_PUSH) == AKMAPUSH_UE_DELIVERED &&
	     crypto->aead_seal(crypto->arg, block.key, block.key_len, nonce, datagram, APUE_HEADER,
			       fields->payload, n, datagram + APUE_HEADER,
			       datagram + APUE_HEADER + n);
	wipe(nonce, sizeof(nonce));
	wipe(&block, sizeof(block));
	return ok ? len : 0;
}

static bool ack_content_is_valid(uint8_t status, size_t reply_len)
{
	return status <= APUE_STATUS_MAX && reply_len <= AKMAPUSH_UE_SEGMENT_MAX &&
	       (reply_len == 0 || status == 1 || status == 2);
}

// salt = the first 7 octets of HMAC-SHA-256(K_AF, "akma push ack" || octets 0..3 || push_id || ref
// || status || reply), into its two places. Another content has another nonce without state.
static bool ack_salt(const struct akmapush_ue_crypto *crypto, const uint8_t *kaf,
		     const struct apue_ack_fields *fields, uint8_t *header)
{
	struct akmapush_ue_octets parts[4] = {
		{"akma push ack", 13},
		{header, 4},
		{header + AT_PUSH_ID, AKMAPUSH_UE_PUSH_ID + 4 + 1}, // push_id, ref, status
		{fields->reply, fields->reply_len},
	};
	uint8_t mac[32];
	bool ok = crypto->hmac_sha256(crypto->arg, kaf, parts, 4, mac);

	memcpy(header + AT_SELECTOR, mac, 4);
	memcpy(header + AT_STATUS + 1, mac + 4, 3);
	wipe(mac, sizeof(mac));
	return ok;
}

size_t apue_ack_seal(const struct akmapush_ue_crypto *crypto, const uint8_t kaf[APUE_KEY],
		     const struct apue_ack_fields *fields,
		     uint8_t datagram[AKMAPUSH_UE_DATAGRAM_MAX])
{
	struct apue_block block;
	uint8_t nonce[APUE_NONCE];
	size_t n = fields->reply_len;
	bool ok;

	if (!ack_content_is_valid(fields->status, n) ||
	    !apue_block_derive(crypto, kaf, fields->suite, APUE_ACK, fields->push_id, &block))
		return 0;
	datagram[0] = VERSION << 4 | APUE_ACK;
	datagram[AT_SUITE] = fields->suite;
	datagram[AT_FLAGS] = 0;
	datagram[AT_SEGMENT] = 0;
	memcpy(datagram + AT_PUSH_ID, fields->push_id, AKMAPUSH_UE_PUSH_ID);
	memcpy(datagram + AT_REF, fields->ref, 4);
	datagram[AT_STATUS] = fields->status;
	ok = ack_salt(crypto, kaf, fields, datagram);
	if (ok) {
		ack_nonce(block.iv, datagram, nonce);
		ok = crypto->aead_seal(crypto->arg, block.key, block.key_len, nonce, datagram,
				       APUE_HEADER, fields->reply, n, datagram + APUE_HEADER,
				       datagram + APUE_HEADER + n);
		wipe(nonce, sizeof(nonce));
	}
	wipe(&block, sizeof(block));
	return ok ? APUE_HEADER + n + APUE_TAG : 0;
}

bool apue_ack_open(const struct akmapush_ue_crypto *crypto, const uint8_t kaf[APUE_KEY],
		   const uint8_t *datagram, size_t len, struct apue_ack_fields *fields,
		   uint8_t reply[AKMAPUSH_UE_SEGMENT_MAX])
{
	struct apue_block block;
	uint8_t nonce[APUE_NONCE];
	size_t n = len - APUE_HEADER - APUE_TAG;
	bool ok;

	if (form_check(datagram, len, APUE_ACK) != AKMAPUSH_UE_DELIVERED ||
	    !ack_content_is_valid(datagram[AT_STATUS], n))
		return false;
	ok = apue_block_derive(crypto, kaf, datagram[AT_SUITE], APUE_ACK, datagram + AT_PUSH_ID,
			       &block);
	if (ok) {
		ack_nonce(block.iv, datagram, nonce);
		ok = crypto->aead_open(crypto->arg, block.key, block.key_len, nonce, datagram,
				       APUE_HEADER, datagram + APUE_HEADER, n,
				       datagram + APUE_HEADER + n, reply);
		wipe(nonce, sizeof(nonce));
	}
	wipe(&block, sizeof(block));
	if (!ok)
		return false;
	fields->suite = datagram[AT_SUITE];
	fields->status = datagram[AT_STATUS];
	memcpy(fields->push_id, datagram + AT_PUSH_ID, AKMAPUSH_UE_PUSH_ID);
	memcpy(fields->ref, datagram + AT_REF, 4);
	fields->reply = reply;
	fields->reply_len = n;
	return true;
}
