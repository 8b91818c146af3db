#pragma once
// A push as it is told, wherever it is: in memory while it is not over, in the store then. Control
// thread only.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/push/push_record.h"

struct app;
struct json_writer;

struct push_view {
	struct push_facts facts;
	struct push_counts counts;
	const char *state; // "WAITING", "RUNNING", "FINISHED"
};

// 0, -ENOENT, -EBADMSG, -EIO.
int push_view_get(struct app *app, const uint8_t id[PUSH_ID], struct push_view *view);

// The members of the push resource, into the object that is open.
void push_view_write(struct json_writer *w, const struct push_view *view);

// Bit i: the state of that value; -1 for a name that is none. Names are parted by commas.
int push_states_parse(const char *names);

// DeliveryResult of TS 29.122 for a state (docs/specification.md 6).
const char *push_delivery_result(enum dp_state state, bool ack_wanted);

// The record of a push that is over; it points into value. 0 or as above.
int push_over_get(struct app *app, const uint8_t id[PUSH_ID], struct push_over *over,
		  uint8_t value[PUSH_OVER_MAX]);
