#include "dataplane/trace.h"

#include <assert.h>
#include <string.h>

// ---- The set

static unsigned find(const struct trace *trace, uint32_t handle)
{
	unsigned i = 0;

	while (i < trace->n && trace->handle[i] != handle)
		i++;
	return i;
}

void trace_put(struct trace *trace, uint32_t handle)
{
	if (trace_has(trace, handle))
		return;
	assert(trace->n < DP_TRACED_MAX);
	trace->handle[trace->n++] = handle;
}

void trace_del(struct trace *trace, uint32_t handle)
{
	unsigned i = find(trace, handle);

	if (i < trace->n)
		trace->handle[i] = trace->handle[--trace->n];
}

bool trace_has(const struct trace *trace, uint32_t handle)
{
	return find(trace, handle) < trace->n;
}

// ---- Copies

bool trace_hold(struct trace *trace, const struct frame *frame, uint32_t handle, enum reason reason,
		uint64_t time_ns)
{
	struct trace_copy *copy = ring_reserve_at(&trace->copies, trace->n_held);

	assert(trace->n_held < DP_BURST_MAX && frame->len <= FRAME_MAX);
	if (!copy)
		return false;
	copy->time_ns = time_ns;
	copy->handle = handle;
	copy->reason = reason;
	copy->len = frame->len;
	copy->port = frame->port;
	memcpy(copy->ip, frame->ip, sizeof(copy->ip));
	memcpy(copy->octets, frame->data, frame->len);
	trace->held[trace->n_held].frame = frame;
	trace->held[trace->n_held++].copy = copy;
	return true;
}

void trace_settle(struct trace *trace, const uint8_t *data, enum reason reason)
{
	for (unsigned i = 0; i < trace->n_held; i++) {
		if (trace->held[i].frame->data == data)
			trace->held[i].copy->reason = reason;
	}
}

// What stays moves up: the ring is shown from its front.
void trace_keep(struct trace *trace, enum reason reason)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < trace->n_held; i++) {
		if (trace->held[i].copy->reason != reason)
			continue;
		if (kept < i)
			*trace->held[kept].copy = *trace->held[i].copy;
		kept++;
	}
	trace->n_held = kept;
}

void trace_give(struct trace *trace)
{
	for (; trace->n_held; trace->n_held--)
		ring_push(&trace->copies);
}
