// Reading: everything wrong is named at its place, nothing wrong gets through. Writing: what was
// written reads back the same.

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdlib.h>
#include <string.h>

#include "control/json/json.h"
#include "control/json/problem.h"

static struct problem problem;

static struct json *parse(const char *text)
{
	problem_init(&problem);
	return json_parse(text, strlen(text), &problem);
}

static struct json_reader reader_of(const struct json *object)
{
	return (struct json_reader){object, "", &problem};
}

Test(json, refuses_what_is_not_one_object)
{
	static const char *const cases[] = {
		"",
		" ",
		"{",
		"}",
		"[]",
		"1",
		"null",
		"\"a\"",
		"{\"a\":1}x",
		"{\"a\":1}{}",
		"{a:1}",
		"{'a':1}",
		"{\"a\":01}",
		"{\"a\":1,}",
		"{\"a\":\"\\u0000\"}",
		"{\"\\u0000\":1}",
		"{\"a\":\"\xff\"}",
		"{\"a\":\"\xc0\x80\"}",
		"{\"a\":\"\xed\xa0\x80\"}",
		"{\"a\":\"\\ud800\"}",
		"{\"a\":99999999999999999999}",
		"{\"a\":1e999}",
		"{\"a\":NaN}",
		"{\"a\":\"\n\"}",
		"\xef\xbb\xbf{}",
		"{\"a\":tru}",
		"{\"a\":\"\\x\"}",
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		cr_assert_null(parse(cases[i]), "%s", cases[i]);
		cr_assert(eq(int, problem.cause, PROBLEM_INVALID_MSG_FORMAT));
		cr_assert(ne(int, problem.detail[0], 0));
	}
}

Test(json, refuses_duplicate_keys_without_quoting_the_body)
{
	cr_assert_null(parse("{\"kAkma\":\"secret\",\"kAkma\":\"secret\"}"));
	cr_assert_not_null(strstr(problem.detail, "duplicate key"));
	cr_assert_null(strstr(problem.detail, "secret"));
	cr_assert_null(parse("{\"o\":{\"a\":1,\"a\":1}}"));
	cr_assert_null(parse("{\"kAkma\":\"secret\"secret}"));
	cr_assert_null(strstr(problem.detail, "secret"));
}

Test(json, tells_a_number_out_of_range)
{
	cr_assert_null(parse("{\"a\":99999999999999999999}"));
	cr_assert_not_null(strstr(problem.detail, "out of range"));
}

Test(json, refuses_a_zero_octet_and_depth)
{
	static char deep[200000];

	problem_init(&problem);
	cr_assert_null(json_parse("{\"a\":\"b\0c\"}", 11, &problem));
	problem_init(&problem);
	cr_assert_null(json_parse("{}\0", 3, &problem));
	problem_init(&problem);
	cr_assert_null(json_parse("{\"a\":1\0}", 8, &problem)); // jansson 2.14 takes it
	memset(deep, '[', sizeof(deep));
	memcpy(deep, "{\"a\":", 5);
	problem_init(&problem);
	cr_assert_null(json_parse(deep, sizeof(deep), &problem));
}

Test(json, reads_members)
{
	struct json *doc = parse("{\"s\":\"abc\",\"n\":42,\"b\":true,\"h\":\"0aFF\",\"x\":\"AQI=\","
				 "\"o\":{\"p\":1},\"a\":[\"q\",{}],\"z\":null}");
	struct json_reader r = reader_of(doc);
	uint8_t octets[2];
	const struct json *array;

	cr_assert_str_eq(json_string(&r, "s", JSON_REQUIRED, 3, 3), "abc");
	cr_assert(eq(u64, json_uint(&r, "n", JSON_REQUIRED, 42, 42, 0), 42));
	cr_assert(eq(u64, json_uint(&r, "none", JSON_OPTIONAL, 0, 1, 7), 7));
	cr_assert(json_bool(&r, "b", JSON_REQUIRED, false));
	cr_assert(json_bool(&r, "none", JSON_OPTIONAL, true));
	cr_assert(json_hex(&r, "h", JSON_REQUIRED, octets, 2));
	cr_assert(octets[0] == 0x0a && octets[1] == 0xff);
	cr_assert(eq(long, json_base64(&r, "x", JSON_REQUIRED, octets, 2, 0), 2));
	cr_assert(octets[0] == 1 && octets[1] == 2);
	cr_assert_not_null(json_object(&r, "o", JSON_REQUIRED));
	array = json_array(&r, "a", JSON_REQUIRED, 1, 2);
	cr_assert(eq(sz, json_array_len(array), 2));
	cr_assert_str_eq(json_text(json_array_at(array, 0)), "q");
	cr_assert_null(json_text(json_array_at(array, 1)));
	cr_assert(json_is_object(json_array_at(array, 1)));
	cr_assert_null(json_array_at(array, 2));
	cr_assert(json_has(&r, "z") && json_has_null(&r, "z"));
	cr_assert(not(json_has_null(&r, "s") || json_has_null(&r, "none")));
	cr_assert_null(json_string(&r, "none", JSON_OPTIONAL, 0, 9));
	cr_assert(not(problem_is(&problem)));
	json_free(doc);
	json_free(NULL);
}

Test(json, names_every_wrong_member)
{
	struct json *doc =
		parse("{\"s\":\"abcd\",\"n\":-1,\"b\":1,\"h\":\"0a\",\"x\":\"A\",\"o\":[]}");
	struct json_reader r = reader_of(doc);
	uint8_t octets[32] = {1};

	cr_assert_null(json_string(&r, "s", JSON_REQUIRED, 1, 3));
	cr_assert(eq(u64, json_uint(&r, "n", JSON_OPTIONAL, 0, 9, 5), 0));
	cr_assert(not(json_bool(&r, "b", JSON_OPTIONAL, true)));
	cr_assert(not(json_hex(&r, "h", JSON_REQUIRED, octets, 32)));
	cr_assert(eq(u8, octets[0], 1));
	cr_assert(eq(long, json_base64(&r, "x", JSON_REQUIRED, octets, 32, 0), -1));
	cr_assert_null(json_object(&r, "o", JSON_REQUIRED));
	cr_assert_null(json_array(&r, "s", JSON_REQUIRED, 0, 9));
	cr_assert_null(json_string(&r, "none", JSON_REQUIRED, 0, 9));
	cr_assert_null(json_string(&r, "ninth", JSON_REQUIRED, 0, 9)); // beyond what is reported
	cr_assert(eq(u32, problem.n_params, PROBLEM_PARAMS_MAX));
	cr_assert(eq(int, problem.cause, PROBLEM_MANDATORY_IE_INCORRECT)); // of the first
	cr_assert_str_eq(problem.params[0].param, "/s");
	cr_assert_str_eq(problem.params[0].reason, "expected a string of 1 to 3 octets");
	cr_assert_str_eq(problem.params[3].reason, "expected 64 hex digits");
	cr_assert_str_eq(problem.params[7].reason, "missing: a string of 0 to 9 octets");
	json_free(doc);
}

Test(json, tells_missing_incorrect_and_too_long_apart)
{
	struct json *doc = parse("{\"n\":\"1\",\"x\":\"AQID\"}");
	struct json_reader r = reader_of(doc);
	uint8_t octets[2];

	json_uint(&r, "none", JSON_REQUIRED, 0, 9, 0);
	cr_assert(eq(int, problem.cause, PROBLEM_MANDATORY_IE_MISSING));
	problem_init(&problem);
	json_uint(&r, "n", JSON_OPTIONAL, 0, 9, 0);
	cr_assert(eq(int, problem.cause, PROBLEM_OPTIONAL_IE_INCORRECT));
	problem_init(&problem);
	json_base64(&r, "x", JSON_REQUIRED, octets, 2, PROBLEM_PAYLOAD_TOO_LARGE);
	cr_assert(eq(int, problem.cause, PROBLEM_PAYLOAD_TOO_LARGE));
	json_free(doc);
}

Test(json, notes_unknown_members_with_their_pointer)
{
	static const char *const known[] = {"a", NULL};
	struct json *doc = parse("{\"a\":1,\"b/c~d\":2}");
	struct json_reader r = {doc, "/target", &problem};

	json_only(&r, known);
	cr_assert(eq(int, problem.cause, PROBLEM_UNKNOWN_IE));
	cr_assert(eq(u32, problem.n_params, 1));
	cr_assert_str_eq(problem.params[0].param, "/target/b~1c~0d");
	json_free(doc);
}

Test(json, a_long_name_is_cut)
{
	char text[2000] = "{\"", name[1000];
	static const char *const known[] = {NULL};
	struct json *doc;
	struct json_reader r;

	memset(name, '/', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	strcat(strcat(text, name), "\":1}");
	doc = parse(text);
	r = reader_of(doc);
	json_only(&r, known);
	cr_assert(eq(int, problem.cause, PROBLEM_UNKNOWN_IE));
	cr_assert(lt(sz, strlen(problem.params[0].param), sizeof(problem.params[0].param)));
	json_free(doc);
}

Test(json, writes_what_reads_back)
{
	struct json_writer *w = json_write();
	uint8_t octets[1000], back[1000];
	struct json_reader r;
	struct json *doc;
	size_t len;
	char *text;

	for (unsigned i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)(i * 7);
	json_put_string(w, "s", "a\"\\\n\303\244");
	json_put_uint(w, "n", 1ull << 53);
	json_put_bool(w, "b", true);
	json_put_real(w, "r", 0.1);
	json_put_null(w, "z");
	json_put_hex(w, "h", octets, sizeof(octets));
	json_put_base64(w, "x", octets, sizeof(octets));
	json_open_array(w, "a");
	json_put_uint(w, NULL, 1);
	json_open_object(w, NULL);
	json_put_bool(w, "in", false);
	json_close(w);
	json_close(w);
	text = json_take(w, &len);
	cr_assert(eq(sz, strlen(text), len));
	cr_assert_not_null(strstr(text, "\"r\":0.1,"));
	cr_assert_not_null(strstr(text, "\"a\":[1,{\"in\":false}]}"));
	problem_init(&problem);
	doc = json_parse(text, len, &problem);
	r = reader_of(doc);
	cr_assert_str_eq(json_string(&r, "s", JSON_REQUIRED, 0, 99), "a\"\\\n\303\244");
	cr_assert(eq(u64, json_uint(&r, "n", JSON_REQUIRED, 0, UINT64_MAX, 0), 1ull << 53));
	cr_assert(json_hex(&r, "h", JSON_REQUIRED, back, sizeof(back)));
	cr_assert(eq(int, memcmp(back, octets, sizeof(back)), 0));
	memset(back, 0, sizeof(back));
	cr_assert(eq(long, json_base64(&r, "x", JSON_REQUIRED, back, sizeof(back), 0),
		     (long)sizeof(back)));
	cr_assert(eq(int, memcmp(back, octets, sizeof(back)), 0));
	json_free(doc);
	json_text_free(text, len);
}

Test(json, mends_strings_of_peers)
{
	struct json_writer *w = json_write();
	size_t len;
	char *text;

	json_put_string(w, "s", "a\xff\303\244");
	text = json_take(w, &len);
	cr_assert_str_eq(text, "{\"s\":\"a?\303\244\"}");
	json_text_free(text, len);
}

// Surrogates, overlong forms, what is beyond U+10FFFF, cut sequences: not UTF-8 (RFC 3629).
Test(json, writes_only_utf8)
{
	static const char *const bad[] = {
		"\xed\xa0\x80",         "\xc0\xaf", "\xe0\x80\xaf", "\xf4\x90\x80\x80",
		"\xf8\x88\x80\x80\x80", "\xe2\x82", "\x80"};
	static const char *const good[] = {"\xc2\x80", "\xef\xbf\xbf", "\xf4\x8f\xbf\xbf",
					   "\xed\x9f\xbf"};
	struct json_writer *w;
	size_t len;
	char *text;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		w = json_write();
		json_put_string(w, "s", bad[i]);
		text = json_take(w, &len);
		cr_assert_eq(strspn(text + 6, "?"), strlen(bad[i]), "%zu: %s", i, text);
		json_text_free(text, len);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		w = json_write();
		json_put_string(w, "s", good[i]);
		text = json_take(w, &len);
		cr_assert_eq(strncmp(text + 6, good[i], strlen(good[i])), 0, "%zu: %s", i, text);
		json_text_free(text, len);
	}
}

// One octet at each place of a string, in each length: words, and what is left of them.
Test(json, writes_every_octet_at_every_place)
{
	for (unsigned n = 1; n < 20; n++) {
		for (unsigned i = 0; i < n * 255; i++) {
			char in[20] = "", *text;
			unsigned at = i / 255;
			struct json_writer *w = json_write();
			struct json_reader r;
			struct json *document;
			const char *back;
			size_t len;

			memset(in, at % 2 ? '~' : ' ', n);
			in[at] = (char)(i % 255 + 1);
			json_put_string(w, "s", in);
			text = json_take(w, &len);
			document = json_parse(text, len, &problem);
			r = reader_of(document);
			in[at] = (uint8_t)in[at] < 0x80 ? in[at] : '?'; // not UTF-8
			back = json_string(&r, "s", JSON_REQUIRED, 1, 20);
			cr_assert(back && !strcmp(back, in), "%#x at %u of %u", i % 255 + 1, at, n);
			json_free(document);
			json_text_free(text, len);
		}
	}
}

// Every octet of ASCII, and more text than the first room holds, comes back as it was.
Test(json, what_is_written_can_be_read)
{
	struct json_writer *w = json_write();
	char ascii[128], *text;
	static char much[100000];
	struct json *document;
	size_t len;

	for (int c = 1; c < 128; c++)
		ascii[c - 1] = (char)c;
	ascii[127] = 0;
	memset(much, '"', sizeof(much) - 1);
	json_put_string(w, ascii, ascii);
	json_open_array(w, "empty");
	json_close(w);
	json_open_object(w, "inner");
	json_put_string(w, "much", much);
	json_close(w);
	json_put_bool(w, "last", true);
	text = json_take(w, &len);
	cr_assert_eq(strlen(text), len);
	problem_init(&problem);
	document = json_parse(text, len, &problem);
	cr_assert_not_null(document, "%s", problem.detail);
	struct json_reader reader = {document, "", &problem};
	cr_assert_str_eq(json_string(&reader, ascii, JSON_REQUIRED, 1, 200), ascii);
	cr_assert(json_bool(&reader, "last", JSON_REQUIRED, false));
	reader.object = json_object(&reader, "inner", JSON_REQUIRED);
	cr_assert_str_eq(json_string(&reader, "much", JSON_REQUIRED, 1, sizeof(much)), much);
	json_free(document);
	json_text_free(text, len);
}
