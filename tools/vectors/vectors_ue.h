#pragma once
// The implementation of ue/: each crypto table. One thread.

#include "tools/vectors/vectors.h"

unsigned vectors_ue(struct vectors_implementation *all); // returns how many
