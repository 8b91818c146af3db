#pragma once
// Copies of traced UEs' datagrams on their way to control, sealed as they are on the wire. A copy
// is made while the octets are still there: before the back end gets a datagram, before an
// acknowledgement is opened in place. It is held until it is known what became of the datagram, and
// then given or dropped. Without room it is lost: nothing waits for a trace. Worker thread only;
// control takes from the ring.

#include <stdbool.h>
#include <stdint.h>

#include "base/ring.h"
#include "dataplane/dp.h"
#include "dataplane/io/io.h"

enum { TRACE_COPIES = 256 };

struct trace_copy {
	uint64_t time_ns; // monotonic
	uint32_t handle;
	enum reason reason; // as in dp_datagram
	uint16_t len;
	uint16_t port; // of the peer
	uint8_t ip[16];
	uint8_t octets[FRAME_MAX];
};

struct trace {
	unsigned n; // UEs traced; while it is 0 nothing else is looked at
	unsigned n_held;
	uint32_t handle[DP_TRACED_MAX];
	struct {
		const struct frame *frame;
		struct trace_copy *copy; // in the ring, not shown yet
	} held[DP_BURST_MAX];
	struct ring copies; // worker → control: struct trace_copy
};

// The set of traced UEs: each once, at most DP_TRACED_MAX; one that is not in it may be taken out.
void trace_put(struct trace *trace, uint32_t handle);
void trace_del(struct trace *trace, uint32_t handle);
bool trace_has(const struct trace *trace, uint32_t handle);

// Copies a datagram of a burst. False: there is no room.
bool trace_hold(struct trace *trace, const struct frame *frame, uint32_t handle, enum reason reason,
		uint64_t time_ns);
// Says what became of the datagram whose octets are at `data`, if a copy of it is held.
void trace_settle(struct trace *trace, const uint8_t *data, enum reason reason);
// Drops the copies for another reason than this one.
void trace_keep(struct trace *trace, enum reason reason);
// Shows all that are held to control.
void trace_give(struct trace *trace);
