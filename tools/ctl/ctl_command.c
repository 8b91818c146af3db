// The table of commands, and words that are nearly right.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/ctl/ctl.h"
#include "tools/ctl/ctl_commands.h"

const struct ctl_command *const ctl_commands[] = {
	&ctl_status_command,
	&ctl_af_list_command,
	&ctl_af_show_command,
	&ctl_af_put_command,
	&ctl_af_suspend_command,
	&ctl_af_resume_command,
	&ctl_af_delete_command,
	&ctl_group_list_command,
	&ctl_group_show_command,
	&ctl_group_put_command,
	&ctl_group_delete_command,
	&ctl_group_add_command,
	&ctl_group_remove_command,
	&ctl_group_members_command,
	&ctl_ue_show_command,
	&ctl_ue_put_command,
	&ctl_ue_delete_command,
	&ctl_push_submit_command,
	&ctl_push_list_command,
	&ctl_push_show_command,
	&ctl_push_watch_command,
	&ctl_push_recall_command,
	&ctl_push_replace_command,
	&ctl_push_results_command,
	&ctl_stats_command,
	&ctl_tune_show_command,
	&ctl_tune_set_command,
	&ctl_config_check_command,
	&ctl_completion_bash_command,
	&ctl_completion_words_command,
	&ctl_help_command,
	NULL,
};

const struct arg ctl_shared[] = {
	{ARG_TITLE, .name = "Everywhere"},
	{ARG_FLAG, .name = "json", .help = "the daemon's JSON, as it is",
	 .target = &ctl_shared_options.json},
	{ARG_TEXT, .name = "socket", .value = "PATH",
	 .help = "admin socket of the daemon; default AKMAPUSH_SOCKET of the\n"
		 "environment, else " CTL_SOCKET_DEFAULT,
	 .target = &ctl_shared_options.socket},
	{0},
};

struct ctl_shared_options ctl_shared_options;

bool ctl_command_is_object(const char *object)
{
	for (const struct ctl_command *const *c = ctl_commands; *c; c++) {
		if (strcmp((*c)->object, object) == 0)
			return true;
	}
	return false;
}

const struct ctl_command *ctl_command_find(const char *object, const char *verb)
{
	for (const struct ctl_command *const *c = ctl_commands; *c; c++) {
		if (strcmp((*c)->object, object) != 0)
			continue;
		if (!(*c)->verb || (verb && strcmp((*c)->verb, verb) == 0))
			return *c;
	}
	return NULL;
}

const struct arg *ctl_option_find(const struct ctl_command *command, const char *name, size_t len)
{
	const struct arg *tables[] = {command->help.args, command->help.more};

	for (unsigned i = 0; i < 2; i++) {
		for (const struct arg *a = tables[i]; a && a->name; a++) {
			if (a->kind != ARG_TITLE && strlen(a->name) == len &&
			    memcmp(a->name, name, len) == 0)
				return a;
		}
	}
	return NULL;
}

// ---- Nearest words

enum { WORD_MAX = 32, NEAR = 3, CANDIDATES_MAX = 64 };

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

// Levenshtein's distance, with two neighbours swapped counting as one; long words are far.
static unsigned distance(const char *a, const char *b)
{
	unsigned d[WORD_MAX + 1][WORD_MAX + 1];
	size_t n = strlen(a), m = strlen(b);

	if (n > WORD_MAX || m > WORD_MAX)
		return WORD_MAX;
	for (unsigned i = 0; i <= n; i++)
		d[i][0] = i;
	for (unsigned j = 0; j <= m; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= n; i++) {
		for (size_t j = 1; j <= m; j++) {
			d[i][j] = least(least(d[i - 1][j], d[i][j - 1]) + 1,
					d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
		}
	}
	return d[n][m];
}

// The beginning of a word is as good as one mistake.
static unsigned unlikeness(const char *word, const char *candidate)
{
	size_t n = strlen(word);

	if (n && strncmp(word, candidate, n) == 0)
		return 1;
	return distance(word, candidate);
}

const char *ctl_nearest(const char *word, const char *const *words, unsigned n)
{
	unsigned best = NEAR + 1;
	const char *nearest = NULL;

	for (unsigned i = 0; i < n; i++) {
		unsigned d = unlikeness(word, words[i]);

		// Half of a short word wrong is another word.
		if (d < best && 2 * d <= strlen(words[i]) + 1) {
			best = d;
			nearest = words[i];
		}
	}
	return nearest;
}

const char *ctl_nearest_object(const char *word)
{
	const char *words[CANDIDATES_MAX];
	unsigned n = 0;

	for (const struct ctl_command *const *c = ctl_commands; *c && n < CANDIDATES_MAX; c++)
		words[n++] = (*c)->object;
	return ctl_nearest(word, words, n);
}

const char *ctl_nearest_verb(const char *object, const char *word)
{
	const char *words[CANDIDATES_MAX];
	unsigned n = 0;

	for (const struct ctl_command *const *c = ctl_commands; *c && n < CANDIDATES_MAX; c++) {
		if (strcmp((*c)->object, object) == 0 && (*c)->verb)
			words[n++] = (*c)->verb;
	}
	return ctl_nearest(word, words, n);
}

const char *ctl_nearest_option(const struct ctl_command *command, const char *word)
{
	const struct arg *tables[] = {command->help.args, command->help.more};
	const char *words[CANDIDATES_MAX];
	unsigned n = 0;

	for (unsigned i = 0; i < 2; i++) {
		for (const struct arg *a = tables[i]; a && a->name && n < CANDIDATES_MAX; a++) {
			if (a->kind != ARG_TITLE)
				words[n++] = a->name;
		}
	}
	return ctl_nearest(word, words, n);
}

// ---- Options, before they are read

static int unknown_option(const struct ctl_command *command, const char *text, size_t len)
{
	const char *nearest;
	char name[64];

	snprintf(name, sizeof(name), "%.*s", (int)len, text + 2);
	nearest = ctl_nearest_option(command, name);
	return ctl_fail(CTL_USAGE, "%s%s%s has no option --%s%s%s%s", command->object,
			command->verb ? " " : "", command->verb ? command->verb : "", name,
			nearest ? "; did you mean --" : "", nearest ? nearest : "",
			nearest ? "?" : "");
}

int ctl_check_options(const struct ctl_command *command, int argc, char **argv)
{
	int code = CTL_OK;

	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
		size_t len = strcspn(argv[i], "=");
		const struct arg *a;

		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return -1;
		if (strncmp(argv[i], "--", 2) != 0)
			continue;
		a = ctl_option_find(command, argv[i] + 2, len - 2);
		if (!a && !code)
			code = unknown_option(command, argv[i], len - 2);
		if (a && a->kind != ARG_FLAG && !argv[i][len])
			i++; // its value
	}
	return code;
}
