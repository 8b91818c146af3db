#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

// json.h takes these names over, see there.
static json_t *new_object(void)
{
	return json_object();
}

static json_t *new_array(void)
{
	return json_array();
}
#undef json_is_object

#include "base/bytes.h"
#include "base/text.h"
#include "control/json.h"
#include "control/json_memory.h"

enum { DEPTH_MAX = 16 };

struct json_writer {
	json_t *open[DEPTH_MAX]; // open[0] is the document and owns the others
	unsigned depth;
	bool failed;
};

struct json_writer *json_write(void)
{
	struct json_writer *w = calloc(1, sizeof(*w));

	json_memory_init();
	if (w == NULL)
		return NULL;
	w->open[0] = new_object();
	w->failed = w->open[0] == NULL;
	return w;
}

// Takes the value over, NULL for no memory. Whether it is in the document now.
static bool put(struct json_writer *w, const char *name, json_t *value)
{
	int status = -1;

	if (w == NULL || w->failed || value == NULL) {
		json_decref(value);
	} else if (json_is_array(w->open[w->depth])) {
		assert(name == NULL);
		status = json_array_append_new(w->open[w->depth], value);
	} else {
		assert(name != NULL);
		status = json_object_set_new(w->open[w->depth], name, value);
	}
	if (w != NULL && status < 0)
		w->failed = true;
	return status == 0;
}

// A string of what a peer sent need not be UTF-8.
static json_t *string_mended(const char *text, size_t len)
{
	char *copy = strndup(text, len);
	json_t *value;

	if (copy == NULL)
		return NULL;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)copy[i] >= 0x80)
			copy[i] = '?';
	value = json_stringn(copy, len);
	mem_wipe(copy, len);
	free(copy);
	return value;
}

void json_put_string(struct json_writer *w, const char *name, const char *value)
{
	size_t len = strlen(value);
	json_t *string = json_stringn(value, len);

	if (string == NULL)
		string = string_mended(value, len);
	put(w, name, string);
}

void json_put_uint(struct json_writer *w, const char *name, uint64_t value)
{
	put(w, name, json_integer(value <= INT64_MAX ? (json_int_t)value : INT64_MAX));
}

void json_put_real(struct json_writer *w, const char *name, double value)
{
	assert(isfinite(value));
	put(w, name, json_real(value));
}

void json_put_bool(struct json_writer *w, const char *name, bool value)
{
	put(w, name, json_boolean(value));
}

void json_put_null(struct json_writer *w, const char *name)
{
	put(w, name, json_null());
}

// A text of `size` octets for `make`, which is wiped when it is in the document.
static void put_text(struct json_writer *w, const char *name, const void *octets, size_t n,
		     size_t size, void (*make)(char *, const void *, size_t))
{
	char small[512];
	char *text = size < sizeof(small) ? small : malloc(size + 1);

	if (text == NULL) {
		put(w, name, NULL);
		return;
	}
	make(text, octets, n);
	put(w, name, json_stringn_nocheck(text, size));
	mem_wipe(text, size);
	if (text != small)
		free(text);
}

void json_put_hex(struct json_writer *w, const char *name, const void *octets, size_t n)
{
	put_text(w, name, octets, n, 2 * n, hex_write);
}

void json_put_base64(struct json_writer *w, const char *name, const void *octets, size_t n)
{
	put_text(w, name, octets, n, base64_len(n), base64_write);
}

static void open_inside(struct json_writer *w, const char *name, json_t *value)
{
	if (!put(w, name, value))
		return;
	assert(w->depth + 1 < DEPTH_MAX);
	w->open[++w->depth] = value;
}

void json_open_object(struct json_writer *w, const char *name)
{
	open_inside(w, name, new_object());
}

void json_open_array(struct json_writer *w, const char *name)
{
	open_inside(w, name, new_array());
}

void json_close(struct json_writer *w)
{
	if (w == NULL || w->failed)
		return;
	assert(w->depth > 0);
	w->depth--;
}

char *json_take(struct json_writer *w, size_t *len)
{
	char *text = NULL;

	if (w == NULL)
		return NULL;
	if (!w->failed)
		text = json_dumps(w->open[0], JSON_COMPACT | JSON_REAL_PRECISION(15));
	if (text != NULL)
		*len = strlen(text);
	json_decref(w->open[0]);
	free(w);
	return text;
}

void json_text_free(char *text, size_t len)
{
	(void)len; // the memory knows its size and is wiped as a whole
	json_memory_free(text);
}
