#pragma once
// akmapush-vectors: conformance vectors of protocol 1 (docs/specification.md, Vectors) as a program
// checks them. A file is read and its form checked as a whole (vectors_file.h); then each
// implementation of the protocol (vectors_crypto.h, vectors_ue.h) computes every value of every
// entry, and what differs is noted (vectors_check.h). One thread.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json;

enum {
	VECTORS_KEY = 32,
	VECTORS_PUSH_ID = 16,
	VECTORS_TEXT_MAX = 1184,
	VECTORS_DATAGRAM_MAX = 2048, // rejects may be longer than any datagram of the protocol
	VECTORS_IMPLEMENTATIONS_MAX = 32,
};

struct vector_octets {
	uint32_t len;
	uint8_t *octets;
};

// K_AUSF to K_AF.
struct vector_key {
	uint8_t kausf[VECTORS_KEY], kakma[VECTORS_KEY], atid[VECTORS_KEY], kaf[VECTORS_KEY];
	uint8_t ua_star_id[5];
	const char *supi, *fqdn;
};

// A PUSH and the ACK that answers it.
struct vector_message {
	uint8_t kaf[VECTORS_KEY], push_id[VECTORS_PUSH_ID];
	uint8_t selector[4], iv[12], ack_iv[12];
	uint8_t suite, flags, segment_index, segment_count, ack_status;
	uint32_t ref, expiry;
	struct vector_octets payload, key, push, ack_key, reply, ack;
};

// A datagram that is dropped.
struct vector_reject {
	uint8_t kaf[VECTORS_KEY];
	bool to_ue; // else to the push function
	const char *why;
	struct vector_octets datagram;
};

struct vectors {
	struct json *document; // strings lead into it
	struct vector_key *keys;
	struct vector_message *messages;
	struct vector_reject *rejects;
	size_t n_keys, n_messages, n_rejects;
};

struct vectors_check;

// An implementation: computes, and tells vectors_check_value.
struct vectors_implementation {
	char name[64];
	void (*key)(const void *arg, struct vectors_check *check, const struct vector_key *v);
	void (*message)(const void *arg, struct vectors_check *check,
			const struct vector_message *v);
	void (*reject)(const void *arg, struct vectors_check *check, const struct vector_reject *v);
	const void *arg;
};
