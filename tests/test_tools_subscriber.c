// Subscribers from a seed: the same everywhere, each other's never.
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "tests/kit/random.h"
#include "tools/subscriber.h"

Test(tools_subscriber, identities_are_ten_digits)
{
	char supi[SUBSCRIBER_SUPI], gpsi[SUBSCRIBER_GPSI];

	subscriber_supi(42, supi);
	subscriber_gpsi(SUBSCRIBER_MAX - 1, gpsi);
	cr_assert_str_eq(supi, "imsi-001010000000042");
	cr_assert_str_eq(gpsi, "msisdn-9999999999999");
}

// The definition, worked out apart: any change of it would part the fleet of one version from the
// load generator of another.
Test(tools_subscriber, keys_are_as_the_header_says)
{
	uint8_t seed[1][HMAC_KEY], kausf[AKMA_KEY], expected[AKMA_KEY];
	uint8_t text[17] = "kausf";
	struct subscribers all;
	struct hmac_key key;

	subscribers_init(&all, "a seed");
	subscriber_kausf(&all, 77, 3, kausf);
	sha256(all.sha, "a seed", 6, seed[0]);
	hmac_key_init(all.sha, seed, 1, &key);
	store64_be(text + 5, 77);
	store32_be(text + 13, 3);
	hmac_one(all.sha, &key, text, sizeof(text), expected);
	cr_assert_arr_eq(kausf, expected, AKMA_KEY);
}

Test(tools_subscriber, kakma_and_akid_follow_from_kausf)
{
	uint8_t kausf[AKMA_KEY], kakma[AKMA_KEY], expected[AKMA_KEY];
	char supi[SUBSCRIBER_SUPI], akid[SUBSCRIBER_AKID];
	struct subscribers all;

	subscribers_init(&all, "x");
	subscriber_supi(5, supi);
	subscriber_kausf(&all, 5, 0, kausf);
	cr_assert_eq(akma_kakma(all.sha, kausf, supi, expected), 0);
	subscriber_kakma(&all, 5, 0, kakma);
	cr_assert_arr_eq(kakma, expected, AKMA_KEY);
	subscriber_akid(&all, 5, 0, akid);
	cr_assert_eq(strlen(akid), 2 + 43 + 39, "%s", akid);
	cr_assert_eq(strncmp(akid, "0.", 2), 0);
	cr_assert_str_eq(akid + 45, "@akma.5gc.mnc001.mcc001.3gppnetwork.org");
	cr_assert_eq(strspn(akid + 2, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789-_"),
		     43);
}

Test(tools_subscriber, seed_number_and_registration_make_other_keys)
{
	uint8_t key[4][AKMA_KEY];
	struct subscribers a, b;

	subscribers_init(&a, "a");
	subscribers_init(&b, "b");
	subscriber_kakma(&a, 1, 0, key[0]);
	subscriber_kakma(&a, 1, 1, key[1]);
	subscriber_kakma(&a, 2, 0, key[2]);
	subscriber_kakma(&b, 1, 0, key[3]);
	for (unsigned i = 0; i < 4; i++) {
		for (unsigned j = 0; j < i; j++)
			cr_assert_arr_neq(key[i], key[j], AKMA_KEY, "%u and %u", i, j);
	}
}

Test(tools_subscriber, addresses_lead_back)
{
	const uint64_t edges[] = {0,
				  1,
				  255,
				  65535,
				  SUBSCRIBER_PER_PORT - 1,
				  SUBSCRIBER_PER_PORT,
				  3 * (uint64_t)SUBSCRIBER_PER_PORT + 17};
	static const uint8_t mapped[] = {[10] = 0xff, [11] = 0xff, [12] = 127};
	struct random random = random_start();
	struct subscriber_address address;
	struct subscriber_net net;

	subscriber_net_init(&net, SUBSCRIBER_V4, 40000, NULL);
	for (unsigned n = 0; n < 10000; n++) {
		const uint64_t i = n < sizeof(edges) / sizeof(edges[0])
					   ? edges[n]
					   : random_next(&random) % 100000000;

		cr_assert_eq(subscriber_address(&net, i, &address), 0);
		cr_assert_arr_eq(address.ip, mapped, sizeof(mapped));
		cr_assert_neq(load32_be(address.ip + 12), 0x7fffffff);
		cr_assert_neq(load32_be(address.ip + 12), 0x7f000000);
		cr_assert_eq(subscriber_at(&net, &address), i, "%lu, seed %#lx", i, random.seed);
	}
}

Test(tools_subscriber, first_address_and_text)
{
	struct subscriber_address address;
	struct subscriber_net net;
	char text[SUBSCRIBER_ADDRESS];

	subscriber_net_init(&net, SUBSCRIBER_V4, 48470, NULL);
	subscriber_address(&net, 258, &address);
	subscriber_address_text(&address, text);
	cr_assert_str_eq(text, "127.1.1.2");
	cr_assert_eq(address.port, 48470);
	subscriber_net_init(&net, SUBSCRIBER_V6, 48470, NULL);
	subscriber_address(&net, 3, &address);
	subscriber_address_text(&address, text);
	cr_assert_str_eq(text, "::1");
	cr_assert_eq(address.port, 48473);
}

Test(tools_subscriber, other_networks)
{
	struct subscriber_address address;
	struct subscriber_net net;
	char text[SUBSCRIBER_ADDRESS];

	cr_assert_eq(subscriber_net_init(&net, SUBSCRIBER_V4, 48470, "10.9.0.0"), 0);
	subscriber_address(&net, 258, &address);
	subscriber_address_text(&address, text);
	cr_assert_str_eq(text, "10.9.1.2");
	cr_assert_eq(subscriber_at(&net, &address), 258);
	cr_assert_eq(subscriber_net_init(&net, SUBSCRIBER_V6, 48470, "fd00::2"), 0);
	subscriber_address(&net, 0x1fffffffd, &address);
	subscriber_address_text(&address, text);
	cr_assert_str_eq(text, "fd00::1:ffff:ffff");
	cr_assert_eq(address.port, 48470);
	cr_assert_eq(subscriber_net_init(&net, SUBSCRIBER_V4, 48470, "fd00::2"), -EINVAL);
	cr_assert_eq(subscriber_net_init(&net, SUBSCRIBER_V6, 48470, "10.9.0.0"), -EINVAL);
	cr_assert_eq(subscriber_net_init(&net, SUBSCRIBER_V4, 48470, "255.2.0.0"), -EINVAL);
	cr_assert_eq(subscriber_net_init(&net, SUBSCRIBER_V6, 48470, "::ffff:ffff:0:0:0"), 0);
	cr_assert_eq(subscriber_net_init(&net, SUBSCRIBER_V6, 48470, "fd00::ffff:fff0:0:0"), 0);
	cr_assert_eq(subscriber_net_init(&net, SUBSCRIBER_V6, 48470, "fd00::ffff:ffff:ffff:0"),
		     -EINVAL);
	cr_assert_eq(subscriber_net_init(&net, SUBSCRIBER_V6, 48470, "::ffff:10.9.0.0"), -EINVAL);
}

Test(tools_subscriber, ipv6_addresses_lead_back)
{
	struct random random = random_start();
	struct subscriber_address address;
	struct subscriber_net net;

	subscriber_net_init(&net, SUBSCRIBER_V6, 48470, "fd09::1:ffff:fff0");
	for (unsigned n = 0; n < 10000; n++) {
		const uint64_t i = n < 100   ? n
				   : n < 200 ? SUBSCRIBER_MAX - 1 - n
					     : random_next(&random) % SUBSCRIBER_MAX;

		cr_assert_eq(subscriber_address(&net, i, &address), 0);
		cr_assert_eq(address.port, 48470);
		cr_assert_eq(subscriber_at(&net, &address), i, "%lu, seed %#lx", i, random.seed);
		address.port++;
		cr_assert_eq(subscriber_at(&net, &address), -ENOENT);
		address.port--;
		address.ip[7] ^= 1;
		cr_assert_eq(subscriber_at(&net, &address), -ENOENT);
	}
	cr_assert_eq(subscriber_address(&net, SUBSCRIBER_MAX, &address), -ERANGE);
}

Test(tools_subscriber, what_is_outside_is_refused)
{
	const struct subscriber_address below = {{[10] = 0xff, 0xff, 127, 0, 255, 255},
						 .port = 40000};
	const struct subscriber_address last = {{[10] = 0xff, 0xff, 127, 255, 255, 255},
						.port = 40000};
	const struct subscriber_address port = {{[10] = 0xff, 0xff, 127, 1, 0, 0}, .port = 39999};
	const struct subscriber_address not_mapped = {{[12] = 127, 1, 0, 0}, .port = 40000};
	const struct subscriber_address beside = {{[15] = 2}, .port = 40000};
	const struct subscriber_address beyond = {{[15] = 1}, .port = 50000};
	struct subscriber_address address;
	struct subscriber_net v4, v6;

	subscriber_net_init(&v4, SUBSCRIBER_V4, 40000, NULL);
	subscriber_net_init(&v6, SUBSCRIBER_V6, 40000, NULL);
	cr_assert_eq(subscriber_at(&v4, &below), -ENOENT);
	cr_assert_eq(subscriber_at(&v4, &last), -ENOENT);
	cr_assert_eq(subscriber_at(&v4, &port), -ENOENT);
	cr_assert_eq(subscriber_at(&v4, &not_mapped), -ENOENT);
	cr_assert_eq(subscriber_at(&v6, &below), -ENOENT);
	cr_assert_eq(subscriber_at(&v6, &beside), -ENOENT);
	cr_assert_eq(subscriber_at(&v6, &beyond), -ENOENT);
	cr_assert_eq(subscriber_address(&v6, SUBSCRIBER_PORTS_V6, &address), -ERANGE);
	subscriber_net_init(&v4, SUBSCRIBER_V4, 65535, NULL);
	cr_assert_eq(subscriber_address(&v4, SUBSCRIBER_PER_PORT - 1, &address), 0);
	cr_assert_eq(subscriber_address(&v4, SUBSCRIBER_PER_PORT, &address), -ERANGE);
}
