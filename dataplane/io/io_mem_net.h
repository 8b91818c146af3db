#pragma once
// The net of io_mem.h from inside: what io_mem.c (the net) and io_mem_ops.c (the back end, a
// worker's end of it) share. Everything of a net is under its lock.

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/wake.h"
#include "dataplane/io/io.h"
#include "dataplane/io/io_mem.h"
#include "dataplane/io/io_pool.h"

enum { IO_MEM_WHEEL = 1 + IO_MEM_DELAY_MAX + 1 }; // steps ahead: 1, and up to IO_MEM_DELAY_MAX more

struct io_mem_flight {
	int32_t next; // of the same step, or of the free ones
	bool to_worker;
	uint16_t len; // as sent; at most FRAME_MAX + 1
	uint16_t port, worker_port;
	uint8_t ip[16];
	uint8_t data[FRAME_MAX];
};

// First in, first out, linked through flight.next.
struct io_mem_line {
	int32_t first, last;
	unsigned n;
};

struct io {
	struct io_mem *net;
	uint16_t port;
	unsigned burst_max;
	uint64_t tx_failed;
	struct wake wake;
	struct io_pool tx, rx;
	struct io_mem_line inbox;
};

struct io_mem {
	struct io_mem_config config;
	pthread_mutex_t lock;
	uint64_t dice;
	uint64_t step;
	uint32_t room;
	unsigned datagram_max;
	unsigned in_flight;
	struct io_mem_flight
		*flights; // [in_flight_max + inbox_max * IO_MEM_WORKERS], touched as used
	int32_t free;
	struct io_mem_line due[IO_MEM_WHEEL];
	struct io *workers[IO_MEM_WORKERS];
	unsigned n_workers;
	struct io_mem_counts counts;
};

// A worker's end: 0, -EADDRINUSE, -EMFILE (IO_MEM_WORKERS are there).
int io_mem_attach(struct io_mem *net, struct io *io, uint16_t wanted);
void io_mem_detach(struct io *io);
// False when the ring is full. Under the lock.
bool io_mem_send(struct io *io, struct frame *frame);
// The oldest of the inbox, which is not empty. Under the lock.
void io_mem_take(struct io *io, struct frame *frame);
