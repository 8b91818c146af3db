#pragma once
// The ports of the data plane, as JSON and as metrics. Control thread only.

#include <stdint.h>
#include <stdio.h>

struct dp;
struct json_writer;

// "ports": what they are, and what all workers counted there.
void ports_put(struct json_writer *w, const struct dp *dp);
// "ports": what one worker counted there.
void ports_put_worker(struct json_writer *w, const struct dp *dp, unsigned worker);
void ports_write(FILE *out, const struct dp *dp);
