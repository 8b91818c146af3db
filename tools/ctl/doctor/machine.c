#include "tools/ctl/doctor/machine.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH(d, path, format)                                                                      \
	do {                                                                                       \
		va_list args_;                                                                     \
		va_start(args_, format);                                                           \
		make_path(d, path, format, args_);                                                 \
		va_end(args_);                                                                     \
	} while (0)

__attribute__((format(printf, 3, 0))) static void
make_path(const struct doctor *d, char path[MACHINE_PATH_MAX], const char *format, va_list args)
{
	int n = snprintf(path, MACHINE_PATH_MAX, "%s", d->root);

	if (n < MACHINE_PATH_MAX)
		n += vsnprintf(path + n, MACHINE_PATH_MAX - (size_t)n, format, args);
	if (n >= MACHINE_PATH_MAX)
		*path = 0; // names nothing; half of it could name something else
}

bool machine_has(const struct doctor *d, const char *format, ...)
{
	char path[MACHINE_PATH_MAX];

	PATH(d, path, format);
	return access(path, F_OK) == 0;
}

static bool read_line(const char *path, char *text, size_t max)
{
	FILE *const file = fopen(path, "re");
	bool is_there;

	*text = 0;
	if (!file)
		return false;
	is_there = fgets(text, (int)max, file) != NULL;
	fclose(file);
	text[strcspn(text, "\n")] = 0;
	return is_there;
}

bool machine_text(const struct doctor *d, char *text, size_t max, const char *format, ...)
{
	char path[MACHINE_PATH_MAX];

	PATH(d, path, format);
	return read_line(path, text, max);
}

bool machine_number(const struct doctor *d, int64_t *number, const char *format, ...)
{
	char path[MACHINE_PATH_MAX], text[64], *end;

	PATH(d, path, format);
	if (!read_line(path, text, sizeof(text)))
		return false;
	errno = 0;
	*number = strtoll(text, &end, 0);
	return !errno && end != text;
}

bool machine_value(const struct doctor *d, const char *path, const char *key,
		   char text[MACHINE_LINE_MAX])
{
	char full[MACHINE_PATH_MAX], line[MACHINE_LINE_MAX];
	const size_t len = strlen(key);
	bool is_there = false;
	FILE *file;

	*text = 0;
	snprintf(full, sizeof(full), "%s%s", d->root, path);
	file = fopen(full, "re");
	while (file && !is_there && fgets(line, sizeof(line), file)) {
		const size_t gap = strncmp(line, key, len) ? 0 : strspn(line + len, ": \t");

		is_there = gap > 0;
		line[strcspn(line, "\n")] = 0;
		if (is_there)
			memcpy(text, line + len + gap, strlen(line + len + gap) + 1);
	}
	if (file)
		fclose(file);
	return is_there;
}

bool machine_link(const struct doctor *d, char *text, size_t max, const char *format, ...)
{
	char path[MACHINE_PATH_MAX], to[MACHINE_PATH_MAX];
	ssize_t n;

	PATH(d, path, format);
	n = readlink(path, to, sizeof(to) - 1);
	*text = 0;
	if (n <= 0)
		return false;
	to[n] = 0;
	snprintf(text, max, "%s", strrchr(to, '/') ? strrchr(to, '/') + 1 : to);
	return true;
}

unsigned machine_list(const struct doctor *d, const char *folder, const char *begin,
		      machine_each *each, void *ctx)
{
	char path[MACHINE_PATH_MAX];
	struct dirent **found;
	unsigned count = 0;
	int n;

	snprintf(path, sizeof(path), "%s%s", d->root, folder);
	n = scandir(path, &found, NULL, versionsort);
	for (int i = 0; i < n; i++) {
		if (found[i]->d_name[0] != '.' &&
		    !strncmp(found[i]->d_name, begin, strlen(begin))) {
			count++;
			if (each)
				each(ctx, found[i]->d_name);
		}
		free(found[i]);
	}
	if (n >= 0)
		free(found);
	return count;
}

const char *machine_word(const char *text, const char *word)
{
	const size_t len = strlen(word);
	const bool is_begin = len && word[len - 1] == '=';

	for (const char *at = text; (at = strstr(at, word)); at += len) {
		const bool is_first = at == text || isspace((unsigned char)at[-1]);

		if (is_first && (is_begin || !at[len] || isspace((unsigned char)at[len])))
			return at;
	}
	return NULL;
}
