#include "control/config/config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cpu_list.h"
#include "control/config/config_schema.h"
#include "control/config/config_yaml.h"

enum { FILE_MAX = 1 << 20 };

struct checker {
	const struct config *config;
	const char *name;
	config_report report;
	void *ctx;
	bool failed;
};

// Reports what is wrong about an option, with its line when the file has it.
__attribute__((format(printf, 4, 5))) static void wrong(struct checker *c, const char *section,
							const char *name, const char *format, ...)
{
	char text[CONFIG_ERROR_MAX];
	unsigned index = 0, line;
	va_list args;
	size_t at;

	option_find(section, name, &index);
	line = c->config->line[index];
	if (line)
		at = (size_t)snprintf(text, sizeof(text), "%.200s:%u: %s.%s: ", c->name, line,
				      section, name);
	else
		at = (size_t)snprintf(text, sizeof(text), "%.200s: %s.%s: ", c->name, section,
				      name);
	va_start(args, format);
	vsnprintf(text + at, sizeof(text) - at, format, args);
	va_end(args);
	c->failed = true;
	c->report(c->ctx, text);
}

static bool is_given(const struct config *config, const char *section, const char *name)
{
	unsigned index = 0;

	return option_find(section, name, &index) && config->line[index];
}

// ---- What options have to do with each other

// Cleartext has all roles, so it must not leave the machine; the listener refuses it too.
static void check_listen(struct checker *c)
{
	const char *text = c->config->listen.address;
	struct in6_addr v6;
	struct in_addr v4;

	if (inet_pton(AF_INET, text, &v4) == 1
		    ? ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET
		    : inet_pton(AF_INET6, text, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6))
		return;
	wrong(c, "listen", "address", "%s is not a loopback address; elsewhere use tls", text);
}

static void check_tls(struct checker *c)
{
	const struct config *config = c->config;
	bool any = config->tls.certificate || config->tls.key || config->tls.ca;

	if (any && !config->tls.certificate)
		wrong(c, "tls", "certificate", "missing, while key or ca is there");
	if (any && !config->tls.key)
		wrong(c, "tls", "key", "missing, while certificate or ca is there");
	if (any && !config->tls.ca)
		wrong(c, "tls", "ca", "missing, while certificate or key is there");
	if (!any && config->tls.n_clients)
		wrong(c, "tls", "clients", "of no use without certificate, key and ca");
	if (any && config->tls.port == config->listen.port)
		wrong(c, "tls", "port", "%u is also listen.port", config->tls.port);
	for (unsigned i = 0; i < config->tls.n_clients; i++) {
		for (unsigned j = 0; j < i; j++) {
			if (!strcmp(config->tls.clients[i].name, config->tls.clients[j].name))
				wrong(c, "tls", "clients", "%s is listed twice",
				      config->tls.clients[i].name);
		}
	}
}

static void check_dpdk(struct checker *c)
{
	const struct config *config = c->config;
	const bool is_dpdk = !strcmp(config->dataplane.io, "dpdk");

	if (is_dpdk && !config->dpdk.n_ports)
		wrong(c, "dpdk", "ports", "missing, while dataplane.io is dpdk");
	if (!is_dpdk && config->dpdk.n_ports)
		wrong(c, "dpdk", "ports", "of no use while dataplane.io is %s",
		      config->dataplane.io);
	if (is_dpdk && (config->dataplane.source_ipv4 || config->dataplane.source_ipv6))
		wrong(c, "dataplane", config->dataplane.source_ipv4 ? "source.ipv4" : "source.ipv6",
		      "of no use with dpdk: its ports have addresses (dpdk.ports)");
}

static void check_cpus(struct checker *c)
{
	const char *const cpus = c->config->dataplane.cpus;

	if (cpus && cpu_list_count(cpus) != c->config->dataplane.workers)
		wrong(c, "dataplane", "cpus",
		      "found %u for workers, %u: a CPU for each is expected", cpu_list_count(cpus),
		      c->config->dataplane.workers);
}

static void check_dataplane(struct checker *c)
{
	const struct config *config = c->config;

	if (config->dataplane.lap_pause_max_ms < config->dataplane.lap_pause_ms) {
		if (is_given(config, "dataplane", "lap_pause_max"))
			wrong(c, "dataplane", "lap_pause_max", "%u is less than lap_pause, %u",
			      config->dataplane.lap_pause_max_ms, config->dataplane.lap_pause_ms);
		else
			wrong(c, "dataplane", "lap_pause", "%u is more than lap_pause_max, %u",
			      config->dataplane.lap_pause_ms, config->dataplane.lap_pause_max_ms);
	}
	check_cpus(c);
	check_dpdk(c);
	if (config->dataplane.source_port &&
	    config->dataplane.source_port + config->dataplane.workers - 1 > 65535)
		wrong(c, "dataplane", "source.port", "the ports of %u workers go beyond 65535",
		      config->dataplane.workers);
}

static int check_options(const struct config *config, const char *name, config_report report,
			 void *ctx)
{
	struct checker c = {config, name, report, ctx, false};

	check_listen(&c);
	check_tls(&c);
	check_dataplane(&c);
	if (!memcmp(config->akma.mode_d_id, config->akma.mode_k_id, AKMA_UA_STAR_ID)) {
		if (is_given(config, "akma", "mode_k_id"))
			wrong(&c, "akma", "mode_k_id", "is also mode_d_id");
		else
			wrong(&c, "akma", "mode_d_id", "is also mode_k_id");
	}
	if (config->admin.socket[0] != '/')
		wrong(&c, "admin", "socket", "'%s' does not start with /", config->admin.socket);
	return c.failed ? -EINVAL : 0;
}

// ---- Loading

static struct config *config_new(void)
{
	struct config *config = calloc(1, sizeof(*config));

	if (!config)
		return NULL;
	for (const struct option *o = options; o->name; o++) {
		if (o->absent && option_set(config, o, o->absent)) {
			config_free(config);
			return NULL;
		}
	}
	return config;
}

void config_free(struct config *config)
{
	if (!config)
		return;
	for (const struct option *o = options; o->name; o++)
		option_clear(config, o);
	free(config);
}

int config_parse(const char *text, size_t len, const char *name, struct config **config,
		 config_report report, void *ctx)
{
	struct config *c = config_new();
	int error;

	if (!c)
		return -ENOMEM;
	error = config_yaml_read(text, len, name, c, report, ctx);
	if (!error)
		error = check_options(c, name, report, ctx);
	if (error) {
		config_free(c);
		return error;
	}
	*config = c;
	return 0;
}

// A whole file of at most FILE_MAX octets; the caller frees it.
static int read_file(const char *file, char **text, size_t *len)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC), error = 0;
	ssize_t n = 0;

	if (fd < 0)
		return -errno;
	*text = malloc(FILE_MAX + 1);
	*len = 0;
	while (*text && *len <= FILE_MAX) {
		n = read(fd, *text + *len, FILE_MAX + 1 - *len);
		if (n <= 0)
			break;
		*len += (size_t)n;
	}
	if (!*text)
		error = -ENOMEM;
	else if (n < 0)
		error = -errno;
	else if (*len > FILE_MAX)
		error = -EFBIG;
	close(fd);
	if (error)
		free(*text);
	return error;
}

int config_load(const char *file, struct config **config, config_report report, void *ctx)
{
	char message[CONFIG_ERROR_MAX], *text = NULL;
	size_t len = 0;
	int error;

	if (!file)
		return config_parse("", 0, "defaults", config, report, ctx);
	error = read_file(file, &text, &len);
	if (error) {
		snprintf(message, sizeof(message), "%.255s: %s", file, strerror(-error));
		report(ctx, message);
		return error;
	}
	error = config_parse(text, len, file, config, report, ctx);
	free(text);
	return error;
}

int config_check(const struct config *config, const char *name, config_report report, void *ctx)
{
	struct checker c = {config, name, report, ctx, false};

	if (config->tls.certificate) {
		if (access(config->tls.certificate, R_OK))
			wrong(&c, "tls", "certificate", "%s: %s", config->tls.certificate,
			      strerror(errno));
		if (access(config->tls.key, R_OK))
			wrong(&c, "tls", "key", "%s: %s", config->tls.key, strerror(errno));
		if (access(config->tls.ca, R_OK))
			wrong(&c, "tls", "ca", "%s: %s", config->tls.ca, strerror(errno));
	}
	return c.failed ? -EINVAL : 0;
}

// ---- Differences

static bool same_clients(const struct config *a, const struct config *b)
{
	if (a->tls.n_clients != b->tls.n_clients)
		return false;
	for (unsigned i = 0; i < a->tls.n_clients; i++) {
		const struct config_client *x = &a->tls.clients[i], *y = &b->tls.clients[i];

		if (x->role != y->role || strcmp(x->name, y->name) || strcmp(x->af, y->af))
			return false;
	}
	return true;
}

static bool same_arguments(const struct config *a, const struct config *b)
{
	const unsigned n = a->dpdk.n_eal - a->dpdk.n_eal_added;
	bool same = n == b->dpdk.n_eal - b->dpdk.n_eal_added;

	for (unsigned i = 0; same && i < n; i++)
		same = !strcmp(a->dpdk.eal[i], b->dpdk.eal[i]);
	return same;
}

static bool same_ports(const struct config *a, const struct config *b)
{
	bool same = a->dpdk.n_ports == b->dpdk.n_ports;

	for (unsigned i = 0; same && i < a->dpdk.n_ports; i++) {
		struct config_port x = a->dpdk.ports[i], y = b->dpdk.ports[i];

		same = !strcmp(x.device, y.device);
		x.device = y.device = NULL;
		same &= !memcmp(&x, &y, sizeof(x)); // made by calloc: no octet is undefined
	}
	return same;
}

static bool same(const struct option *o, const struct config *a, const struct config *b,
		 const char *before, const char *after)
{
	switch (o->kind) {
	case OPTION_CLIENTS:
		return same_clients(a, b);
	case OPTION_ARGUMENTS:
		return same_arguments(a, b);
	case OPTION_PORTS:
		return same_ports(a, b);
	default:
		return !strcmp(before, after);
	}
}

void config_diff(const struct config *from, const struct config *to, config_change each, void *ctx)
{
	char before[4096], after[4096], name[64];

	for (const struct option *o = options; o->name; o++) {
		option_text(from, o, before, sizeof(before));
		option_text(to, o, after, sizeof(after));
		if (same(o, from, to, before, after))
			continue;
		snprintf(name, sizeof(name), "%s.%s", o->section, o->name);
		each(ctx, name, before, after, o->live);
	}
}

// An option inside a group starts it with its first member.
static int print_option(int fd, const struct option *o, const char *previous)
{
	const char *dot = strchr(o->name, '.');
	size_t group = dot ? (size_t)(dot - o->name) : 0;
	int n;

	if (group && strncmp(previous, o->name, group + 1) != 0 &&
	    dprintf(fd, "#  %.*s:\n", (int)group, o->name) < 0)
		return -errno;
	n = dprintf(fd, "#%s  # %s%s\n#%s  %s: %s\n", group ? "  " : "", o->help,
		    o->live ? "; follows a reload" : "", group ? "  " : "", dot ? dot + 1 : o->name,
		    o->absent ? o->absent : "");
	return n < 0 ? -errno : 0;
}

int config_print_example(int fd)
{
	const char *section = "", *previous = "";

	for (const struct option *o = options; o->name; o++) {
		int error;

		if (strcmp(section, o->section) &&
		    dprintf(fd, "%s#%s:\n", *section ? "\n" : "", o->section) < 0)
			return -errno;
		error = print_option(fd, o, previous);
		if (error)
			return error;
		section = o->section;
		previous = o->name;
	}
	return 0;
}
