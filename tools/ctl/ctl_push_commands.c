#include "tools/ctl/ctl_push_commands.h"

#include <stdio.h>
#include <string.h>

#include "tools/ctl/ctl_format.h"
#include "tools/ctl/ctl_push.h"
#include "tools/ctl/ctl_table.h"

enum { LIMIT_DEFAULT = 100, LIMIT_MAX = 1000 };

static struct {
	const char *af, *state;
	uint64_t limit;
} list_options;

static struct {
	const char *af;
} one_options;

static void put_row(struct ctl_table *table, const struct json_reader *push)
{
	uint64_t targets = ctl_uint(push, "targets"), final = ctl_push_final(push);
	struct json_reader results = ctl_child(push, "deliveryResults");
	char time[CTL_TIME_MAX], share[32];
	const char *created = ctl_text(push, "created");

	snprintf(share, sizeof(share), "%.1f %%",
		 targets ? 100.0 * (double) final / (double)targets : 100.0);
	ctl_table_text(table, ctl_text(push, "pushId"));
	ctl_table_text(table, ctl_text(push, "afId"));
	ctl_table_text(table, ctl_text(push, "state"));
	ctl_table_text(table, created ? ctl_time(time, created) : NULL);
	ctl_table_number(table, targets);
	ctl_table_text(table, share);
	ctl_table_number(table, ctl_uint(&results, "SUCCESS"));
}

static void show_list(const struct json_reader *top)
{
	static const struct ctl_column columns[] = {
		{"PUSH"},          {"AF"},          {"STATE"},        {"CREATED"},
		{"TARGETS", true}, {"FINAL", true}, {"SUCCESS", true}};
	const struct json *pushes = ctl_list(top, "pushes");
	struct ctl_table *table = ctl_table_new(columns, 7);

	for (size_t i = 0; i < json_array_len(pushes); i++) {
		struct json_reader push = ctl_item(top, pushes, i);

		put_row(table, &push);
	}
	ctl_table_show(table);
}

// ---- Commands

static bool add_query(char path[CTL_PATH_MAX], const char *name, const char *value)
{
	size_t n = strlen(path);

	if (!value)
		return true;
	if (n + strlen(name) + 3 > CTL_PATH_MAX)
		return false;
	sprintf(path + n, "%c%s=", strchr(path, '?') ? '&' : '?', name);
	return ctl_path_add(path, value);
}

static bool is_phase(const char *text)
{
	return strcmp(text, "WAITING") == 0 || strcmp(text, "RUNNING") == 0 ||
	       strcmp(text, "FINISHED") == 0;
}

static int run_list(struct ctl *ctl, char **operands, unsigned n)
{
	char path[CTL_PATH_MAX] = "/admin/v1/pushes", limit[32];

	(void)operands, (void)n;
	if (list_options.state && !is_phase(list_options.state))
		return ctl_fail(CTL_USAGE, "--state: \"%.40s\" is not WAITING, RUNNING or FINISHED",
				list_options.state);
	snprintf(limit, sizeof(limit), "%u",
		 (unsigned)(list_options.limit ? list_options.limit : LIMIT_DEFAULT));
	if (!add_query(path, "af", list_options.af) ||
	    !add_query(path, "state", list_options.state) || !add_query(path, "limit", limit))
		return ctl_fail(CTL_USAGE, "the names are too long");
	return ctl_show(ctl, path, show_list);
}

static int run_show(struct ctl *ctl, char **operands, unsigned n)
{
	struct ctl_doc doc;
	int code = ctl_push_get(ctl, one_options.af, operands[0], &doc);

	(void)n;
	if (!code)
		ctl_doc_show(ctl, &doc, ctl_push_show);
	return code;
}

static int run_recall(struct ctl *ctl, char **operands, unsigned n)
{
	char path[CTL_PATH_MAX];
	int code = ctl_push_path(ctl, one_options.af, operands[0], "", path);

	(void)n;
	return code ? code : ctl_delete(ctl, path, operands[0], "recalled");
}

// ---- The table's rows

static const struct arg list_args[] = {
	{ARG_TEXT, .name = "af", .value = "FQDN", .help = "pushes of this AF only",
	 .target = &list_options.af},
	{ARG_TEXT, .name = "state", .value = "STATE", .help = "WAITING, RUNNING or FINISHED",
	 .target = &list_options.state},
	{ARG_UINT, .name = "limit", .value = "N", .help = "at most so many, 1 to 1000; default 100",
	 .target = &list_options.limit, .min = 1, .max = LIMIT_MAX},
	{0},
};

static const struct arg one_args[] = {
	{ARG_TEXT, .name = "af", .value = "FQDN",
	 .help = "AF of the push; else the daemon is asked", .target = &one_options.af},
	{0},
};

const struct ctl_command ctl_push_list_command = {
	.object = "push",
	.verb = "list",
	.summary = "pushes, newest first",
	.help = {.usage = "akmapushctl push list [OPTION…]",
		 .about = "Lists pushes, newest first. FINAL is the share of targets that nothing "
			  "more "
			  "will happen to.",
		 .examples = "  akmapushctl push list --state RUNNING\n"
			     "  akmapushctl push list --af meter.example.com --limit 10",
		 .args = list_args,
		 .more = ctl_shared},
	.options = &list_options,
	.options_len = sizeof(list_options),
	.run = run_list,
};

const struct ctl_command ctl_push_show_command = {
	.object = "push",
	.verb = "show",
	.min = 1,
	.max = 1,
	.summary = "a push and the states of its targets",
	.help = {.usage = "akmapushctl push show [OPTION…] ID",
		 .about = "Shows a push, and how many of its targets are in which state.",
		 .examples = "  akmapushctl push show 01982f2e-6c1a-7a40-8000-0242ac120002",
		 .args = one_args,
		 .more = ctl_shared},
	.options = &one_options,
	.options_len = sizeof(one_options),
	.run = run_show,
};

const struct ctl_command ctl_push_recall_command = {
	.object = "push",
	.verb = "recall",
	.min = 1,
	.max = 1,
	.summary = "ends a push",
	.help = {.usage = "akmapushctl push recall [OPTION…] ID",
		 .about = "Recalls a push: targets that are not final become RECALLED, and nothing "
			  "more "
			  "is sent.\nWhat has left can't be taken back.",
		 .examples = "  akmapushctl push recall 01982f2e-6c1a-7a40-8000-0242ac120002",
		 .args = one_args,
		 .more = ctl_shared},
	.options = &one_options,
	.options_len = sizeof(one_options),
	.run = run_recall,
};
