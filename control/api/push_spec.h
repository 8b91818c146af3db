#pragma once
// What an AF asks for: the body of a push, read and checked. Strings and children are the
// document's. Control thread only.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/dp.h"

struct af;
struct app;
struct json;
struct problem;

struct push_spec {
	const struct json *target; // checked to be an object; NULL when it was left out
	uint32_t validity_s;
	uint8_t suite;
	bool ack_wanted, ordered;
	uint16_t segment_size;
	size_t payload_len;
	uint8_t payload[DP_PAYLOAD_MAX];
};

// Reads the document's object; what is wrong is noted in the problem. A replacement may leave the
// target out.
void push_spec_read(struct push_spec *spec, const struct app *app, const struct af *af,
		    const struct json *object, bool is_replacement, struct problem *problem);
