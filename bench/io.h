#pragma once
// What the variants of the bench io share: where datagrams go, and how many make a round.

#include "bench/bench.h"

enum { IO_ROUND = 65536, IO_BURST = 64 };

struct io_sink {
	int fd;
	uint16_t port;
	unsigned destinations; // 127.x.y.z, all of them this socket
	unsigned round;        // datagrams in one
	unsigned payload;
	unsigned len; // of a datagram: 48 + payload
	void *io_arg; // of the back end
	// Of protected pushes: workers in threads of their own, and the list of CPUs that they run
	// on. 0, NULL: one, in the thread that measures.
	unsigned threads;
	const char *cpus;
};

// Destination i as ::ffff:127.x.y.z.
void io_sink_address(uint8_t ip[16], unsigned i);

// Variants; io is the back end's name. NULL when it cannot be had here (said why).
struct bench_variant *io_plain_open(const struct io_sink *sink, const char *df); // NULL: without

void io_plain_close(struct bench_variant *variant);
struct bench_variant *io_raw_open(const struct io_sink *sink, const char *io);
void io_raw_close(struct bench_variant *variant);
struct bench_variant *io_protected_open(const struct io_sink *sink, const char *io);
// The same plane, pushes to the UEs of its first `workers` alone. Closed before it.
struct bench_variant *io_protected_part(const struct bench_variant *all, unsigned workers);
void io_protected_close(struct bench_variant *variant);
