#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>
// json.h has these names too, see there.
#undef json_is_object

#include "base/text.h"
#include "control/json/json.h"
#include "control/json/json_memory.h"
#include "control/json/problem.h"

enum { POINTER_MAX = 256, EXPECTED_MAX = 80 };

static const json_t *value_of(const struct json *json)
{
	return (const json_t *)json;
}

// The library's own text may quote the body, and with it a key.
static const char *what_is_wrong(const json_error_t *error)
{
	switch (json_error_code(error)) {
	case json_error_duplicate_key:
		return "duplicate key in an object";
	case json_error_numeric_overflow:
		return "a number out of range";
	default:
		return "not well-formed JSON";
	}
}

struct json *json_parse(const char *text, size_t len, struct problem *problem)
{
	json_error_t error;
	json_t *document;

	json_memory_init();
	// The library skips a zero octet after a number.
	if (memchr(text, '\0', len) != NULL) {
		problem_set(problem, PROBLEM_INVALID_MSG_FORMAT, "a zero octet in the body");
		return NULL;
	}
	document = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (document == NULL) {
		problem_set(problem, PROBLEM_INVALID_MSG_FORMAT, "%s, line %d, column %d",
			    what_is_wrong(&error), error.line, error.column);
		return NULL;
	}
	if (!json_is_object((const struct json *)document)) {
		problem_set(problem, PROBLEM_INVALID_MSG_FORMAT, "the body is not a JSON object");
		json_decref(document);
		return NULL;
	}
	return (struct json *)document;
}

void json_free(struct json *document)
{
	json_decref((json_t *)document);
}

// The member's JSON pointer (RFC 6901 section 3).
static const char *pointer_of(const struct json_reader *reader, const char *name,
			      char pointer[POINTER_MAX])
{
	size_t n = (size_t)snprintf(pointer, POINTER_MAX, "%s/", reader->pointer);

	for (const char *c = name; *c != '\0' && n + 3 <= POINTER_MAX; c++) {
		if (*c != '~' && *c != '/') {
			pointer[n++] = *c;
			continue;
		}
		pointer[n++] = '~';
		pointer[n++] = *c == '~' ? '0' : '1';
	}
	pointer[n < POINTER_MAX ? n : POINTER_MAX - 1] = '\0';
	return pointer;
}

// What a member should be, as text only when it is not: two numbers go into the format.
struct expected {
	const char *format;
	uint64_t a, b;
};

static const char *expected_text(const struct expected *expected, char text[EXPECTED_MAX])
{
	snprintf(text, EXPECTED_MAX, expected->format, expected->a, expected->b);
	return text;
}

static void incorrect(const struct json_reader *reader, const char *name, enum json_need need,
		      const struct expected *expected)
{
	char pointer[POINTER_MAX], text[EXPECTED_MAX];

	problem_param(reader->problem,
		      need == JSON_REQUIRED ? PROBLEM_MANDATORY_IE_INCORRECT
					    : PROBLEM_OPTIONAL_IE_INCORRECT,
		      pointer_of(reader, name, pointer), "expected %s",
		      expected_text(expected, text));
}

static const json_t *member(const struct json_reader *reader, const char *name)
{
	return json_object_get(value_of(reader->object), name);
}

// The member, or NULL when it is absent, which is noted if it had to be there.
static const json_t *find(const struct json_reader *reader, const char *name, enum json_need need,
			  const struct expected *expected)
{
	const json_t *value = member(reader, name);
	char pointer[POINTER_MAX], text[EXPECTED_MAX];

	if (value == NULL && need == JSON_REQUIRED)
		problem_param(reader->problem, PROBLEM_MANDATORY_IE_MISSING,
			      pointer_of(reader, name, pointer), "missing: %s",
			      expected_text(expected, text));
	return value;
}

bool json_has(const struct json_reader *reader, const char *name)
{
	return member(reader, name) != NULL;
}

bool json_has_null(const struct json_reader *reader, const char *name)
{
	return json_is_null(member(reader, name));
}

const char *json_string(const struct json_reader *reader, const char *name, enum json_need need,
			size_t min, size_t max)
{
	const struct expected expected = {"a string of %" PRIu64 " to %" PRIu64 " octets", min,
					  max};
	const json_t *value = find(reader, name, need, &expected);

	if (value == NULL)
		return NULL;
	if (!json_is_string(value) || json_string_length(value) < min ||
	    json_string_length(value) > max) {
		incorrect(reader, name, need, &expected);
		return NULL;
	}
	return json_string_value(value);
}

uint64_t json_uint(const struct json_reader *reader, const char *name, enum json_need need,
		   uint64_t min, uint64_t max, uint64_t absent)
{
	const struct expected expected = {"an integer of %" PRIu64 " to %" PRIu64, min, max};
	const json_t *value = find(reader, name, need, &expected);

	if (value == NULL)
		return need == JSON_REQUIRED ? 0 : absent;
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
	    (uint64_t)json_integer_value(value) < min ||
	    (uint64_t)json_integer_value(value) > max) {
		incorrect(reader, name, need, &expected);
		return 0;
	}
	return (uint64_t)json_integer_value(value);
}

bool json_bool(const struct json_reader *reader, const char *name, enum json_need need, bool absent)
{
	static const struct expected expected = {"true or false", 0, 0};
	const json_t *value = find(reader, name, need, &expected);

	if (value == NULL)
		return need == JSON_REQUIRED ? false : absent;
	if (!json_is_boolean(value)) {
		incorrect(reader, name, need, &expected);
		return false;
	}
	return json_is_true(value);
}

bool json_hex(const struct json_reader *reader, const char *name, enum json_need need,
	      uint8_t *octets, size_t n)
{
	const struct expected expected = {"%" PRIu64 " hex digits", 2 * n, 0};
	const json_t *value = find(reader, name, need, &expected);

	if (value == NULL)
		return false;
	if (!json_is_string(value) || json_string_length(value) != 2 * n ||
	    hex_parse(json_string_value(value), 2 * n, octets, n) < 0) {
		incorrect(reader, name, need, &expected);
		return false;
	}
	return true;
}

long json_base64(const struct json_reader *reader, const char *name, enum json_need need,
		 uint8_t *octets, size_t max, int too_long)
{
	const struct expected expected = {"base64 of at most %" PRIu64 " octets", max, 0};
	const json_t *value = find(reader, name, need, &expected);
	char pointer[POINTER_MAX], text[EXPECTED_MAX];
	ssize_t n;

	if (value == NULL)
		return -1;
	n = json_is_string(value)
		    ? base64_parse(json_string_value(value), json_string_length(value), octets, max)
		    : -EBADMSG;
	if (n == -EMSGSIZE)
		problem_param(reader->problem, (enum problem_cause)too_long,
			      pointer_of(reader, name, pointer), "expected %s",
			      expected_text(&expected, text));
	else if (n < 0)
		incorrect(reader, name, need, &expected);
	return n < 0 ? -1 : n;
}

const struct json *json_object(const struct json_reader *reader, const char *name,
			       enum json_need need)
{
	static const struct expected expected = {"an object", 0, 0};
	const json_t *value = find(reader, name, need, &expected);

	if (value == NULL)
		return NULL;
	if (json_typeof(value) != JSON_OBJECT) {
		incorrect(reader, name, need, &expected);
		return NULL;
	}
	return (const struct json *)value;
}

const struct json *json_array(const struct json_reader *reader, const char *name,
			      enum json_need need, size_t min, size_t max)
{
	const struct expected expected = {"an array of %" PRIu64 " to %" PRIu64 " items", min, max};
	const json_t *value = find(reader, name, need, &expected);

	if (value == NULL)
		return NULL;
	if (!json_is_array(value) || json_array_size(value) < min || json_array_size(value) > max) {
		incorrect(reader, name, need, &expected);
		return NULL;
	}
	return (const struct json *)value;
}

size_t json_array_len(const struct json *array)
{
	return json_array_size(value_of(array));
}

const struct json *json_array_at(const struct json *array, size_t index)
{
	return (const struct json *)json_array_get(value_of(array), index);
}

const char *json_text(const struct json *value)
{
	return json_string_value(value_of(value));
}

static bool is_one_of(const char *name, const char *const *known)
{
	for (; *known != NULL; known++)
		if (strcmp(name, *known) == 0)
			return true;
	return false;
}

void json_only(const struct json_reader *reader, const char *const *known)
{
	json_t *object = (json_t *)reader->object;
	char pointer[POINTER_MAX];

	for (void *at = json_object_iter(object); at != NULL;
	     at = json_object_iter_next(object, at)) {
		const char *name = json_object_iter_key(at);

		if (!is_one_of(name, known))
			problem_param(reader->problem, PROBLEM_UNKNOWN_IE,
				      pointer_of(reader, name, pointer), "not a known member");
	}
}

bool json_is_object(const struct json *value)
{
	return value != NULL && json_typeof(value_of(value)) == JSON_OBJECT;
}
