// The two datagrams: form, sealing, opening. Layout: docs/specification.md, Datagrams.

#include "ue/octets.h"
#include "ue/protocol.h"

static bool push_id_is_uuidv7(const uint8_t *push_id)
{
	return push_id[6] >> 4 == 7 && push_id[8] >> 6 == 2;
}

enum akmapush_ue_outcome apue_form_check(const uint8_t *p, size_t len, uint8_t type)
{
	if (len < APUE_HEADER + APUE_TAG || len > AKMAPUSH_UE_DATAGRAM_MAX)
		return AKMAPUSH_UE_BAD_LENGTH;
	if (p[0] >> 4 != APUE_VERSION)
		return AKMAPUSH_UE_BAD_VERSION;
	if ((p[0] & 15) != type)
		return AKMAPUSH_UE_BAD_TYPE;
	if (p[APUE_AT_SUITE] < 1 || p[APUE_AT_SUITE] > 2)
		return AKMAPUSH_UE_BAD_SUITE;
	if (p[APUE_AT_FLAGS] & ~(type == APUE_PUSH ? APUE_FLAG_ACK_WANTED | APUE_FLAG_ORDERED : 0))
		return AKMAPUSH_UE_BAD_FLAGS;
	if (type == APUE_PUSH ? p[APUE_AT_SEGMENT] >> 4 > (p[APUE_AT_SEGMENT] & 15)
			      : p[APUE_AT_SEGMENT] != 0)
		return AKMAPUSH_UE_BAD_SEGMENT;
	if (!push_id_is_uuidv7(p + APUE_AT_PUSH_ID))
		return AKMAPUSH_UE_BAD_PUSH_ID;
	return AKMAPUSH_UE_DELIVERED;
}

enum akmapush_ue_outcome apue_push_parse(const uint8_t *datagram, size_t len,
					 struct apue_push *push)
{
	enum akmapush_ue_outcome outcome = apue_form_check(datagram, len, APUE_PUSH);

	if (outcome != AKMAPUSH_UE_DELIVERED)
		return outcome;
	push->suite = datagram[APUE_AT_SUITE];
	push->flags = datagram[APUE_AT_FLAGS];
	push->segment_index = datagram[APUE_AT_SEGMENT] >> 4;
	push->segment_cnt = (datagram[APUE_AT_SEGMENT] & 15) + 1;
	push->header = datagram;
	push->selector = datagram + APUE_AT_SELECTOR;
	push->push_id = datagram + APUE_AT_PUSH_ID;
	push->ref = datagram + APUE_AT_REF;
	push->expiry = apue_load_be(datagram + APUE_AT_EXPIRY, 4);
	push->ciphertext = datagram + APUE_HEADER;
	push->n = len - APUE_HEADER - APUE_TAG;
	return AKMAPUSH_UE_DELIVERED;
}

// iv XOR (0^7 || ref || segment index)
void apue_push_nonce(const uint8_t *iv, const uint8_t *header, uint8_t nonce[APUE_NONCE])
{
	memcpy(nonce, iv, APUE_NONCE);
	for (unsigned i = 0; i < 4; i++)
		nonce[7 + i] ^= header[APUE_AT_REF + i];
	nonce[11] ^= header[APUE_AT_SEGMENT] >> 4;
}

// iv XOR (salt || 0^5); the salt stands in two places of the header.
void apue_ack_nonce(const uint8_t *iv, const uint8_t *header, uint8_t nonce[APUE_NONCE])
{
	memcpy(nonce, iv, APUE_NONCE);
	for (unsigned i = 0; i < 4; i++)
		nonce[i] ^= header[APUE_AT_SELECTOR + i];
	for (unsigned i = 0; i < 3; i++)
		nonce[4 + i] ^= header[APUE_AT_STATUS + 1 + i];
}

bool apue_push_open(const struct akmapush_ue_crypto *crypto, const uint8_t kaf[APUE_KEY],
		    const struct apue_push *push, uint8_t *payload)
{
	struct apue_block block;
	uint8_t nonce[APUE_NONCE];
	bool ok;

	ok = apue_block_derive(crypto, kaf, push->suite, APUE_PUSH, push->push_id, &block) &&
	     apue_equal_ct(block.selector, push->selector, 4);
	if (ok) {
		apue_push_nonce(block.iv, push->header, nonce);
		ok = crypto->aead_open(crypto->arg, block.key, block.key_len, nonce, push->header,
				       APUE_HEADER, push->ciphertext, push->n,
				       push->ciphertext + push->n, payload);
		apue_wipe(nonce, sizeof(nonce));
	}
	apue_wipe(&block, sizeof(block));
	return ok;
}

bool apue_ack_is_valid(uint8_t status, size_t reply_len)
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
		{header + APUE_AT_PUSH_ID, AKMAPUSH_UE_PUSH_ID + 4 + 1}, // push_id, ref, status
		{fields->reply, fields->reply_len},
	};
	uint8_t mac[32];
	bool ok = crypto->hmac_sha256(crypto->arg, kaf, parts, 4, mac);

	if (ok) {
		memcpy(header + APUE_AT_SELECTOR, mac, 4);
		memcpy(header + APUE_AT_STATUS + 1, mac + 4, 3);
	}
	apue_wipe(mac, sizeof(mac));
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

	if (!apue_ack_is_valid(fields->status, n) ||
	    !apue_block_derive(crypto, kaf, fields->suite, APUE_ACK, fields->push_id, &block))
		return 0;
	datagram[0] = APUE_VERSION << 4 | APUE_ACK;
	datagram[APUE_AT_SUITE] = fields->suite;
	datagram[APUE_AT_FLAGS] = 0;
	datagram[APUE_AT_SEGMENT] = 0;
	memcpy(datagram + APUE_AT_PUSH_ID, fields->push_id, AKMAPUSH_UE_PUSH_ID);
	memcpy(datagram + APUE_AT_REF, fields->ref, 4);
	datagram[APUE_AT_STATUS] = fields->status;
	ok = ack_salt(crypto, kaf, fields, datagram);
	if (ok) {
		apue_ack_nonce(block.iv, datagram, nonce);
		ok = crypto->aead_seal(crypto->arg, block.key, block.key_len, nonce, datagram,
				       APUE_HEADER, fields->reply, n, datagram + APUE_HEADER,
				       datagram + APUE_HEADER + n);
		apue_wipe(nonce, sizeof(nonce));
	}
	apue_wipe(&block, sizeof(block));
	return ok ? APUE_HEADER + n + APUE_TAG : 0;
}
