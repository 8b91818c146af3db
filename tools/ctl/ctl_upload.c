#include "tools/ctl/ctl_upload.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/ctl/ctl_format.h"
#include "tools/ctl/ctl_table.h"
#include "tools/progress.h"

enum { ERRORS_TOLD_MAX = 100 };

// A file under way. `out` holds the line that is being sent.
struct upload {
	const struct ctl_upload *spec;
	FILE *file;
	struct progress progress;
	char *out;
	size_t out_len, sent;
	uint64_t n_lines, n_sent, n_wrong; // read from the file, sent, wrong before they were sent
	uint64_t *skipped; // for each line passed over, how many had been sent before it
	size_t n_skipped, room;
	bool is_broken_off; // the file can't be read on
	char line[CTL_LINE_MAX + 1];
};

bool ctl_is_supi(const char *identity)
{
	return strncmp(identity, "imsi-", 5) == 0 || strncmp(identity, "nai-", 4) == 0;
}

bool ctl_is_gpsi(const char *identity)
{
	return strncmp(identity, "msisdn-", 7) == 0 || strncmp(identity, "extid-", 6) == 0;
}

// ---- Lines of the file

// 1 with the next line, cut at CTL_LINE_MAX and *too_long then; 0 at the end; -errno.
static int next_line(struct upload *u, bool *too_long)
{
	size_t n = 0;
	int c;

	*too_long = false;
	errno = 0;
	while ((c = getc_unlocked(u->file)) != EOF && c != '\n') {
		if (n < CTL_LINE_MAX)
			u->line[n++] = (char)c;
		else
			*too_long = true;
	}
	if (c == EOF && (ctl_interrupted || ferror(u->file)))
		return ctl_interrupted ? -EINTR : errno ? -errno : -EIO;
	while (n && (u->line[n - 1] == '\r' || u->line[n - 1] == ' '))
		n--;
	*too_long |= memchr(u->line, '\0', n) != NULL;
	u->line[n] = '\0';
	if (c == EOF && !n)
		return 0;
	u->n_lines++;
	return 1;
}

static int skip(struct upload *u)
{
	if (u->n_skipped == u->room) {
		size_t room = 2 * u->room + 256;
		uint64_t *grown = reallocarray(u->skipped, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		u->skipped = grown;
		u->room = room;
	}
	u->skipped[u->n_skipped++] = u->n_sent;
	return 0;
}

// The daemon's n-th line, from 1, is which of the file: those passed over before it count.
static uint64_t file_line(const void *arg, uint64_t line)
{
	const struct upload *u = arg;
	size_t low = 0, high = u->n_skipped;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (u->skipped[middle] < line)
			low = middle + 1;
		else
			high = middle;
	}
	return line + low;
}

static int tell_wrong(struct upload *u, const char *what)
{
	if (u->n_wrong++ < ERRORS_TOLD_MAX)
		fprintf(stderr, "line %" PRIu64 ": %s\n", u->n_lines, what);
	return skip(u);
}

static int set_out(struct upload *u, const char *text, size_t len)
{
	char *grown = realloc(u->out, len + 1);

	if (!grown)
		return -ENOMEM;
	memcpy(grown, text, len);
	grown[len] = '\n';
	u->out = grown;
	u->out_len = len + 1;
	u->sent = 0;
	u->n_sent++;
	return 0;
}

// Makes JSON of the line; nothing when it is passed over.
static int take_line(struct upload *u)
{
	char *text = u->line + strspn(u->line, " \t");
	struct json_writer *w;
	struct ctl_body body;
	const char *wrong;
	int error;

	if (!*text || *text == '#')
		return skip(u);
	if (u->spec->takes_json && *text == '{')
		return set_out(u, text, strlen(text));
	w = json_write();
	wrong = u->spec->line(w, text, u->spec->arg);
	ctl_body_take(&body, w);
	if (wrong)
		error = tell_wrong(u, wrong);
	else
		error = body.text ? set_out(u, body.text, body.len) : -ENOMEM;
	ctl_body_free(&body);
	return error;
}

// Until there is a line to send: 1; 0 at the end; -errno.
static int fill(struct upload *u)
{
	while (u->sent == u->out_len) {
		bool too_long;
		int got = next_line(u, &too_long);

		if (got <= 0)
			return got;
		got = too_long ? tell_wrong(u, "longer than any line can be, or not text")
			       : take_line(u);
		if (got < 0)
			return got;
		progress_update(&u->progress, u->n_lines, NULL);
	}
	return 1;
}

static ssize_t give(void *arg, void *octets, size_t max)
{
	struct upload *u = arg;
	size_t n = 0;

	while (n < max) {
		int got = fill(u);
		size_t part = u->out_len - u->sent;

		if (got < 0) {
			u->is_broken_off = got != -EINTR;
			if (u->is_broken_off)
				ctl_fail(CTL_REFUSED, "%s: %s", u->spec->file, strerror(-got));
			return -1;
		}
		if (got == 0)
			break;
		if (part > max - n)
			part = max - n;
		memcpy((char *)octets + n, u->out + u->sent, part);
		u->sent += part;
		n += part;
	}
	return (ssize_t)n;
}

// ---- What came of it

static void show_errors(const struct json_reader *top, uint64_t (*line)(const void *, uint64_t),
			const void *arg)
{
	static const struct ctl_column columns[] = {{"LINE", true}, {"CAUSE"}, {"DETAIL"}};
	const struct json *errors = ctl_list(top, "errors");
	struct ctl_table *table;

	if (!json_array_len(errors))
		return;
	table = ctl_table_new(columns, 3);
	for (size_t i = 0; i < json_array_len(errors); i++) {
		struct json_reader error = ctl_item(top, errors, i);
		uint64_t number = ctl_uint(&error, "line");

		ctl_table_number(table, line ? line(arg, number) : number);
		ctl_table_text(table, ctl_text(&error, "cause"));
		ctl_table_text(table, ctl_text(&error, "detail"));
	}
	fflush(stdout);
	ctl_table_print(table, stderr, false);
	ctl_table_free(table);
	if (ctl_uint(top, "failed") > json_array_len(errors))
		fputs("and more\n", stderr);
}

int ctl_upload_show(const struct ctl *ctl, const struct ctl_doc *doc, const char *const *figures,
		    uint64_t (*line)(const void *, uint64_t), const void *arg)
{
	if (ctl->json) {
		ctl_doc_print(doc);
	} else {
		char number[CTL_NUMBER_MAX];

		for (const char *const *f = figures; *f; f++)
			printf("%s%s %s", f == figures ? "" : ", ", *f,
			       ctl_number(number, ctl_uint(&doc->top, *f)));
		putchar('\n');
		show_errors(&doc->top, line, arg);
	}
	return ctl_uint(&doc->top, "failed") ? CTL_REFUSED : CTL_OK;
}

static uint64_t count_lines(FILE *file)
{
	char block[65536];
	uint64_t n = 0;
	size_t got;

	if (fseek(file, 0, SEEK_SET))
		return 0; // a pipe: nobody knows
	while ((got = fread(block, 1, sizeof(block), file)) > 0) {
		for (const char *at = block; (at = memchr(at, '\n', got - (size_t)(at - block)));
		     at++)
			n++;
	}
	rewind(file);
	return n;
}

static int send_file(struct ctl *ctl, struct upload *u)
{
	const struct ctl_request request = {.method = "POST",
					    .path = u->spec->path,
					    .type = "application/x-ndjson",
					    .read = give,
					    .arg = u};
	struct ctl_doc doc;
	int code;

	progress_begin(&u->progress, u->spec->what, count_lines(u->file),
		       ctl->json || !isatty(STDERR_FILENO));
	code = ctl_doc_call(ctl, &request, &doc);
	progress_end(&u->progress, u->n_lines, NULL);
	if (code == CTL_INTERRUPTED && u->is_broken_off)
		code = CTL_REFUSED;
	if (code && u->n_sent && (code != CTL_REFUSED || u->is_broken_off))
		fprintf(stderr, "  lines sent: %" PRIu64 "; some of them may be in force\n",
			u->n_sent);
	if (code)
		return code;
	code = ctl_upload_show(ctl, &doc, u->spec->figures, file_line, u);
	ctl_doc_free(&doc);
	if (u->n_wrong)
		return ctl_fail(CTL_REFUSED, "lines not sent: %" PRIu64, u->n_wrong);
	return code;
}

int ctl_upload(struct ctl *ctl, const struct ctl_upload *spec)
{
	const bool is_stdin = strcmp(spec->file, "-") == 0;
	struct upload *u = calloc(1, sizeof(*u));
	int code;

	if (!u)
		return ctl_fail(CTL_REFUSED, "out of memory");
	u->spec = spec;
	u->file = is_stdin ? stdin : fopen(spec->file, "re");
	if (!u->file) {
		code = ctl_fail(CTL_USAGE, "%s: %s", spec->file, strerror(errno));
		free(u);
		return code;
	}
	code = send_file(ctl, u);
	if (is_stdin)
		clearerr(stdin);
	else
		fclose(u->file);
	free(u->out);
	free(u->skipped);
	free(u);
	return code;
}
