#pragma once
// One of the fleet's sockets. It stands for every UE on its UDP port: the address that a datagram
// was sent to says which, and it answers from that address. With several threads each has a socket,
// and the kernel picks it by the end of the destination address, so a UE always meets the same
// thread. A socket belongs to one thread.

#include <stdbool.h>
#include <stdint.h>

#include "tools/fleet/fleet_link.h"

struct fleet_socket {
	int fd;
	enum subscriber_family family;
	uint16_t port;
	uint32_t overflow; // as fleet_socket_overflow saw it last
};

// A socket on `port`; `share` sockets (2 or more) of the same port divide the addresses among them
// in the order of opening, is_last ends the row. `buffer` octets of receive buffer, or as much as
// the kernel gives. 0 or -errno.
int fleet_socket_open(struct fleet_socket *s, enum subscriber_family family, uint16_t port,
		      unsigned share, bool is_last, uint64_t buffer);
void fleet_socket_close(struct fleet_socket *s);

// Buffers for a burst of datagrams. One socket's at a time.
struct fleet_burst;
struct fleet_burst *fleet_burst_new(void); // NULL without memory
void fleet_burst_free(struct fleet_burst *burst);

// What has arrived, up to FLEET_BURST; does not wait. `datagram` points into the burst until the
// next call. Count, or -errno.
int fleet_socket_receive(struct fleet_socket *s, struct fleet_burst *burst,
			 struct fleet_datagram datagram[FLEET_BURST]);
// Datagrams that the kernel dropped for want of buffer since the last call.
uint32_t fleet_socket_overflow(struct fleet_socket *s);
// Sends as many copies as each of the n datagrams says; waits for the socket if it must, a second
// at most. Returns how many left.
unsigned fleet_socket_send(struct fleet_socket *s, struct fleet_burst *burst,
			   const struct fleet_datagram *datagram, unsigned n);
