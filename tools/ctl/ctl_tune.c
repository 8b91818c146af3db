#include "tools/ctl/ctl_tune.h"

#include <stdio.h>
#include <string.h>

#include "tools/ctl/ctl_call.h"
#include "tools/ctl/ctl_format.h"
#include "tools/ctl/ctl_table.h"
#include "tools/ctl/ctl_word.h"

static const char path[] = "/admin/v1/tuning";

static const struct knob {
	const char *name, *example, *meaning;
} knobs[] = {
	{"burst", "burst=64", "targets worked on at once, 1 to 64"},
	{"rate", "rate=200k", "datagrams a second in all; 0: no limit"},
	{"lapPause", "lapPause=5000",
	 "ms from a lap of a push to the next, at first; 2,500 or more"},
	{"lapPauseMax", "lapPauseMax=60k", "ms that this pause grows to; lapPause or more"},
};
enum { N_KNOBS = sizeof(knobs) / sizeof(knobs[0]) };

static const char *const words[] = {"burst=", "rate=", "lapPause=", "lapPauseMax=", NULL};

static void show(const struct json_reader *top)
{
	static const struct ctl_column columns[] = {{"KNOB"}, {"VALUE", true}, {"MEANING"}};
	struct ctl_table *table = ctl_table_new(columns, 3);

	for (unsigned i = 0; i < N_KNOBS; i++) {
		ctl_table_text(table, knobs[i].name);
		ctl_table_number(table, ctl_uint(top, knobs[i].name));
		ctl_table_text(table, knobs[i].meaning);
	}
	ctl_table_show(table);
}

static int run_show(struct ctl *ctl, char **operands, unsigned n)
{
	(void)operands, (void)n;
	return ctl_show(ctl, path, show);
}

static int unknown_knob(const char *name)
{
	const char *names[N_KNOBS], *nearest;

	for (unsigned i = 0; i < N_KNOBS; i++)
		names[i] = knobs[i].name;
	nearest = ctl_word_nearest(name, names, N_KNOBS);
	return ctl_fail(CTL_USAGE, "nothing called \"%s\" can be tuned; %s%s%s", name,
			nearest ? "did you mean " : "see akmapushctl tune show",
			nearest ? nearest : "", nearest ? "?" : "");
}

static const struct knob *knob_find(const char *name)
{
	for (unsigned i = 0; i < N_KNOBS; i++) {
		if (strcmp(knobs[i].name, name) == 0)
			return &knobs[i];
	}
	return NULL;
}

// "rate=200k"; `given` has a bit for each knob that was before.
static int put_knob(struct json_writer *w, const char *text, unsigned *given)
{
	size_t len = strcspn(text, "=");
	const struct knob *knob;
	char name[32];
	uint64_t value;

	snprintf(name, sizeof(name), "%.*s", (int)(len < 31 ? len : 31), text);
	knob = knob_find(name);
	if (!knob)
		return unknown_knob(name);
	if (!text[len] || args_uint(text + len + 1, 0, INT64_MAX, &value))
		return ctl_fail(
			CTL_USAGE,
			"%.60s: a number is missing: digits, k, M or G behind them, as in %s", text,
			knob->example);
	if (*given & 1u << (knob - knobs))
		return ctl_fail(CTL_USAGE, "%s is given twice", name);
	*given |= 1u << (knob - knobs);
	json_put_uint(w, name, value);
	return CTL_OK;
}

static int run_set(struct ctl *ctl, char **operands, unsigned n)
{
	struct json_writer *w = json_write();
	unsigned given = 0;
	struct ctl_body body;
	struct ctl_doc doc;
	int code = CTL_OK;

	for (unsigned i = 0; i < n && !code; i++)
		code = put_knob(w, operands[i], &given);
	if (code) {
		ctl_body_take(&body, w);
		ctl_body_free(&body);
		return code;
	}
	code = ctl_doc_send(ctl, "PUT", path, "application/json", w, &doc);
	if (!code)
		ctl_doc_show(ctl, &doc, show);
	return code;
}

const struct ctl_command ctl_tune_show_command = {
	.object = "tune",
	.verb = "show",
	.summary = "what can be tuned, and how it is set",
	.help = {.usage = "akmapushctl tune show [OPTION…]",
		 .about = "Shows what can be tuned while the daemon runs, and how it is set now.",
		 .examples = "  akmapushctl tune show",
		 .more = ctl_shared},
	.run = run_show,
};

const struct ctl_command ctl_tune_set_command = {
	.object = "tune",
	.verb = "set",
	.min = 1,
	.max = N_KNOBS,
	.words = words,
	.summary = "tunes, until a restart or reload",
	.help = {.usage = "akmapushctl tune set [OPTION…] KEY=VALUE…",
		 .about = "Tunes burst, rate, lapPause and lapPauseMax at once, until a restart or "
			  "a "
			  "reload of the\nconfiguration; k, M and G stand for thousands, millions, "
			  "milliards. What is not named stays.",
		 .examples = "  akmapushctl tune set rate=200k lapPause=5000",
		 .more = ctl_shared},
	.run = run_set,
};
