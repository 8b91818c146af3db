#pragma once
// The floors, one file each; those that the build leaves out are left out of the lists in floor.c.

#include "bench/floor.h"

extern const struct sha256_floor sha256_floor_avx512;
extern const struct sha256_floor sha256_floor_shani;
extern const struct aead_floor aead_floor_vaes512;
extern const struct aead_floor aead_floor_aesni;
