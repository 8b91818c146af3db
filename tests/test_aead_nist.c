// AES-GCM implementations against the known answers of NIST's validation programme.

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "crypto/aead.h"

enum { OCTETS_MAX = 128, LINE_MAX_LEN = 1024, COPIES = 17, VECTORS = 300 };

// One line of tests/vectors/gcm_nist.txt.
struct octets {
	uint8_t at[OCTETS_MAX];
	unsigned len;
};

enum field { KEY, NONCE, AAD, TEXT, CIPHERTEXT, TAG, FIELDS };

static void read_field(struct octets *octets, const char *hex)
{
	const size_t len = strlen(hex);

	octets->len = 0;
	if (!strcmp(hex, "-"))
		return;
	cr_assert(len / 2 <= OCTETS_MAX);
	octets->len = (unsigned)(len / 2);
	cr_assert_eq(hex_parse(hex, len, octets->at, len / 2), 0, "%s", hex);
}

// The next vector of the file, or false.
static bool next_vector(FILE *file, struct octets vector[FIELDS])
{
	char line[LINE_MAX_LEN], *rest;

	do {
		if (!fgets(line, sizeof(line), file))
			return false;
	} while (line[0] == '#');
	rest = line;
	for (unsigned i = 0; i < FIELDS; i++) {
		const char *const hex = strsep(&rest, " \n");

		cr_assert_not_null(hex);
		read_field(&vector[i], hex);
	}
	cr_assert_eq(vector[NONCE].len, AEAD_NONCE);
	cr_assert_eq(vector[TAG].len, AEAD_TAG);
	cr_assert_eq(vector[TEXT].len, vector[CIPHERTEXT].len);
	return true;
}

static struct aead_item item_of(const struct octets vector[FIELDS], const uint8_t *in, uint8_t *out)
{
	struct aead_item item = {
		.key = vector[KEY].at,
		.aad = vector[AAD].at,
		.in = in,
		.out = out,
		.len = (uint16_t)vector[TEXT].len,
	};

	memcpy(item.nonce, vector[NONCE].at, AEAD_NONCE);
	return item;
}

// Sealed and opened n times at once.
static void check(const struct aead_ops *ops, const struct octets vector[FIELDS], unsigned n)
{
	struct aead *const aead = ops->open(vector[AAD].len);
	const unsigned key_len = vector[KEY].len, len = vector[TEXT].len;
	uint8_t sealed[COPIES][OCTETS_MAX + AEAD_TAG], text[COPIES][OCTETS_MAX];
	struct aead_item item[COPIES];

	cr_assert_not_null(aead);
	for (unsigned i = 0; i < n; i++)
		item[i] = item_of(vector, vector[TEXT].at, sealed[i]);
	ops->seal(aead, key_len, item, n);
	for (unsigned i = 0; i < n; i++) {
		cr_assert_arr_eq(sealed[i], vector[CIPHERTEXT].at, len, "%s", ops->name);
		cr_assert_arr_eq(sealed[i] + len, vector[TAG].at, AEAD_TAG, "%s", ops->name);
		sealed[i][len] ^= i % 2;
		item[i] = item_of(vector, sealed[i], text[i]);
	}
	ops->open_burst(aead, key_len, item, n);
	for (unsigned i = 0; i < n; i++) {
		cr_assert_eq(item[i].ok, i % 2 == 0, "%s", ops->name);
		if (item[i].ok)
			cr_assert_arr_eq(text[i], vector[TEXT].at, len, "%s", ops->name);
	}
	ops->close(aead);
}

Test(aead_nist, known_answers)
{
	for (unsigned i = 0; aead_implementations[i]; i++) {
		const struct aead_ops *const ops = aead_implementations[i];
		struct octets vector[FIELDS];
		unsigned n = 0;

		if (!ops->usable()) {
			cr_log_warn("this CPU does not run the implementation %s", ops->name);
			continue;
		}

		FILE *const file = fopen(GCM_NIST, "r");

		cr_assert_not_null(file, "%s", GCM_NIST);
		for (; next_vector(file, vector); n++) {
			check(ops, vector, 1);
			check(ops, vector, COPIES);
		}
		fclose(file);
		cr_assert_eq(n, VECTORS);
	}
}
