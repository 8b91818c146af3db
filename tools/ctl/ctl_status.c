#include "tools/ctl/ctl_status.h"

#include <stdio.h>
#include <string.h>

#include "tools/ctl/ctl_call.h"
#include "tools/ctl/ctl_format.h"
#include "tools/ctl/ctl_table.h"

static const struct ctl_column facts[] = {{NULL}, {NULL}};

static void put_health(struct ctl_table *table, const char *health)
{
	ctl_table_text(table, "health");
	ctl_table_text(table, health);
}

static void put_started(struct ctl_table *table, const struct json_reader *top)
{
	char line[128], started[CTL_TIME_MAX], span[CTL_NUMBER_MAX];
	const char *text = ctl_text(top, "started");

	snprintf(line, sizeof(line), "%s, %s ago, pid %llu", ctl_time(started, text ? text : ""),
		 ctl_span(span, ctl_uint(top, "uptime")), (unsigned long long)ctl_uint(top, "pid"));
	ctl_table_text(table, "started");
	ctl_table_text(table, line);
}

static void put_dataplane(struct ctl_table *table, const struct json_reader *top)
{
	struct json_reader dp = ctl_child(top, "dataplane");
	const struct json *ports = ctl_list(&dp, "ports");
	static const char *const members[] = {"io", "sha256", "aead", "pages"};
	char line[160];
	size_t len = (size_t)snprintf(line, sizeof(line), "%zu worker%s", json_array_len(ports),
				      json_array_len(ports) == 1 ? "" : "s");

	for (unsigned i = 0; i < 4 && len < sizeof(line); i++) {
		const char *const name = ctl_text(&dp, members[i]);

		len += (size_t)snprintf(line + len, sizeof(line) - len, ", %s %s", members[i],
					name ? name : "?");
	}
	ctl_table_text(table, "data plane");
	ctl_table_text(table, line);
}

static void put_ues(struct ctl_table *table, const struct json_reader *top)
{
	struct json_reader ues = ctl_child(top, "ues");
	char registered[CTL_NUMBER_MAX], addressed[CTL_NUMBER_MAX], handles[CTL_NUMBER_MAX],
		max[CTL_NUMBER_MAX], line[200];

	snprintf(line, sizeof(line), "%s with a key, %s with an address, %s of %s handles",
		 ctl_number(registered, ctl_uint(&ues, "registered")),
		 ctl_number(addressed, ctl_uint(&ues, "addressed")),
		 ctl_number(handles, ctl_uint(&ues, "handles")),
		 ctl_number(max, ctl_uint(&ues, "handlesMax")));
	ctl_table_text(table, "UEs");
	ctl_table_text(table, line);
}

static void put_pushes(struct ctl_table *table, const struct json_reader *top)
{
	static const char *const names[] = {"running", "waiting", "finished", "accepted",
					    "refused"};
	struct json_reader pushes = ctl_child(top, "pushes");
	char line[300] = "", number[CTL_NUMBER_MAX];

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t n = strlen(line);

		snprintf(line + n, sizeof(line) - n, "%s%s %s", n ? ", " : "",
			 ctl_number(number, ctl_uint(&pushes, names[i])), names[i]);
	}
	ctl_table_text(table, "pushes");
	ctl_table_text(table, line);
}

static void show(const struct ctl *ctl, const struct json_reader *top)
{
	struct ctl_table *table = ctl_table_new(facts, 2);
	const char *health = ctl_text(top, "health");

	ctl_table_text(table, "akmapushd");
	ctl_table_text(table, ctl_text(top, "version"));
	ctl_table_text(table, "socket");
	ctl_table_text(table, ctl->socket);
	put_health(table, health ? health : "?");
	put_started(table, top);
	put_dataplane(table, top);
	put_ues(table, top);
	ctl_table_text(table, "AFs");
	ctl_table_number(table, ctl_uint(top, "afs"));
	ctl_table_text(table, "groups");
	ctl_table_number(table, ctl_uint(top, "groups"));
	put_pushes(table, top);
	ctl_table_show(table);
}

static int run(struct ctl *ctl, char **operands, unsigned n)
{
	struct ctl_doc doc;
	int code = ctl_doc_get(ctl, "/admin/v1/status", &doc);

	(void)operands, (void)n;
	if (code)
		return code;
	if (ctl->json)
		ctl_doc_print(&doc);
	else
		show(ctl, &doc.top);
	ctl_doc_free(&doc);
	return CTL_OK;
}

const struct ctl_command ctl_status_command = {
	.object = "status",
	.summary = "the daemon at a glance",
	.help = {.usage = "akmapushctl status [OPTION…]",
		 .about = "Shows version, health, data plane, and how many UEs, AFs, groups and "
			  "pushes there are.",
		 .examples = "  akmapushctl status\n  akmapushctl status --json | jq .health",
		 .more = ctl_shared},
	.run = run,
};
