#pragma once
// A file of vectors, read whole and strictly. One thread.

#include "tools/vectors/vectors.h"

enum { VECTORS_ENTRIES_MAX = 100000, VECTORS_ERROR = 256 };

// Reads a file. 0, or -EBADMSG or another -errno with what is wrong, and where, in `error`.
int vectors_load(struct vectors *vectors, const char *path, char error[VECTORS_ERROR]);
void vectors_free(struct vectors *vectors);
