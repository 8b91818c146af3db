#pragma once
// The fleet's sockets. IPv4: one socket on 0.0.0.0 stands for every UE on its port, the address a
// datagram was sent to says which; it answers from that address. With several threads each has a
// socket, and the kernel picks it by the destination address, so a UE always meets the same thread.
// IPv6: one socket on ::1 for each UE. A socket belongs to one thread.

#include <stdbool.h>
#include <stdint.h>

#include "tools/subscriber.h"
#include "ue/akmapush_ue.h"

enum {
	FLEET_BURST = 64,
	FLEET_DATAGRAM = 1536
}; // longer than any PUSH, so that one is seen as such

struct fleet_socket {
	int fd;
	enum subscriber_family family;
	uint16_t port;
	uint32_t overflow; // as fleet_overflow saw it last
};

// A socket on `port`; `share` sockets (2 or more) of the same port divide the addresses among them
// in the order of opening, is_last ends the row. `buffer` octets of receive buffer, or as much as
// the kernel gives. 0 or -errno.
int fleet_socket_open(struct fleet_socket *s, enum subscriber_family family, uint16_t port,
		      unsigned share, bool is_last, uint64_t buffer);
void fleet_socket_close(struct fleet_socket *s);

struct fleet_datagram {
	uint8_t *octets; // [FLEET_DATAGRAM]
	uint32_t len;
	struct subscriber_address ue;    // where it was sent to, or is sent from
	struct akmapush_ue_address peer; // where it came from, or goes to
};

// A burst of buffers for datagrams, in one direction.
struct fleet_burst;
struct fleet_burst *fleet_burst_new(void); // NULL without memory
void fleet_burst_free(struct fleet_burst *burst);

// What has arrived, up to FLEET_BURST; does not wait. `datagram` points into the burst until the
// next call. Count, or -errno.
int fleet_receive(struct fleet_socket *s, struct fleet_burst *burst,
		  struct fleet_datagram datagram[FLEET_BURST]);
// Datagrams that the kernel dropped for want of buffer since the last call.
uint32_t fleet_overflow(struct fleet_socket *s);
// Sends n datagrams; waits for the socket if it must, a second at most. Returns how many left.
unsigned fleet_send(struct fleet_socket *s, struct fleet_burst *burst,
		    const struct fleet_datagram *datagram, unsigned n);
