// tls.clients: a list of mappings.

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "control/config/config_yaml_walk.h"

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
	const char *name = walk_text(key), *text = walk_text(value);
	unsigned part = 0;
	char found[64];

	while (part < CLIENT_PARTS && !(name && !strcmp(name, client_parts[part].name)))
		part++;
	if (part == CLIENT_PARTS) {
		walk_wrong(w, walk_line(key),
			   "tls.clients: %s is not known here; name, role and af are",
			   walk_shown(key, found));
		return;
	}
	if (*has & 1u << part) {
		walk_wrong(w, walk_line(key), "tls.clients: %s stands here for the second time",
			   name);
		return;
	}
	*has |= 1u << part;
	if (!text || !set_client(w, client, (enum client_part)part, text))
		walk_wrong(w, walk_line(value), "tls.clients: %s: found %s, expected %s", name,
			   walk_shown(value, found), client_parts[part].expected);
}

static void read_client(struct walk *w, const yaml_node_t *node, struct config_client *client)
{
	enum { NEEDED = 1 << CLIENT_NAME | 1 << CLIENT_ROLE };
	unsigned before = w->n_wrong, has = 0;
	char found[64];

	if (node->type != YAML_MAPPING_NODE) {
		walk_wrong(w, walk_line(node), "tls.clients: found %s, expected {name, role, af}",
			   walk_shown(node, found));
		return;
	}
	for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top;
	     p++)
		client_member(w, client, walk_node(w, p->key), walk_node(w, p->value), &has);
	if (w->n_wrong > before)
		return;
	if ((has & NEEDED) != NEEDED)
		walk_wrong(w, walk_line(node), "tls.clients: name and role are expected");
	else if ((client->role == CONFIG_ROLE_AF) != (client->af[0] != 0))
		walk_wrong(w, walk_line(node),
			   "tls.clients: role af, and no other, has the af that it acts for");
}

void walk_clients(struct walk *w, const struct option *option, const yaml_node_t *node)
{
	size_t n;
	const int *const items =
		walk_list(w, node, "tls.clients", "{name, role, af}", option->max, &n);

	if (!n)
		return;
	w->config->tls.clients = calloc(n, sizeof(struct config_client));
	if (!w->config->tls.clients) {
		w->error = -ENOMEM;
		return;
	}
	w->config->tls.n_clients = (unsigned)n;
	for (size_t i = 0; i < n; i++)
		read_client(w, walk_node(w, items[i]), &w->config->tls.clients[i]);
}
