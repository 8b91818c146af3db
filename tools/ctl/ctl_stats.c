// stats: counters of the data plane by reason, of store, HTTP door and pushes; with --watch what
// they grow by in a second.

#include "tools/ctl/ctl_stats.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/reason.h"
#include "tools/ctl/ctl_call.h"
#include "tools/ctl/ctl_format.h"
#include "tools/ctl/ctl_stats_ports.h"
#include "tools/ctl/ctl_table.h"

static struct {
	const char *worker;
	bool watch;
} options;

// Name in the daemon's JSON and what it means: the list of the data plane itself.
static const struct reason_text reasons[] = {
#define X(name, metric, help) {metric, help},
	REASONS(X)
#undef X
};

static const struct section {
	const char *name;
	const char *members[10];
} sections[] = {
	{"ues", {"registered", "addressed", "handles"}},
	{"pushes", {"running", "waiting", "accepted", "refused", "finished"}},
	{"naanf", {"registered", "removed", "served", "withoutContext", "expired"}},
	{"store", {"groups", "batches", "failed", "octets", "queued"}},
	{"http",
	 {"connections", "connectionsNow", "connectionsRefused", "connectionsBad", "requests",
	  "requestsNow", "requestsRefused", "octetsIn", "octetsOut"}},
};
enum {
	N_SECTIONS = sizeof(sections) / sizeof(sections[0]),
	MEMBERS_MAX = 10,
	N_VALUES = REASON_COUNT + N_SECTIONS * MEMBERS_MAX,
};

// Every figure in the order of the lists above.
struct figures {
	uint64_t value[N_VALUES];
	struct ctl_ports ports;
	double at_s; // monotonic
};

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void read_figures(struct figures *f, const struct json_reader *from,
			 const struct json_reader *top)
{
	struct json_reader counters = ctl_child(from, "counters");

	f->at_s = now_s();
	ctl_ports_read(&f->ports, from);
	for (unsigned i = 0; i < REASON_COUNT; i++)
		f->value[i] = ctl_uint(&counters, reasons[i].metric);
	for (unsigned s = 0; s < N_SECTIONS; s++) {
		struct json_reader section = ctl_child(top, sections[s].name);

		for (unsigned m = 0; m < MEMBERS_MAX && sections[s].members[m]; m++)
			f->value[REASON_COUNT + s * MEMBERS_MAX + m] =
				ctl_uint(&section, sections[s].members[m]);
	}
}

// Growth in a second, empty where nothing moved or nothing is known yet.
static void put_rate(struct ctl_table *table, const struct figures *now,
		     const struct figures *before, unsigned i)
{
	double span_s = before ? now->at_s - before->at_s : 0;

	if (span_s > 0 && now->value[i] > before->value[i])
		ctl_table_number(
			table,
			(uint64_t)((double)(now->value[i] - before->value[i]) / span_s + 0.5));
	else
		ctl_table_text(table, NULL);
}

static void show_counters(const struct figures *now, const struct figures *before)
{
	static const struct ctl_column columns[] = {
		{"COUNTER"}, {"COUNT", true}, {"PER SECOND", true}, {"MEANING"}};
	struct ctl_table *table = ctl_table_new(columns, 4);

	for (unsigned i = 0; i < REASON_COUNT; i++) {
		ctl_table_text(table, reasons[i].metric);
		ctl_table_number(table, now->value[i]);
		put_rate(table, now, before, i);
		ctl_table_text(table, reasons[i].help);
	}
	ctl_table_show(table);
}

static void show_sections(const struct figures *now, const struct figures *before)
{
	static const struct ctl_column columns[] = {
		{"PART"}, {"FIGURE"}, {"COUNT", true}, {"PER SECOND", true}};
	struct ctl_table *table = ctl_table_new(columns, 4);

	for (unsigned s = 0; s < N_SECTIONS; s++) {
		for (unsigned m = 0; m < MEMBERS_MAX && sections[s].members[m]; m++) {
			unsigned i = REASON_COUNT + s * MEMBERS_MAX + m;

			ctl_table_text(table, m ? NULL : sections[s].name);
			ctl_table_text(table, sections[s].members[m]);
			ctl_table_number(table, now->value[i]);
			put_rate(table, now, before, i);
		}
	}
	putchar('\n');
	ctl_table_show(table);
}

static void show_operations(const struct json_reader *top)
{
	static const struct ctl_column columns[] = {
		{"OPERATION"}, {"2xx", true}, {"4xx", true}, {"5xx", true}};
	struct json_reader http = ctl_child(top, "http");
	const struct json *list = ctl_list(&http, "operations");
	struct ctl_table *table = ctl_table_new(columns, 4);

	for (size_t i = 0; i < json_array_len(list); i++) {
		struct json_reader op = ctl_item(&http, list, i);
		uint64_t good = ctl_uint(&op, "2xx"), wrong = ctl_uint(&op, "4xx"),
			 failed = ctl_uint(&op, "5xx");

		if (!good && !wrong && !failed)
			continue;
		ctl_table_text(table, ctl_text(&op, "op"));
		ctl_table_number(table, good);
		ctl_table_number(table, wrong);
		ctl_table_number(table, failed);
	}
	putchar('\n');
	ctl_table_show(table);
}

// The counters of the worker asked for, or all; false when there is none of that number.
static bool pick(const struct json_reader *top, const uint64_t *worker, struct json_reader *from)
{
	const struct json *workers = ctl_list(top, "workers");

	*from = *top;
	if (!worker)
		return true;
	for (size_t i = 0; i < json_array_len(workers); i++) {
		*from = ctl_item(top, workers, i);
		if (ctl_uint(from, "worker") == *worker)
			return true;
	}
	return false;
}

static int show_once(struct ctl *ctl, const uint64_t *worker, struct figures *now,
		     const struct figures *before)
{
	struct json_reader from;
	struct ctl_doc doc;
	int code = ctl_doc_get(ctl, "/admin/v1/stats", &doc);

	if (code)
		return code;
	if (!pick(&doc.top, worker, &from)) {
		code = ctl_fail(CTL_USAGE, "the daemon has %zu workers, numbered from 0",
				json_array_len(ctl_list(&doc.top, "workers")));
	} else if (ctl->json) {
		ctl_doc_print(&doc);
	} else {
		read_figures(now, &from, &doc.top);
		if (options.watch && isatty(STDOUT_FILENO))
			fputs("\033[H\033[2J", stdout);
		show_counters(now, before);
		ctl_ports_show_counts(&now->ports, before ? &before->ports : NULL,
				      before ? now->at_s - before->at_s : 0, &doc.top);
		if (!worker) {
			ctl_ports_show(&doc.top);
			show_sections(now, before);
			show_operations(&doc.top);
		}
	}
	ctl_doc_free(&doc);
	fflush(stdout);
	return code;
}

static int run(struct ctl *ctl, char **operands, unsigned n)
{
	static struct figures figures[2];
	uint64_t number, *worker = NULL;
	unsigned round = 0;
	int code;

	(void)operands, (void)n;
	if (options.worker) {
		if (args_uint(options.worker, 0, UINT32_MAX, &number))
			return ctl_fail(CTL_USAGE, "--worker: \"%.40s\" is no number",
					options.worker);
		worker = &number;
	}
	do {
		code = show_once(ctl, worker, &figures[round % 2],
				 round ? &figures[(round + 1) % 2] : NULL);
		round++;
		if (!code && options.watch && !ctl_interrupted)
			sleep(1);
	} while (!code && options.watch && !ctl_interrupted);
	return options.watch && ctl_interrupted ? CTL_OK : code; // that is how watching ends
}

static const struct arg args[] = {
	{ARG_TEXT, .name = "worker", .value = "N", .help = "counters of one worker, from 0",
	 .target = &options.worker},
	{ARG_FLAG, .name = "watch", .help = "again every second, with rates, until Ctrl-C",
	 .target = &options.watch},
	{0},
};

const struct ctl_command ctl_stats_command = {
	.object = "stats",
	.summary = "counters and rates",
	.help = {.usage = "akmapushctl stats [OPTION…]",
		 .about = "Shows the counters of the data plane by reason, of its ports (those "
			  "that are "
			  "not 0), of\nstore, HTTP door and pushes.\nWith --json and --watch: one "
			  "object a line, every second.",
		 .examples = "  akmapushctl stats --watch\n  akmapushctl stats --worker 0 --json",
		 .args = args,
		 .more = ctl_shared},
	.options = &options,
	.options_len = sizeof(options),
	.run = run,
};
