// From YAML to a struct config. The document is walked as libyaml gives it, node by node with its
// line, so that everything wrong in a file is told at once, with its place: unknown and repeated
// names, wrong forms, values out of range. The depth is that of the options, whatever the
// document's.

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "control/config/config_yaml.h"
#include "control/config/config_yaml_walk.h"

static void unknown(struct walk *w, const yaml_node_t *key, const char *section)
{
	const char *name = walk_text(key), *nearest = name ? option_nearest(section, name) : NULL;
	char text[64];

	if (nearest && !strcmp(nearest, name))
		nearest = NULL; // known, but not written like this
	walk_wrong(w, walk_line(key), "%s%s%s is not known here%s%s%s", section ? section : "",
		   section ? ": " : "", walk_shown(key, text), nearest ? "; is '" : "",
		   nearest ? nearest : "", nearest ? "' meant?" : "");
}

// ---- Sections and options

typedef void list_walk(struct walk *w, const struct option *option, const yaml_node_t *node);

// What reads an option that is a list; NULL for others.
static list_walk *option_list(const struct option *option)
{
	switch (option->kind) {
	case OPTION_CLIENTS:
		return walk_clients;
	case OPTION_ARGUMENTS:
		return walk_arguments;
	case OPTION_PORTS:
		return walk_ports;
	default:
		return NULL;
	}
}

static void read_value(struct walk *w, const struct option *option, const yaml_node_t *value)
{
	const char *text = walk_text(value);
	char expected[128], found[64];
	int error;

	if (option_list(option)) {
		option_list(option)(w, option, value);
		return;
	}
	error = text ? option_set(w->config, option, text) : -EINVAL;
	if (error == -ENOMEM)
		w->error = error;
	if (error != -EINVAL)
		return;
	option_expected(option, expected, sizeof(expected));
	walk_wrong(w, walk_line(value), "%s.%s: found %s, expected %s", option->section,
		   option->name, walk_shown(value, found), expected);
}

static void read_option(struct walk *w, const char *section, const char *group,
			const yaml_node_t *key, const yaml_node_t *value);

// A mapping inside a section ("source" of "source.ipv4"). As a section, it may be empty.
static void read_group(struct walk *w, const char *section, const char *group,
		       const yaml_node_t *value)
{
	char found[64];

	if (walk_is_nothing(value))
		return;
	if (value->type != YAML_MAPPING_NODE) {
		walk_wrong(w, walk_line(value),
			   "%s.%s: found %s, expected a mapping of its options", section, group,
			   walk_shown(value, found));
		return;
	}
	for (yaml_node_pair_t *p = value->data.mapping.pairs.start;
	     p < value->data.mapping.pairs.top; p++)
		read_option(w, section, group, walk_node(w, p->key), walk_node(w, p->value));
}

// One member of a section, or of a group inside it.
static void read_option(struct walk *w, const char *section, const char *group,
			const yaml_node_t *key, const yaml_node_t *value)
{
	const char *name = walk_text(key);
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
		walk_wrong(w, walk_line(key),
			   "%s.%s stands here for the second time, first in line %u", section, full,
			   w->config->line[index]);
		return;
	}
	w->config->line[index] = walk_line(key);
	read_value(w, option, value);
}

static void read_section(struct walk *w, const yaml_node_t *key, const yaml_node_t *value)
{
	const char *section = walk_text(key);
	char found[64];

	if (!section || !option_is_section(section)) {
		unknown(w, key, NULL);
		return;
	}
	if (walk_is_nothing(value))
		return;
	if (value->type != YAML_MAPPING_NODE) {
		walk_wrong(w, walk_line(value), "%s: found %s, expected a mapping of its options",
			   section, walk_shown(value, found));
		return;
	}
	for (yaml_node_pair_t *p = value->data.mapping.pairs.start;
	     p < value->data.mapping.pairs.top; p++)
		read_option(w, section, NULL, walk_node(w, p->key), walk_node(w, p->value));
}

static void read_root(struct walk *w, const yaml_node_t *root)
{
	char found[64];

	if (!root || walk_is_nothing(root))
		return;
	if (root->type != YAML_MAPPING_NODE) {
		walk_wrong(w, walk_line(root), "found %s, expected a mapping of sections",
			   walk_shown(root, found));
		return;
	}
	for (yaml_node_pair_t *p = root->data.mapping.pairs.start; p < root->data.mapping.pairs.top;
	     p++)
		read_section(w, walk_node(w, p->key), walk_node(w, p->value));
}

static void wrong_yaml(struct walk *w, const yaml_parser_t *parser)
{
	if (parser->error == YAML_MEMORY_ERROR) {
		w->error = -ENOMEM;
		return;
	}
	walk_wrong(w, (unsigned)parser->problem_mark.line + 1, "not YAML: %s",
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
		walk_wrong(w, walk_line(root), "a second document; one is expected");
	yaml_document_delete(&second);
}

int config_yaml_read(const char *text, size_t len, const char *name, struct config *config,
		     config_report report, void *ctx)
{
	yaml_document_t document;
	struct walk w = {.document = &document,
			 .config = config,
			 .name = name,
			 .report = report,
			 .ctx = ctx};
	yaml_parser_t parser;

	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	if (yaml_parser_load(&parser, &document)) {
		const yaml_node_t *root = yaml_document_get_root_node(&document);

		read_root(&w, root);
		if (root)
			read_rest(&w, &parser);
		yaml_document_delete(&document);
	} else {
		wrong_yaml(&w, &parser);
	}
	yaml_parser_delete(&parser);
	return w.error ? w.error : w.n_wrong ? -EINVAL : 0;
}
