// Reading of a file of vectors: strict, since a typo in it must not pass for a vector.
#include "tools/vectors/vectors_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "control/json/json.h"
#include "control/json/problem.h"

enum { FILE_MAX = 256 << 20, POINTER = 64 };

// Grows `text` to twice its capacity, or makes it.
static bool grow(char **text, size_t *capacity)
{
	size_t more = *capacity ? 2 * *capacity : 1 << 16;
	char *p = realloc(*text, more);

	if (!p)
		return false;
	*text = p;
	*capacity = more;
	return true;
}

// All that is in a file, which may be a pipe; the caller frees it. 0 or -errno.
static int stream_read(FILE *file, char **text, size_t *len)
{
	size_t capacity = 0;

	*text = NULL;
	*len = 0;
	do {
		if (capacity >= FILE_MAX)
			return -EFBIG;
		if (!grow(text, &capacity))
			return -ENOMEM;
		errno = 0;
		*len += fread(*text + *len, 1, capacity - *len, file);
	} while (*len == capacity);
	return ferror(file) ? (errno ? -errno : -EIO) : 0;
}

static int file_read(const char *path, char **text, size_t *len)
{
	FILE *file = fopen(path, "rb");
	int r;

	if (!file)
		return -errno;
	r = stream_read(file, text, len);
	fclose(file);
	if (r)
		free(*text);
	return r;
}

// Hexadecimal of any length up to max octets.
static void read_octets(const struct json_reader *r, const char *name, size_t max,
			struct vector_octets *to)
{
	const char *text = json_string(r, name, JSON_REQUIRED, 0, 2 * max);
	char pointer[2 * POINTER];
	size_t len;

	if (!text)
		return;
	len = strlen(text);
	to->octets = malloc(len / 2 + 1);
	to->len = (uint32_t)(len / 2);
	if (to->octets && hex_parse(text, len, to->octets, len / 2) == 0)
		return;
	snprintf(pointer, sizeof(pointer), "%s/%s", r->pointer, name);
	problem_param(r->problem, PROBLEM_MANDATORY_IE_INCORRECT, pointer, "is not hexadecimal");
}

static uint32_t read_uint(const struct json_reader *r, const char *name, uint64_t min, uint64_t max)
{
	return (uint32_t)json_uint(r, name, JSON_REQUIRED, min, max, min);
}

static void read_key(const struct json_reader *r, void *to)
{
	static const char *const known[] = {"kausf", "supi", "fqdn", "ua_star_id",
					    "kakma", "atid", "kaf",  NULL};
	struct vector_key *v = to;

	json_hex(r, "kausf", JSON_REQUIRED, v->kausf, sizeof(v->kausf));
	json_hex(r, "kakma", JSON_REQUIRED, v->kakma, sizeof(v->kakma));
	json_hex(r, "atid", JSON_REQUIRED, v->atid, sizeof(v->atid));
	json_hex(r, "kaf", JSON_REQUIRED, v->kaf, sizeof(v->kaf));
	json_hex(r, "ua_star_id", JSON_REQUIRED, v->ua_star_id, sizeof(v->ua_star_id));
	json_only(r, known);
	v->supi = json_string(r, "supi", JSON_REQUIRED, 1, 255);
	v->fqdn = json_string(r, "fqdn", JSON_REQUIRED, 4, 253);
}

static void read_message(const struct json_reader *r, void *to)
{
	static const char *const known[] = {
		"kaf",           "push_id",       "selector",   "iv",  "ack_iv", "suite",   "flags",
		"segment_index", "segment_count", "ack_status", "ref", "expiry", "payload", "key",
		"push",          "ack_key",       "reply",      "ack", NULL};
	struct vector_message *v = to;

	json_only(r, known);
	json_hex(r, "kaf", JSON_REQUIRED, v->kaf, sizeof(v->kaf));
	json_hex(r, "push_id", JSON_REQUIRED, v->push_id, sizeof(v->push_id));
	json_hex(r, "selector", JSON_REQUIRED, v->selector, sizeof(v->selector));
	json_hex(r, "iv", JSON_REQUIRED, v->iv, sizeof(v->iv));
	json_hex(r, "ack_iv", JSON_REQUIRED, v->ack_iv, sizeof(v->ack_iv));
	v->suite = (uint8_t)read_uint(r, "suite", 1, 2);
	v->flags = (uint8_t)read_uint(r, "flags", 0, 3);
	v->segment_index = (uint8_t)read_uint(r, "segment_index", 0, 15);
	v->segment_count = (uint8_t)read_uint(r, "segment_count", 1, 16);
	v->ack_status = (uint8_t)read_uint(r, "ack_status", 0, 3);
	v->ref = read_uint(r, "ref", 0, UINT32_MAX);
	v->expiry = read_uint(r, "expiry", 0, UINT32_MAX);
	read_octets(r, "payload", VECTORS_TEXT_MAX, &v->payload);
	read_octets(r, "key", VECTORS_KEY, &v->key);
	read_octets(r, "push", VECTORS_DATAGRAM_MAX, &v->push);
	read_octets(r, "ack_key", VECTORS_KEY, &v->ack_key);
	read_octets(r, "reply", VECTORS_TEXT_MAX, &v->reply);
	read_octets(r, "ack", VECTORS_DATAGRAM_MAX, &v->ack);
}

static void read_reject(const struct json_reader *r, void *to)
{
	static const char *const known[] = {"kaf", "to", "why", "datagram", NULL};
	struct vector_reject *v = to;
	const char *who = json_string(r, "to", JSON_REQUIRED, 2, 20);
	char pointer[2 * POINTER];

	json_only(r, known);
	json_hex(r, "kaf", JSON_REQUIRED, v->kaf, sizeof(v->kaf));
	v->why = json_string(r, "why", JSON_REQUIRED, 0, 1000);
	read_octets(r, "datagram", VECTORS_DATAGRAM_MAX, &v->datagram);
	v->to_ue = who && strcmp(who, "ue") == 0;
	if (!who || v->to_ue || strcmp(who, "push function") == 0)
		return;
	snprintf(pointer, sizeof(pointer), "%s/to", r->pointer);
	problem_param(r->problem, PROBLEM_MANDATORY_IE_INCORRECT, pointer,
		      "is neither \"ue\" nor \"push function\"");
}

// A list of entries: allocates what they need and reads one after the other, up to the first that
// is malformed.
static void *read_list(const struct json_reader *top, const char *name, size_t size,
		       void (*read)(const struct json_reader *r, void *to), size_t *n)
{
	const struct json *list = json_array(top, name, JSON_REQUIRED, 0, VECTORS_ENTRIES_MAX);
	size_t len = list ? json_array_len(list) : 0;
	char *entries = calloc(len + 1, size);
	char pointer[POINTER];

	for (size_t i = 0; entries && i < len && !problem_is(top->problem); i++) {
		const struct json_reader r = {
			.object = json_array_at(list, i),
			.pointer = pointer,
			.problem = top->problem,
		};

		snprintf(pointer, sizeof(pointer), "/%s/%zu", name, i);
		if (!json_is_object(r.object)) {
			problem_param(r.problem, PROBLEM_MANDATORY_IE_INCORRECT, pointer,
				      "is no object");
			break;
		}
		*n = i + 1;
		read(&r, entries + i * size);
	}
	return entries;
}

static void read_document(struct vectors *v, struct problem *problem)
{
	static const char *const known[] = {"protocol", "keys", "messages", "rejects", NULL};
	const struct json_reader top = {.object = v->document, .pointer = "", .problem = problem};

	json_only(&top, known);
	json_uint(&top, "protocol", JSON_REQUIRED, 1, 1, 1);
	v->keys = read_list(&top, "keys", sizeof(*v->keys), read_key, &v->n_keys);
	v->messages =
		read_list(&top, "messages", sizeof(*v->messages), read_message, &v->n_messages);
	v->rejects = read_list(&top, "rejects", sizeof(*v->rejects), read_reject, &v->n_rejects);
}

static int describe(const struct problem *problem, char error[VECTORS_ERROR])
{
	if (problem->n_params)
		snprintf(error, VECTORS_ERROR, "%s: %s", problem->params[0].param,
			 problem->params[0].reason);
	else
		snprintf(error, VECTORS_ERROR, "%s", problem->detail);
	return -EBADMSG;
}

int vectors_load(struct vectors *vectors, const char *path, char error[VECTORS_ERROR])
{
	struct problem problem;
	char *text = NULL;
	size_t len = 0;
	int r = file_read(path, &text, &len);

	memset(vectors, 0, sizeof(*vectors));
	if (r) {
		snprintf(error, VECTORS_ERROR, "%s", strerror(-r));
		return r;
	}
	problem_init(&problem);
	vectors->document = json_parse(text, len, &problem);
	free(text);
	if (!vectors->document)
		return describe(&problem, error);
	read_document(vectors, &problem);
	if (!problem_is(&problem) &&
	    vectors->n_keys + vectors->n_messages + vectors->n_rejects == 0)
		problem_set(&problem, PROBLEM_INVALID_MSG_FORMAT, "there is no vector in it");
	if (vectors->keys && vectors->messages && vectors->rejects && !problem_is(&problem))
		return 0;
	vectors_free(vectors);
	if (!problem_is(&problem)) {
		snprintf(error, VECTORS_ERROR, "out of memory");
		return -ENOMEM;
	}
	return describe(&problem, error);
}

void vectors_free(struct vectors *v)
{
	for (size_t i = 0; i < v->n_messages; i++) {
		free(v->messages[i].payload.octets);
		free(v->messages[i].key.octets);
		free(v->messages[i].push.octets);
		free(v->messages[i].ack_key.octets);
		free(v->messages[i].reply.octets);
		free(v->messages[i].ack.octets);
	}
	for (size_t i = 0; i < v->n_rejects; i++)
		free(v->rejects[i].datagram.octets);
	free(v->keys);
	free(v->messages);
	free(v->rejects);
	json_free(v->document);
	memset(v, 0, sizeof(*v));
}
