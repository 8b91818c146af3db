#include "control/config/config_yaml_walk.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

void walk_wrong(struct walk *w, unsigned line, const char *format, ...)
{
	char text[CONFIG_ERROR_MAX];
	va_list args;
	size_t at;

	at = (size_t)snprintf(text, sizeof(text), "%.255s:%u: ", w->name, line);
	va_start(args, format);
	vsnprintf(text + at, sizeof(text) - at, format, args);
	va_end(args);
	w->n_wrong++;
	w->report(w->ctx, text);
}

unsigned walk_line(const yaml_node_t *node)
{
	return (unsigned)node->start_mark.line + 1;
}

yaml_node_t *walk_node(struct walk *w, int index)
{
	return yaml_document_get_node(w->document, index);
}

// A node as it is shown to a reader: short and printable.
const char *walk_shown(const yaml_node_t *node, char text[64])
{
	const char *value;

	if (node->type == YAML_MAPPING_NODE)
		return "a mapping";
	if (node->type == YAML_SEQUENCE_NODE)
		return "a list";
	value = (const char *)node->data.scalar.value;
	if (!*value)
		return "nothing";
	snprintf(text, 64, "'%.60s'", value);
	for (char *c = text; *c; c++)
		*c = (*c < ' ' || *c > '~') ? '?' : *c;
	return text;
}

// The text of a scalar, or NULL; a zero inside makes it none.
const char *walk_text(const yaml_node_t *node)
{
	if (node->type != YAML_SCALAR_NODE ||
	    strlen((const char *)node->data.scalar.value) != node->data.scalar.length)
		return NULL;
	return (const char *)node->data.scalar.value;
}

bool walk_is_nothing(const yaml_node_t *node)
{
	const char *text = walk_text(node);

	return text && (!*text || !strcmp(text, "~") || !strcmp(text, "null")) &&
	       node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

const int *walk_list(struct walk *w, const yaml_node_t *node, const char *what, const char *form,
		     size_t max, size_t *n)
{
	char found[64];

	*n = 0;
	if (walk_is_nothing(node))
		return NULL;
	if (node->type != YAML_SEQUENCE_NODE) {
		walk_wrong(w, walk_line(node), "%s: found %s, expected a list of %s", what,
			   walk_shown(node, found), form);
		return NULL;
	}
	*n = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
	if (*n > max) {
		walk_wrong(w, walk_line(node), "%s: found %zu, expected at most %zu", what, *n,
			   max);
		*n = 0;
	}
	return *n ? node->data.sequence.items.start : NULL;
}
