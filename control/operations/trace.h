#pragma once
// Traces: the datagrams of one UE, as they leave and arrive, told to an operator line by line while
// it goes on (GET /admin/v1/ues/{ueId}/trace). A trace ends by itself, or when its peer leaves;
// what its peer is too slow to take is lost and counted. Control thread only.

#include <stdbool.h>

#include "control/http/http.h"
#include "dataplane/dp.h"

enum {
	TRACES_MAX = DP_TRACED_MAX / 2, // at a time; a UE may have two handles
	TRACE_DEFAULT_S = 60,
	TRACE_MAX_S = 86400,
	TRACE_COUNT_MAX = 1000000000,
};

extern const struct http_route trace_routes[];

struct app;
struct traces;

struct traces *traces_new(void); // NULL without memory
void traces_free(struct traces *traces);

// From the loop: what the data plane copied goes to its traces. Whether there may be more.
bool trace_poll(struct app *app);
void trace_tick(struct app *app); // every second
void trace_end_all(struct app *app);
