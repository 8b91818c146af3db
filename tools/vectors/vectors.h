#pragma once
// akmapush-vectors: conformance vectors of protocol 1 (docs/specification.md, Vectors) as a program
// checks them. A file is read and its form checked as a whole; then each implementation of the
// protocol computes every value of every entry, and what differs is noted. One thread.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_writer;

enum {
	VECTORS_KEY = 32,
	VECTORS_PUSH_ID = 16,
	VECTORS_TEXT_MAX = 1184,
	VECTORS_DATAGRAM_MAX = 2048, // rejects may be longer than any datagram of the protocol
	VECTORS_ENTRIES_MAX = 100000,
	VECTORS_ERROR = 256,
	VECTORS_SHOWN = 40, // octets of a value in a difference
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

// Reads a file. 0, or -EBADMSG or another -errno with what is wrong, and where, in `error`.
int vectors_load(struct vectors *vectors, const char *path, char error[VECTORS_ERROR]);
void vectors_free(struct vectors *vectors);

// Where differences are noted while one implementation goes through one file.
struct vectors_check {
	const char *file, *implementation;
	const char *list; // "keys"
	size_t entry;
	uint64_t n_checked, n_differences;
	struct json_writer *json; // an array is open; NULL: lines on standard output
};

// One value of the entry under way.
void vectors_expect(struct vectors_check *check, const char *field, const void *expected,
		    size_t expected_len, const void *computed, size_t computed_len);
// Something that is not a value: that a datagram opens, or is dropped.
void vectors_expect_true(struct vectors_check *check, const char *field, bool is_so,
			 const char *otherwise);

// An implementation: computes, and tells vectors_expect.
struct vectors_implementation {
	char name[64];
	void (*key)(const void *arg, struct vectors_check *check, const struct vector_key *v);
	void (*message)(const void *arg, struct vectors_check *check,
			const struct vector_message *v);
	void (*reject)(const void *arg, struct vectors_check *check, const struct vector_reject *v);
	const void *arg;
};

enum { VECTORS_IMPLEMENTATIONS_MAX = 32 };

// Those of this program on this CPU, [VECTORS_IMPLEMENTATIONS_MAX] at most; return how many.
unsigned vectors_crypto(struct vectors_implementation *all); // crypto/: each kernel and AEAD
void vectors_crypto_close(void);
unsigned vectors_ue(struct vectors_implementation *all); // ue/: each crypto table
