// From the command line to a command of the table, and its exit code.

#include "tools/ctl/ctl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/ctl/ctl_commands.h"

volatile sig_atomic_t ctl_interrupted;

int ctl_fail(int code, const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fputs("akmapushctl: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return code;
}

// ---- Help

static void print_commands(FILE *out, const char *object)
{
	for (const struct ctl_command *const *c = ctl_commands; *c; c++) {
		char words[40];

		if (!(*c)->summary || (object && strcmp((*c)->object, object) != 0))
			continue;
		snprintf(words, sizeof(words), "%s%s%s", (*c)->object, (*c)->verb ? " " : "",
			 (*c)->verb ? (*c)->verb : "");
		fprintf(out, "  %-20s %s\n", words, (*c)->summary);
	}
}

static void print_help(FILE *out)
{
	fputs("Usage: akmapushctl [--socket PATH] [--json] COMMAND …\n\n"
	      "Talks to akmapushd over its admin socket. Without a command, on a terminal: a "
	      "prompt\n"
	      "for the same commands.\n\n",
	      out);
	print_commands(out, NULL);
	fputs("\nakmapushctl COMMAND --help tells the options of a command, with examples.\n"
	      "Exit codes: 0 done, 1 refused by the daemon, 2 wrong command line, 3 no daemon "
	      "reached.\n",
	      out);
}

static void print_object(FILE *out, const char *object)
{
	fprintf(out, "Usage: akmapushctl %s VERB …\n\n", object);
	print_commands(out, object);
	fprintf(out, "\nakmapushctl %s VERB --help tells more.\n", object);
}

static int unknown_object(const char *object)
{
	const char *nearest = ctl_nearest_object(object);

	return ctl_fail(CTL_USAGE, "no command %s%s%s%s", object,
			nearest ? "; did you mean " : "; see akmapushctl help",
			nearest ? nearest : "", nearest ? "?" : "");
}

static int unknown_verb(const char *object, const char *verb)
{
	const char *nearest = ctl_nearest_verb(object, verb);

	return ctl_fail(CTL_USAGE, "%s has no verb %s%s%s%s%s%s%s", object, verb,
			nearest ? "; did you mean " : "; see akmapushctl ", object,
			nearest ? " " : "", nearest ? nearest : "", nearest ? "?" : "",
			nearest ? "" : " --help");
}

static int run_help(struct ctl *ctl, char **words, unsigned n)
{
	const struct ctl_command *command =
		n ? ctl_command_find(words[0], n > 1 ? words[1] : NULL) : NULL;

	(void)ctl;
	if (command)
		args_help(&command->help);
	else if (!n)
		print_help(stdout);
	else if (!ctl_command_is_object(words[0]))
		return unknown_object(words[0]);
	else if (n > 1)
		return unknown_verb(words[0], words[1]);
	else
		print_object(stdout, words[0]);
	return CTL_OK;
}

const struct ctl_command ctl_help_command = {
	.object = "help",
	.max = 2,
	.summary = "what there is, or about one command",
	.help = {.usage = "akmapushctl help [COMMAND]",
		 .about = "Lists the commands, or tells about one.",
		 .examples = "  akmapushctl help push submit",
		 .more = ctl_shared},
	.run = run_help,
};

// ---- Commands

int ctl_leading(int argc, char **argv)
{
	int i = 0;

	while (i < argc && argv[i][0] == '-') {
		size_t len = strcspn(argv[i], "=");
		const struct arg *a = NULL;

		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0 ||
		    strcmp(argv[i], "--version") == 0)
			return i;
		if (strncmp(argv[i], "--", 2) == 0)
			a = ctl_option_find(&ctl_help_command, argv[i] + 2, len - 2);
		if (!a) {
			const char *nearest = ctl_nearest_option(&ctl_help_command,
								 argv[i] + strspn(argv[i], "-"));

			return -ctl_fail(CTL_USAGE, "no option %s before a command%s%s%s", argv[i],
					 nearest ? "; did you mean --" : "", nearest ? nearest : "",
					 nearest ? "?" : "");
		}
		i += a->kind != ARG_FLAG && !argv[i][len] ? 2 : 1;
	}
	return i < argc ? i : argc;
}

static int check_operands(const struct ctl_command *command, char **operands, unsigned n)
{
	const char *verb = command->verb ? command->verb : "";
	const char *gap = command->verb ? " " : "";

	for (unsigned i = 0; i < n; i++) {
		if (!*operands[i] && !command->may_be_empty)
			return ctl_fail(CTL_USAGE, "%s%s%s: an empty word means nothing here",
					command->object, gap, verb);
	}
	if (n < command->min || n > command->max)
		return ctl_fail(CTL_USAGE, "%s%s%s: %s; see akmapushctl %s%s%s --help",
				command->object, gap, verb,
				n < command->min ? "something is missing" : "too many words",
				command->object, gap, verb);
	return CTL_OK;
}

// The command with its options in argv[1..); argv[0] is free.
static int run_command(struct ctl *ctl, const struct ctl_command *command, int argc, char **argv)
{
	struct ctl before = *ctl;
	int code = ctl_check_options(command, argc - 1, argv + 1);
	int n;

	if (code < 0) {
		args_help(&command->help);
		return CTL_OK;
	}
	if (code)
		return code;
	ctl_shared_options = (struct ctl_shared_options){0};
	if (command->options)
		memset(command->options, 0, command->options_len);
	n = args_parse(&command->help, argc, argv);
	if (n < 0)
		return CTL_USAGE;
	code = check_operands(command, argv + 1, (unsigned)n);
	if (code)
		return code;
	ctl->json |= ctl_shared_options.json;
	if (ctl_shared_options.socket)
		ctl->socket = ctl_shared_options.socket;
	code = command->run(ctl, argv + 1, (unsigned)n);
	ctl->json = before.json;
	ctl->socket = before.socket;
	return code;
}

// argv without the words of the command, and one free place before.
static int run_words(struct ctl *ctl, const struct ctl_command *command, int leading, int argc,
		     char **argv)
{
	int words = command->verb ? 2 : 1, code;
	char **rest = calloc((size_t)argc + 2, sizeof(*rest));

	if (!rest)
		return ctl_fail(CTL_REFUSED, "out of memory");
	for (int i = 0; i < leading; i++)
		rest[1 + i] = argv[i];
	for (int i = leading + words; i < argc; i++)
		rest[1 + i - words] = argv[i];
	rest[0] = (char *)(uintptr_t) "akmapushctl";
	code = run_command(ctl, command, argc - words + 1, rest);
	free(rest);
	return code;
}

static bool is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

int ctl_run(struct ctl *ctl, int argc, char **argv)
{
	int leading = ctl_leading(argc, argv);
	const char *object, *verb;
	const struct ctl_command *command;

	if (leading < 0)
		return -leading;
	if (leading == argc) {
		print_help(stderr);
		return CTL_USAGE;
	}
	object = argv[leading];
	verb = leading + 1 < argc ? argv[leading + 1] : NULL;
	command = ctl_command_find(object, verb);
	if (command)
		return run_words(ctl, command, leading, argc, argv);
	if (is_help(object))
		print_help(stdout);
	else if (strcmp(object, "--version") == 0)
		puts("akmapushctl " AKMAPUSH_VERSION);
	else if (!ctl_command_is_object(object))
		return unknown_object(object);
	else if (verb && is_help(verb))
		print_object(stdout, object);
	else if (verb)
		return unknown_verb(object, verb);
	else {
		print_object(stderr, object);
		return CTL_USAGE;
	}
	return CTL_OK;
}
