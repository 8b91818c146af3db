// Datagrams of the kernel about its neighbours, as hops.c walks through them. Whatever comes, a
// walk ends within the datagram, and news are of an interface and an address; an address of IPv4 is
// never made of one of IPv6.

#include "fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/net/hop_message.h"

static void check(const struct hop_message *message)
{
	static const uint8_t nobody[PACKET_MAC];

	assert(message->news <= HOP_LOST);
	assert((message->news == HOP_NONE) == (message->interface == 0));
	if (message->news != HOP_KNOWN)
		assert(!memcmp(message->mac, nobody, sizeof(nobody)));
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	uint8_t *const exact = malloc(n ? n : 1); // so that a sanitizer sees a read beyond the end
	struct hop_message message;
	unsigned at = 0, taken;

	assert(exact);
	memcpy(exact, octets, n);
	do {
		taken = hop_message_read(&message, exact + at, (unsigned)n - at);
		assert(taken <= n - at);
		check(&message);
		at += taken;
	} while (taken);
	free(exact);
	return 0;
}
