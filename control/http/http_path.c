#include "control/http/http_path.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "control/http/http_text.h"

// Decodes into a terminated string of `text`.
static int decode(struct text *text, const char *from, size_t len, const char **decoded)
{
	char *to = text_take(text, len + 1);
	size_t n = 0;

	if (to == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < len; i++, n++) {
		unsigned char c = (unsigned char)from[i];

		if (c == '%') {
			if (len - i < 3 || hex_parse(from + i + 1, 2, &c, 1) < 0)
				return -EBADMSG;
			i += 2;
		}
		if (c < 0x20 || c == 0x7f)
			return -EBADMSG;
		to[n] = (char)c;
	}
	to[n] = '\0';
	*decoded = to;
	return 0;
}

static int add_segment(struct path *path, struct text *text, const char *from, size_t len)
{
	const char *segment;
	int status;

	if (len == 0 || path->n == PATH_SEGMENTS_MAX)
		return -ENOENT;
	status = decode(text, from, len, &segment);
	if (status < 0)
		return status;
	if (strcmp(segment, ".") == 0 || strcmp(segment, "..") == 0)
		return -EBADMSG;
	path->segment[path->n++] = segment;
	return 0;
}

int path_parse(struct path *path, struct text *text, const char *from, size_t len)
{
	const char *end = from + len;
	int status = 0;

	path->n = 0;
	if (len == 0 || *from != '/')
		return -EBADMSG;
	while (status == 0 && from < end) {
		const char *slash = memchr(from + 1, '/', (size_t)(end - from - 1));
		const char *next = slash != NULL ? slash : end;

		status = add_segment(path, text, from + 1, (size_t)(next - from - 1));
		from = next;
	}
	return status;
}

static int add_param(struct query *query, struct text *text, const char *from, size_t len)
{
	const char *equals = memchr(from, '=', len);
	size_t name_len = equals != NULL ? (size_t)(equals - from) : len;
	const char *name, *value = "";
	int status;

	if (query->n == QUERY_PARAMS_MAX)
		return -EBADMSG;
	status = decode(text, from, name_len, &name);
	if (status == 0 && equals != NULL)
		status = decode(text, equals + 1, len - name_len - 1, &value);
	if (status < 0)
		return status;
	for (unsigned i = 0; i < query->n; i++)
		if (strcmp(query->params[i].name, name) == 0)
			return -EBADMSG;
	query->params[query->n].name = name;
	query->params[query->n++].value = value;
	return 0;
}

int query_parse(struct query *query, struct text *text, const char *from, size_t len)
{
	const char *end = from + len;
	int status = 0;

	query->n = 0;
	while (status == 0 && from < end) {
		const char *and = memchr(from, '&', (size_t)(end - from));
		const char *next = and != NULL ? and : end;

		if (next > from)
			status = add_param(query, text, from, (size_t)(next - from));
		from = and != NULL ? next + 1 : end;
	}
	return status;
}
