#include "tools/vectors/vectors_check.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "control/json/json.h"

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

void vectors_check_value(struct vectors_check *check, const char *field, const void *expected,
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

void vectors_check_true(struct vectors_check *check, const char *field, bool is_so,
			const char *otherwise)
{
	check->n_checked++;
	if (!is_so)
		note(check, field, strcmp(check->list, "rejects") == 0 ? "dropped" : "accepted",
		     otherwise);
}
