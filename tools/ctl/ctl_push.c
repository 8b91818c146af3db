#include "tools/ctl/ctl_push.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/ctl/ctl_format.h"
#include "tools/ctl/ctl_table.h"

const char *const ctl_push_states[] = {
	"PENDING",     "SENT",        "RECEIVED",    "DELIVERED",  "REFUSED",
	"TOO_OLD",     "EXPIRED",     "UNCONFIRMED", "NO_CONTEXT", "NO_ADDRESS",
	"KEY_EXPIRED", "NOT_ALLOWED", "REPLACED",    "RECALLED",   NULL,
};

// ---- One push

int ctl_push_get(struct ctl *ctl, const char *af, const char *id, struct ctl_doc *doc)
{
	char path[CTL_PATH_MAX];
	int code = af ? ctl_push_path(ctl, af, id, "", path)
		      : ctl_path(path, "/admin/v1/pushes/", id, "");

	return code ? code : ctl_doc_get(ctl, path, doc);
}

static int find_af(struct ctl *ctl, const char *id, char **af)
{
	struct ctl_doc doc;
	const char *text;
	int code = ctl_push_get(ctl, NULL, id, &doc);

	if (code)
		return code;
	text = ctl_text(&doc.top, "afId");
	*af = text ? strdup(text) : NULL;
	ctl_doc_free(&doc);
	return *af ? CTL_OK : ctl_fail(CTL_REFUSED, "the daemon does not tell the AF of the push");
}

int ctl_push_path(struct ctl *ctl, const char *af, const char *id, const char *behind,
		  char path[CTL_PATH_MAX])
{
	char *found = NULL, pushes[CTL_PATH_MAX];
	int code = af ? CTL_OK : find_af(ctl, id, &found);

	if (!code)
		code = ctl_path(pushes, "/akma-push/v1/", af ? af : found, "/pushes/");
	free(found);
	return code ? code : ctl_path(path, pushes, id, behind);
}

// docs/specification.md 6.9: these at once, SENT when nothing is to be acknowledged, all at the
// end.
uint64_t ctl_push_final(const struct json_reader *push)
{
	static const char *const final[] = {"DELIVERED",   "REFUSED",     "TOO_OLD",  "EXPIRED",
					    "UNCONFIRMED", "NOT_ALLOWED", "REPLACED", "RECALLED"};
	struct json_reader states = ctl_child(push, "states");
	const char *state = ctl_text(push, "state");
	uint64_t n = 0;

	if (state && strcmp(state, "FINISHED") == 0)
		return ctl_uint(push, "targets");
	for (unsigned i = 0; i < sizeof(final) / sizeof(final[0]); i++)
		n += ctl_uint(&states, final[i]);
	return n + (ctl_flag(push, "ackRequested", true) ? 0 : ctl_uint(&states, "SENT"));
}

// ---- Shown

static void put_time(struct ctl_table *table, const char *label, const char *datetime)
{
	char time[CTL_TIME_MAX];

	ctl_table_text(table, label);
	ctl_table_text(table, datetime ? ctl_time(time, datetime) : NULL);
}

static void put_manner(struct ctl_table *table, const struct json_reader *push)
{
	char line[160];

	snprintf(line, sizeof(line), "%s, %s, suite %u, segments of %u octets",
		 ctl_flag(push, "ackRequested", true) ? "acknowledged" : "not acknowledged",
		 ctl_flag(push, "ordered", false) ? "in order" : "in any order",
		 (unsigned)ctl_uint(push, "suite"), (unsigned)ctl_uint(push, "segmentSize"));
	ctl_table_text(table, "manner");
	ctl_table_text(table, line);
}

static void show_states(const struct json_reader *push)
{
	static const struct ctl_column columns[] = {{"STATE"}, {"TARGETS", true}, {"SHARE", true}};
	struct json_reader states = ctl_child(push, "states");
	struct ctl_table *table = ctl_table_new(columns, 3);
	uint64_t targets = ctl_uint(push, "targets");

	for (const char *const *state = ctl_push_states; *state; state++) {
		uint64_t n = ctl_uint(&states, *state);
		char share[32];

		if (!n)
			continue;
		snprintf(share, sizeof(share), "%.1f %%",
			 targets ? 100.0 * (double)n / (double)targets : 0);
		ctl_table_text(table, *state);
		ctl_table_number(table, n);
		ctl_table_text(table, share);
	}
	putchar('\n');
	ctl_table_show(table);
}

void ctl_push_show(const struct json_reader *push)
{
	static const struct ctl_column columns[] = {{NULL}, {NULL}};
	struct ctl_table *table = ctl_table_new(columns, 2);

	ctl_table_text(table, "push");
	ctl_table_text(table, ctl_text(push, "pushId"));
	ctl_table_text(table, "AF");
	ctl_table_text(table, ctl_text(push, "afId"));
	ctl_table_text(table, "state");
	ctl_table_text(table, ctl_text(push, "state"));
	put_time(table, "created", ctl_text(push, "created"));
	put_time(table, "expiry", ctl_text(push, "expiry"));
	put_manner(table, push);
	ctl_table_text(table, "targets");
	ctl_table_number(table, ctl_uint(push, "targets"));
	ctl_table_text(table, "datagrams");
	ctl_table_number(table, ctl_uint(push, "datagramsSent"));
	ctl_table_show(table);
	show_states(push);
}
