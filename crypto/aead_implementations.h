#pragma once
// The AEAD objects, one file each; one that the build leaves out is left out of the list in aead.c
// too. Inside crypto/ only.

#include "crypto/aead.h"

extern const struct aead_ops aead_vaes512;
extern const struct aead_ops aead_vaes;
extern const struct aead_ops aead_aesni;
extern const struct aead_ops aead_armv8;
extern const struct aead_ops aead_openssl;
