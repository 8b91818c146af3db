#pragma once
// The floor of SHA-256 by the x86 SHA extensions: the instructions that a compression cannot do
// without, independent of each other, so that nothing but their number and the CPU's width counts.
// What they compute means nothing. Another set of instructions (AVX-512 on a wide CPU) may be
// below.
//
// A compression from a constant schedule: 64 for the rounds (sixteen times load of W + K, two
// sha256rnds2, a pshufd) and 15 that bring a state in, add and store it. From a schedule of its
// own: 16 paddd of K, four loads and pshufb, twelve times sha256msg1, sha256msg2, palignr with its
// copy and paddd more.

#include <stdbool.h>

bool floor_usable(void);     // whether this CPU has the instructions
void floor_same(unsigned n); // of n compressions from a constant schedule
void floor_each(unsigned n); // of n compressions from schedules of their own
