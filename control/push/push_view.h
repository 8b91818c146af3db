#pragma once
// A push as it is told, wherever it is: in memory while it is not over, in the store then. Control
// thread only.

#include <stdint.h>

#include "control/push/push_record.h"

struct app;

struct push_view {
	struct push_facts facts;
	struct push_counts counts;
	const char *state; // "WAITING", "RUNNING", "FINISHED"
};

// 0, -ENOENT, -EBADMSG, -EIO.
int push_view_get(struct app *app, const uint8_t id[PUSH_ID], struct push_view *view);

// The record of a push that is over; it points into value. 0 or as above.
int push_over_get(struct app *app, const uint8_t id[PUSH_ID], struct push_over *over,
		  uint8_t value[PUSH_OVER_MAX]);
