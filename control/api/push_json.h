#pragma once
// A push as a JSON object, and the names of states of its targets. Control thread only.

#include <stdbool.h>

#include "dataplane/dp.h"

struct json_writer;
struct push_view;

// The members of the push resource, into the object that is open.
void push_json_write(struct json_writer *w, const struct push_view *view);

// Bit i: the state of that value; -1 for a name that is none. Names are parted by commas.
int push_states_parse(const char *names);

// DeliveryResult of TS 29.122 for a state (docs/specification.md 6).
const char *push_delivery_result(enum dp_state state, bool ack_wanted);
