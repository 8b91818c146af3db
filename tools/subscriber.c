#include "tools/subscriber.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"

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

int subscriber_net_init(struct subscriber_net *net, enum subscriber_family family, uint16_t port,
			const char *first)
{
	uint8_t octets[16];

	*net = (struct subscriber_net){
		.family = family, .port = port, .ipv4 = SUBSCRIBER_IPV4, .ipv6 = SUBSCRIBER_IPV6};
	if (!first)
		return 0;
	if (inet_pton(family == SUBSCRIBER_V4 ? AF_INET : AF_INET6, first, octets) != 1)
		return -EINVAL;
	if (family == SUBSCRIBER_V4)
		net->ipv4 = load32_be(octets);
	else
		snprintf(net->ipv6, sizeof(net->ipv6), "%s", first);
	return net->ipv4 > UINT32_MAX - SUBSCRIBER_PER_PORT ? -EINVAL : 0;
}

int subscriber_address(const struct subscriber_net *net, uint64_t i,
		       struct subscriber_address *address)
{
	const bool is_v4 = net->family == SUBSCRIBER_V4;
	const uint64_t per_port = is_v4 ? SUBSCRIBER_PER_PORT : 1;

	if (i / per_port > (uint64_t)(UINT16_MAX - net->port) ||
	    (!is_v4 && i >= SUBSCRIBER_PORTS_V6))
		return -ERANGE;
	address->ipv4 = is_v4 ? net->ipv4 + (uint32_t)(i % per_port) : 0;
	address->port = (uint16_t)(net->port + i / per_port);
	return 0;
}

void subscriber_address_text(const struct subscriber_net *net,
			     const struct subscriber_address *address,
			     char text[SUBSCRIBER_ADDRESS])
{
	const uint32_t a = address->ipv4;

	if (net->family == SUBSCRIBER_V6)
		strcpy(text, net->ipv6);
	else
		snprintf(text, SUBSCRIBER_ADDRESS, "%u.%u.%u.%u", a >> 24, a >> 16 & 255,
			 a >> 8 & 255, a & 255);
}

int64_t subscriber_at(const struct subscriber_net *net, const struct subscriber_address *address)
{
	if (address->port < net->port)
		return -ENOENT;
	if (net->family == SUBSCRIBER_V6)
		return address->ipv4 == 0 && address->port - net->port < SUBSCRIBER_PORTS_V6
			       ? address->port - net->port
			       : -ENOENT;
	if (address->ipv4 < net->ipv4 || address->ipv4 - net->ipv4 >= SUBSCRIBER_PER_PORT)
		return -ENOENT;
	return (int64_t)(address->port - net->port) * SUBSCRIBER_PER_PORT +
	       (address->ipv4 - net->ipv4);
}
