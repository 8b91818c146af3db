// JSON written as text, front to back, without a tree: an answer on the hot path of the service
// interface is a handful of members. Reading, where the risk is, is the library's.

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "control/json/json.h"

enum { DEPTH_MAX = 16, FIRST_ROOM = 512, NUMBER_MAX = 32 };

struct json_writer {
	char *text;
	size_t len, room;
	char closing[DEPTH_MAX]; // of what is open: '}' or ']'
	unsigned depth;          // 1: the document
	bool has_members;        // what is open needs a comma before the next
	bool failed;
};

// ---- Room

// Moves the text to more room; what it leaves behind is wiped.
static bool grow(struct json_writer *w, size_t more)
{
	size_t room = w->room ? w->room : FIRST_ROOM;
	char *text;

	while (room - w->len < more)
		room *= 2;
	text = malloc(room);
	if (!text) {
		w->failed = true;
		return false;
	}
	if (w->text) {
		memcpy(text, w->text, w->len);
		mem_wipe(w->text, w->len);
		free(w->text);
	}
	w->text = text;
	w->room = room;
	return true;
}

// The place for `more` octets, or NULL; what was written of them is added to len by the caller.
static inline char *room(struct json_writer *w, size_t more)
{
	if (!w || w->failed || (w->room - w->len < more && !grow(w, more)))
		return NULL;
	return w->text + w->len;
}

static void add(struct json_writer *w, const char *octets, size_t n)
{
	char *to = room(w, n);

	if (!to)
		return;
	memcpy(to, octets, n);
	w->len += n;
}

// ---- Strings

// Octets of the UTF-8 sequence at s (RFC 3629), 0 when there is none.
static size_t utf8_len(const uint8_t *s, size_t left)
{
	static const struct {
		uint8_t mask, lead, len;
		uint32_t min;
	} forms[] = {{0x80, 0x00, 1, 0},
		     {0xe0, 0xc0, 2, 0x80},
		     {0xf0, 0xe0, 3, 0x800},
		     {0xf8, 0xf0, 4, 0x10000}};

	for (size_t f = 0; f < sizeof(forms) / sizeof(forms[0]); f++) {
		uint32_t c = s[0] & (uint8_t)~forms[f].mask;

		if ((s[0] & forms[f].mask) != forms[f].lead)
			continue;
		if (forms[f].len > left)
			return 0;
		for (size_t i = 1; i < forms[f].len; i++) {
			if ((s[i] & 0xc0) != 0x80)
				return 0;
			c = c << 6 | (s[i] & 0x3f);
		}
		return c >= forms[f].min && c <= 0x10ffff && c >> 11 != 0x1b ? forms[f].len : 0;
	}
	return 0;
}

// ASCII but for controls, quote and backslash: what stands for itself in a string.
static bool is_plain(uint8_t c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static uint64_t each(uint8_t c)
{
	return UINT64_C(0x0101010101010101) * c;
}

// The top bit of an octet that is below c <= 0x80; that of an octet behind one may be wrong.
static uint64_t below(uint64_t word, uint8_t c)
{
	return (word - each(c)) & ~word;
}

static bool is_plain_word(const uint8_t *s)
{
	uint64_t word;

	memcpy(&word, s, sizeof(word));
	return !((word | below(word, 0x20) | below(word ^ each('"'), 1) |
		  below(word ^ each('\\'), 1)) &
		 each(0x80));
}

static size_t plain_len(const uint8_t *s, size_t n)
{
	size_t len = 0;

	while (n - len >= sizeof(uint64_t) && is_plain_word(s + len))
		len += sizeof(uint64_t);
	while (len < n && is_plain(s[len]))
		len++;
	return len;
}

static void add_special(struct json_writer *w, const uint8_t *s, size_t *at, size_t n)
{
	size_t len = utf8_len(s + *at, n - *at);
	char escaped[8];

	if (s[*at] < 0x20)
		add(w, escaped, (size_t)snprintf(escaped, sizeof(escaped), "\\u%04x", s[*at]));
	else if (s[*at] < 0x80)
		add(w, (char[]){'\\', (char)s[*at]}, 2);
	else if (len)
		add(w, (const char *)s + *at, len);
	else
		add(w, "?", 1); // what a peer sent need not be UTF-8
	*at += len ? len : 1;
}

// Most strings are plain from end to end: they are added in one piece.
static void add_plain(struct json_writer *w, const char *text, size_t n)
{
	char *to = room(w, n + 2);

	if (!to)
		return;
	to[0] = '"';
	memcpy(to + 1, text, n);
	to[n + 1] = '"';
	w->len += n + 2;
}

static void add_string(struct json_writer *w, const char *text, size_t n)
{
	const uint8_t *s = (const uint8_t *)text;
	size_t plain = plain_len(s, n);

	if (plain == n) {
		add_plain(w, text, n);
		return;
	}
	add(w, "\"", 1);
	for (size_t at = 0; at < n; plain = plain_len(s + at, n - at)) {
		add(w, text + at, plain);
		at += plain;
		if (at < n)
			add_special(w, s, &at, n);
	}
	add(w, "\"", 1);
}

// ---- Members

static void begin(struct json_writer *w, const char *name)
{
	if (!w)
		return;
	assert((name != NULL) == (w->closing[w->depth - 1] == '}'));
	if (w->has_members)
		add(w, ",", 1);
	w->has_members = true;
	if (!name)
		return;
	add_string(w, name, strlen(name));
	add(w, ":", 1);
}

static void open_inside(struct json_writer *w, const char *name, char opening, char closing)
{
	if (!w)
		return;
	if (w->depth)
		begin(w, name);
	assert(w->depth < DEPTH_MAX);
	w->closing[w->depth++] = closing;
	w->has_members = false;
	add(w, &opening, 1);
}

struct json_writer *json_write(void)
{
	struct json_writer *w = calloc(1, sizeof(*w));

	open_inside(w, NULL, '{', '}');
	return w;
}

void json_open_object(struct json_writer *w, const char *name)
{
	open_inside(w, name, '{', '}');
}

void json_open_array(struct json_writer *w, const char *name)
{
	open_inside(w, name, '[', ']');
}

static void close_inner(struct json_writer *w)
{
	add(w, &w->closing[--w->depth], 1);
	w->has_members = true;
}

void json_close(struct json_writer *w)
{
	if (!w)
		return;
	assert(w->depth > 1); // json_take closes the document
	close_inner(w);
}

void json_put_string(struct json_writer *w, const char *name, const char *value)
{
	begin(w, name);
	add_string(w, value, strlen(value));
}

static void put_literal(struct json_writer *w, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void put_literal(struct json_writer *w, const char *name, const char *format, ...)
{
	char text[NUMBER_MAX];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	begin(w, name);
	add(w, text, (size_t)n);
}

void json_put_uint(struct json_writer *w, const char *name, uint64_t value)
{
	// Readers take integers of 63 bits.
	char text[TEXT_UINT_MAX];
	size_t n = uint_write(text, value <= INT64_MAX ? value : INT64_MAX);

	begin(w, name);
	add(w, text, n);
}

void json_put_real(struct json_writer *w, const char *name, double value)
{
	assert(isfinite(value));
	put_literal(w, name, "%.15g", value);
}

void json_put_bool(struct json_writer *w, const char *name, bool value)
{
	put_literal(w, name, "%s", value ? "true" : "false");
}

void json_put_null(struct json_writer *w, const char *name)
{
	put_literal(w, name, "null");
}

// `make` writes `size` characters and a terminator, none of which needs an escape.
static void put_made(struct json_writer *w, const char *name, const void *octets, size_t n,
		     size_t size, void (*make)(char *, const void *, size_t))
{
	char *to;

	begin(w, name);
	add(w, "\"", 1);
	to = room(w, size + 1);
	if (!to)
		return;
	make(to, octets, n);
	w->len += size;
	add(w, "\"", 1);
}

void json_put_hex(struct json_writer *w, const char *name, const void *octets, size_t n)
{
	put_made(w, name, octets, n, 2 * n, hex_write);
}

void json_put_base64(struct json_writer *w, const char *name, const void *octets, size_t n)
{
	put_made(w, name, octets, n, base64_len(n), base64_write);
}

// ---- The end

char *json_take(struct json_writer *w, size_t *len)
{
	char *text;

	if (!w)
		return NULL;
	while (w->depth)
		close_inner(w);
	add(w, "", 1); // terminated
	text = w->text;
	*len = w->len - 1;
	if (w->failed) {
		json_text_free(text, w->len);
		text = NULL;
	}
	free(w);
	return text;
}

void json_text_free(char *text, size_t len)
{
	if (!text)
		return;
	mem_wipe(text, len);
	free(text);
}
