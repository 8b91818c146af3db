#pragma once
// JSON in and out; the only place that knows the JSON library. Reading is strict: duplicate keys,
// trailing text, invalid UTF-8 and U+0000 in strings are refused. Readers note what is wrong in a
// struct problem with the member's JSON pointer, and give a zero value then; so a handler reads all
// members, looks at problem_is() once, and names every wrong parameter in one answer. Strings and
// children belong to the document that json_parse gave. Memory of the JSON library is wiped as it
// is freed, for keys pass through it. Control thread and tools.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The JSON library has functions of these names; the linker must see others.
#define json_string    json_member_string
#define json_object    json_member_object
#define json_array     json_member_array
#define json_is_object json_value_is_object

struct json; // a value; NULL reads as absent
struct problem;

// A document whose top is an object, or NULL with the problem noted (INVALID_MSG_FORMAT, position).
struct json *json_parse(const char *text, size_t len, struct problem *problem);
void json_free(struct json *document); // NULL is fine; strings are wiped

enum json_need { JSON_OPTIONAL, JSON_REQUIRED };

struct json_reader {
	const struct json *object;
	const char *pointer; // of the object: "" or "/target"
	struct problem *problem;
};

bool json_has(const struct json_reader *reader, const char *name); // null included
bool json_has_null(const struct json_reader *reader, const char *name);
// A string of min..max octets, NULL when absent or wrong.
const char *json_string(const struct json_reader *reader, const char *name, enum json_need need,
			size_t min, size_t max);
uint64_t json_uint(const struct json_reader *reader, const char *name, enum json_need need,
		   uint64_t min, uint64_t max, uint64_t absent);
bool json_bool(const struct json_reader *reader, const char *name, enum json_need need,
	       bool absent);
// n octets as 2n hex digits; false when absent or wrong.
bool json_hex(const struct json_reader *reader, const char *name, enum json_need need,
	      uint8_t *octets, size_t n);
// Octets in base64: their count, or -1 when absent or wrong; the caller's buffer takes max. Longer
// ones are noted as `too_long` (a PAYLOAD_TOO_LARGE where that is meant).
long json_base64(const struct json_reader *reader, const char *name, enum json_need need,
		 uint8_t *octets, size_t max, int too_long);
// Children; NULL when absent or wrong.
const struct json *json_object(const struct json_reader *reader, const char *name,
			       enum json_need need);
const struct json *json_array(const struct json_reader *reader, const char *name,
			      enum json_need need, size_t min, size_t max);
size_t json_array_len(const struct json *array);
const struct json *json_array_at(const struct json *array, size_t index);
const char *json_text(const struct json *value); // of a string value, else NULL
bool json_is_object(const struct json *value);

// Notes every member that is none of `known` (NULL-terminated) as UNKNOWN_IE: our own API, where an
// unknown member hides a typo. The interfaces of 3GPP ignore unknown members.
void json_only(const struct json_reader *reader, const char *const *known);

// Writing: octets in strings that are not UTF-8 become '?'; reals are finite. A document built by
// calls, one object or array open at a time inside another; name is NULL inside an array. No
// failure is reported until json_take, which gives NULL without memory.
struct json_writer;
struct json_writer *json_write(void); // an object is open; NULL without memory, fine for all below
void json_put_string(struct json_writer *w, const char *name, const char *value);
void json_put_uint(struct json_writer *w, const char *name, uint64_t value);
void json_put_real(struct json_writer *w, const char *name, double value);
void json_put_bool(struct json_writer *w, const char *name, bool value);
void json_put_hex(struct json_writer *w, const char *name, const void *octets, size_t n);
void json_put_base64(struct json_writer *w, const char *name, const void *octets, size_t n);
void json_open_object(struct json_writer *w, const char *name);
void json_open_array(struct json_writer *w, const char *name);
void json_close(struct json_writer *w);
void json_put_null(struct json_writer *w, const char *name);
// The text (to free with json_text_free, which wipes it) and its length; the writer is gone. What
// is still open is closed.
char *json_take(struct json_writer *w, size_t *len);
void json_text_free(char *text, size_t len);
