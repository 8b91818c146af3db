#pragma once
// The walk through a YAML document: what the readers of its parts share. For config_yaml*.c alone.

#include <stdbool.h>

#include "control/config/config_schema.h"

struct yaml_document_s; // libyaml's: a document, and a node of it; nodes are known by number
struct yaml_node_s;

struct walk {
	struct yaml_document_s *document;
	struct config *config;
	const char *name; // of the file
	config_report report;
	void *ctx;
	unsigned n_wrong;
	int error; // -ENOMEM
};

// Reports what is wrong at a line of the file.
__attribute__((format(printf, 3, 4))) void walk_wrong(struct walk *w, unsigned line,
						      const char *format, ...);
unsigned walk_line(const struct yaml_node_s *node);
struct yaml_node_s *walk_node(struct walk *w, int index);
// A node as it is shown to a reader: short and printable.
const char *walk_shown(const struct yaml_node_s *node, char text[64]);
// The text of a scalar, or NULL; a zero inside makes it none.
const char *walk_text(const struct yaml_node_s *node);
bool walk_is_nothing(const struct yaml_node_s *node);
// The items of a list of at most max; NULL and reported when it is none, or longer. A list of
// nothing has no items: *n is 0, and NULL is returned too. `what` is the option's name, `form` what
// it holds.
const int *walk_list(struct walk *w, const struct yaml_node_s *node, const char *what,
		     const char *form, size_t max, size_t *n);

// The options that are lists.
void walk_clients(struct walk *w, const struct option *option, const struct yaml_node_s *node);
void walk_arguments(struct walk *w, const struct option *option, const struct yaml_node_s *node);
void walk_ports(struct walk *w, const struct option *option, const struct yaml_node_s *node);
