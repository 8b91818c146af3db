#pragma once
// Back ends: how datagrams leave and arrive. A const table of functions, called per burst; the
// pipeline writes into buffers that the back end lends, so nothing is copied on the way. One struct
// io belongs to one worker: worker thread only, but for open, close and wake.

#include <stddef.h>
#include <stdint.h>

#include "dataplane/io/port.h"

enum { FRAME_MAX = 1232, IO_ERROR_MAX = 256 };

// A UDP payload and its peer.
struct frame {
	uint8_t *data; // FRAME_MAX octets
	uint16_t len;
	uint16_t port;  // of the peer, host order
	uint8_t ip[16]; // of the peer; IPv4 as ::ffff:a.b.c.d
	bool no_route;  // transmit failed, for there is no way to the peer
	uint32_t slot;  // the back end's own
};

struct io_config {
	const char *source[2]; // IPv4, IPv6 address to bind; NULL: any
	uint16_t port;         // 0: any
	unsigned burst_max;    // frames in a call
	void *arg;             // dp_config.io_arg: for mem its struct io_mem; else NULL, or sizes
};

// Counted by the back end since open; the worker adds them to its reasons.
struct io_counts {
	uint64_t tx_failed; // datagrams that the network refused for good (route, permission, …)
	uint64_t no_buffer; // bursts for which there was no buffer
};

struct io;

typedef bool io_is_unwanted(const void *ctx, const uint8_t *octets, unsigned len);

struct io_ops {
	const char *name;
	// Control thread only. 0, or -errno with what was wrong in error.
	int (*open)(struct io **io, const struct io_config *config, char error[IO_ERROR_MAX]);
	void (*close)(struct io *io);
	uint16_t (*port)(const struct io *io); // the port bound
	// The name of the back end that does the work: what "kernel" chose, else its own.
	const char *(*chosen)(const struct io *io);
	// Octets of the longest datagram that leaves whole: FRAME_MAX, or less where the network
	// carries less. Any thread.
	unsigned (*datagram_max)(const struct io *io);

	// Buffers for up to n datagrams; how many there are now. What is lent goes back by
	// transmit.
	unsigned (*lend)(struct io *io, struct frame *frame[], unsigned n);
	// Sends the lent frames in order; len 0: not wanted, only given back. Returns how many are
	// done with (sent, failed or not wanted); the rest are back with the back end, unsent: the
	// caller builds them again later. Where a kernel that is full lets a later datagram pass an
	// earlier one (uring), a datagram of the rest may have left: built again, it leaves twice.
	// A frame that failed for good has len 0 then, until it is lent again, and says whether it
	// was for want of a route.
	unsigned (*transmit)(struct io *io, struct frame *frame[], unsigned n);

	// What transmit has taken may wait for its way: of that, the datagrams that is_unwanted
	// says yes to, by their octets, are dropped. NULL where none wait.
	void (*drop)(struct io *io, io_is_unwanted *is_unwanted, const void *ctx);

	// Up to n datagrams that have arrived; their frames are the worker's until release. A
	// longer datagram than FRAME_MAX comes with len FRAME_MAX + 1 and its first FRAME_MAX
	// octets.
	unsigned (*receive)(struct io *io, struct frame *frame[], unsigned n);
	void (*release)(struct io *io, struct frame *frame[], unsigned n);

	// Sleeps until a datagram arrives, wake is called or timeout_ns have passed. Work that
	// became visible before wake_arm is the caller's to look for: arm, look, wait.
	void (*arm)(struct io *io);
	void (*wait)(struct io *io, uint64_t timeout_ns);
	void (*wake)(struct io *io); // Any thread.
	void (*counts)(const struct io *io, struct io_counts *counts);

	// NULL where a back end has no ports of its own. Any thread, between open and close.
	unsigned (*ports)(const struct io *io);
	void (*port_counts)(const struct io *io, unsigned port, uint64_t counts[PORT_COUNT_COUNT]);
	void (*port_status)(const struct io *io, unsigned port, struct port_status *status);
};

// NULL-terminated: kernel (the faster of the next two, measured), sendmmsg, uring where built, mem.
extern const struct io_ops *const io_back_ends[];
const struct io_ops *io_find(const char *name); // NULL when unknown
