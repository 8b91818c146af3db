#pragma once
// Routes as a tree of segments; the tables of http_routes, ready to be looked up. One tree for the
// program. Control thread only.

#include "control/http/http.h"

struct path;

enum { ROUTE_NODES_MAX = 256, ROUTE_OPS_MAX = 128 };

struct route_match {
	const struct http_route *route;
	unsigned op;      // number of the route's operation, see route_op_name
	unsigned methods; // that the resource takes, bits 1 << enum http_method
	const char *segment[HTTP_SEGMENTS_MAX];
};

// 0, -ENOENT (no such path) or -EPERM (the path is there, the method is not: see methods). The
// method HTTP_METHODS stands for those that no route has.
int route_find(const struct path *path, enum http_method method, struct route_match *match);

unsigned route_n_ops(void);
const char *route_op_name(unsigned op);
void *route_app(void);
