// The AEAD implementations and which of them this CPU runs.

#include "crypto/aead.h"

#include <string.h>

#include "base/text.h"
#include "crypto/aead_implementations.h"

const struct aead_ops *const aead_implementations[] = {
#ifdef HAVE_X86_KERNELS
	&aead_vaes512, &aead_vaes, &aead_aesni,
#endif
#ifdef HAVE_ARM_KERNELS
	&aead_armv8,
#endif
	&aead_openssl, NULL};

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

void aead_usable(char *names, size_t size)
{
	*names = 0;
	for (const struct aead_ops *const *ops = aead_implementations; *ops; ops++) {
		if ((*ops)->usable())
			list_add(names, size, (*ops)->name);
	}
}
