#include "base/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IPV4_BITS = 32 };

unsigned address_parse(const char *text, uint8_t ip[ADDRESS])
{
	memset(ip, 0, 10);
	memset(ip + 10, 0xff, 2);
	if (inet_pton(AF_INET, text, ip + 12) == 1)
		return IPV4_BITS;
	return inet_pton(AF_INET6, text, ip) == 1 ? ADDRESS_BITS : 0;
}

static bool prefix_parse(const char *text, unsigned max, unsigned *prefix)
{
	unsigned long n;
	char *end;

	if (*text < '1' || *text > '9')
		return false;
	n = strtoul(text, &end, 10);
	*prefix = (unsigned)n;
	return !*end && n <= max;
}

bool address_network_parse(const char *text, uint8_t ip[ADDRESS], unsigned *prefix)
{
	const char *const slash = strchr(text, '/');
	char address[INET6_ADDRSTRLEN];
	unsigned bits;

	if (!slash || (size_t)(slash - text) >= sizeof(address))
		return false;
	snprintf(address, sizeof(address), "%.*s", (int)(slash - text), text);
	bits = address_parse(address, ip);
	if (!bits || !prefix_parse(slash + 1, bits, prefix))
		return false;
	*prefix += ADDRESS_BITS - bits;
	return true;
}

bool address_is_same_network(const uint8_t a[ADDRESS], const uint8_t b[ADDRESS], unsigned prefix)
{
	const unsigned whole = prefix / 8, rest = prefix % 8;

	return !memcmp(a, b, whole) && (!rest || !((a[whole] ^ b[whole]) >> (8 - rest)));
}

bool address_is_link_local(const uint8_t ip[ADDRESS])
{
	return ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80;
}
