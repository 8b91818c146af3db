#pragma once
// Interfaces of the kernel, by name: for ports that share one with it. Any thread; system calls.

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "dataplane/net/packet.h"

// An interface, or the kernel's own one for a VLAN over it, which has the VLAN's addresses and
// neighbours. Its index, and its name in `found`; 0: there is none.
unsigned interface_find(const char *name, uint16_t vlan, char found[IF_NAMESIZE]);

// Whether it has the address, which may be one of IPv4 as ::ffff:a.b.c.d. 1, 0 or -errno.
int interface_has(const char *name, const uint8_t ip[PACKET_IP]);

// How many receive queues it spreads datagrams over; 0 when it does not say.
unsigned interface_queues(const char *name);
