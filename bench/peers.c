#include "bench/peers.h"

#include <string.h>

#include "bench/peer_list.h"

const struct peer_ops *const peers[] = {
	&peer_openssl_careful,
	&peer_openssl_plain,
#ifdef HAVE_IPSEC_MB
	&peer_ipsecmb,
#endif
	NULL,
};

const struct peer_ops *peer_find(const char *name)
{
	for (const struct peer_ops *const *ops = peers; *ops; ops++) {
		if (!strcmp((*ops)->name, name))
			return *ops;
	}
	return NULL;
}
