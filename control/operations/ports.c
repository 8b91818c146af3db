#include "control/operations/ports.h"

#include <inttypes.h>

#include "control/json/json.h"
#include "dataplane/dp.h"

// ---- JSON

static void put_counters(struct json_writer *w, const struct dp *dp, unsigned port, unsigned worker)
{
	uint64_t counts[PORT_COUNT_COUNT];

	dp_port_counters(dp, port, worker, counts);
	json_open_object(w, "counters");
	for (unsigned i = 0; i < PORT_COUNT_COUNT; i++)
		json_put_uint(w, port_texts[i].metric, counts[i]);
	json_close(w);
}

static void put_device(struct json_writer *w, const struct port_status *status)
{
	json_open_object(w, "device");
	for (unsigned i = 0; i < PORT_DEVICE_COUNT_COUNT; i++)
		json_put_uint(w, port_device_texts[i].metric, status->device[i]);
	json_close(w);
}

static void put_port(struct json_writer *w, const struct dp *dp, unsigned port)
{
	struct port_status status;
	char mac[18];

	dp_port_status(dp, port, &status);
	snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", status.mac[0], status.mac[1],
		 status.mac[2], status.mac[3], status.mac[4], status.mac[5]);
	json_open_object(w, NULL);
	json_put_string(w, "name", status.name);
	json_put_string(w, "mac", mac);
	json_put_string(w, "link", status.link_up ? "up" : "down");
	json_put_uint(w, "mbps", status.mbps);
	json_put_string(w, "steering", port_steering_texts[status.steering]);
	put_counters(w, dp, port, DP_NONE);
	put_device(w, &status);
	json_close(w);
}

void ports_put(struct json_writer *w, const struct dp *dp)
{
	json_open_array(w, "ports");
	for (unsigned port = 0; port < dp_ports(dp); port++)
		put_port(w, dp, port);
	json_close(w);
}

void ports_put_worker(struct json_writer *w, const struct dp *dp, unsigned worker)
{
	json_open_array(w, "ports");
	for (unsigned port = 0; port < dp_ports(dp); port++) {
		json_open_object(w, NULL);
		put_counters(w, dp, port, worker);
		json_close(w);
	}
	json_close(w);
}

// ---- Metrics

static void family(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# TYPE akmapush_port_%s %s\n# HELP akmapush_port_%s %s\n", name, type, name,
		help);
}

static void write_counts(FILE *out, const struct dp *dp, unsigned what,
			 const struct port_status status[])
{
	family(out, port_texts[what].metric, "counter", port_texts[what].help);
	for (unsigned port = 0; port < dp_ports(dp); port++) {
		for (unsigned i = 0; i < dp_workers(dp); i++) {
			uint64_t counts[PORT_COUNT_COUNT];

			dp_port_counters(dp, port, i, counts);
			fprintf(out,
				"akmapush_port_%s_total{port=\"%s\",worker=\"%u\"} %" PRIu64 "\n",
				port_texts[what].metric, status[port].name, i, counts[what]);
		}
	}
}

static void write_device(FILE *out, unsigned ports, unsigned what,
			 const struct port_status status[])
{
	family(out, port_device_texts[what].metric, "counter", port_device_texts[what].help);
	for (unsigned port = 0; port < ports; port++)
		fprintf(out, "akmapush_port_%s_total{port=\"%s\"} %" PRIu64 "\n",
			port_device_texts[what].metric, status[port].name,
			status[port].device[what]);
}

static void write_links(FILE *out, unsigned ports, const struct port_status status[])
{
	family(out, "link_up", "gauge", "whether the link is up");
	for (unsigned port = 0; port < ports; port++)
		fprintf(out, "akmapush_port_link_up{port=\"%s\"} %d\n", status[port].name,
			status[port].link_up);
}

void ports_write(FILE *out, const struct dp *dp)
{
	struct port_status status[DP_PORTS_MAX];
	const unsigned ports = dp_ports(dp);

	for (unsigned port = 0; port < ports; port++)
		dp_port_status(dp, port, &status[port]);
	for (unsigned what = 0; ports && what < PORT_COUNT_COUNT; what++)
		write_counts(out, dp, what, status);
	for (unsigned what = 0; ports && what < PORT_DEVICE_COUNT_COUNT; what++)
		write_device(out, ports, what, status);
	if (ports)
		write_links(out, ports, status);
}
