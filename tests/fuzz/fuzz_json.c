// Bodies in JSON: parsed, read with every reader, and what is good written again. A reader gives
// nothing that is out of its bounds, and notes a problem whenever it gives nothing for something.
//
//   input: the body

#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "control/json/json.h"
#include "control/json/problem.h"

static void read_members(const struct json_reader *reader, unsigned depth)
{
	static const char *const known[] = {"s", "n", "b", "h", "x", "o", "a", NULL};
	uint8_t octets[16];
	const struct json *array, *object;
	const char *string;
	uint64_t number;
	struct json_reader inner = {.pointer = "/o", .problem = reader->problem};

	string = json_string(reader, "s", JSON_OPTIONAL, 1, 8);
	assert(string == NULL || (1 <= strlen(string) && strlen(string) <= 8));
	number = json_uint(reader, "n", JSON_REQUIRED, 5, 900, 0);
	assert(number == 0 || (5 <= number && number <= 900));
	assert(number != 0 || problem_is(reader->problem));
	json_bool(reader, "b", JSON_OPTIONAL, true);
	json_hex(reader, "h", JSON_OPTIONAL, octets, sizeof(octets));
	assert(json_base64(reader, "x", JSON_OPTIONAL, octets, sizeof(octets),
			   PROBLEM_PAYLOAD_TOO_LARGE) <= (long)sizeof(octets));
	array = json_array(reader, "a", JSON_OPTIONAL, 0, 4);
	assert(array == NULL || json_array_len(array) <= 4);
	for (size_t i = 0; array != NULL && i < json_array_len(array); i++)
		assert(json_text(json_array_at(array, i)) == NULL ||
		       !json_is_object(json_array_at(array, i)));
	json_only(reader, known);
	object = json_object(reader, "o", JSON_OPTIONAL);
	inner.object = object;
	if (object != NULL && depth < 4)
		read_members(&inner, depth + 1);
}

static void write_back(const struct json_reader *reader)
{
	const char *string = json_string(reader, "s", JSON_OPTIONAL, 0, SIZE_MAX);
	struct json_writer *w = json_write();
	struct problem problem;
	struct json *again;
	size_t len;
	char *text;

	if (string != NULL)
		json_put_string(w, "s", string);
	json_put_base64(w, "x", string, string != NULL ? strlen(string) : 0);
	text = json_take(w, &len);
	problem_init(&problem);
	again = json_parse(text, len, &problem);
	assert(again != NULL);
	assert(string == NULL || strcmp(json_string(&(struct json_reader){again, "", &problem}, "s",
						    JSON_REQUIRED, 0, SIZE_MAX),
					string) == 0);
	json_free(again);
	json_text_free(text, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	struct problem problem;
	struct json *document;
	struct json_reader reader = {.pointer = "", .problem = &problem};

	problem_init(&problem);
	document = json_parse((const char *)octets, n, &problem);
	assert((document == NULL) == problem_is(&problem));
	if (document == NULL)
		return 0;
	reader.object = document;
	read_members(&reader, 0);
	problem_init(&problem);
	write_back(&reader);
	json_free(document);
	return 0;
}
