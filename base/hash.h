#pragma once
// Hashes for tables, not for secrets: XXH3-64 behind one name. Where a peer chooses what is hashed,
// the table gives a seed that the peer does not know. Any thread.

#include <stddef.h>
#include <stdint.h>

uint64_t hash64(const void *data, size_t len, uint64_t seed);
