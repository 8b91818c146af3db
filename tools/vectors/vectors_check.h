#pragma once
// Values compared, and what differs noted. One thread.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_writer;

enum { VECTORS_SHOWN = 40 }; // octets of a value in a difference

// Where differences are noted while one implementation goes through one file.
struct vectors_check {
	const char *file, *implementation;
	const char *list; // "keys"
	size_t entry;
	uint64_t n_checked, n_differences;
	struct json_writer *json; // an array is open; NULL: lines on standard output
};

// One value of the entry under way.
void vectors_check_value(struct vectors_check *check, const char *field, const void *expected,
			 size_t expected_len, const void *computed, size_t computed_len);
// Something that is not a value: that a datagram opens, or is dropped.
void vectors_check_true(struct vectors_check *check, const char *field, bool is_so,
			const char *otherwise);
