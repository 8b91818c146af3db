#include "tools/ctl/ctl_group.h"

#include <stdio.h>
#include <string.h>

#include "tools/ctl/ctl_call.h"
#include "tools/ctl/ctl_format.h"
#include "tools/ctl/ctl_table.h"
#include "tools/ctl/ctl_upload.h"

static struct {
	const char *description;
} put_options;

static int path_of(char path[CTL_PATH_MAX], const char *id, const char *behind)
{
	return ctl_path(path, "/akma-push/v1/groups/", id, behind);
}

// ---- Groups

static void put_row(struct ctl_table *table, const struct json_reader *group)
{
	ctl_table_text(table, ctl_text(group, "externalGroupId"));
	ctl_table_number(table, ctl_uint(group, "members"));
	ctl_table_text(table, ctl_text(group, "description"));
}

static const struct ctl_column columns[] = {{"GROUP"}, {"MEMBERS", true}, {"DESCRIPTION"}};

static void show_list(const struct json_reader *top)
{
	const struct json *groups = ctl_list(top, "groups");
	struct ctl_table *table = ctl_table_new(columns, 3);

	for (size_t i = 0; i < json_array_len(groups); i++) {
		struct json_reader group = ctl_item(top, groups, i);

		put_row(table, &group);
	}
	ctl_table_show(table);
}

static void show_one(const struct json_reader *group)
{
	struct ctl_table *table = ctl_table_new(columns, 3);

	put_row(table, group);
	ctl_table_show(table);
}

static int run_list(struct ctl *ctl, char **operands, unsigned n)
{
	(void)operands, (void)n;
	return ctl_show(ctl, "/akma-push/v1/groups", show_list);
}

static int run_show(struct ctl *ctl, char **operands, unsigned n)
{
	char path[CTL_PATH_MAX];
	int code = path_of(path, operands[0], "");

	(void)n;
	return code ? code : ctl_show(ctl, path, show_one);
}

static int run_put(struct ctl *ctl, char **operands, unsigned n)
{
	struct json_writer *w;
	char path[CTL_PATH_MAX];
	struct ctl_doc doc;
	int code = path_of(path, operands[0], "");

	(void)n;
	if (code)
		return code;
	w = json_write();
	if (put_options.description)
		json_put_string(w, "description", put_options.description);
	code = ctl_doc_send(ctl, "PUT", path, "application/json", w, &doc);
	if (!code)
		ctl_doc_show(ctl, &doc, show_one);
	return code;
}

static int run_delete(struct ctl *ctl, char **operands, unsigned n)
{
	char path[CTL_PATH_MAX];
	int code = path_of(path, operands[0], "");

	(void)n;
	return code ? code : ctl_delete(ctl, path, operands[0], "deleted");
}

// ---- Members

// One identity; what it is worth the daemon tells.
static const char *write_member(struct json_writer *w, char *line, const void *remove)
{
	if (line[strcspn(line, " \t")])
		return "more than one word";
	json_put_string(w, ctl_is_supi(line) ? "supi" : "gpsi", line);
	if (remove)
		json_put_bool(w, "remove", true);
	return NULL;
}

static int change_members(struct ctl *ctl, char **operands, const void *remove)
{
	static const char *const figures[] = {"added", "removed", "unchanged", "failed", NULL};
	char path[CTL_PATH_MAX];
	const struct ctl_upload upload = {
		.path = path,
		.file = operands[1],
		.what = remove ? "removed" : "added",
		.line = write_member,
		.arg = remove,
		.figures = figures,
	};
	int code = path_of(path, operands[0], "/members");

	return code ? code : ctl_upload(ctl, &upload);
}

static int run_add(struct ctl *ctl, char **operands, unsigned n)
{
	(void)n;
	return change_members(ctl, operands, NULL);
}

static int run_remove(struct ctl *ctl, char **operands, unsigned n)
{
	(void)n;
	return change_members(ctl, operands, "remove");
}

// A member: the identity that adds it again, first.
static bool show_member(void *arg, const char *line, size_t len)
{
	const struct ctl *ctl = arg;
	struct problem problem;
	struct json_reader member = {.pointer = "", .problem = &problem};
	char supi[CTL_CELL_MAX], gpsi[CTL_CELL_MAX];
	struct json *json;
	const char *text;

	if (ctl->json)
		return printf("%.*s\n", (int)len, line) > 0;
	problem_init(&problem);
	json = json_parse(line, len, &problem);
	if (!json)
		return len == 0;
	member.object = json;
	text = ctl_text(&member, "gpsi");
	ctl_clean(gpsi, sizeof(gpsi), text ? text : "");
	text = ctl_text(&member, "supi");
	ctl_clean(supi, sizeof(supi), text ? text : "");
	json_free(json);
	return printf("%s%s%s\n", supi, *supi && *gpsi ? "  " : "", gpsi) > 0;
}

static int run_members(struct ctl *ctl, char **operands, unsigned n)
{
	char path[CTL_PATH_MAX];
	const struct ctl_request request = {
		.method = "GET", .path = path, .line = show_member, .arg = ctl};
	struct ctl_response response;
	int code = path_of(path, operands[0], "/members");

	(void)n;
	if (!code)
		code = ctl_call(ctl, &request, &response);
	if (!code)
		ctl_response_free(&response);
	return code;
}

// ---- The table's rows

static const struct arg put_args[] = {
	{ARG_TEXT, .name = "description", .value = "TEXT", .help = "for people",
	 .target = &put_options.description},
	{0},
};

const struct ctl_command ctl_group_list_command = {
	.object = "group",
	.verb = "list",
	.summary = "all groups",
	.help = {.usage = "akmapushctl group list [OPTION…]",
		 .about = "Lists the groups in the order of their ids.",
		 .examples = "  akmapushctl group list",
		 .more = ctl_shared},
	.run = run_list,
};

const struct ctl_command ctl_group_show_command = {
	.object = "group",
	.verb = "show",
	.min = 1,
	.max = 1,
	.summary = "one group",
	.help = {.usage = "akmapushctl group show [OPTION…] ID",
		 .about = "Shows a group and how many members it has.",
		 .examples = "  akmapushctl group show meters",
		 .more = ctl_shared},
	.run = run_show,
};

const struct ctl_command ctl_group_put_command = {
	.object = "group",
	.verb = "put",
	.min = 1,
	.max = 1,
	.summary = "makes a group, or replaces its description",
	.help = {.usage = "akmapushctl group put [OPTION…] ID",
		 .about = "Makes a group without members, or replaces the description of one that "
			  "exists.",
		 .examples = "  akmapushctl group put meters --description 'electricity, north'",
		 .args = put_args,
		 .more = ctl_shared},
	.options = &put_options,
	.options_len = sizeof(put_options),
	.run = run_put,
};

const struct ctl_command ctl_group_delete_command = {
	.object = "group",
	.verb = "delete",
	.min = 1,
	.max = 1,
	.summary = "removes a group and its memberships",
	.help = {.usage = "akmapushctl group delete [OPTION…] ID",
		 .about = "Removes a group and its memberships. Pushes accepted before go on.",
		 .examples = "  akmapushctl group delete meters",
		 .more = ctl_shared},
	.run = run_delete,
};

const struct ctl_command ctl_group_add_command = {
	.object = "group",
	.verb = "add",
	.min = 2,
	.max = 2,
	.file = 2,
	.summary = "adds members, one identity a line",
	.help = {.usage = "akmapushctl group add [OPTION…] ID FILE|-",
		 .about =
			 "Adds members from a file, or standard input: a SUPI or GPSI a line, of "
			 "any "
			 "number. Empty\nlines and lines that begin with # are passed over. A line "
			 "that is wrong is reported, the\nothers count; the exit code is 1 then.",
		 .examples = "  akmapushctl group add meters members.txt\n"
			     "  seq -f imsi-%015.0f 1010000000001 1010000001000 |\n"
			     "    akmapushctl group add meters -",
		 .more = ctl_shared},
	.run = run_add,
};

const struct ctl_command ctl_group_remove_command = {
	.object = "group",
	.verb = "remove",
	.min = 2,
	.max = 2,
	.file = 2,
	.summary = "takes members out, one identity a line",
	.help = {.usage = "akmapushctl group remove [OPTION…] ID FILE|-",
		 .about = "Takes members out of a group: a SUPI or GPSI a line, as group add reads "
			  "them.",
		 .examples = "  echo msisdn-15551234567 | akmapushctl group remove meters -",
		 .more = ctl_shared},
	.run = run_remove,
};

const struct ctl_command ctl_group_members_command = {
	.object = "group",
	.verb = "members",
	.min = 1,
	.max = 1,
	.summary = "lists the members of a group",
	.help = {.usage = "akmapushctl group members [OPTION…] ID",
		 .about = "Lists the members, one a line, with both identities where both are "
			  "known; "
			  "with --json\none object a line.",
		 .examples = "  akmapushctl group members meters | wc -l",
		 .more = ctl_shared},
	.run = run_members,
};
