#include "tools/ctl/ctl_af.h"

#include <stdio.h>
#include <string.h>

#include "tools/ctl/ctl_call.h"
#include "tools/ctl/ctl_format.h"
#include "tools/ctl/ctl_table.h"

enum { GROUPS_TEXT_MAX = 400 };

static struct {
	bool all, suspended, trusted, hot;
	struct arg_texts groups;
	uint64_t rate, push_rate, quota, max_targets, max_payload;
	const char *description;
} put_options;

// The limits of a registration: member, and where the options of put have them.
static const struct limit {
	const char *member, *label;
	uint64_t *option;
} limits[] = {
	{"rate", "datagrams a second", &put_options.rate},
	{"pushRate", "pushes a second", &put_options.push_rate},
	{"quota", "targets a day", &put_options.quota},
	{"maxTargets", "targets of a push", &put_options.max_targets},
	{"maxPayload", "octets of a payload", &put_options.max_payload},
};
enum { N_LIMITS = sizeof(limits) / sizeof(limits[0]) };

static int path_of(char path[CTL_PATH_MAX], const char *fqdn, const char *behind)
{
	return ctl_path(path, "/akma-push/v1/afs/", fqdn, behind);
}

// ---- Shown

static const char *allowed_text(const struct json_reader *af, char text[GROUPS_TEXT_MAX])
{
	struct json_reader allowed = ctl_child(af, "allowedUes");
	const struct json *groups = ctl_list(&allowed, "externalGroupIds");
	size_t n = 0;

	snprintf(text, GROUPS_TEXT_MAX, "%s", ctl_flag(&allowed, "all", false) ? "all" : "");
	for (size_t i = 0; i < json_array_len(groups) && n < GROUPS_TEXT_MAX; i++) {
		const char *group = json_text(json_array_at(groups, i));

		n += (size_t)snprintf(text + n, GROUPS_TEXT_MAX - n, "%s%s", i ? " " : "",
				      group ? group : "?");
	}
	return text;
}

static void put_limit(struct ctl_table *table, uint64_t value)
{
	if (value)
		ctl_table_number(table, value);
	else
		ctl_table_text(table, "-");
}

static void show_list(const struct json_reader *top)
{
	static const struct ctl_column columns[] = {{"AF"},
						    {"STATE"},
						    {"TRUSTED"},
						    {"ALLOWED UES"},
						    {"DATAGRAMS/s", true},
						    {"PUSHES/s", true},
						    {"TARGETS/d", true},
						    {"DESCRIPTION"}};
	const struct json *afs = ctl_list(top, "afs");
	struct ctl_table *table = ctl_table_new(columns, 8);
	char allowed[GROUPS_TEXT_MAX];

	for (size_t i = 0; i < json_array_len(afs); i++) {
		struct json_reader af = ctl_item(top, afs, i);

		ctl_table_text(table, ctl_text(&af, "afId"));
		ctl_table_text(table, ctl_flag(&af, "suspended", false) ? "suspended" : "active");
		ctl_table_text(table, ctl_flag(&af, "trusted", false) ? "yes" : "no");
		ctl_table_text(table, allowed_text(&af, allowed));
		for (unsigned l = 0; l < 3; l++)
			put_limit(table, ctl_uint(&af, limits[l].member));
		ctl_table_text(table, ctl_text(&af, "description"));
	}
	ctl_table_show(table);
}

static void show_one(const struct json_reader *af)
{
	static const struct ctl_column columns[] = {{NULL}, {NULL}};
	struct ctl_table *table = ctl_table_new(columns, 2);
	char allowed[GROUPS_TEXT_MAX];

	ctl_table_text(table, "AF");
	ctl_table_text(table, ctl_text(af, "afId"));
	ctl_table_text(table, "state");
	ctl_table_text(table, ctl_flag(af, "suspended", false) ? "suspended" : "active");
	ctl_table_text(table, "trusted");
	ctl_table_text(table, ctl_flag(af, "trusted", false) ? "yes: names and sees SUPIs"
							     : "no: GPSIs only");
	ctl_table_text(table, "hot");
	ctl_table_text(table, ctl_flag(af, "hot", false) ? "yes: its K_AFs are kept" : "no");
	ctl_table_text(table, "allowed UEs");
	ctl_table_text(table, allowed_text(af, allowed));
	for (unsigned i = 0; i < N_LIMITS; i++) {
		uint64_t value = ctl_uint(af, limits[i].member);

		ctl_table_text(table, limits[i].label);
		if (value)
			ctl_table_number(table, value);
		else
			ctl_table_text(table, "no limit of its own");
	}
	ctl_table_text(table, "description");
	ctl_table_text(table, ctl_text(af, "description"));
	ctl_table_show(table);
}

static int run_list(struct ctl *ctl, char **operands, unsigned n)
{
	(void)operands, (void)n;
	return ctl_show(ctl, "/akma-push/v1/afs", show_list);
}

static int run_show(struct ctl *ctl, char **operands, unsigned n)
{
	char path[CTL_PATH_MAX];
	int code = path_of(path, operands[0], "");

	(void)n;
	return code ? code : ctl_show(ctl, path, show_one);
}

// ---- Changed

// "FQDN DONE", with --json the registration as it is now.
static void show_done(const struct ctl *ctl, struct ctl_doc *doc, const char *done)
{
	const char *fqdn = ctl_text(&doc->top, "afId");

	if (ctl->json)
		ctl_doc_print(doc);
	else
		printf("%s %s\n", fqdn ? fqdn : "?", done);
	ctl_doc_free(doc);
}

static void write_put(struct json_writer *w)
{
	json_open_object(w, "allowedUes");
	if (put_options.all) {
		json_put_bool(w, "all", true);
	} else {
		json_open_array(w, "externalGroupIds");
		for (unsigned i = 0; i < put_options.groups.n; i++)
			json_put_string(w, NULL, put_options.groups.text[i]);
		json_close(w);
	}
	json_close(w);
	json_put_bool(w, "suspended", put_options.suspended);
	json_put_bool(w, "trusted", put_options.trusted);
	json_put_bool(w, "hot", put_options.hot);
	for (unsigned i = 0; i < N_LIMITS; i++)
		json_put_uint(w, limits[i].member, *limits[i].option);
	if (put_options.description)
		json_put_string(w, "description", put_options.description);
}

static int run_put(struct ctl *ctl, char **operands, unsigned n)
{
	struct json_writer *w;
	char path[CTL_PATH_MAX];
	struct ctl_doc doc;
	int code;

	(void)n;
	if (put_options.all == (put_options.groups.n > 0))
		return ctl_fail(CTL_USAGE, "af put: which UEs may it reach? --all, or --group ID "
					   "once or more");
	code = path_of(path, operands[0], "");
	if (code)
		return code;
	w = json_write();
	write_put(w);
	code = ctl_doc_send(ctl, "PUT", path, "application/json", w, &doc);
	if (!code)
		show_done(ctl, &doc, doc.response.status == 201 ? "registered" : "replaced");
	return code;
}

// The daemon changes that alone: what others change of the registration meanwhile stays.
static int set_suspended(struct ctl *ctl, const char *fqdn, const char *method, const char *done)
{
	char path[CTL_PATH_MAX];
	const struct ctl_request request = {.method = method, .path = path};
	struct ctl_doc doc;
	int code = path_of(path, fqdn, "/suspension");

	if (!code)
		code = ctl_doc_call(ctl, &request, &doc);
	if (!code)
		show_done(ctl, &doc, done);
	return code;
}

static int run_suspend(struct ctl *ctl, char **operands, unsigned n)
{
	(void)n;
	return set_suspended(ctl, operands[0], "PUT", "suspended");
}

static int run_resume(struct ctl *ctl, char **operands, unsigned n)
{
	(void)n;
	return set_suspended(ctl, operands[0], "DELETE", "resumed");
}

static int run_delete(struct ctl *ctl, char **operands, unsigned n)
{
	char path[CTL_PATH_MAX];
	int code = path_of(path, operands[0], "");

	(void)n;
	return code ? code : ctl_delete(ctl, path, operands[0], "deleted");
}

// ---- The table's rows

static const struct arg put_args[] = {
	{ARG_FLAG, .name = "all", .help = "it may reach every UE", .target = &put_options.all},
	{ARG_TEXTS, .name = "group", .value = "ID",
	 .help = "it may reach the members of this group; may be repeated",
	 .target = &put_options.groups},
	{ARG_FLAG, .name = "trusted", .help = "it may name and see SUPIs, not GPSIs only",
	 .target = &put_options.trusted},
	{ARG_FLAG, .name = "hot",
	 .help = "it pushes often: its K_AFs are kept (dataplane.kaf_cache), 16 AFs at most",
	 .target = &put_options.hot},
	{ARG_FLAG, .name = "suspended", .help = "it may not push for now",
	 .target = &put_options.suspended},
	{ARG_UINT, .name = "rate", .value = "N",
	 .help = "datagrams a second; 0, the default: no limit", .target = &put_options.rate,
	 .max = UINT64_MAX},
	{ARG_UINT, .name = "push-rate", .value = "N", .help = "pushes a second",
	 .target = &put_options.push_rate, .max = UINT64_MAX},
	{ARG_UINT, .name = "quota", .value = "N", .help = "targets a day (UTC)",
	 .target = &put_options.quota, .max = UINT64_MAX},
	{ARG_UINT, .name = "max-targets", .value = "N", .help = "targets of one push",
	 .target = &put_options.max_targets, .max = UINT64_MAX},
	{ARG_UINT, .name = "max-payload", .value = "N", .help = "octets of a payload",
	 .target = &put_options.max_payload, .max = UINT64_MAX},
	{ARG_TEXT, .name = "description", .value = "TEXT", .help = "for people",
	 .target = &put_options.description},
	{0},
};

const struct ctl_command ctl_af_list_command = {
	.object = "af",
	.verb = "list",
	.summary = "all AFs",
	.help = {.usage = "akmapushctl af list [OPTION…]",
		 .about = "Lists the AFs in the order of their FQDNs.",
		 .examples = "  akmapushctl af list",
		 .more = ctl_shared},
	.run = run_list,
};

const struct ctl_command ctl_af_show_command = {
	.object = "af",
	.verb = "show",
	.min = 1,
	.max = 1,
	.summary = "one AF",
	.help = {.usage = "akmapushctl af show [OPTION…] FQDN",
		 .about = "Shows the registration of an AF.",
		 .examples = "  akmapushctl af show meter.example.com",
		 .more = ctl_shared},
	.run = run_show,
};

const struct ctl_command ctl_af_put_command = {
	.object = "af",
	.verb = "put",
	.min = 1,
	.max = 1,
	.summary = "registers an AF, or replaces its registration whole",
	.help = {.usage = "akmapushctl af put [OPTION…] FQDN (--all | --group ID…)",
		 .about = "Registers an AF, or replaces its registration whole: an option left out "
			  "is its default.",
		 .examples = "  akmapushctl af put meter.example.com --group meters --rate 50k\n"
			     "  akmapushctl af put ops.example.com --all --trusted",
		 .args = put_args,
		 .more = ctl_shared},
	.options = &put_options,
	.options_len = sizeof(put_options),
	.run = run_put,
};

const struct ctl_command ctl_af_suspend_command = {
	.object = "af",
	.verb = "suspend",
	.min = 1,
	.max = 1,
	.summary = "ends an AF's pushes and takes no more of them",
	.help = {.usage = "akmapushctl af suspend [OPTION…] FQDN",
		 .about = "Ends the pushes of an AF: what is not final becomes NOT_ALLOWED. It "
			  "can't "
			  "push until it\nis resumed.",
		 .examples = "  akmapushctl af suspend meter.example.com",
		 .more = ctl_shared},
	.run = run_suspend,
};

const struct ctl_command ctl_af_resume_command = {
	.object = "af",
	.verb = "resume",
	.min = 1,
	.max = 1,
	.summary = "lets a suspended AF push again",
	.help = {.usage = "akmapushctl af resume [OPTION…] FQDN",
		 .about = "Lets a suspended AF push again. Pushes that were ended stay so.",
		 .examples = "  akmapushctl af resume meter.example.com",
		 .more = ctl_shared},
	.run = run_resume,
};

const struct ctl_command ctl_af_delete_command = {
	.object = "af",
	.verb = "delete",
	.min = 1,
	.max = 1,
	.summary = "removes an AF; its pushes end",
	.help = {.usage = "akmapushctl af delete [OPTION…] FQDN",
		 .about = "Removes an AF; its pushes end as by a suspension.",
		 .examples = "  akmapushctl af delete meter.example.com",
		 .more = ctl_shared},
	.run = run_delete,
};
