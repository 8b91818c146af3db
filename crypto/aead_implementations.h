#pragma once
// The AEAD objects, one file each. Inside crypto/ only.

#include "crypto/aead.h"

extern const struct aead_ops aead_openssl;
