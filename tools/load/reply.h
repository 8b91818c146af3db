#pragma once
// Answers of the server as the load generator reads them, through the JSON module of control/.
// Nothing here trusts an answer: what is missing or of another kind reads as absent.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct h2_response;
struct json;

// `cause` and `detail` of a ProblemDetails body; "" for what is not there.
void reply_problem(const struct h2_response *response, char *cause, size_t cause_max, char *detail,
		   size_t detail_max);

// A body as a document, NULL if it is none. For json_free.
struct json *reply_parse(const void *body, size_t len);
// Member of the document, or of its child object when `child` is not NULL.
uint64_t reply_uint(const struct json *document, const char *child, const char *name,
		    uint64_t absent);
// Copied, terminated; false and "" when absent or longer than max - 1.
bool reply_text(const struct json *document, const char *name, char *text, size_t max);
// n octets in hexadecimal; false when absent.
bool reply_hex(const struct json *document, const char *name, uint8_t *octets, size_t n);
