#pragma once
// The other end of a link: a port past the kernel behind which there is a network of devices, not
// one host. It takes datagrams to any address and UDP port that reach the port's MAC, and answers
// them in the buffers that they came in, from where they were sent to. The port itself is a host
// with its addresses, and answers ARP, neighbour solicitations and ping as that of a daemon does:
// the daemon has it as its gateway to the network.
//
// Each thread has a link of its own, a queue pair of the one port. Datagrams come to the thread
// that their destination belongs to, whatever queue they came in on. It starts the same things as
// the back end `dpdk` (io_dpdk.h), and a process has one of both.
//
// A link belongs to one thread, but for open and close (control thread) and wake.

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "dataplane/io/io.h"
#include "dataplane/io/io_dpdk.h"

enum { IO_LINK_BURST = 64, IO_LINK_COPIES_MAX = 2, IO_LINK_ANSWER_MAX = FRAME_MAX };

// A UDP payload. Addresses are 16 octets, IPv4 as ::ffff:a.b.c.d; ports in host order.
struct io_datagram {
	uint8_t *data; // room for IO_LINK_ANSWER_MAX octets
	uint16_t len;
	uint16_t source_port, destination_port;
	uint8_t source[16], destination[16];
	unsigned
		copies; // of the answer that shall leave: 0 as it comes, at most IO_LINK_COPIES_MAX
};

struct io_link;

// To be called config->n_workers times, for the threads 0, 1, …; the configuration has one port.
// 0, or -errno with what was wrong in error; -ENOTSUP where it is built without DPDK.
int io_link_open(struct io_link **link, const struct io_dpdk_config *config,
		 char error[IO_ERROR_MAX]);
void io_link_close(struct io_link *link);

// Which of n threads datagrams to that address come to: that of its last 32 bits modulo n.
static inline unsigned io_link_thread(const uint8_t destination[16], unsigned n)
{
	return load32_be(destination + 12) % n;
}

// What has arrived, up to n and IO_LINK_BURST. All of it goes back with io_link_answer before the
// next receive.
unsigned io_link_receive(struct io_link *link, struct io_datagram datagram[], unsigned n);
// Gives back the n datagrams of the last receive; before that sends `copies` of each: len octets at
// data to `source`, which the caller may have changed within its family. Waits a tenth of a second
// for a port that is full. Returns how many left.
unsigned io_link_answer(struct io_link *link, const struct io_datagram datagram[], unsigned n);

// Sleeps until something may have arrived, wake is called or timeout_ns have passed.
void io_link_wait(struct io_link *link, uint64_t timeout_ns);
void io_link_wake(struct io_link *link); // Any thread.

// Datagrams that were lost because this thread was slow, so far; for thread 0 those that the port
// had no room for, too.
uint64_t io_link_missed(struct io_link *link);
