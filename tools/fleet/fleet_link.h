#pragma once
// Links: how the datagrams of a worker's UEs come and go, over sockets or through a port past the
// kernel. A const table of functions, called per burst. What came is answered where it lies.
//
// A link belongs to one worker: worker thread only, but for open, close and wake.

#include <stdbool.h>
#include <stdint.h>

#include "tools/subscriber.h"
#include "ue/akmapush_ue.h"

enum {
	FLEET_BURST = 64,
	FLEET_COPIES_MAX = 2,
	FLEET_DATAGRAM = 1536, // longer than any PUSH, so that one is seen as such
};

struct fleet_datagram {
	uint8_t *octets; // there is room for an ACK without a reply
	uint32_t len;
	unsigned copies;                 // of the answer in its place that shall leave; comes as 0
	struct subscriber_address ue;    // where it was sent to, and is answered from
	struct akmapush_ue_address peer; // where it came from; where the answer goes
};

struct io_dpdk_config;

struct fleet_link_config {
	const struct subscriber_net *net;
	uint64_t from, count;              // of subscribers
	unsigned threads;                  // a link for each
	uint64_t buffer;                   // of a socket: octets to receive
	const struct io_dpdk_config *port; // past the kernel; NULL for sockets
};

struct fleet_link;

struct fleet_link_ops {
	// Main thread. Makes link[config->threads], as far as it comes: what was made is closed by
	// the caller. Datagrams to a UE come over the link of its worker (fleet_worker_of). 0, or
	// -errno (said).
	int (*open)(struct fleet_link *link[], const struct fleet_link_config *config);
	void (*close)(struct fleet_link *link);

	// What has arrived, up to FLEET_BURST; does not wait. It is the caller's until the answer.
	unsigned (*receive)(struct fleet_link *link, struct fleet_datagram datagram[FLEET_BURST]);
	// Takes back all that receive gave, and sends the answers; waits for room if it must, a
	// second at most. Returns how many left.
	unsigned (*answer)(struct fleet_link *link, const struct fleet_datagram datagram[],
			   unsigned n);
	// After a receive that gave nothing: sleeps until there may be more, wake or the time.
	void (*wait)(struct fleet_link *link, unsigned timeout_ms);
	void (*wake)(struct fleet_link *link); // Any thread.
	// Datagrams lost for want of buffer since the last call, as far as it was noticed; at the
	// end all.
	uint64_t (*overflow)(struct fleet_link *link, bool is_end);
};

extern const struct fleet_link_ops fleet_sockets, fleet_port;

// Which worker a UE's datagrams come to. IPv4 and IPv6 by the end of the address, in the kernel's
// choice of a socket and in the port's of a queue; where UEs share an address, by the port.
unsigned fleet_worker_of(const struct subscriber_net *net, unsigned threads,
			 const struct subscriber_address *ue);
