#include "tools/ctl/ctl_doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>

#include "control/config/config.h"
#include "tools/ctl/ctl_call.h"
#include "tools/ctl/ctl_table.h"
#include "tools/ctl/doctor/doctor.h"
#include "tools/ctl/doctor/look.h"

_Static_assert((int)CONFIG_PORTS_MAX <= (int)DOCTOR_DEVICES_MAX, "all ports are looked at");

static struct options {
	const char *config, *root;
} options;

// ---- What it works on

static void report(void *ctx, const char *text)
{
	(void)ctx;
	fprintf(stderr, "%s\n", text);
}

// Points into the configuration.
static void read_needs(struct doctor_needs *needs, const struct config *config)
{
	*needs = (struct doctor_needs){
		.is_dpdk = !strcmp(config->dataplane.io, "dpdk"),
		.workers = config->dataplane.workers,
		.cpus = config->dataplane.cpus,
		.ues = config->dataplane.ues,
		.n_devices = config->dpdk.n_ports,
	};
	for (unsigned i = 0; i < config->dpdk.n_eal; i++)
		needs->no_huge |= !strcmp(config->dpdk.eal[i], "--no-huge");
	for (unsigned i = 0; i < config->dpdk.n_ports; i++)
		needs->device[i] = config->dpdk.ports[i].device;
}

static void read_clock(struct doctor_clock *clock)
{
	struct timex now = {0};
	const int state = adjtimex(&now);

	*clock = (struct doctor_clock){
		.is_known = state >= 0,
		.is_synchronised = state != TIME_ERROR && !(now.status & STA_UNSYNC),
		.error_us = (uint64_t)now.maxerror,
	};
}

// ---- What it says

static void show(const struct doctor *d)
{
	static const struct ctl_column columns[] = {{"CHECK"}, {"STATE"}, {"FOUND"}};
	struct ctl_table *table = ctl_table_new(columns, 3);

	for (unsigned i = 0; i < d->n; i++) {
		ctl_table_text(table, d->line[i].name);
		ctl_table_text(table, doctor_state_names[d->line[i].state]);
		ctl_table_text(table, d->line[i].found);
	}
	ctl_table_show(table);
}

static void show_mends(const struct doctor *d)
{
	for (unsigned i = 0; i < d->n; i++) {
		char text[DOCTOR_TEXT_MAX], *rest = text;

		if (!d->line[i].mend[0])
			continue;
		printf("\n%s:\n", d->line[i].name);
		memcpy(text, d->line[i].mend, sizeof(text));
		for (char *line; (line = strsep(&rest, "\n"));)
			printf("  %s\n", line);
	}
}

static void put_line(struct json_writer *w, const struct doctor_line *line)
{
	json_open_object(w, NULL);
	json_put_string(w, "check", line->name);
	json_put_string(w, "state", doctor_state_names[line->state]);
	json_put_string(w, "found", line->found);
	if (line->mend[0])
		json_put_string(w, "mend", line->mend);
	json_close(w);
}

static void print_json(const struct doctor *d)
{
	struct json_writer *w = json_write();
	struct ctl_body body;

	for (enum doctor_state state = 0; state < DOCTOR_STATES; state++)
		json_put_uint(w, doctor_state_names[state], doctor_count(d, state));
	json_open_array(w, "checks");
	for (unsigned i = 0; i < d->n; i++)
		put_line(w, &d->line[i]);
	json_close(w);
	ctl_body_take(&body, w);
	puts(body.text ? body.text : "{}");
	ctl_body_free(&body);
}

static int look(const struct ctl *ctl, const struct config *config)
{
	struct doctor *d = calloc(1, sizeof(*d));
	int code;

	if (!d)
		return ctl_fail(CTL_REFUSED, "out of memory");
	d->root = options.root ? options.root : "";
	read_needs(&d->needs, config);
	if (!*d->root)
		read_clock(&d->clock);
	doctor_look(d);
	code = doctor_count(d, DOCTOR_FAIL) ? CTL_REFUSED : CTL_OK;
	if (ctl->json) {
		print_json(d);
	} else {
		show(d);
		show_mends(d);
	}
	free(d);
	return code;
}

static int run(struct ctl *ctl, char **operands, unsigned n)
{
	struct config *config;
	int code;

	(void)operands, (void)n;
	if (config_load(options.config, &config, report, NULL))
		return ctl_fail(CTL_USAGE, "--config: not good, see above");
	code = look(ctl, config);
	config_free(config);
	return code;
}

static const struct arg args[] = {
	{ARG_TEXT, .name = "config", .value = "FILE",
	 .help = "configuration whose ports and sizes are looked at; without it the defaults",
	 .target = &options.config},
	{ARG_TEXT, .name = "root", .value = "DIR",
	 .help = "look at /proc, /sys and /dev below DIR: of another machine, or in a test",
	 .target = &options.root},
	{0},
};

const struct ctl_command ctl_doctor_command = {
	.object = "doctor",
	.summary = "looks at this machine, with what mends it",
	.help = {.usage = "akmapushctl doctor [OPTION…]",
		 .about = "Looks at what the data plane needs of this machine (huge pages, ports, "
			  "CPUs, limits and\n"
			  "capabilities of who asks) and tells how it stands, and the commands "
			  "that mend it.\n"
			  "Needs no running daemon and changes nothing. Exit code 1 when something "
			  "fails.",
		 .examples = "  akmapushctl doctor --config /etc/akmapush/akmapush.yaml\n"
			     "  sudo -u akmapush akmapushctl doctor --json",
		 .args = args,
		 .more = ctl_shared},
	.options = &options,
	.options_len = sizeof(options),
	.run = run,
};
