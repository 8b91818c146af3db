#pragma once
// What operators look at: health, metrics (OpenMetrics), and on the admin socket status, counters
// and tuning. Control thread only.

#include "control/http/http.h"

extern const struct http_route health_routes[];  // /health
extern const struct http_route metrics_routes[]; // /metrics
extern const struct http_route admin_routes[];   // /admin/v1/status, stats, tuning

struct app;

// Whether the daemon does its work; else why not.
bool health_is_good(const struct app *app, char *reason, size_t max);
