// akmapushctl without a daemon: figures, durations, tables, words of the command table, completion.

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/json/json.h"
#include "control/json/problem.h"
#include "tools/ctl/ctl_commands.h"
#include "tools/ctl/ctl_complete.h"
#include "tools/ctl/ctl_format.h"
#include "tools/ctl/ctl_http.h"
#include "tools/ctl/ctl_payload.h"
#include "tools/ctl/ctl_push.h"
#include "tools/ctl/ctl_table.h"

// ---- Figures, times, durations

Test(ctl_format, numbers_are_grouped)
{
	static const struct {
		uint64_t value;
		const char *text;
	} cases[] = {
		{0, "0"},
		{7, "7"},
		{999, "999"},
		{1000, "1,000"},
		{12345, "12,345"},
		{999999, "999,999"},
		{1000000, "1,000,000"},
		{UINT64_MAX, "18,446,744,073,709,551,615"},
	};
	char text[CTL_NUMBER_MAX];

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_str_eq(ctl_number(text, cases[i].value), cases[i].text);
}

Test(ctl_format, spans_have_two_units)
{
	static const struct {
		uint64_t value;
		const char *text;
	} cases[] = {
		{0, "0s"},       {59, "59s"},        {60, "1m 0s"},    {3599, "59m 59s"},
		{3600, "1h 0m"}, {86399, "23h 59m"}, {86400, "1d 0h"}, {694861, "8d 1h"},
	};
	char text[CTL_NUMBER_MAX];

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_str_eq(ctl_span(text, cases[i].value), cases[i].text);
}

Test(ctl_format, durations_are_read)
{
	static const struct {
		const char *text;
		uint64_t seconds;
	} cases[] = {
		{"90", 90},
		{"90s", 90},
		{"0s", 0},
		{"1h", 3600},
		{"1h30m", 5400},
		{"7d", 604800},
		{"2w", 1209600},
		{"1w1d1h1m1s", 694861},
		{"18446744073709551615", UINT64_MAX},
	};
	uint64_t seconds;

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_expect_eq(ctl_duration(cases[i].text, &seconds), 0, "%s", cases[i].text);
		cr_expect_eq(seconds, cases[i].seconds, "%s", cases[i].text);
	}
}

Test(ctl_format, no_durations_are_refused)
{
	static const char *const cases[] = {
		"",
		"s",
		"h1",
		"-1s",
		"+1",
		" 1s",
		"1 s",
		"1x",
		"1m1h",
		"1s1s",
		"1h1",
		"1.5h",
		"90S",
		"1h-3m",
		"0x1f",
		"18446744073709551616",
		"99999999999999999w",
		"18446744073709551615s1m",
	};
	uint64_t seconds = 42;

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect(ctl_duration(cases[i], &seconds) < 0, "%s", cases[i]);
	cr_expect_eq(seconds, 42, "untouched");
}

// Whatever a sum of units is, it is read as that sum.
Test(ctl_format, durations_against_arithmetic)
{
	unsigned seed = (unsigned)time(NULL);

	srand(seed);
	for (unsigned i = 0; i < 10000; i++) {
		uint64_t d = (unsigned)rand() % 1000, h = (unsigned)rand() % 1000,
			 m = (unsigned)rand() % 1000, s = (unsigned)rand() % 1000, seconds;
		char text[80];

		snprintf(text, sizeof(text), "%" PRIu64 "d%" PRIu64 "h%" PRIu64 "m%" PRIu64 "s", d,
			 h, m, s);
		cr_assert_eq(ctl_duration(text, &seconds), 0, "seed %u: %s", seed, text);
		cr_assert_eq(seconds, ((d * 24 + h) * 60 + m) * 60 + s, "seed %u: %s", seed, text);
	}
}

Test(ctl_format, times_are_local)
{
	char text[CTL_TIME_MAX];

	setenv("TZ", "CET-1", 1);
	tzset();
	cr_expect_str_eq(ctl_time(text, "2026-01-02T23:04:05.678Z"), "2026-01-03 00:04:05");
	cr_expect_str_eq(ctl_time(text, "2026-01-02T23:04:05Z"), "2026-01-03 00:04:05");
	cr_expect_str_eq(ctl_time(text, "soon"), "soon");
	cr_expect_str_eq(ctl_time(text, "2026-01-02\033[2J"), "2026-01-02?[2J");
}

Test(ctl_format, nothing_commands_the_terminal)
{
	char text[8];

	cr_expect_str_eq(ctl_clean(text, sizeof(text), "a\033[2J\n\x7f"), "a?[2J??");
	cr_expect_str_eq(ctl_clean(text, sizeof(text), "123456789"), "1234567");
	cr_expect_eq(ctl_width("Zähler"), 6);
}

Test(ctl_format, replies_are_text_or_digits)
{
	char text[CTL_REPLY_MAX], longest[2 * CTL_REPLY_OCTETS_MAX];

	cr_expect_str_eq(ctl_reply(text, "b2s="), "\"ok\"");
	cr_expect_str_eq(ctl_reply(text, ""), "\"\"");
	cr_expect_str_eq(ctl_reply(text, "AP8b"), "00ff1b");
	cr_expect_str_eq(ctl_reply(text, "b2s"), "?");
	memset(longest, 'A', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	longest[(CTL_REPLY_OCTETS_MAX + 3) / 3 * 4] = '\0';
	cr_expect_str_eq(ctl_reply(text, longest), "?");
}

// ---- Tables

static char *printed(const struct ctl_table *table, bool has_colours)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	ctl_table_print(table, out, has_colours);
	fclose(out);
	return text;
}

Test(ctl_table, columns_are_as_wide_as_needed)
{
	static const struct ctl_column columns[] = {{"NAME"}, {"COUNT", true}, {"NOTE"}};
	struct ctl_table *table = ctl_table_new(columns, 3);
	char *text;

	ctl_table_text(table, "a");
	ctl_table_number(table, 1234567);
	ctl_table_text(table, "x");
	ctl_table_text(table, "größer");
	ctl_table_number(table, 1);
	ctl_table_text(table, NULL);
	ctl_table_text(table, NULL);
	ctl_table_number(table, 0);
	ctl_table_text(table, "y");
	text = printed(table, false);
	cr_expect_str_eq(text, "NAME        COUNT  NOTE\n"
			       "a       1,234,567  x\n"
			       "größer          1\n"
			       "                0  y\n");
	free(text);
	ctl_table_free(table);
}

Test(ctl_table, the_head_is_bold_on_a_terminal)
{
	static const struct ctl_column columns[] = {{"A"}, {"B"}};
	struct ctl_table *table = ctl_table_new(columns, 2);
	char *text = printed(table, true);

	cr_expect_str_eq(text, "\033[1mA  B\033[0m\n");
	free(text);
	ctl_table_free(table);
}

Test(ctl_table, without_a_head)
{
	static const struct ctl_column columns[] = {{NULL}, {NULL}};
	struct ctl_table *table = ctl_table_new(columns, 2);
	char *text;

	ctl_table_text(table, "long label");
	ctl_table_text(table, "1\n2");
	ctl_table_text(table, "x");
	ctl_table_text(table, "y");
	text = printed(table, false);
	cr_expect_str_eq(text, "long label  1?2\nx           y\n");
	free(text);
	ctl_table_free(table);
}

// ---- Commands

Test(ctl_command, are_found)
{
	const struct ctl_command *submit = ctl_command_find(ctl_commands, "push", "submit");

	cr_assert(submit);
	cr_expect_str_eq(submit->verb, "submit");
	cr_expect(ctl_command_find(ctl_commands, "status", NULL) ==
		  ctl_command_find(ctl_commands, "status", "whatever"));
	cr_expect_null(ctl_command_find(ctl_commands, "push", NULL));
	cr_expect_null(ctl_command_find(ctl_commands, "push", "submi"));
	cr_expect_null(ctl_command_find(ctl_commands, "pus", "submit"));
	cr_expect(ctl_command_is_object(ctl_commands, "push") &&
		  !ctl_command_is_object(ctl_commands, "submit"));
	cr_expect(ctl_command_option(submit, "payload-hex", 11));
	cr_expect(ctl_command_option(submit, "json", 4), "options of all commands");
	cr_expect_null(ctl_command_option(submit, "payload", 7));
	cr_expect_null(ctl_command_option(submit, "Target, one of", 14), "a heading is no option");
}

Test(ctl_command, the_nearest_is_named)
{
	cr_expect_str_eq(ctl_command_near_object(ctl_commands, "statsu"), "status");
	cr_expect_str_eq(ctl_command_near_object(ctl_commands, "gruop"), "group");
	cr_expect_str_eq(ctl_command_near_object(ctl_commands, "conf"), "config");
	cr_expect_str_eq(ctl_command_near_verb(ctl_commands, "push", "recal"), "recall");
	cr_expect_str_eq(ctl_command_near_verb(ctl_commands, "push", "submmit"), "submit");
	cr_expect_str_eq(ctl_command_near_option(ctl_command_find(ctl_commands, "push", "submit"),
						 "payload-txt"),
			 "payload-text");
	cr_expect_str_eq(
		ctl_command_near_option(ctl_command_find(ctl_commands, "status", NULL), "jsn"),
		"json");
	cr_expect_null(ctl_command_near_object(ctl_commands, "xyzzy"));
	cr_expect_null(ctl_command_near_object(ctl_commands, ""));
	cr_expect_null(ctl_command_near_object(
		ctl_commands, "a word so long that it has no place in any distance"));
}

Test(ctl_command, every_command_has_help_with_an_example)
{
	for (const struct ctl_command *const *c = ctl_commands; *c; c++) {
		cr_expect((*c)->run && (*c)->help.about && (*c)->help.examples, "%s %s",
			  (*c)->object, (*c)->verb);
		cr_expect(strstr((*c)->help.examples, "akmapushctl"), "%s", (*c)->object);
		cr_expect((*c)->help.more == ctl_shared && (*c)->min <= (*c)->max);
		cr_expect(ctl_command_find(ctl_commands, (*c)->object, (*c)->verb) == *c, "%s",
			  (*c)->object);
	}
}

// ---- Completion

static void join(void *arg, const char *word)
{
	char *text = arg;
	size_t n = strlen(text);

	snprintf(text + n, 1024 - n, "%s%s", n ? " " : "", word);
}

static const char *completed(unsigned n, const char *const *words)
{
	static char text[1024];

	*text = '\0';
	ctl_complete(ctl_commands, words, n, join, text);
	return text;
}

#define COMPLETED(...)                                                                             \
	completed(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *),                          \
		  (const char *[]){__VA_ARGS__})

Test(ctl_complete, from_the_table)
{
	cr_expect_str_eq(COMPLETED("s"), "status stats");
	cr_expect_str_eq(COMPLETED(""),
			 "status af group ue push trace stats tune config doctor completion help");
	cr_expect_str_eq(COMPLETED("push", "re"), "recall replace results");
	cr_expect_str_eq(COMPLETED("--json", "push", "sub"), "submit");
	cr_expect_str_eq(COMPLETED("--socket", "/x", "push", "w"), "watch");
	cr_expect_str_eq(COMPLETED("help", "pu"), "push");
	cr_expect_str_eq(COMPLETED("help", "push", "su"), "submit");
	cr_expect_str_eq(COMPLETED("push", "submit", "--payload-"),
			 "--payload-text --payload-hex --payload-file");
	cr_expect_str_eq(COMPLETED("push", "submit", "--payload-file", "x"), CTL_COMPLETE_FILE);
	cr_expect_str_eq(COMPLETED("push", "submit", "--af", "x"), "");
	cr_expect_str_eq(COMPLETED("push", "submit", "--af", "x", "--va"), "--validity");
	cr_expect_str_eq(COMPLETED("group", "add", "meters", ""), CTL_COMPLETE_FILE);
	cr_expect_str_eq(COMPLETED("group", "add", "x"), "");
	cr_expect_str_eq(COMPLETED("config", "check", "/e"), CTL_COMPLETE_FILE);
	cr_expect_str_eq(COMPLETED("tune", "set", "lap"), "lapPause= lapPauseMax=");
	cr_expect_str_eq(COMPLETED("nosuch", "x"), "");
	cr_expect_str_eq(COMPLETED("status", "--j"), "--json");
}

// ---- Requests

Test(ctl_http, segments_are_encoded)
{
	char path[CTL_PATH_MAX] = "/x/", longest[CTL_PATH_MAX];

	cr_expect(ctl_path_add(path, "a b/c?d%é@e.f"));
	cr_expect_str_eq(path, "/x/a%20b%2Fc%3Fd%25%C3%A9@e.f");
	memset(longest, '/', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	cr_expect_not(ctl_path_add(path, longest), "no room, and no octet beyond");
}

static char *body_of(const struct ctl_push_options *options, bool is_replacement, int *code)
{
	struct ctl_body body;
	char *text;

	*code = ctl_push_body(options, is_replacement, &body);
	text = body.text ? strdup(body.text) : NULL;
	ctl_body_free(&body);
	return text;
}

static void expect_body(struct ctl_push_options options, bool is_replacement, const char *expected)
{
	int code;
	char *text = body_of(&options, is_replacement, &code);

	cr_expect_eq(code, CTL_OK);
	cr_expect_str_eq(text, expected);
	free(text);
}

Test(ctl_payload, bodies)
{
	expect_body((struct ctl_push_options){.ue = "imsi-00101", .payload_text = "hello"}, false,
		    "{\"target\":{\"supi\":\"imsi-00101\"},\"payload\":\"aGVsbG8=\","
		    "\"validityPeriod\":3600,\"ackRequested\":true,\"ordered\":false}");
	expect_body((struct ctl_push_options){.group = "a \"b\"",
					      .payload_hex = "00fF",
					      .validity = "1h30m",
					      .no_ack = true,
					      .ordered = true,
					      .suite = 2,
					      .segment_size = 7},
		    false,
		    "{\"target\":{\"externalGroupId\":\"a \\\"b\\\"\"},\"payload\":\"AP8=\","
		    "\"validityPeriod\":5400,\"ackRequested\":false,\"ordered\":true,\"suite\":2,"
		    "\"segmentSize\":7}");
	expect_body((struct ctl_push_options){.all = true, .payload_text = ""}, false,
		    "{\"target\":{\"all\":true},\"payload\":\"\",\"validityPeriod\":3600,"
		    "\"ackRequested\":true,\"ordered\":false}");
	expect_body((struct ctl_push_options){.payload_text = "x"}, true,
		    "{\"payload\":\"eA==\",\"validityPeriod\":3600,\"ackRequested\":true,"
		    "\"ordered\":false}");
}

Test(ctl_payload, lists_come_from_files)
{
	char name[] = "/tmp/ctl-list-XXXXXX";
	int fd = mkstemp(name);

	cr_assert(fd >= 0);
	dprintf(fd, "imsi-00101\n\n# x\nmsisdn-15551 \r\nextid-a@b");
	expect_body((struct ctl_push_options){.list = name, .payload_hex = ""}, false,
		    "{\"target\":{\"list\":[{\"supi\":\"imsi-00101\"},{\"gpsi\":\"msisdn-15551\"},"
		    "{\"gpsi\":\"extid-a@b\"}]},\"payload\":\"\",\"validityPeriod\":3600,"
		    "\"ackRequested\":true,\"ordered\":false}");
	close(fd);
	unlink(name);
}

Test(ctl_payload, what_is_wrong_is_refused)
{
	char longest[CTL_PAYLOAD_MAX + 2];
	const struct ctl_push_options cases[] = {
		{.payload_text = "x"},                               // no target
		{.ue = "a", .all = true, .payload_text = "x"},       // two
		{.ue = "a"},                                         // no payload
		{.ue = "a", .payload_text = "x", .payload_hex = ""}, // two
		{.ue = "a", .payload_hex = "0"},
		{.ue = "a", .payload_hex = "0g"},
		{.ue = "a", .payload_text = longest},
		{.ue = "a", .payload_file = "/nonexistent"},
		{.list = "/nonexistent", .payload_text = "x"},
		{.ue = "a", .payload_text = "x", .validity = "1y"},
	};

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int code;

		free(body_of(&cases[i], false, &code));
		cr_expect_eq(code, CTL_USAGE, "case %u", i);
	}
}

static uint64_t final_of(const char *text)
{
	struct problem problem;
	struct json_reader push = {.pointer = "", .problem = &problem};
	struct json *json;
	uint64_t n;

	problem_init(&problem);
	json = json_parse(text, strlen(text), &problem);
	push.object = json;
	n = ctl_push_final(&push);
	json_free(json);
	return n;
}

Test(ctl_push, final_targets_are_counted)
{
	cr_expect_eq(final_of("{\"state\":\"RUNNING\",\"targets\":99,\"ackRequested\":true,"
			      "\"states\":{\"PENDING\":1,\"SENT\":2,\"RECEIVED\":4,\"DELIVERED\":8,"
			      "\"REFUSED\":16,\"TOO_OLD\":32,\"NO_CONTEXT\":64,\"NO_ADDRESS\":128,"
			      "\"KEY_EXPIRED\":256,\"NOT_ALLOWED\":512}}"),
		     8 + 16 + 32 + 512);
	cr_expect_eq(final_of("{\"state\":\"RUNNING\",\"targets\":9,\"ackRequested\":false,"
			      "\"states\":{\"PENDING\":1,\"SENT\":2}}"),
		     2);
	cr_expect_eq(
		final_of("{\"state\":\"FINISHED\",\"targets\":9,\"states\":{\"NO_CONTEXT\":9}}"),
		9);
	cr_expect_eq(final_of("{}"), 0);
}
