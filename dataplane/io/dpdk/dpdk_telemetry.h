#pragma once
// Commands on DPDK's telemetry socket, beside its own: what is known of our ports.
//
//	/akmapush/ports                   names of the ports; a port's number is its place
//	/akmapush/port,N[,WORKER]         its link and counters, of all workers or of one
//	/akmapush/neighbours,N[,FROM]     its next hops: 100 at most, from that place of its table
// on
//
// What cannot be answered gets {"error": "…"}. Threads of DPDK answer, at any time, also when
// there are no workers yet or any more: they see those that have joined and not left, and the
// ports through them, under a lock that no worker takes.

struct io;

// ---- Control thread

// EAL has started: a worker's end, and with it the plane's ports, may be looked at; leave returns
// when nobody looks at it any more.
void dpdk_telemetry_join(const struct io *io);
void dpdk_telemetry_leave(const struct io *io);
