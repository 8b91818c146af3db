#pragma once
// Subscribers made from a seed, the same in every program that is given the seed: the load
// generator registers them, the fleet of UEs is them. Subscriber i has
//
//   SUPI    imsi-00101 and i in ten digits          GPSI  msisdn-999 and i in ten digits
//   K_AUSF  HMAC-SHA-256(SHA-256(seed), "kausf" || i (8 octets) || registration number (4 octets))
//   A-KID   0.<A-TID in base64url, no padding>@akma.5gc.mnc001.mcc001.3gppnetwork.org
//   IPv4    127.1.0.0 + i, all on one port; the next port when the addresses up to
//           127.255.255.254 are used up; or from another address on, as many a port
//   IPv6    ::1, a port each, the first 10,000 only; or from another address on, all on one port
//
// K_AKMA, A-TID and K_AF follow from K_AUSF (TS 33.535 Annex A). The registration number counts
// primary authentications: a new one gives new keys. Nothing here keeps anything but the seed. Any
// thread.

#include <stdint.h>

#include "crypto/akma.h"
#include "crypto/sha256.h"

enum {
	SUBSCRIBER_SUPI = 21, // with the terminator
	SUBSCRIBER_GPSI = 21,
	SUBSCRIBER_AKID = 100,
	SUBSCRIBER_ADDRESS = 46, // text of an address
	SUBSCRIBER_PORT = 48470, // of a UE, unless asked otherwise
	SUBSCRIBER_PORTS_V6 = 10000,
};

#define SUBSCRIBER_MAX      ((uint64_t)10000000000) // ten digits
#define SUBSCRIBER_IPV4     "127.1.0.0"
#define SUBSCRIBER_PER_PORT ((uint32_t)0x00feffff) // 127.1.0.0 to 127.255.255.254
#define SUBSCRIBER_IPV6     "::1"

struct subscribers {
	const struct sha256_ops *sha;
	struct hmac_key key; // of the seed; secret
};

void subscribers_init(struct subscribers *all, const char *seed);

void subscriber_supi(uint64_t i, char supi[SUBSCRIBER_SUPI]);
void subscriber_gpsi(uint64_t i, char gpsi[SUBSCRIBER_GPSI]);

// K_AUSF and K_AKMA are secrets of the caller.
void subscriber_kausf(const struct subscribers *all, uint64_t i, uint32_t registration,
		      uint8_t kausf[AKMA_KEY]);
void subscriber_kakma(const struct subscribers *all, uint64_t i, uint32_t registration,
		      uint8_t kakma[AKMA_KEY]);
void subscriber_akid(const struct subscribers *all, uint64_t i, uint32_t registration,
		     char akid[SUBSCRIBER_AKID]);

enum subscriber_family { SUBSCRIBER_V4, SUBSCRIBER_V6 };

// Where all of them are.
struct subscriber_net {
	enum subscriber_family family;
	uint16_t port;     // of the first
	uint8_t first[16]; // address of the first; IPv4 as ::ffff:a.b.c.d
	uint64_t per_port; // addresses in use on a port
	uint64_t count;    // subscribers that have an address
};

// The loopback's, or from the address `first` on. 0, or -EINVAL: no address, or no such number of
// them follows.
int subscriber_net_init(struct subscriber_net *net, enum subscriber_family family, uint16_t port,
			const char *first);

// Where subscriber i is reached.
struct subscriber_address {
	uint8_t ip[16]; // IPv4 as ::ffff:a.b.c.d
	uint16_t port;  // host order
};

// 0, or -ERANGE when addresses and ports do not reach so far.
int subscriber_address(const struct subscriber_net *net, uint64_t i,
		       struct subscriber_address *address);
void subscriber_address_text(const struct subscriber_address *address,
			     char text[SUBSCRIBER_ADDRESS]);
// The subscriber who is reached there, or -ENOENT.
int64_t subscriber_at(const struct subscriber_net *net, const struct subscriber_address *address);
