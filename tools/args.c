#include "tools/args.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HELP_COLUMN = 28 };

// What a letter behind a number multiplies it with; 0 for anything but k, M, G or nothing.
static uint64_t unit(const char *text)
{
	if (*text == 0)
		return 1;
	if (text[1])
		return 0;
	return *text == 'k' ? 1000 : *text == 'M' ? 1000000 : *text == 'G' ? 1000000000 : 0;
}

int args_uint(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
	uint64_t v, factor;
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	v = strtoull(text, &end, 10);
	factor = unit(end);
	if (errno || !factor || __builtin_mul_overflow(v, factor, &v) || v < min || v > max)
		return -EINVAL;
	*value = v;
	return 0;
}

int args_host(const char *text, char *host, unsigned max, uint16_t *port)
{
	const char *colon = strrchr(text, ':');
	const char *end = text + strlen(text);
	uint64_t number = *port;

	if (*text == '[') {
		const char *close = strchr(++text, ']');

		if (!close || (close[1] && close[1] != ':'))
			return -EINVAL;
		colon = close[1] ? close + 1 : NULL;
		end = close;
	} else if (colon && strchr(text, ':') != colon) {
		colon = NULL; // an IPv6 address without a port
	} else if (colon) {
		end = colon;
	}
	if ((colon && args_uint(colon + 1, 1, UINT16_MAX, &number)) || end - text >= max)
		return -EINVAL;
	*port = (uint16_t)number;
	if (end > text)
		snprintf(host, max, "%.*s", (int)(end - text), text);
	return 0;
}

static void help_option(const struct arg *a)
{
	char left[80];
	const char *line = a->help;

	snprintf(left, sizeof(left), "  %c%c%s--%s%s%s", a->letter ? '-' : ' ',
		 a->letter ? a->letter : ' ', a->letter ? ", " : "  ", a->name, a->value ? " " : "",
		 a->value ? a->value : "");
	printf("%-*s", HELP_COLUMN, left);
	if (strlen(left) >= HELP_COLUMN)
		printf("\n%*s", HELP_COLUMN, "");
	while (line) {
		const char *end = strchr(line, '\n');

		printf("%.*s\n", end ? (int)(end - line) : (int)strlen(line), line);
		line = end ? end + 1 : NULL;
		if (line)
			printf("%*s", HELP_COLUMN, "");
	}
}

static void help_table(const struct arg *args)
{
	for (; args && args->name; args++) {
		if (args->kind == ARG_TITLE)
			printf("\n%s:\n", args->name);
		else
			help_option(args);
	}
}

void args_help(const struct args_command *command)
{
	printf("Usage: %s\n\n%s\n", command->usage, command->about);
	help_table(command->args);
	help_table(command->more);
	if (command->examples)
		printf("\nExamples:\n%s\n", command->examples);
}

static const struct arg *find(const struct arg *args, const char *name, size_t len, char letter)
{
	for (; args && args->name; args++) {
		if (args->kind == ARG_TITLE)
			continue;
		if (letter ? args->letter == letter
			   : strlen(args->name) == len && memcmp(args->name, name, len) == 0)
			return args;
	}
	return NULL;
}

static int set_real(const struct arg *a, const char *value)
{
	char *end;
	double v = strtod(value, &end);

	v *= (double)unit(end);
	if (end == value || !unit(end) || !isfinite(v) || v < 0 || (a->max && v > (double)a->max))
		return -EINVAL;
	*(double *)a->target = v;
	return 0;
}

static int set(const struct arg *a, const char *value)
{
	struct arg_texts *texts = a->target;

	switch (a->kind) {
	case ARG_FLAG:
		*(bool *)a->target = true;
		return 0;
	case ARG_TEXT:
		*(const char **)a->target = value;
		return 0;
	case ARG_TEXTS:
		if (texts->n == ARG_TEXTS_MAX)
			return -EINVAL;
		texts->text[texts->n++] = value;
		return 0;
	case ARG_UINT:
		return args_uint(value, a->min, a->max, a->target);
	default:
		return set_real(a, value);
	}
}

static int complain(const struct args_command *command, const char *what, const char *which)
{
	size_t n = strcspn(command->usage, "[");

	fprintf(stderr, "%.*s: %s: %s; see %.*s--help\n", (int)strcspn(command->usage, " "),
		command->usage, which, what, (int)n, command->usage);
	return -EINVAL;
}

static int wrong_value(const struct args_command *command, const struct arg *a, const char *value)
{
	char what[200], which[80];

	snprintf(which, sizeof(which), "--%s", a->name);
	if (a->kind == ARG_UINT)
		snprintf(what, sizeof(what),
			 "\"%.40s\" is no whole number from %" PRIu64 " to %" PRIu64, value, a->min,
			 a->max);
	else if (a->kind == ARG_REAL)
		snprintf(what, sizeof(what), "\"%.40s\" is no number of 0 or more%s", value,
			 a->max ? ", or too large" : "");
	else
		snprintf(what, sizeof(what), "\"%.40s\" is one too many, at most %u", value,
			 ARG_TEXTS_MAX);
	return complain(command, what, which);
}

// One option at argv[i]; returns how many arguments it took.
static int option(const struct args_command *command, int argc, char **argv, int i)
{
	const char *text = argv[i];
	const bool is_long = text[1] == '-';
	const char *equals = is_long ? strchr(text, '=') : NULL;
	size_t len = is_long ? (equals ? (size_t)(equals - text) : strlen(text)) - 2 : 0;
	const struct arg *a = find(command->args, text + 2, len, is_long ? 0 : text[1]);
	const char *value = equals ? equals + 1 : !is_long && text[2] ? text + 2 : NULL;
	int taken = 1;

	if (!a)
		a = find(command->more, text + 2, len, is_long ? 0 : text[1]);
	if (!a)
		return complain(command, "no such option", text);
	if (a->kind == ARG_FLAG && value)
		return complain(command, "takes no value", text);
	if (a->kind != ARG_FLAG && !value) {
		if (i + 1 == argc)
			return complain(command, "a value is missing", text);
		value = argv[i + 1];
		taken = 2;
	}
	return set(a, value) ? wrong_value(command, a, value) : taken;
}

int args_parse(const struct args_command *command, int argc, char **argv)
{
	int left = 0;

	for (int i = 1; i < argc;) {
		int taken = 1;

		if (strcmp(argv[i], "--") == 0) {
			while (++i < argc)
				argv[1 + left++] = argv[i];
			break;
		}
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			args_help(command);
			exit(0);
		}
		if (argv[i][0] == '-' && argv[i][1])
			taken = option(command, argc, argv, i);
		else
			argv[1 + left++] = argv[i];
		if (taken < 0)
			return taken;
		i += taken;
	}
	return left;
}
