#include <criterion/criterion.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "tests/kit/random.h"

Test(uint, every_length)
{
	char text[TEXT_UINT_MAX], expected[TEXT_UINT_MAX];
	uint64_t n = 0;

	for (int i = 0; i < 41; i++, n = n * 3 + 1) {
		snprintf(expected, sizeof(expected), "%" PRIu64, n);
		cr_assert_eq(uint_write(text, n), strlen(expected));
		cr_assert_str_eq(text, expected);
	}
	cr_assert_eq(uint_write(text, UINT64_MAX), 20);
	cr_assert_str_eq(text, "18446744073709551615");
}

Test(hex, both_ways)
{
	const uint8_t octets[] = {0x00, 0x7f, 0xab, 0xff};
	uint8_t back[4];
	char text[9];

	hex_write(text, octets, sizeof(octets));
	cr_assert_str_eq(text, "007fabff");
	cr_assert_eq(hex_parse("007FaBff", 8, back, 4), 0);
	cr_assert_arr_eq(back, octets, 4);
}

Test(hex, refuses_and_leaves_output_alone)
{
	static const char *const bad[] = {"",          "0",        "007fabf", "007fabfg",
					  "007fabff0", " 07fabff", "0x7fabff"};
	uint8_t back[4] = {1, 2, 3, 4};
	const uint8_t before[4] = {1, 2, 3, 4};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cr_assert_eq(hex_parse(bad[i], strlen(bad[i]), back, 4), -EBADMSG, "%s", bad[i]);
		cr_assert_arr_eq(back, before, 4);
	}
}

// RFC 4648 section 10.
Test(base64, rfc4648_vectors)
{
	static const struct {
		const char *plain, *text;
	} v[] = {{"", ""},
		 {"f", "Zg=="},
		 {"fo", "Zm8="},
		 {"foo", "Zm9v"},
		 {"foob", "Zm9vYg=="},
		 {"fooba", "Zm9vYmE="},
		 {"foobar", "Zm9vYmFy"}};

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		size_t n = strlen(v[i].plain);
		uint8_t back[8];
		char text[16];

		base64_write(text, v[i].plain, n);
		cr_assert_str_eq(text, v[i].text);
		cr_assert_eq(base64_len(n), strlen(text));
		cr_assert_eq(base64_parse(text, strlen(text), back, sizeof(back)), (ssize_t)n);
		cr_assert_arr_eq(back, v[i].plain, n);
	}
}

Test(base64, refuses)
{
	static const char *const bad[] = {"Z",    "Zg",       "Zg=",   "Zh==",   "Zm9=", "====",
					  "Z===", "Zg==Zg==", "Zm 9v", "Zm9v\n", "Zm-v", "Z=g="};
	uint8_t back[8];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_eq(base64_parse(bad[i], strlen(bad[i]), back, sizeof(back)), -EBADMSG,
			     "%s", bad[i]);
	cr_assert_eq(base64_parse("Zm9vYmFy", 8, back, 5), -EMSGSIZE);
}

Test(base64, every_length_both_ways)
{
	struct random random = random_start();
	uint8_t octets[300], back[300];
	char text[401];

	random_fill(&random, octets, sizeof(octets));
	for (size_t n = 0; n <= sizeof(octets); n++) {
		base64_write(text, octets, n);
		cr_assert_eq(base64_parse(text, strlen(text), back, n), (ssize_t)n);
		cr_assert_arr_eq(back, octets, n, "seed %#" PRIx64, random.seed);
	}
}

Test(list, words_as_far_as_they_fit)
{
	char list[8] = "";

	list_add(list, sizeof(list), "one");
	cr_assert_str_eq(list, "one");
	list_add(list, sizeof(list), "two");
	cr_assert_str_eq(list, "one, tw");
	list_add(list, sizeof(list), "three");
	cr_assert_str_eq(list, "one, tw");
}
