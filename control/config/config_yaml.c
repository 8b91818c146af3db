// From YAML to a struct config. The document is walked as libyaml gives it, node by node with its
// line, so that everything wrong in a file is told at once, with its place: unknown and repeated
// names, wrong forms, values out of range. The depth is that of the options, whatever the
// document's.

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "control/config/config_schema.h"
#include "control/config/config_yaml.h"

struct walk {
	yaml_document_t document;
	struct config *config;
	const char *name; // of the file
	config_report report;
	void *ctx;
	unsigned n_wrong;
	int error; // -ENOMEM
};

__attribute__((format(printf, 3, 4))) static void wrong(struct walk *w, unsigned line,
							const char *format, ...)
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

static unsigned line_of(const yaml_node_t *node)
{
	return (unsigned)node->start_mark.line + 1;
}

static yaml_node_t *node_at(struct walk *w, int index)
{
	return yaml_document_get_node(&w->document, index);
}

// A node as it is shown to a reader: short and printable.
static const char *shown(const yaml_node_t *node, char text[64])
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
static const char *text_of(const yaml_node_t *node)
{
	if (node->type != YAML_SCALAR_NODE ||
	    strlen((const char *)node->data.scalar.value) != node->data.scalar.length)
		return NULL;
	return (const char *)node->data.scalar.value;
}

static bool is_nothing(const yaml_node_t *node)
{
	const char *text = text_of(node);

	return text && (!*text || !strcmp(text, "~") || !strcmp(text, "null")) &&
	       node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

static void unknown(struct walk *w, const yaml_node_t *key, const char *section)
{
	const char *name = text_of(key), *nearest = name ? option_nearest(section, name) : NULL;
	char text[64];

	if (nearest && !strcmp(nearest, name))
		nearest = NULL; // known, but not written like this
	wrong(w, line_of(key), "%s%s%s is not known here%s%s%s", section ? section : "",
	      section ? ": " : "", shown(key, text), nearest ? "; is '" : "",
	      nearest ? nearest : "", nearest ? "' meant?" : "");
}

// ---- Clients

enum client_part { CLIENT_NAME, CLIENT_ROLE, CLIENT_AF, CLIENT_PARTS };

static const struct {
	const char *name, *expected;
} client_parts[CLIENT_PARTS] = {
	[CLIENT_NAME] = {"name", "a name of 1 to 255 characters"},
	[CLIENT_ROLE] = {"role", "one of ausf, operator, af"},
	[CLIENT_AF] = {"af", "an FQDN"},
};

static bool set_client_role(struct config_client *client, const char *text)
{
	for (unsigned i = 0; config_roles[i]; i++) {
		if (strcmp(config_roles[i], text) != 0)
			continue;
		client->role = (enum config_role)i;
		return true;
	}
	return false;
}

// False when the text is not of the part's form.
static bool set_client(struct walk *w, struct config_client *client, enum client_part part,
		       const char *text)
{
	if (part == CLIENT_ROLE)
		return set_client_role(client, text);
	if (part == CLIENT_AF)
		return akma_fqdn_parse(text, strlen(text), client->af) >= 0;
	if (!*text || strlen(text) > 255)
		return false;
	client->name = strdup(text);
	if (!client->name)
		w->error = -ENOMEM;
	return true;
}

// `has`: a bit for each part that came.
static void client_member(struct walk *w, struct config_client *client, const yaml_node_t *key,
			  const yaml_node_t *value, unsigned *has)
{
	const char *name = text_of(key), *text = text_of(value);
	unsigned part = 0;
	char found[64];

	while (part < CLIENT_PARTS && !(name && !strcmp(name, client_parts[part].name)))
		part++;
	if (part == CLIENT_PARTS) {
		wrong(w, line_of(key), "tls.clients: %s is not known here; name, role and af are",
		      shown(key, found));
		return;
	}
	if (*has & 1u << part) {
		wrong(w, line_of(key), "tls.clients: %s stands here for the second time", name);
		return;
	}
	*has |= 1u << part;
	if (!text || !set_client(w, client, (enum client_part)part, text))
		wrong(w, line_of(value), "tls.clients: %s: found %s, expected %s", name,
		      shown(value, found), client_parts[part].expected);
}

static void read_client(struct walk *w, const yaml_node_t *node, struct config_client *client)
{
	enum { NEEDED = 1 << CLIENT_NAME | 1 << CLIENT_ROLE };
	unsigned before = w->n_wrong, has = 0;
	char found[64];

	if (node->type != YAML_MAPPING_NODE) {
		wrong(w, line_of(node), "tls.clients: found %s, expected {name, role, af}",
		      shown(node, found));
		return;
	}
	for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top;
	     p++)
		client_member(w, client, node_at(w, p->key), node_at(w, p->value), &has);
	if (w->n_wrong > before)
		return;
	if ((has & NEEDED) != NEEDED)
		wrong(w, line_of(node), "tls.clients: name and role are expected");
	else if ((client->role == CONFIG_ROLE_AF) != (client->af[0] != 0))
		wrong(w, line_of(node),
		      "tls.clients: role af, and no other, has the af that it acts for");
}

static void read_clients(struct walk *w, const struct option *option, const yaml_node_t *node)
{
	yaml_node_item_t *items;
	char found[64];
	size_t n;

	if (is_nothing(node))
		return;
	if (node->type != YAML_SEQUENCE_NODE) {
		wrong(w, line_of(node),
		      "tls.clients: found %s, expected a list of {name, role, af}",
		      shown(node, found));
		return;
	}
	items = node->data.sequence.items.start;
	n = (size_t)(node->data.sequence.items.top - items);
	if (n > option->max) {
		wrong(w, line_of(node), "tls.clients: found %zu, expected at most %u", n,
		      CONFIG_CLIENTS_MAX);
		return;
	}
	w->config->tls.clients = calloc(n ? n : 1, sizeof(struct config_client));
	if (!w->config->tls.clients) {
		w->error = -ENOMEM;
		return;
	}
	w->config->tls.n_clients = (unsigned)n;
	for (size_t i = 0; i < n; i++)
		read_client(w, node_at(w, items[i]), &w->config->tls.clients[i]);
}

// ---- Sections and options

static void read_value(struct walk *w, const struct option *option, const yaml_node_t *value)
{
	const char *text = text_of(value);
	char expected[128], found[64];
	int error;

	if (option->kind == OPTION_CLIENTS) {
		read_clients(w, option, value);
		return;
	}
	error = text ? option_set(w->config, option, text) : -EINVAL;
	if (error == -ENOMEM)
		w->error = error;
	if (error != -EINVAL)
		return;
	option_expected(option, expected, sizeof(expected));
	wrong(w, line_of(value), "%s.%s: found %s, expected %s", option->section, option->name,
	      shown(value, found), expected);
}

static void read_option(struct walk *w, const char *section, const char *group,
			const yaml_node_t *key, const yaml_node_t *value);

// A mapping inside a section ("source" of "source.ipv4"). As a section, it may be empty.
static void read_group(struct walk *w, const char *section, const char *group,
		       const yaml_node_t *value)
{
	char found[64];

	if (is_nothing(value))
		return;
	if (value->type != YAML_MAPPING_NODE) {
		wrong(w, line_of(value), "%s.%s: found %s, expected a mapping of its options",
		      section, group, shown(value, found));
		return;
	}
	for (yaml_node_pair_t *p = value->data.mapping.pairs.start;
	     p < value->data.mapping.pairs.top; p++)
		read_option(w, section, group, node_at(w, p->key), node_at(w, p->value));
}

// One member of a section, or of a group inside it.
static void read_option(struct walk *w, const char *section, const char *group,
			const yaml_node_t *key, const yaml_node_t *value)
{
	const char *name = text_of(key);
	const struct option *option;
	char full[64] = "";
	unsigned index;

	if (name && !group && option_is_group(section, name)) {
		read_group(w, section, name, value);
		return;
	}
	if (name && strlen(name) < 32 && !strchr(name, '.'))
		snprintf(full, sizeof(full), "%.31s%s%.31s", group ? group : "", group ? "." : "",
			 name);
	option = option_find(section, full, &index);
	if (!option) {
		unknown(w, key, section);
		return;
	}
	if (w->config->line[index]) {
		wrong(w, line_of(key), "%s.%s stands here for the second time, first in line %u",
		      section, full, w->config->line[index]);
		return;
	}
	w->config->line[index] = line_of(key);
	read_value(w, option, value);
}

static void read_section(struct walk *w, const yaml_node_t *key, const yaml_node_t *value)
{
	const char *section = text_of(key);
	char found[64];

	if (!section || !option_is_section(section)) {
		unknown(w, key, NULL);
		return;
	}
	if (is_nothing(value))
		return;
	if (value->type != YAML_MAPPING_NODE) {
		wrong(w, line_of(value), "%s: found %s, expected a mapping of its options", section,
		      shown(value, found));
		return;
	}
	for (yaml_node_pair_t *p = value->data.mapping.pairs.start;
	     p < value->data.mapping.pairs.top; p++)
		read_option(w, section, NULL, node_at(w, p->key), node_at(w, p->value));
}

static void read_root(struct walk *w, const yaml_node_t *root)
{
	char found[64];

	if (!root || is_nothing(root))
		return;
	if (root->type != YAML_MAPPING_NODE) {
		wrong(w, line_of(root), "found %s, expected a mapping of sections",
		      shown(root, found));
		return;
	}
	for (yaml_node_pair_t *p = root->data.mapping.pairs.start; p < root->data.mapping.pairs.top;
	     p++)
		read_section(w, node_at(w, p->key), node_at(w, p->value));
}

static void wrong_yaml(struct walk *w, const yaml_parser_t *parser)
{
	if (parser->error == YAML_MEMORY_ERROR) {
		w->error = -ENOMEM;
		return;
	}
	wrong(w, (unsigned)parser->problem_mark.line + 1, "not YAML: %s",
	      parser->problem ? parser->problem : "unreadable");
}

// A second document would be left out in silence.
static void read_rest(struct walk *w, yaml_parser_t *parser)
{
	yaml_document_t second;
	const yaml_node_t *root;

	if (!yaml_parser_load(parser, &second)) {
		wrong_yaml(w, parser);
		return;
	}
	root = yaml_document_get_root_node(&second);
	if (root)
		wrong(w, line_of(root), "a second document; one is expected");
	yaml_document_delete(&second);
}

int config_yaml_read(const char *text, size_t len, const char *name, struct config *config,
		     config_report report, void *ctx)
{
	struct walk w = {.config = config, .name = name, .report = report, .ctx = ctx};
	yaml_parser_t parser;

	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	if (yaml_parser_load(&parser, &w.document)) {
		const yaml_node_t *root = yaml_document_get_root_node(&w.document);

		read_root(&w, root);
		if (root)
			read_rest(&w, &parser);
		yaml_document_delete(&w.document);
	} else {
		wrong_yaml(&w, &parser);
	}
	yaml_parser_delete(&parser);
	return w.error ? w.error : w.n_wrong ? -EINVAL : 0;
}
