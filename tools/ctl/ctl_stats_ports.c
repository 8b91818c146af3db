#include "tools/ctl/ctl_stats_ports.h"

#include <stdio.h>

#include "tools/ctl/ctl_call.h"
#include "tools/ctl/ctl_table.h"

// Names in the daemon's JSON and what they mean: the lists of the data plane itself.
static const struct port_text texts[CTL_PORT_FIGURES] = {
#define X(name, metric, help) {metric, help},
	PORT_COUNTS(X) PORT_DEVICE_COUNTS(X)
#undef X
};

void ctl_ports_read(struct ctl_ports *ports, const struct json_reader *from)
{
	const struct json *list = ctl_list(from, "ports");

	*ports = (struct ctl_ports){0};
	for (size_t i = 0; i < json_array_len(list) && i < CTL_PORTS_MAX; i++) {
		const struct json_reader port = ctl_item(from, list, i),
					 counters = ctl_child(&port, "counters"),
					 device = ctl_child(&port, "device");

		for (unsigned k = 0; k < CTL_PORT_FIGURES; k++)
			ports->value[i][k] = ctl_uint(k < PORT_COUNT_COUNT ? &counters : &device,
						      texts[k].metric);
		ports->n++;
	}
}

void ctl_ports_show(const struct json_reader *top)
{
	static const struct ctl_column columns[] = {
		{"PORT"}, {"LINK"}, {"MBIT/S", true}, {"MAC"}, {"STEERING"}};
	const struct json *list = ctl_list(top, "ports");
	struct ctl_table *table;

	if (!json_array_len(list))
		return;
	table = ctl_table_new(columns, 5);
	for (size_t i = 0; i < json_array_len(list); i++) {
		const struct json_reader port = ctl_item(top, list, i);
		const uint64_t mbps = ctl_uint(&port, "mbps");

		ctl_table_text(table, ctl_text(&port, "name"));
		ctl_table_text(table, ctl_text(&port, "link"));
		if (mbps)
			ctl_table_number(table, mbps);
		else
			ctl_table_text(table, NULL);
		ctl_table_text(table, ctl_text(&port, "mac"));
		ctl_table_text(table, ctl_text(&port, "steering"));
	}
	putchar('\n');
	ctl_table_show(table);
}

static void put_row(struct ctl_table *table, const char *name, unsigned what, uint64_t now,
		    uint64_t before, double span_s)
{
	ctl_table_text(table, name);
	ctl_table_text(table, texts[what].metric);
	ctl_table_number(table, now);
	if (span_s > 0 && now > before)
		ctl_table_number(table, (uint64_t)((double)(now - before) / span_s + 0.5));
	else
		ctl_table_text(table, NULL);
	ctl_table_text(table, texts[what].help);
}

void ctl_ports_show_counts(const struct ctl_ports *now, const struct ctl_ports *before,
			   double span_s, const struct json_reader *top)
{
	static const struct ctl_column columns[] = {
		{"PORT"}, {"COUNTER"}, {"COUNT", true}, {"PER SECOND", true}, {"MEANING"}};
	const struct json *list = ctl_list(top, "ports");
	struct ctl_table *table;

	if (!now->n)
		return;
	table = ctl_table_new(columns, 5);
	for (unsigned p = 0; p < now->n && p < json_array_len(list); p++) {
		const struct json_reader port = ctl_item(top, list, p);

		for (unsigned k = 0; k < CTL_PORT_FIGURES; k++) {
			if (now->value[p][k])
				put_row(table, ctl_text(&port, "name"), k, now->value[p][k],
					before ? before->value[p][k] : 0, before ? span_s : 0);
		}
	}
	putchar('\n');
	ctl_table_show(table);
}
