#include "tools/load/reply.h"

#include <stdio.h>
#include <string.h>

#include "control/json/json.h"
#include "control/json/problem.h"
#include "tools/h2client.h"

enum { TEXT_MAX = 4096 };

struct json *reply_parse(const void *body, size_t len)
{
	struct problem problem;

	if (!body)
		return NULL;
	problem_init(&problem);
	return json_parse(body, len, &problem);
}

// A reader whose complaints nobody reads.
static struct json_reader reader_of(const struct json *document, struct problem *unread)
{
	problem_init(unread);
	return (struct json_reader){.object = document, .pointer = "", .problem = unread};
}

uint64_t reply_uint(const struct json *document, const char *child, const char *name,
		    uint64_t absent)
{
	struct problem unread;
	struct json_reader reader = reader_of(document, &unread);

	if (child)
		reader.object = json_object(&reader, child, JSON_OPTIONAL);
	if (!reader.object)
		return absent;
	return json_uint(&reader, name, JSON_OPTIONAL, 0, INT64_MAX, absent);
}

bool reply_text(const struct json *document, const char *name, char *text, size_t max)
{
	struct problem unread;
	const struct json_reader reader = reader_of(document, &unread);
	const char *value =
		document ? json_string(&reader, name, JSON_OPTIONAL, 0, TEXT_MAX) : NULL;

	text[0] = 0;
	if (!value || strlen(value) >= max)
		return false;
	strcpy(text, value);
	return true;
}

bool reply_hex(const struct json *document, const char *name, uint8_t *octets, size_t n)
{
	struct problem unread;
	const struct json_reader reader = reader_of(document, &unread);

	return document && json_hex(&reader, name, JSON_REQUIRED, octets, n);
}

void reply_problem(const struct h2_response *response, char *cause, size_t cause_max, char *detail,
		   size_t detail_max)
{
	char text[TEXT_MAX];
	struct json *document = reply_parse(response->body, response->body_len);

	reply_text(document, "cause", cause, cause_max);
	if (!reply_text(document, "detail", text, sizeof(text)))
		reply_text(document, "title", text, sizeof(text));
	snprintf(detail, detail_max, "%.*s", (int)detail_max - 1, text);
	json_free(document);
}
