// dpdk.eal and dpdk.ports: a list of arguments, and one of mappings.

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/address.h"
#include "base/text.h"
#include "control/config/config_yaml_walk.h"

enum { TEXT_MAX = 127, VLAN_MAX = 4094, MAC = 6 };

// ---- Forms

static bool mac_parse(const char *text, uint8_t mac[MAC])
{
	for (unsigned i = 0; i < MAC; i++) {
		if (strlen(text) < 2 || hex_parse(text, 2, &mac[i], 1))
			return false;
		text += 2;
		if (*text != (i + 1 < MAC ? ':' : 0))
			return false;
		text += i + 1 < MAC;
	}
	return !(mac[0] & 1);
}

static bool vlan_parse(const char *text, uint16_t *vlan)
{
	unsigned long n;
	char *end;

	if (*text < '1' || *text > '9')
		return false;
	n = strtoul(text, &end, 10);
	*vlan = (uint16_t)n;
	return !*end && n <= VLAN_MAX;
}

static bool truth_parse(const char *text, bool *truth)
{
	*truth = !strcmp(text, "true");
	return *truth || !strcmp(text, "false");
}

// ---- A port

typedef bool port_text(struct config_port *port, const char *text);

static bool add_address(struct config_port *port, const char *text)
{
	const unsigned n = port->n_addresses++;

	return address_network_parse(text, port->address[n].ip, &port->address[n].prefix);
}

// One of each family.
static bool add_gateway(struct config_port *port, const char *text)
{
	uint8_t ip[16];
	const unsigned bits = address_parse(text, ip), family = bits == ADDRESS_BITS;

	if (!bits || port->has_gateway[family])
		return false;
	memcpy(port->gateway[family], ip, sizeof(ip));
	port->has_gateway[family] = true;
	return true;
}

// "10.0.0.2=02:00:00:00:00:01"
static bool add_neighbour(struct config_port *port, const char *text)
{
	const unsigned n = port->n_neighbours++;
	const char *const sign = strchr(text, '=');
	char address[INET6_ADDRSTRLEN];

	if (!sign || (size_t)(sign - text) >= sizeof(address))
		return false;
	snprintf(address, sizeof(address), "%.*s", (int)(sign - text), text);
	return address_parse(address, port->neighbour[n].ip) &&
	       mac_parse(sign + 1, port->neighbour[n].mac);
}

static bool set_device(struct config_port *port, const char *text)
{
	if (!*text || strlen(text) > TEXT_MAX)
		return false;
	port->device = strdup(text);
	return port->device;
}

static bool set_vlan(struct config_port *port, const char *text)
{
	return vlan_parse(text, &port->vlan);
}

static bool set_udp_checksum(struct config_port *port, const char *text)
{
	return truth_parse(text, &port->udp_checksum);
}

static const struct port_member {
	const char *name;
	unsigned list_max; // 0: one text
	port_text *take;
	const char *expected;
} members[] = {
	{"device", 0, set_device,
	 "the name of a device with its arguments, at most 127 characters"},
	{"addresses", CONFIG_ADDRESSES_MAX, add_address, "an address with its prefix: 10.0.0.1/24"},
	{"gateways", 2, add_gateway, "an address, one of each family"},
	{"neighbours", CONFIG_NEIGHBOURS_MAX, add_neighbour,
	 "an address and a MAC: 10.0.0.2=02:00:00:00:00:01"},
	{"vlan", 0, set_vlan, "a whole number from 1 to 4094"},
	{"udp_checksum", 0, set_udp_checksum, "true or false"},
	{0},
};

static void take_text(struct walk *w, struct config_port *port, const struct port_member *member,
		      const yaml_node_t *value)
{
	const char *const text = walk_text(value);
	char found[64];

	if (!text || !member->take(port, text))
		walk_wrong(w, walk_line(value), "dpdk.ports: %s: found %s, expected %s",
			   member->name, walk_shown(value, found), member->expected);
}

static void take_member(struct walk *w, struct config_port *port, const struct port_member *member,
			const yaml_node_t *value)
{
	const int *items;
	char name[64];
	size_t n;

	if (!member->list_max) {
		take_text(w, port, member, value);
		return;
	}
	snprintf(name, sizeof(name), "dpdk.ports: %s", member->name);
	items = walk_list(w, value, name, "addresses", member->list_max, &n);
	for (size_t i = 0; i < n; i++)
		take_text(w, port, member, walk_node(w, items[i]));
}

// `has`: a bit for each member that came.
static void port_pair(struct walk *w, struct config_port *port, const yaml_node_pair_t *pair,
		      unsigned *has)
{
	const yaml_node_t *const key = walk_node(w, pair->key);
	const char *const name = walk_text(key);
	unsigned i = 0;
	char found[64];

	while (members[i].name && !(name && !strcmp(name, members[i].name)))
		i++;
	if (!members[i].name) {
		walk_wrong(w, walk_line(key),
			   "dpdk.ports: %s is not known here; device, addresses, gateways, "
			   "neighbours, vlan and udp_checksum are",
			   walk_shown(key, found));
	} else if (*has & 1u << i) {
		walk_wrong(w, walk_line(key), "dpdk.ports: %s stands here for the second time",
			   name);
	} else {
		*has |= 1u << i;
		take_member(w, port, &members[i], walk_node(w, pair->value));
	}
}

static void read_port(struct walk *w, const yaml_node_t *node, struct config_port *port)
{
	const unsigned before = w->n_wrong;
	unsigned has = 0;
	char found[64];

	port->udp_checksum = true;
	if (node->type != YAML_MAPPING_NODE) {
		walk_wrong(w, walk_line(node),
			   "dpdk.ports: found %s, expected {device, addresses, …}",
			   walk_shown(node, found));
		return;
	}
	for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top;
	     p++)
		port_pair(w, port, p, &has);
	if (w->n_wrong == before && (!port->device || !port->n_addresses))
		walk_wrong(w, walk_line(node), "dpdk.ports: device and addresses are expected");
}

static void check_twice(struct walk *w, const yaml_node_t *node, unsigned i)
{
	const struct config_port *const ports = w->config->dpdk.ports;

	for (unsigned k = 0; k < i; k++) {
		if (ports[k].device && ports[i].device && !strcmp(ports[k].device, ports[i].device))
			walk_wrong(w, walk_line(node), "dpdk.ports: device %s is there twice",
				   ports[i].device);
		for (unsigned a = 0; a < ports[k].n_addresses; a++) {
			for (unsigned b = 0; b < ports[i].n_addresses; b++) {
				if (!memcmp(ports[k].address[a].ip, ports[i].address[b].ip, 16))
					walk_wrong(w, walk_line(node),
						   "dpdk.ports: two ports have one address");
			}
		}
	}
}

void walk_ports(struct walk *w, const struct option *option, const yaml_node_t *node)
{
	size_t n;
	const int *const items =
		walk_list(w, node, "dpdk.ports", "{device, addresses, …}", option->max, &n);

	if (!n)
		return;
	w->config->dpdk.ports = calloc(n, sizeof(struct config_port));
	if (!w->config->dpdk.ports) {
		w->error = -ENOMEM;
		return;
	}
	w->config->dpdk.n_ports = (unsigned)n;
	for (unsigned i = 0; i < n; i++) {
		const yaml_node_t *const port = walk_node(w, items[i]);

		read_port(w, port, &w->config->dpdk.ports[i]);
		check_twice(w, port, i);
	}
}

// ---- Arguments

void walk_arguments(struct walk *w, const struct option *option, const yaml_node_t *node)
{
	size_t n;
	const int *const items = walk_list(w, node, "dpdk.eal", "arguments", option->max, &n);

	for (size_t i = 0; i < n; i++) {
		const yaml_node_t *const item = walk_node(w, items[i]);
		const char *const text = walk_text(item);
		char found[64];

		if (!text || !*text || strlen(text) > CONFIG_EAL_ARGUMENT_MAX) {
			walk_wrong(w, walk_line(item),
				   "dpdk.eal: found %s, expected an argument of 1 to %d characters",
				   walk_shown(item, found), CONFIG_EAL_ARGUMENT_MAX);
			continue;
		}
		w->config->dpdk.eal[w->config->dpdk.n_eal] = strdup(text);
		if (w->config->dpdk.eal[w->config->dpdk.n_eal])
			w->config->dpdk.n_eal++;
		else
			w->error = -ENOMEM;
	}
}
