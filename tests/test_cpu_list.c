#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/cpu_list.h"
#include "tests/kit/random.h"

Test(cpu_list, against_a_naive_set)
{
	struct random random = random_start();

	for (unsigned round = 0; round < 1000; round++) {
		bool set[200] = {false};
		char text[2000] = "";
		unsigned n = 0, cpu = 0, seen = 0;

		while ((cpu += (unsigned)(random_next(&random) % 20)) < 200) {
			const unsigned from = cpu, more = (unsigned)(random_next(&random) % 4);

			for (; cpu <= from + more && cpu < 200; cpu++, n++)
				set[cpu] = true;
			sprintf(text + strlen(text), cpu - 1 > from ? "%s%u-%u" : "%s%u",
				*text ? "," : "", from, cpu - 1);
			cpu++;
		}
		cr_assert_eq(cpu_list_count(text), n, "%s", text);
		cr_assert_eq(cpu_list_is_valid(text), n > 0, "%s", text);
		for (cpu = 0; cpu < 200; cpu++) {
			char one[8];

			sprintf(one, "%u", cpu);
			if (set[cpu])
				cr_assert_eq(cpu_list_at(text, seen++), cpu, "%s: %u", text, cpu);
			cr_assert_eq(cpu_list_has(text, cpu), set[cpu], "%s: %u", text, cpu);
			cr_assert_eq(cpu_list_meet(text, one), set[cpu], "%s: %u", text, cpu);
		}
	}
}

Test(cpu_list, what_is_none_ends_it)
{
	static const struct {
		const char *text;
		unsigned n;
	} cases[] = {
		{"", 0},          {"\n", 0},
		{"x", 0},         {"-1", 0},
		{"3", 1},         {"3-1", 0},
		{"1,x,2", 1},     {"1,,2", 1},
		{"0-8191", 8192}, {"0-8192", 0},
		{"1 2", 1},       {"0-4294967295", 0},
		{"1-", 1},        {"99999999999999999999", 0},
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		cr_expect_eq(cpu_list_count(cases[i].text), cases[i].n, "%s: %u", cases[i].text,
			     cpu_list_count(cases[i].text));
	cr_expect(!cpu_list_meet("0-3", "4-7"));
	cr_expect(cpu_list_meet("0-4", "4-7"));
	cr_expect(!cpu_list_meet("", "0"));
}

Test(cpu_list, one_that_is_given_is_whole)
{
	static const char *const good[] = {"0", "6-7", "7,6", "0-3,8,10-11", "8191"};
	static const char *const bad[] = {"",      "x",   "1,",    ",1",   "1,,2", "1,1",
					  "0-3,2", "3-1", "1-2-3", "1 2",  "8192", "0-",
					  "-1",    "1,x", "+1",    "6-7\n"};

	for (unsigned i = 0; i < sizeof(good) / sizeof(*good); i++)
		cr_expect(cpu_list_is_valid(good[i]), "%s", good[i]);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		cr_expect_not(cpu_list_is_valid(bad[i]), "%s", bad[i]);
	cr_expect_eq(cpu_list_at("7,6", 0), 7);
	cr_expect_eq(cpu_list_at("7,2-4,6", 3), 4);
	cr_expect_eq(cpu_list_at("7,2-4,6", 4), 6);
}
