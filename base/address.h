#pragma once
// Addresses of IP: as text and back, and what they say. An address is 16 octets; IPv4 as
// ::ffff:a.b.c.d. Any thread.

#include <stdbool.h>
#include <stdint.h>

enum { ADDRESS = 16, ADDRESS_BITS = 128 };

// "10.0.0.1", "fd00::1". Returns the bits that an address of its family has, 32 or 128; 0: it is
// none, and ip is undefined.
unsigned address_parse(const char *text, uint8_t ip[ADDRESS]);

// "10.0.0.1/24", "fd00::1/64". The prefix, from 1 on, counts in 128 bits: 120 for the first. False:
// it is none; both are undefined then.
bool address_network_parse(const char *text, uint8_t ip[ADDRESS], unsigned *prefix);

// Whether the first `prefix` bits of the 128 are the same.
bool address_is_same_network(const uint8_t a[ADDRESS], const uint8_t b[ADDRESS], unsigned prefix);
// fe80::/10 (RFC 4291 2.5.6): routers pass on nothing that comes from there.
bool address_is_link_local(const uint8_t ip[ADDRESS]);
