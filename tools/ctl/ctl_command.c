#include "tools/ctl/ctl_command.h"

#include <stdio.h>
#include <string.h>

#include "tools/ctl/ctl_word.h"

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

bool ctl_command_is_object(const struct ctl_command *const *commands, const char *object)
{
	for (const struct ctl_command *const *c = commands; *c; c++) {
		if (strcmp((*c)->object, object) == 0)
			return true;
	}
	return false;
}

const struct ctl_command *ctl_command_find(const struct ctl_command *const *commands,
					   const char *object, const char *verb)
{
	for (const struct ctl_command *const *c = commands; *c; c++) {
		if (strcmp((*c)->object, object) != 0)
			continue;
		if (!(*c)->verb || (verb && strcmp((*c)->verb, verb) == 0))
			return *c;
	}
	return NULL;
}

const struct arg *ctl_command_option(const struct ctl_command *command, const char *name,
				     size_t len)
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

// ---- The nearest

enum { CANDIDATES_MAX = 64 };

const char *ctl_command_near_object(const struct ctl_command *const *commands, const char *word)
{
	const char *words[CANDIDATES_MAX];
	unsigned n = 0;

	for (const struct ctl_command *const *c = commands; *c && n < CANDIDATES_MAX; c++)
		words[n++] = (*c)->object;
	return ctl_word_nearest(word, words, n);
}

const char *ctl_command_near_verb(const struct ctl_command *const *commands, const char *object,
				  const char *word)
{
	const char *words[CANDIDATES_MAX];
	unsigned n = 0;

	for (const struct ctl_command *const *c = commands; *c && n < CANDIDATES_MAX; c++) {
		if (strcmp((*c)->object, object) == 0 && (*c)->verb)
			words[n++] = (*c)->verb;
	}
	return ctl_word_nearest(word, words, n);
}

const char *ctl_command_near_option(const struct ctl_command *command, const char *word)
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
	return ctl_word_nearest(word, words, n);
}

// ---- Options, before they are read

static int unknown_option(const struct ctl_command *command, const char *text, size_t len)
{
	const char *nearest;
	char name[64];

	snprintf(name, sizeof(name), "%.*s", (int)len, text + 2);
	nearest = ctl_command_near_option(command, name);
	return ctl_fail(CTL_USAGE, "%s%s%s has no option --%s%s%s%s", command->object,
			command->verb ? " " : "", command->verb ? command->verb : "", name,
			nearest ? "; did you mean --" : "", nearest ? nearest : "",
			nearest ? "?" : "");
}

int ctl_command_check_options(const struct ctl_command *command, int argc, char **argv)
{
	int code = CTL_OK;

	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
		size_t len = strcspn(argv[i], "=");
		const struct arg *a;

		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return -1;
		if (strncmp(argv[i], "--", 2) != 0)
			continue;
		a = ctl_command_option(command, argv[i] + 2, len - 2);
		if (!a && !code)
			code = unknown_option(command, argv[i], len - 2);
		if (a && a->kind != ARG_FLAG && !argv[i][len])
			i++; // its value
	}
	return code;
}
