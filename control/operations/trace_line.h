#pragma once
// The lines of a trace, JSON objects: how it begins, each datagram, how it ended. Control thread
// only.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/dp.h"

enum { TRACE_LINE_MAX = 4096 };

struct trace_begin {
	const char *supi, *gpsi; // NULL: none
	uint64_t seconds;
	uint64_t count; // 0: no limit
};

struct trace_end {
	const char *cause; // "TIME", "COUNT", "SHUTDOWN"
	uint64_t datagrams, lost;
};

// Octets written, the line end included; 0 without memory.
size_t trace_line_begin(char line[TRACE_LINE_MAX], const struct trace_begin *begin);
// own: the address that goes with its port; unix_ns: its time.
size_t trace_line_datagram(char line[TRACE_LINE_MAX], const struct dp_datagram *datagram,
			   const uint8_t own[16], uint64_t unix_ns);
size_t trace_line_end(char line[TRACE_LINE_MAX], const struct trace_end *end);
