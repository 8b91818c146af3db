#pragma once
// The peers, one file each; one that the build leaves out is left out of the list in peers.c too.

#include "bench/peers.h"

extern const struct peer_ops peer_openssl_careful;
extern const struct peer_ops peer_openssl_plain;
extern const struct peer_ops peer_ipsecmb;
