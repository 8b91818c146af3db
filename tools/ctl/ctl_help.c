#include "tools/ctl/ctl_help.h"

#include <string.h>

static void print_commands(FILE *out, const struct ctl_command *const *commands, const char *object)
{
	for (const struct ctl_command *const *c = commands; *c; c++) {
		char words[40];

		if (!(*c)->summary || (object && strcmp((*c)->object, object) != 0))
			continue;
		snprintf(words, sizeof(words), "%s%s%s", (*c)->object, (*c)->verb ? " " : "",
			 (*c)->verb ? (*c)->verb : "");
		fprintf(out, "  %-20s %s\n", words, (*c)->summary);
	}
}

void ctl_help_all(FILE *out, const struct ctl_command *const *commands)
{
	fputs("Usage: akmapushctl [--socket PATH] [--json] COMMAND …\n\n"
	      "Talks to akmapushd over its admin socket. Without a command, on a terminal: a "
	      "prompt\n"
	      "for the same commands.\n\n",
	      out);
	print_commands(out, commands, NULL);
	fputs("\nakmapushctl COMMAND --help tells the options of a command, with examples.\n"
	      "Exit codes: 0 done, 1 refused by the daemon, 2 wrong command line, 3 no daemon "
	      "reached.\n",
	      out);
}

void ctl_help_object(FILE *out, const struct ctl_command *const *commands, const char *object)
{
	fprintf(out, "Usage: akmapushctl %s VERB …\n\n", object);
	print_commands(out, commands, object);
	fprintf(out, "\nakmapushctl %s VERB --help tells more.\n", object);
}

int ctl_help_no_object(const struct ctl_command *const *commands, const char *object)
{
	const char *nearest = ctl_command_near_object(commands, object);

	return ctl_fail(CTL_USAGE, "no command %s%s%s%s", object,
			nearest ? "; did you mean " : "; see akmapushctl help",
			nearest ? nearest : "", nearest ? "?" : "");
}

int ctl_help_no_verb(const struct ctl_command *const *commands, const char *object,
		     const char *verb)
{
	const char *nearest = ctl_command_near_verb(commands, object, verb);

	return ctl_fail(CTL_USAGE, "%s has no verb %s%s%s%s%s%s%s", object, verb,
			nearest ? "; did you mean " : "; see akmapushctl ", object,
			nearest ? " " : "", nearest ? nearest : "", nearest ? "?" : "",
			nearest ? "" : " --help");
}

static int run_help(struct ctl *ctl, char **words, unsigned n)
{
	const struct ctl_command *command =
		n ? ctl_command_find(ctl->commands, words[0], n > 1 ? words[1] : NULL) : NULL;

	if (command)
		args_help(&command->help);
	else if (!n)
		ctl_help_all(stdout, ctl->commands);
	else if (!ctl_command_is_object(ctl->commands, words[0]))
		return ctl_help_no_object(ctl->commands, words[0]);
	else if (n > 1)
		return ctl_help_no_verb(ctl->commands, words[0], words[1]);
	else
		ctl_help_object(stdout, ctl->commands, words[0]);
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
