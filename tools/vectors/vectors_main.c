// akmapush-vectors: which files, and what is said of them.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "control/json/json.h"
#include "tools/args.h"
#include "tools/vectors/vectors.h"

static bool json, quiet;
static struct vectors_implementation implementations[2 * VECTORS_IMPLEMENTATIONS_MAX];
static unsigned n_implementations;

static const struct arg args[] = {
	{ARG_TITLE, 0, "Options", NULL, NULL, NULL, 0, 0},
	{ARG_FLAG, 0, "json", NULL, "one JSON object with every difference", &json, 0, 0},
	{ARG_FLAG, 'q', "quiet", NULL, "differences only", &quiet, 0, 0},
	{0},
};

static const struct args_command command = {
	"akmapush-vectors [OPTION...] FILE...",
	"Checks test vectors of protocol 1 (keys, messages, rejects) with both implementations of "
	"the\n"
	"protocol: crypto/ with each of its kernels, and libakmapush-ue with each of its crypto\n"
	"tables. Says which entry and field differ. Exit code: 0 all agree; 1 something differs; 2 "
	"a\n"
	"file can't be read or is malformed.",
	"  akmapush-vectors tests/vectors/protocol1.json",
	args,
	NULL,
};

static void note(struct vectors_check *check, const char *field, const char *expected,
		 const char *computed)
{
	check->n_differences++;
	if (check->json) {
		json_open_object(check->json, NULL);
		json_put_string(check->json, "file", check->file);
		json_put_string(check->json, "implementation", check->implementation);
		json_put_string(check->json, "list", check->list);
		json_put_uint(check->json, "entry", check->entry);
		json_put_string(check->json, "field", field);
		json_put_string(check->json, "expected", expected);
		json_put_string(check->json, "computed", computed);
		json_close(check->json);
		return;
	}
	printf("%s: %s[%zu] %s (%s):\n  expected %s\n  computed %s\n", check->file, check->list,
	       check->entry, field, check->implementation, expected, computed);
}

// Hexadecimal of a value; of a long one the octets around the first that differs.
static void show(char *text, size_t max, const uint8_t *value, size_t len, size_t differs_at)
{
	size_t from = len <= VECTORS_SHOWN || differs_at < 8 ? 0 : differs_at - 8;
	size_t n = len - from < VECTORS_SHOWN ? len - from : VECTORS_SHOWN;
	char hex[2 * VECTORS_SHOWN + 1];

	if (from > len)
		from = len, n = 0;
	hex_write(hex, value + from, n);
	snprintf(text, max, "%s%s%s (%zu octets%s)", from ? "..." : "", hex,
		 from + n < len ? "..." : "", len, differs_at < len ? "" : ", ends here");
}

void vectors_expect(struct vectors_check *check, const char *field, const void *expected,
		    size_t expected_len, const void *computed, size_t computed_len)
{
	const uint8_t *a = expected, *b = computed;
	char is[2 * VECTORS_SHOWN + 64], should[2 * VECTORS_SHOWN + 64];
	size_t at = 0;

	check->n_checked++;
	while (at < expected_len && at < computed_len && a[at] == b[at])
		at++;
	if (at == expected_len && at == computed_len)
		return;
	show(should, sizeof(should), a, expected_len, at);
	show(is, sizeof(is), b, computed_len, at);
	note(check, field, should, is);
}

void vectors_expect_true(struct vectors_check *check, const char *field, bool is_so,
			 const char *otherwise)
{
	check->n_checked++;
	if (!is_so)
		note(check, field, strcmp(check->list, "rejects") == 0 ? "dropped" : "accepted",
		     otherwise);
}

static void check_with(const struct vectors_implementation *with, const struct vectors *v,
		       struct vectors_check *check)
{
	check->implementation = with->name;
	check->list = "keys";
	for (check->entry = 0; check->entry < v->n_keys; check->entry++)
		with->key(with->arg, check, &v->keys[check->entry]);
	check->list = "messages";
	for (check->entry = 0; check->entry < v->n_messages; check->entry++)
		with->message(with->arg, check, &v->messages[check->entry]);
	check->list = "rejects";
	for (check->entry = 0; check->entry < v->n_rejects; check->entry++)
		with->reject(with->arg, check, &v->rejects[check->entry]);
}

// One file with all implementations: 0, 1 or 2, as the program ends with.
static int check_file(const char *path, struct json_writer *w, uint64_t *n_differences)
{
	struct vectors_check check = {.file = path, .json = w};
	struct vectors v;
	char error[VECTORS_ERROR];

	if (vectors_load(&v, path, error)) {
		fprintf(stderr, "%s: %s\n", path, error);
		return 2;
	}
	for (unsigned i = 0; i < n_implementations; i++) {
		const uint64_t before = check.n_differences, checked = check.n_checked;

		check_with(&implementations[i], &v, &check);
		if (!w && !quiet)
			printf("%s: %-36s %zu keys, %zu messages, %zu rejects: %" PRIu64
			       " values checked, %" PRIu64 " differ\n",
			       path, implementations[i].name, v.n_keys, v.n_messages, v.n_rejects,
			       check.n_checked - checked, check.n_differences - before);
	}
	*n_differences += check.n_differences;
	vectors_free(&v);
	return check.n_differences ? 1 : 0;
}

static int finish(struct json_writer *w, uint64_t n_differences, int code)
{
	size_t len;
	char *text;

	json_close(w);
	json_put_uint(w, "differ", n_differences);
	json_put_bool(w, "ok", code == 0);
	text = json_take(w, &len);
	if (!text)
		return 2;
	puts(text);
	json_text_free(text, len);
	return code;
}

int main(int argc, char **argv)
{
	struct json_writer *w = NULL;
	uint64_t n_differences = 0;
	int n = args_parse(&command, argc, argv), code = 0;

	if (n == 0)
		fputs("akmapush-vectors: which file? See akmapush-vectors --help\n", stderr);
	if (n <= 0)
		return 2;
	if (json) {
		w = json_write();
		json_open_array(w, "differences");
	}
	n_implementations = vectors_crypto(implementations);
	n_implementations += vectors_ue(implementations + n_implementations);
	for (int i = 1; i <= n; i++) {
		int r = check_file(argv[i], w, &n_differences);

		code = r > code ? r : code;
	}
	vectors_crypto_close();
	return w ? finish(w, n_differences, code) : code;
}
