// The AEAD implementations and which of them this CPU runs.

#include "crypto/aead.h"

#include <string.h>

#include "crypto/aead_implementations.h"

const struct aead_ops *const aead_implementations[] = {&aead_openssl, NULL};

const struct aead_ops *aead_best(void)
{
	const struct aead_ops *const *ops = aead_implementations;

	while (!(*ops)->usable())
		ops++; // ends at OpenSSL, which every CPU runs
	return *ops;
}

const struct aead_ops *aead_find(const char *name)
{
	for (const struct aead_ops *const *ops = aead_implementations; *ops; ops++) {
		if (!strcmp((*ops)->name, name))
			return (*ops)->usable() ? *ops : NULL;
	}
	return NULL;
}
