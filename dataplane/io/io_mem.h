#pragma once
// A network without a kernel, for tests: what the back end `mem` is attached to (io_config.arg, so
// dp_config.io_arg). Between workers and devices it loses, repeats and reorders datagrams as dice
// say, and the dice are seeded: the same calls give the same run. It knows no time: the test moves
// it, a step at a time.
//
//	worker: transmit → tap → dice ──(1 to 1 + delay_max steps)──► device(…)
//	worker: receive ◄── inbox ◄──(the same)── dice ◄── io_mem_reply
//	worker: receive ◄── inbox ◄── io_mem_inject
//
// All memory is taken at open. A net serves any number of workers up to IO_MEM_WORKERS, told apart
// by their ports. Any thread may call, one call at a time is inside; only a run whose calls come in
// one order is the same again. The net outlives its back ends.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/io/io.h"

enum {
	IO_MEM_WORKERS = 64,
	IO_MEM_DELAY_MAX = 63, // steps
	IO_MEM_CERTAIN = 1000000,
};

struct io_mem;

// A datagram on the net, valid during the call that shows it.
struct io_mem_datagram {
	const uint8_t *data;
	size_t len;
	uint8_t ip[16]; // of the device; IPv4 as ::ffff:a.b.c.d
	uint16_t port;  // of the device
	uint16_t worker_port;
};

// A datagram reaches the device at its ip and port. It may answer (io_mem_reply) and inject.
// Thread of io_mem_step.
typedef void io_mem_device(void *ctx, struct io_mem *net, const struct io_mem_datagram *datagram);
// Sees every datagram that a worker sends, lost ones included, before anything happens to it. Calls
// nothing of the net. Worker thread.
typedef void io_mem_tap(void *ctx, const struct io_mem_datagram *datagram);

struct io_mem_config {
	uint64_t seed;
	// Of a million datagrams, in either direction:
	uint32_t lost;
	uint32_t twice;   // delivered two times
	uint32_t delayed; // by 1 to delay_max steps more than the others
	unsigned delay_max;
	uint32_t refused;       // sending fails for good (tx_failed); towards devices only
	unsigned in_flight_max; // datagrams on their way, both directions
	unsigned inbox_max;     // datagrams that wait for one worker; what comes then is dropped
	io_mem_device *device;
	io_mem_tap *tap; // NULL: none
	void *ctx;       // for both
};

struct io_mem_counts {
	uint64_t sent;      // by workers: what the tap saw
	uint64_t delivered; // to devices
	uint64_t replied, injected;
	uint64_t received; // by workers
	uint64_t lost, repeated, delayed, refused;
	uint64_t dropped; // inbox full, no worker on that port, or no room for a reply in flight
};

// 0, -EINVAL (figures out of range, no device), -ENOMEM.
int io_mem_open(struct io_mem **net, const struct io_mem_config *config);
void io_mem_close(struct io_mem *net); // after its back ends

// Moves the net one step: delivers what is due. Returns how many datagrams it moved.
unsigned io_mem_step(struct io_mem *net);
unsigned io_mem_in_flight(struct io_mem *net);

// A device's answer to the datagram it was given: the dice are thrown for it. False when it was
// dropped for want of room.
bool io_mem_reply(struct io_mem *net, const struct io_mem_datagram *to, const void *data,
		  size_t len);
// Any octets from any address, straight into the worker's inbox; len up to 65535. False when the
// inbox is full or no worker has that port.
bool io_mem_inject(struct io_mem *net, const struct io_mem_datagram *datagram);

// How many datagrams workers may send from now on before their ring is full (transmit stops there);
// UINT32_MAX, as at open: no limit.
void io_mem_set_room(struct io_mem *net, uint32_t datagrams);
// The longest datagram that its back ends say they can send, from now on; FRAME_MAX as at open.
void io_mem_set_datagram_max(struct io_mem *net, unsigned octets);
// New dice, from now on: loss, twice, delayed, refused of a million.
void io_mem_set_dice(struct io_mem *net, uint32_t lost, uint32_t twice, uint32_t delayed,
		     uint32_t refused);
void io_mem_counts(struct io_mem *net, struct io_mem_counts *counts);
