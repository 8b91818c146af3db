#pragma once
// The key-encryption key: a file of 32 octets that only this program's user (or root) can read.

#include <stdint.h>

enum { STORE_KEK = 32 };

// Reads the key; key in locked memory, undefined after a failure. -ENOENT when there is no file,
// -EPERM when others could read it or it is no ordinary file, -EBADMSG wrong size, -errno; and the
// text in error[STORE_ERROR_MAX].
int store_kek_read(const char *path, uint8_t key[STORE_KEK], char *error);
// Makes a new key and its file, mode 0600, durable when it returns 0. Never replaces a file
// (-EEXIST).
int store_kek_make(const char *path, uint8_t key[STORE_KEK], char *error);
