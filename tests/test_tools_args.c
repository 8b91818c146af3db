// Options of the programs.
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <errno.h>
#include <string.h>

#include "tools/args.h"

static struct {
	bool flag;
	const char *text;
	struct arg_texts texts;
	uint64_t number;
	double real;
} got;

static const struct arg shared[] = {
	{ARG_TITLE, 0, "Shared", NULL, NULL, NULL, 0, 0},
	{ARG_REAL, 'r', "real", "R", "a real", &got.real, 0, 1000000},
	{0},
};

static const struct arg args[] = {
	{ARG_FLAG, 'f', "flag", NULL, "a flag", &got.flag, 0, 0},
	{ARG_TEXT, 't', "text", "TEXT", "a text", &got.text, 0, 0},
	{ARG_TEXTS, 0, "texts", "TEXT", "texts", &got.texts, 0, 0},
	{ARG_UINT, 'n', "number", "N", "a number", &got.number, 2, 5000000},
	{0},
};

static const struct args_command command = {"program [OPTION...]", "About.", NULL, args, shared};

enum { ARGV_MAX = 20 };
static char *left[ARGV_MAX]; // what the parser leaves, from [1] on

static int parse(const char *const *argv)
{
	int argc = 0;

	memset(&got, 0, sizeof(got));
	for (; argv[argc]; argc++)
		left[argc] = (char *)argv[argc];
	return args_parse(&command, argc, left);
}

Test(tools_args, every_form)
{
	const char *const argv[] = {"program", "one",       "--flag", "--text=a=b", "--texts",
				    "x",       "--texts=y", "-n5k",   "--real",     "2.5",
				    "two",     "--",        "-n",     NULL};

	cr_assert_eq(parse(argv), 3);
	cr_assert_str_eq(left[1], "one");
	cr_assert_str_eq(left[2], "two");
	cr_assert_str_eq(left[3], "-n");
	cr_assert(got.flag);
	cr_assert_str_eq(got.text, "a=b");
	cr_assert_eq(got.texts.n, 2);
	cr_assert_str_eq(got.texts.text[1], "y");
	cr_assert_eq(got.number, 5000);
	cr_assert_float_eq(got.real, 2.5, 1e-12);
}

Test(tools_args, wrong_usage_is_named, .init = cr_redirect_stderr)
{
	const char *const wrong[][4] = {
		{"program", "--nothing"},
		{"program", "-x"},
		{"program", "--number"},
		{"program", "--number=1"},
		{"program", "-n", "5000001"},
		{"program", "-n", "7x"},
		{"program", "-n", "-7"},
		{"program", "-n", ""},
		{"program", "--flag=1"},
		{"program", "-r", "nan"},
		{"program", "-r", "-1"},
		{"program", "-r", "x"},
		{"program", "-n", "20000000000000G"},
	};

	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		cr_assert_eq(parse(wrong[i]), -EINVAL, "%s", wrong[i][1]);
}

Test(tools_args, hosts)
{
	static const struct {
		const char *text, *host;
		uint16_t port;
		bool is_wrong;
	} cases[] = {
		{"10.0.0.1:80", "10.0.0.1", 80, false},
		{"name", "name", 7777, false},
		{":99", "default", 99, false},
		{"[::1]:8", "::1", 8, false},
		{"::1", "::1", 7777, false},
		{"[::1]", "::1", 7777, false},
		{"name:", "", 0, true},
		{"name:65536", "", 0, true},
		{"[::1", "", 0, true},
		{"[::1]x", "", 0, true},
		{"a-name-that-is-too-long-for-it", "", 0, true},
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char host[20] = "default";
		uint16_t port = 7777;

		cr_assert_eq(args_host(cases[i].text, host, sizeof(host), &port) != 0,
			     cases[i].is_wrong, "%s", cases[i].text);
		if (cases[i].is_wrong)
			continue;
		cr_assert_str_eq(host, cases[i].host);
		cr_assert_eq(port, cases[i].port, "%s", cases[i].text);
	}
}
