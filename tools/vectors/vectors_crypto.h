#pragma once
// The implementation of crypto/ and dataplane/: each SHA-256 kernel with each AEAD. One thread.

#include "tools/vectors/vectors.h"

// Those that this CPU can run, [VECTORS_IMPLEMENTATIONS_MAX] at most; returns how many.
unsigned vectors_crypto(struct vectors_implementation *all);
void vectors_crypto_close(void);
