// Traces behind dp.h.

#include <assert.h>

#include "dataplane/plane.h"

// To all workers: an acknowledgement that went to another worker's port is shown too.
bool dp_trace(struct dp *dp, uint32_t handle, bool on)
{
	struct command command = {COMMAND_TRACE, handle, .on = on};

	assert(handle < dp->directory.n && (!on || dp->n_traced < DP_TRACED_MAX));
	if (!plane_give_all(dp, &command))
		return false;
	dp->n_traced += on ? 1u : -1u;
	return true;
}

static void show(const struct dp *dp, unsigned worker, const struct trace_copy *copy,
		 struct dp_datagram *datagram)
{
	*datagram = (struct dp_datagram){
		.handle = copy->handle,
		.reason = copy->reason,
		.time_ns = copy->time_ns,
		.own_port = dp_port(dp, worker),
		.peer.port = copy->port,
		.len = copy->len,
		.octets = copy->octets,
	};
	memcpy(datagram->peer.ip, copy->ip, sizeof(copy->ip));
}

// Of all workers the oldest, so that a UE's come in the order of their times.
bool dp_poll_trace(struct dp *dp, struct dp_datagram *datagram)
{
	const struct trace_copy *oldest = NULL;
	unsigned worker = 0;

	if (dp->copy_held) {
		ring_pop(dp->copy_held);
		dp->copy_held = NULL;
	}
	for (unsigned i = 0; i < dp->config.n_workers; i++) {
		const struct trace_copy *copy = ring_front(&dp->workers[i].trace.copies);

		if (!copy || (oldest && oldest->time_ns <= copy->time_ns))
			continue;
		oldest = copy;
		worker = i;
	}
	if (!oldest)
		return false;
	dp->copy_held = &dp->workers[worker].trace.copies;
	show(dp, worker, oldest, datagram);
	return true;
}
