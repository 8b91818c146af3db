#pragma once
// An AEAD implementation against the known answers in tests/vectors/gcm_nist.txt.

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "crypto/aead.h"

enum { GCM_OCTETS_MAX = 128, GCM_LINE_MAX = 1024, GCM_COPIES = 17, GCM_VECTORS = 300 };

enum gcm_field { GCM_KEY, GCM_NONCE, GCM_AAD, GCM_TEXT, GCM_CIPHERTEXT, GCM_TAG, GCM_FIELDS };

struct gcm_octets {
	uint8_t at[GCM_OCTETS_MAX];
	unsigned len;
};

// One line of the file.
struct gcm_vector {
	struct gcm_octets field[GCM_FIELDS];
};

static inline void gcm_field_read(struct gcm_octets *octets, const char *hex)
{
	const size_t len = strlen(hex);

	octets->len = 0;
	if (!strcmp(hex, "-"))
		return;
	assert(len / 2 <= GCM_OCTETS_MAX && !hex_parse(hex, len, octets->at, len / 2));
	octets->len = (unsigned)(len / 2);
}

// The next vector of the file, or false.
static inline bool gcm_vector_read(FILE *file, struct gcm_vector *v)
{
	char line[GCM_LINE_MAX], *rest;

	do {
		if (!fgets(line, sizeof(line), file))
			return false;
	} while (line[0] == '#');
	rest = line;
	for (unsigned i = 0; i < GCM_FIELDS; i++) {
		const char *const hex = strsep(&rest, " \n");

		assert(hex);
		gcm_field_read(&v->field[i], hex);
	}
	assert(v->field[GCM_NONCE].len == AEAD_NONCE && v->field[GCM_TAG].len == AEAD_TAG);
	assert(v->field[GCM_TEXT].len == v->field[GCM_CIPHERTEXT].len);
	return true;
}

static inline struct aead_item gcm_item(const struct gcm_vector *v, const uint8_t *in, uint8_t *out)
{
	struct aead_item item = {
		.key = v->field[GCM_KEY].at,
		.aad = v->field[GCM_AAD].at,
		.in = in,
		.out = out,
		.len = (uint16_t)v->field[GCM_TEXT].len,
	};

	memcpy(item.nonce, v->field[GCM_NONCE].at, AEAD_NONCE);
	return item;
}

// Sealed and opened n times at once, every other one with a tag that was changed.
static inline bool gcm_vector_agrees(const struct aead_ops *ops, const struct gcm_vector *v,
				     unsigned n)
{
	struct aead *const aead = ops->open(v->field[GCM_AAD].len);
	const unsigned key_len = v->field[GCM_KEY].len, len = v->field[GCM_TEXT].len;
	uint8_t sealed[GCM_COPIES][GCM_OCTETS_MAX + AEAD_TAG], text[GCM_COPIES][GCM_OCTETS_MAX];
	struct aead_item item[GCM_COPIES];
	bool agrees = true;

	assert(aead);
	for (unsigned i = 0; i < n; i++)
		item[i] = gcm_item(v, v->field[GCM_TEXT].at, sealed[i]);
	ops->seal(aead, key_len, item, n);
	for (unsigned i = 0; i < n; i++) {
		agrees &= !memcmp(sealed[i], v->field[GCM_CIPHERTEXT].at, len) &&
			  !memcmp(sealed[i] + len, v->field[GCM_TAG].at, AEAD_TAG);
		sealed[i][len] ^= i % 2;
		item[i] = gcm_item(v, sealed[i], text[i]);
	}
	ops->open_burst(aead, key_len, item, n);
	for (unsigned i = 0; i < n; i++) {
		agrees &= item[i].ok == (i % 2 == 0);
		agrees &= !item[i].ok || !memcmp(text[i], v->field[GCM_TEXT].at, len);
	}
	ops->close(aead);
	return agrees;
}

// The first vector that ops gets wrong, counted from 1; 0: none.
static inline unsigned gcm_nist_wrong(const struct aead_ops *ops)
{
	FILE *const file = fopen(GCM_NIST, "r");
	struct gcm_vector v;
	unsigned n = 0;
	bool agrees = true;

	assert(file);
	while (agrees && gcm_vector_read(file, &v)) {
		n++;
		agrees = gcm_vector_agrees(ops, &v, 1) && gcm_vector_agrees(ops, &v, GCM_COPIES);
	}
	fclose(file);
	assert(!agrees || n == GCM_VECTORS);
	return agrees ? 0 : n;
}
