#pragma once
// Paths and queries of requests (RFC 3986): cut first, percent-decoded after, so that %2F stays
// inside its segment. Pure functions over octets.

#include <stddef.h>

struct text;

enum { PATH_SEGMENTS_MAX = 12, QUERY_PARAMS_MAX = 16 };

struct path {
	unsigned n;
	const char *segment[PATH_SEGMENTS_MAX]; // decoded, terminated
};

struct query {
	unsigned n;
	struct {
		const char *name;
		const char *value; // "" when there is none
	} params[QUERY_PARAMS_MAX];
};

// The part of a request target before '?'. -EBADMSG: no absolute path, a bad percent code, an
// encoded control character or U+0000, or a dot segment; -ENOENT: an empty segment or too many,
// which nothing here has; -ENOMEM.
int path_parse(struct path *path, struct text *text, const char *from, size_t len);
// The part after '?'. -EBADMSG: a bad percent code, a name twice, too many parameters; -ENOMEM.
int query_parse(struct query *query, struct text *text, const char *from, size_t len);
