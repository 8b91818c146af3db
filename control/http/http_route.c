#include "control/http/http_route.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/log.h"
#include "control/http/http_path.h"

struct node {
	const char *literal; // in the pattern; NULL: {…}
	size_t len;
	uint16_t next;  // of the same place; literals come first, {…} is the last
	uint16_t child; // first
	const struct http_route *route[HTTP_METHODS];
	uint8_t op[HTTP_METHODS];
};

static struct {
	struct node nodes[ROUTE_NODES_MAX]; // [0] is "/", and stands for none in next and child
	unsigned n_nodes;
	const char *ops[ROUTE_OPS_MAX];
	unsigned n_ops;
	void *app;
} routes = {.n_nodes = 1};

static uint16_t node_new(const char *literal, size_t len)
{
	struct node *node = &routes.nodes[routes.n_nodes];

	assert(routes.n_nodes < ROUTE_NODES_MAX);
	memset(node, 0, sizeof(*node));
	node->literal = literal;
	node->len = len;
	return (uint16_t)routes.n_nodes++;
}

static bool node_is(const struct node *node, const char *literal, size_t len)
{
	if (node->literal == NULL || literal == NULL)
		return node->literal == literal;
	return node->len == len && memcmp(node->literal, literal, len) == 0;
}

// The child of that name, made if it is not there.
static uint16_t child_of(uint16_t parent, const char *literal, size_t len)
{
	uint16_t *at = &routes.nodes[parent].child;
	uint16_t made;

	while (*at != 0 && !node_is(&routes.nodes[*at], literal, len)) {
		if (routes.nodes[*at].literal == NULL)
			break; // a literal goes in front of {…}
		at = &routes.nodes[*at].next;
	}
	if (*at != 0 && node_is(&routes.nodes[*at], literal, len))
		return *at;
	made = node_new(literal, len);
	routes.nodes[made].next = *at;
	*at = made;
	return made;
}

static uint16_t place(const char *pattern)
{
	uint16_t node = 0;
	unsigned n_segments = 0;

	while (*pattern != '\0') {
		size_t len = strcspn(++pattern, "/");
		bool variable = *pattern == '{';

		n_segments += variable;
		node = child_of(node, variable ? NULL : pattern, variable ? 0 : len);
		pattern += len;
	}
	assert(n_segments <= HTTP_SEGMENTS_MAX);
	return node;
}

static uint8_t op_number(const char *name)
{
	unsigned n = 0;

	while (n < routes.n_ops && strcmp(routes.ops[n], name) != 0)
		n++;
	assert(n < ROUTE_OPS_MAX);
	if (n == routes.n_ops)
		routes.ops[routes.n_ops++] = name;
	return (uint8_t)n;
}

static int add(const struct http_route *route)
{
	struct node *node = &routes.nodes[place(route->pattern)];

	assert(route->body == HTTP_NDJSON ? route->upload != NULL : route->handle != NULL);
	if (node->route[route->method] != NULL) {
		log_error("http", "two routes for %s", route->pattern);
		return -EINVAL;
	}
	node->route[route->method] = route;
	node->op[route->method] = op_number(route->op != NULL ? route->op : route->pattern);
	return 0;
}

int http_routes(const struct http_route *const *tables, void *app)
{
	memset(&routes.nodes[0], 0, sizeof(routes.nodes[0]));
	routes.n_nodes = 1;
	routes.n_ops = 0;
	routes.app = app;
	for (; *tables != NULL; tables++) {
		for (const struct http_route *route = *tables; route->pattern != NULL; route++) {
			int status = add(route);

			if (status < 0)
				return status;
		}
	}
	return 0;
}

static unsigned methods_of(const struct node *node)
{
	unsigned methods = 0;

	for (unsigned m = 0; m < HTTP_METHODS; m++)
		methods |= node->route[m] != NULL ? 1u << m : 0;
	return methods;
}

// Depth first, literals before {…}: at most two ways at a place, and paths are short.
static const struct node *find(const struct node *node, const struct path *path, unsigned depth,
			       unsigned n_segments, struct route_match *match)
{
	const struct node *found = NULL;

	if (depth == path->n)
		return methods_of(node) != 0 ? node : NULL;
	for (uint16_t i = node->child; i != 0 && found == NULL; i = routes.nodes[i].next) {
		const struct node *child = &routes.nodes[i];

		if (child->literal == NULL) {
			match->segment[n_segments] = path->segment[depth];
			found = find(child, path, depth + 1, n_segments + 1, match);
		} else if (strlen(path->segment[depth]) == child->len &&
			   memcmp(path->segment[depth], child->literal, child->len) == 0) {
			found = find(child, path, depth + 1, n_segments, match);
		}
	}
	return found;
}

int route_find(const struct path *path, enum http_method method, struct route_match *match)
{
	const struct node *node = find(&routes.nodes[0], path, 0, 0, match);

	if (node == NULL)
		return -ENOENT;
	match->methods = methods_of(node);
	if (method == HTTP_METHODS || node->route[method] == NULL)
		return -EPERM;
	match->route = node->route[method];
	match->op = node->op[method];
	return 0;
}

unsigned route_n_ops(void)
{
	return routes.n_ops;
}

const char *route_op_name(unsigned op)
{
	return op < routes.n_ops ? routes.ops[op] : "";
}

void *route_app(void)
{
	return routes.app;
}
