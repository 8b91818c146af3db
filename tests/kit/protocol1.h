#pragma once
// The vectors of protocol 1 for tests: tests/vectors/protocol1.json, whose path the build gives as
// PROTOCOL1. Whatever is missing or malformed fails the test.

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"

// The whole file; the caller releases it with json_decref.
static inline json_t *protocol1_load(void)
{
	json_error_t error;
	json_t *const root = json_load_file(PROTOCOL1, JSON_REJECT_DUPLICATES, &error);

	cr_assert_not_null(root, "%s:%d: %s", PROTOCOL1, error.line, error.text);
	cr_assert_eq(json_integer_value(json_object_get(root, "protocol")), 1);
	return root;
}

// The entries under `name`, at least one.
static inline const json_t *protocol1_entries(const json_t *root, const char *name)
{
	const json_t *const entries = json_object_get(root, name);

	cr_assert(json_array_size(entries) > 0, "no %s in the vectors", name);
	return entries;
}

static inline const char *protocol1_text(const json_t *entry, const char *name)
{
	const char *const text = json_string_value(json_object_get(entry, name));

	cr_assert_not_null(text, "no text %s in an entry", name);
	return text;
}

static inline uint32_t protocol1_integer(const json_t *entry, const char *name)
{
	const json_t *const value = json_object_get(entry, name);

	cr_assert(json_is_integer(value), "no integer %s in an entry", name);
	return (uint32_t)json_integer_value(value);
}

// Octets of a hexadecimal member, at most max; returns their number.
static inline size_t protocol1_octets(const json_t *entry, const char *name, void *octets,
				      size_t max)
{
	const char *const text = protocol1_text(entry, name);
	const size_t n = strlen(text) / 2;

	cr_assert(n <= max, "%s has %zu octets", name, n);
	cr_assert_eq(hex_parse(text, strlen(text), octets, n), 0, "%s is not hexadecimal", name);
	return n;
}
