#pragma once
// What all requests share: limits, counters, the clock of the second, who is waited for, and memory
// for exchanges. The lowest floor of the requests: it knows none of them. Inside of the HTTP
// module; control thread only.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "control/http/http_route.h"
#include "control/http/http_server.h"

struct door_block;

enum { DOOR_POOL = 4096 }; // blocks kept for reuse

TAILQ_HEAD(exchange_list, exchange);

struct door {
	struct http_limits limits;
	struct http_stats stats;
	uint64_t by_class[ROUTE_OPS_MAX + 1][6];
	uint64_t now_s;                // monotonic, read once a second
	struct exchange_list arriving; // the peer is to send
	struct exchange_list leaving;  // the peer is to take
	struct door_block *pool;
	unsigned n_pool;
	unsigned n_exchanges;
	bool closed; // goes with its last exchange
	char date[32];
};

struct door *door_new(const struct http_limits *limits); // NULL without memory
void door_close(struct door *door);

// Memory for one exchange, always of the same size; its octets are anything. NULL without memory or
// when there are too many. Given back last thing: the door of a closed server may go with it.
void *door_take(struct door *door, size_t size);
void door_give(struct door *door, void *block);
