// Addresses as text.
#include <criterion/criterion.h>
#include <string.h>

#include "base/address.h"

static const uint8_t ten[16] = {[10] = 0xff, [11] = 0xff, 10, 0, 0, 1};
static const uint8_t doc[16] = {0x20, 1, 0xd, 0xb8, [15] = 1};

Test(address, of_both_families)
{
	uint8_t ip[ADDRESS];

	memset(ip, 0xa5, sizeof(ip));
	cr_assert_eq(address_parse("10.0.0.1", ip), 32);
	cr_assert_arr_eq(ip, ten, sizeof(ip));
	memset(ip, 0xa5, sizeof(ip));
	cr_assert_eq(address_parse("2001:db8::1", ip), 128);
	cr_assert_arr_eq(ip, doc, sizeof(ip));
}

Test(address, with_a_prefix)
{
	uint8_t ip[ADDRESS];
	unsigned prefix;

	cr_assert(address_network_parse("10.0.0.1/24", ip, &prefix));
	cr_assert_arr_eq(ip, ten, sizeof(ip));
	cr_assert_eq(prefix, 120);
	cr_assert(address_network_parse("10.0.0.1/1", ip, &prefix));
	cr_assert_eq(prefix, 97);
	cr_assert(address_network_parse("10.0.0.1/32", ip, &prefix));
	cr_assert_eq(prefix, 128);
	cr_assert(address_network_parse("2001:db8::1/64", ip, &prefix));
	cr_assert_arr_eq(ip, doc, sizeof(ip));
	cr_assert_eq(prefix, 64);
}

Test(address, what_is_none)
{
	static const char *const none[] = {"",          "10",       "10.0.0",    "10.0.0.256",
					   "10.0.0.1 ", "fd00:::1", "localhost", "10.0.0.1/24"};
	static const char *const no_network[] = {
		"10.0.0.1",
		"10.0.0.1/",
		"10.0.0.1/0",
		"10.0.0.1/33",
		"10.0.0.1/+8",
		"10.0.0.1/8x",
		"fd00::1/129",
		"/24",
		"fd00::1/64/64",
		"x/24",
		"10.0.0.1/ 24",
		"10.0.0.1/-1",
		"10.0.0.1/99999999999999999999999",
		"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/64"};
	uint8_t ip[ADDRESS];
	unsigned prefix;

	for (unsigned i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		cr_assert_eq(address_parse(none[i], ip), 0, "%s", none[i]);
	for (unsigned i = 0; i < sizeof(no_network) / sizeof(no_network[0]); i++)
		cr_assert_not(address_network_parse(no_network[i], ip, &prefix), "%s",
			      no_network[i]);
}

Test(address, networks_bit_by_bit)
{
	uint8_t a[ADDRESS], b[ADDRESS];

	for (unsigned bit = 0; bit < ADDRESS_BITS; bit++) {
		memset(a, 0x5a, sizeof(a));
		memcpy(b, a, sizeof(b));
		b[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
		for (unsigned prefix = 0; prefix <= ADDRESS_BITS; prefix++)
			cr_assert_eq(address_is_same_network(a, b, prefix), prefix <= bit, "%u %u",
				     bit, prefix);
		cr_assert(address_is_same_network(a, a, ADDRESS_BITS));
	}
}

Test(address, of_the_link)
{
	static const char *const local[] = {"fe80::1", "fe80::", "febf:ffff::1"};
	static const char *const other[] = {"fec0::1", "fe7f::1", "ff02::1", "fd00::1",
					    "169.254.0.1"};
	uint8_t ip[ADDRESS];

	for (unsigned i = 0; i < sizeof(local) / sizeof(local[0]); i++)
		cr_assert(address_parse(local[i], ip) && address_is_link_local(ip), "%s", local[i]);
	for (unsigned i = 0; i < sizeof(other) / sizeof(other[0]); i++)
		cr_assert(address_parse(other[i], ip) && !address_is_link_local(ip), "%s",
			  other[i]);
}
