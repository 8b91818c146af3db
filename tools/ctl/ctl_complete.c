#include "tools/ctl/ctl_complete.h"

#include <stdio.h>
#include <string.h>

#include "tools/ctl/ctl_completion_bash.h"
#include "tools/ctl/ctl_help.h"

struct search {
	const struct ctl_command *const *commands;
	const char *begin; // of the candidates wanted
	void (*found)(void *arg, const char *candidate);
	void *arg;
};

static void offer(const struct search *search, const char *word)
{
	if (strncmp(word, search->begin, strlen(search->begin)) == 0)
		search->found(search->arg, word);
}

static void offer_objects(const struct search *search)
{
	for (const struct ctl_command *const *c = search->commands; *c; c++) {
		// Verbs of an object stand together.
		if (c == search->commands || strcmp((*c)->object, c[-1]->object) != 0)
			offer(search, (*c)->object);
	}
}

static void offer_verbs(const struct search *search, const char *object)
{
	for (const struct ctl_command *const *c = search->commands; *c; c++) {
		if (strcmp((*c)->object, object) == 0 && (*c)->verb && (*c)->summary)
			offer(search, (*c)->verb);
	}
}

static void offer_options(const struct search *search, const struct ctl_command *command)
{
	const struct arg *tables[] = {command->help.args, command->help.more};
	char word[64];

	for (unsigned i = 0; i < 2; i++) {
		for (const struct arg *a = tables[i]; a && a->name; a++) {
			snprintf(word, sizeof(word), "--%s", a->name);
			if (a->kind != ARG_TITLE)
				offer(search, word);
		}
	}
	offer(search, "--help");
}

static bool wants_file(const struct arg *a)
{
	return a->value && (strcmp(a->value, "FILE") == 0 || strcmp(a->value, "PATH") == 0);
}

static const struct arg *option_of(const struct ctl_command *command, const char *word)
{
	if (strncmp(word, "--", 2) != 0)
		return NULL;
	return ctl_command_option(command ? command : &ctl_help_command, word + 2,
				  strlen(word + 2));
}

// Splits the words before the last: plain[] gets object and verb; how many plain ones there are is
// returned. *open is the option whose value the last word is, or NULL.
static unsigned read_words(const struct ctl_command *const *commands, const char *const *words,
			   unsigned n, const char *plain[2], const struct arg **open)
{
	unsigned n_plain = 0;

	*open = NULL;
	for (unsigned i = 0; i + 1 < n; i++) {
		const struct ctl_command *command =
			n_plain ? ctl_command_find(commands, plain[0],
						   n_plain > 1 ? plain[1] : NULL)
				: NULL;
		const struct arg *a = option_of(command, words[i]);

		if (a && a->kind != ARG_FLAG && i + 2 == n)
			*open = a;
		else if (a && a->kind != ARG_FLAG)
			i++; // over the value
		else if (words[i][0] != '-') {
			if (n_plain < 2)
				plain[n_plain] = words[i];
			n_plain++;
		}
	}
	return n_plain;
}

static void offer_operand(const struct search *search, const struct ctl_command *command,
			  unsigned operand)
{
	if (command->file == operand)
		search->found(search->arg, CTL_COMPLETE_FILE);
	for (const char *const *word = command->words; word && *word; word++)
		offer(search, *word);
	if (!*search->begin && (!command->file || command->file != operand))
		offer_options(search, command);
}

void ctl_complete(const struct ctl_command *const *commands, const char *const *words, unsigned n,
		  void (*found)(void *arg, const char *candidate), void *arg)
{
	const char *last = n ? words[n - 1] : "", *plain[2] = {NULL};
	const struct search search = {commands, last, found, arg};
	const struct ctl_command *command;
	const struct arg *open;
	unsigned n_plain = read_words(commands, words, n, plain, &open);
	bool is_help = n_plain && strcmp(plain[0], "help") == 0;

	if (open) {
		if (wants_file(open))
			found(arg, CTL_COMPLETE_FILE);
		return;
	}
	command = n_plain ? ctl_command_find(commands, plain[0], n_plain > 1 ? plain[1] : NULL)
			  : NULL;
	if (*last == '-')
		offer_options(&search, command ? command : &ctl_help_command);
	else if (!n_plain || (is_help && n_plain == 1))
		offer_objects(&search);
	else if (is_help || (!command && n_plain == 1))
		offer_verbs(&search, is_help ? plain[1] : plain[0]);
	else if (command)
		offer_operand(&search, command, n_plain - (command->verb ? 2 : 1) + 1);
}

// ---- Commands

static void print_word(void *arg, const char *word)
{
	(void)arg;
	puts(word);
}

static int run_words(struct ctl *ctl, char **operands, unsigned n)
{
	ctl_complete(ctl->commands, (const char *const *)operands, n, print_word, NULL);
	return CTL_OK;
}

static int run_bash(struct ctl *ctl, char **operands, unsigned n)
{
	(void)ctl, (void)operands, (void)n;
	fputs(CTL_COMPLETION_BASH, stdout);
	return CTL_OK;
}

const struct ctl_command ctl_completion_bash_command = {
	.object = "completion",
	.verb = "bash",
	.summary = "prints completion for bash",
	.help = {.usage = "akmapushctl completion bash [OPTION…]",
		 .about = "Prints a script that completes commands, options and files in bash.",
		 .examples = "  source <(akmapushctl completion bash)",
		 .more = ctl_shared},
	.run = run_bash,
};

// For that script only.
const struct ctl_command ctl_completion_words_command = {
	.object = "completion",
	.verb = "words",
	.max = CTL_WORDS_MAX,
	.may_be_empty = true,
	.help = {.usage = "akmapushctl completion words [OPTION…] -- WORD…",
		 .about =
			 "Prints what the last word can become, for the script of completion bash.",
		 .examples = "  akmapushctl completion words -- push su",
		 .more = ctl_shared},
	.run = run_words,
};
