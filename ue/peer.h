#ifndef AKMAPUSH_UE_PEER_H
#define AKMAPUSH_UE_PEER_H
// What the other end does, the push function: seals a PUSH, opens an ACK. For tests and conformance
// tools; no device needs it, so it is not in the library. Any thread.

#include "ue/protocol.h"

// What makes a PUSH, as its sender has it.
struct apue_push_fields {
	uint8_t suite;
	uint8_t flags;
	uint8_t segment_index;
	uint8_t segment_cnt;
	const uint8_t *push_id;
	uint32_t ref;
	uint32_t expiry;
	const uint8_t *payload;
	size_t payload_len;
};

// Writes 48 + payload_len octets and returns that; 0 if the fields do not make a datagram. For
// tools and tests: a UE never seals a PUSH.
size_t apue_push_seal(const struct akmapush_ue_crypto *crypto, const uint8_t kaf[APUE_KEY],
		      const struct apue_push_fields *fields,
		      uint8_t datagram[AKMAPUSH_UE_DATAGRAM_MAX]);

// Opens an ACK as a push function does, form included; fields->reply is `reply`, which takes 1184
// octets. False (and what `reply` took is wiped) for anything but a genuine ACK.
bool apue_ack_open(const struct akmapush_ue_crypto *crypto, const uint8_t kaf[APUE_KEY],
		   const uint8_t *datagram, size_t len, struct apue_ack_fields *fields,
		   uint8_t reply[AKMAPUSH_UE_SEGMENT_MAX]);

#endif
