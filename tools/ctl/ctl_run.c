#include "tools/ctl/ctl_run.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/ctl/ctl_help.h"

int ctl_run_leading(int argc, char **argv)
{
	int i = 0;

	while (i < argc && argv[i][0] == '-') {
		size_t len = strcspn(argv[i], "=");
		const struct arg *a = NULL;

		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0 ||
		    strcmp(argv[i], "--version") == 0)
			return i;
		if (strncmp(argv[i], "--", 2) == 0)
			a = ctl_command_option(&ctl_help_command, argv[i] + 2, len - 2);
		if (!a) {
			const char *nearest = ctl_command_near_option(
				&ctl_help_command, argv[i] + strspn(argv[i], "-"));

			return -ctl_fail(CTL_USAGE, "no option %s before a command%s%s%s", argv[i],
					 nearest ? "; did you mean --" : "", nearest ? nearest : "",
					 nearest ? "?" : "");
		}
		i += a->kind != ARG_FLAG && !argv[i][len] ? 2 : 1;
	}
	return i;
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
		return ctl_fail(CTL_USAGE, "%s%s%s: %s; it is %s", command->object, gap, verb,
				n < command->min ? "something is missing" : "too many words",
				command->help.usage);
	return CTL_OK;
}

// "push show 01982f2e-…", for what is refused; cut where it is long.
static void say_doing(struct ctl *ctl, const struct ctl_command *command, char **operands,
		      unsigned n)
{
	size_t len = (size_t)snprintf(ctl->doing, CTL_DOING_MAX, "%s%s%s", command->object,
				      command->verb ? " " : "", command->verb ? command->verb : "");

	for (unsigned i = 0; i < n && len < CTL_DOING_MAX; i++)
		len += (size_t)snprintf(ctl->doing + len, CTL_DOING_MAX - len, " %s", operands[i]);
}

// The command with its options in argv[1..); argv[0] is free.
static int run_command(struct ctl *ctl, const struct ctl_command *command, int argc, char **argv)
{
	struct ctl before = *ctl;
	int code = ctl_command_check_options(command, argc - 1, argv + 1);
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
	if (!*ctl->socket)
		return ctl_fail(CTL_USAGE, "--socket: a path is missing");
	say_doing(ctl, command, argv + 1, (unsigned)n);
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
	int leading = ctl_run_leading(argc, argv);
	const char *object, *verb;
	const struct ctl_command *command;

	if (leading < 0)
		return -leading;
	if (leading > argc)
		return ctl_fail(CTL_USAGE, "%s: a value is missing", argv[argc - 1]);
	if (leading == argc) {
		ctl_help_all(stderr, ctl->commands);
		return CTL_USAGE;
	}
	object = argv[leading];
	verb = leading + 1 < argc ? argv[leading + 1] : NULL;
	command = ctl_command_find(ctl->commands, object, verb);
	if (command)
		return run_words(ctl, command, leading, argc, argv);
	if (is_help(object))
		ctl_help_all(stdout, ctl->commands);
	else if (strcmp(object, "--version") == 0)
		puts("akmapushctl " AKMAPUSH_VERSION);
	else if (!ctl_command_is_object(ctl->commands, object))
		return ctl_help_no_object(ctl->commands, object);
	else if (verb && is_help(verb))
		ctl_help_object(stdout, ctl->commands, object);
	else if (verb && *verb == '-')
		return ctl_fail(CTL_USAGE,
				"%s: a verb is missing before %s; see akmapushctl %s --help",
				object, verb, object);
	else if (verb)
		return ctl_help_no_verb(ctl->commands, object, verb);
	else {
		ctl_help_object(stderr, ctl->commands, object);
		return CTL_USAGE;
	}
	return CTL_OK;
}
