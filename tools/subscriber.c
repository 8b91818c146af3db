#include "tools/subscriber.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"

enum { IPV4_IN_IP = 12, IPV6_LOW = 8 }; // where an IPv4 address is, and where IPv6's are counted

void subscribers_init(struct subscribers *all, const char *seed)
{
	uint8_t key[1][HMAC_KEY];

	all->sha = sha256_best();
	sha256(all->sha, seed, strlen(seed), key[0]);
	hmac_key_init(all->sha, key, 1, &all->key);
	mem_wipe(key, sizeof(key));
}

void subscriber_supi(uint64_t i, char supi[SUBSCRIBER_SUPI])
{
	assert(i < SUBSCRIBER_MAX);
	snprintf(supi, SUBSCRIBER_SUPI, "imsi-00101%010" PRIu64, i);
}

void subscriber_gpsi(uint64_t i, char gpsi[SUBSCRIBER_GPSI])
{
	assert(i < SUBSCRIBER_MAX);
	snprintf(gpsi, SUBSCRIBER_GPSI, "msisdn-999%010" PRIu64, i);
}

void subscriber_kausf(const struct subscribers *all, uint64_t i, uint32_t registration,
		      uint8_t kausf[AKMA_KEY])
{
	uint8_t text[5 + 8 + 4] = "kausf";

	store64_be(text + 5, i);
	store32_be(text + 13, registration);
	hmac_one(all->sha, &all->key, text, sizeof(text), kausf);
}

void subscriber_kakma(const struct subscribers *all, uint64_t i, uint32_t registration,
		      uint8_t kakma[AKMA_KEY])
{
	uint8_t kausf[AKMA_KEY];
	char supi[SUBSCRIBER_SUPI];
	int r;

	subscriber_supi(i, supi);
	subscriber_kausf(all, i, registration, kausf);
	r = akma_kakma(all->sha, kausf, supi, kakma);
	assert(r == 0); // the SUPI is ours
	mem_wipe(kausf, sizeof(kausf));
}

// RFC 4648 section 5, without padding.
static void base64url_write(char *text, const uint8_t *octets, size_t n)
{
	base64_write(text, octets, n);
	for (; *text && *text != '='; text++) {
		if (*text == '+')
			*text = '-';
		else if (*text == '/')
			*text = '_';
	}
	*text = 0;
}

void subscriber_akid(const struct subscribers *all, uint64_t i, uint32_t registration,
		     char akid[SUBSCRIBER_AKID])
{
	uint8_t kausf[AKMA_KEY], atid[AKMA_KEY];
	char supi[SUBSCRIBER_SUPI], text[64];
	int r;

	subscriber_supi(i, supi);
	subscriber_kausf(all, i, registration, kausf);
	r = akma_atid(all->sha, kausf, supi, atid);
	assert(r == 0); // the SUPI is ours
	mem_wipe(kausf, sizeof(kausf));
	base64url_write(text, atid, sizeof(atid));
	r = snprintf(akid, SUBSCRIBER_AKID, "0.%s@akma.5gc.mnc001.mcc001.3gppnetwork.org", text);
	assert(r < SUBSCRIBER_AKID);
}

static bool is_mapped(const uint8_t ip[16])
{
	return load64_be(ip) == 0 && load32_be(ip + 8) == 0xffff;
}

// How many have an address, and how many of them are on a port.
static void span(struct subscriber_net *net, bool is_loopback)
{
	const uint64_t n_ports = UINT16_MAX - net->port + 1;

	if (net->family == SUBSCRIBER_V4) {
		net->per_port = SUBSCRIBER_PER_PORT;
		net->count = n_ports * SUBSCRIBER_PER_PORT;
	} else if (is_loopback) { // which has one address of IPv6
		net->per_port = 1;
		net->count = n_ports < SUBSCRIBER_PORTS_V6 ? n_ports : SUBSCRIBER_PORTS_V6;
	} else {
		net->per_port = net->count = SUBSCRIBER_MAX;
	}
}

int subscriber_net_init(struct subscriber_net *net, enum subscriber_family family, uint16_t port,
			const char *first)
{
	const bool is_v4 = family == SUBSCRIBER_V4;
	const char *const text = first ? first : is_v4 ? SUBSCRIBER_IPV4 : SUBSCRIBER_IPV6;
	uint8_t *const ip = net->first;

	*net = (struct subscriber_net){
		.family = family, .port = port, .first = {[10] = 0xff, [11] = 0xff}};
	span(net, !first);
	if (inet_pton(is_v4 ? AF_INET : AF_INET6, text, is_v4 ? ip + IPV4_IN_IP : ip) != 1)
		return -EINVAL;
	if (!is_v4 && is_mapped(ip))
		return -EINVAL;
	if (is_v4 ? load32_be(ip + IPV4_IN_IP) > UINT32_MAX - net->per_port
		  : load64_be(ip + IPV6_LOW) > UINT64_MAX - net->per_port)
		return -EINVAL;
	return 0;
}

int subscriber_address(const struct subscriber_net *net, uint64_t i,
		       struct subscriber_address *address)
{
	const uint64_t place = i % net->per_port;
	uint8_t *const ip = address->ip;

	if (i >= net->count)
		return -ERANGE;
	memcpy(ip, net->first, sizeof(address->ip));
	if (net->family == SUBSCRIBER_V4)
		store32_be(ip + IPV4_IN_IP, load32_be(ip + IPV4_IN_IP) + (uint32_t)place);
	else
		store64_be(ip + IPV6_LOW, load64_be(ip + IPV6_LOW) + place);
	address->port = (uint16_t)(net->port + i / net->per_port);
	return 0;
}

void subscriber_address_text(const struct subscriber_address *address,
			     char text[SUBSCRIBER_ADDRESS])
{
	const bool is_v4 = is_mapped(address->ip);

	inet_ntop(is_v4 ? AF_INET : AF_INET6, is_v4 ? address->ip + IPV4_IN_IP : address->ip, text,
		  SUBSCRIBER_ADDRESS);
}

// The low half of an address counts; IPv4's own 32 bits are in it.
int64_t subscriber_at(const struct subscriber_net *net, const struct subscriber_address *address)
{
	const uint64_t place = load64_be(address->ip + IPV6_LOW) - load64_be(net->first + IPV6_LOW);
	const uint64_t port = (uint64_t)address->port - net->port;

	if (load64_be(address->ip) != load64_be(net->first) || place >= net->per_port ||
	    address->port < net->port || port * net->per_port + place >= net->count)
		return -ENOENT;
	return (int64_t)(port * net->per_port + place);
}
