#pragma once
// The ports' part of stats: their links, and what is counted there. One thread.

#include <stdint.h>

#include "control/json/json.h"
#include "dataplane/io/port.h"

enum { CTL_PORTS_MAX = 8, CTL_PORT_FIGURES = PORT_COUNT_COUNT + PORT_DEVICE_COUNT_COUNT };

struct ctl_ports {
	unsigned n;
	uint64_t value[CTL_PORTS_MAX][CTL_PORT_FIGURES];
};

// Those of one worker, or of all: `from` has the list. A daemon without ports has none.
void ctl_ports_read(struct ctl_ports *ports, const struct json_reader *from);
// What they are; `top` is the whole answer.
void ctl_ports_show(const struct json_reader *top);
// What is not 0, with what it grew by since span_s seconds (0: not known).
void ctl_ports_show_counts(const struct ctl_ports *now, const struct ctl_ports *before,
			   double span_s, const struct json_reader *top);
