// akmapush-vectors: which files, and what is said of them.
#include <inttypes.h>
#include <stdio.h>

#include "control/json/json.h"
#include "tools/args.h"
#include "tools/vectors/vectors_check.h"
#include "tools/vectors/vectors_crypto.h"
#include "tools/vectors/vectors_file.h"
#include "tools/vectors/vectors_ue.h"

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
