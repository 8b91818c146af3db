#include "control/config/config_schema.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu_list.h"
#include "base/text.h"

#define DAY 86400

#define MEMBER(member) offsetof(struct config, member), sizeof(((struct config *)0)->member)

static const char *const levels[] = {"error", "warn", "info", "debug", NULL};
static const char *const ios[] = {"kernel", "sendmmsg", "uring", "dpdk", NULL};
const char *const config_roles[] = {"ausf", "operator", "af", NULL};

const struct option options[] = {
	{"listen", "address", OPTION_ADDRESS, MEMBER(listen.address), 0, 0, NULL, "127.0.0.1",
	 false, "cleartext HTTP/2; loopback addresses only"},
	{"listen", "port", OPTION_NUMBER, MEMBER(listen.port), 1, 65535, NULL, "7777", false,
	 "its TCP port"},
	{"tls", "address", OPTION_ADDRESS, MEMBER(tls.address), 0, 0, NULL, "0.0.0.0", false,
	 "HTTP/2 over TLS 1.3 with client certificates; on when there is a certificate"},
	{"tls", "port", OPTION_NUMBER, MEMBER(tls.port), 1, 65535, NULL, "7443", false,
	 "its TCP port"},
	{"tls", "certificate", OPTION_PATH, MEMBER(tls.certificate), 1, 4095, NULL, NULL, false,
	 "certificate chain of the daemon, PEM"},
	{"tls", "key", OPTION_PATH, MEMBER(tls.key), 1, 4095, NULL, NULL, false,
	 "its private key, PEM"},
	{"tls", "ca", OPTION_PATH, MEMBER(tls.ca), 1, 4095, NULL, NULL, false,
	 "CAs that client certificates must come from, PEM"},
	{"tls", "clients", OPTION_CLIENTS, MEMBER(tls.clients), 0, CONFIG_CLIENTS_MAX, NULL, NULL,
	 false, "name in the certificate and role of each client: {name, role, af}"},
	{"admin", "socket", OPTION_PATH, MEMBER(admin.socket), 1, 107, NULL,
	 "/run/akmapush/admin.sock", false, "UNIX socket of akmapushctl"},
	{"store", "path", OPTION_PATH, MEMBER(store.path), 1, 4095, NULL, "/var/lib/akmapush/store",
	 false, "folder of the store; made at the first start, its parent must exist"},
	{"store", "kek", OPTION_PATH, MEMBER(store.kek), 1, 4095, NULL, "/var/lib/akmapush/kek",
	 false, "key-encryption key: 32 octets, mode 0600; made at the first start"},
	{"store", "room_min", OPTION_OCTETS, MEMBER(store.room_min), 0, 1ull << 50, NULL, "256 MiB",
	 false, "free room on the file system below which writes are refused"},
	{"store", "verify", OPTION_TRUTH, MEMBER(store.verify), 0, 0, NULL, "true", false,
	 "read all of the store at the start and refuse it if anything is damaged"},
	{"dataplane", "workers", OPTION_NUMBER, MEMBER(dataplane.workers), 1, 64, NULL, "1", false,
	 "threads that send and receive, a core each"},
	{"dataplane", "cpus", OPTION_CPUS, MEMBER(dataplane.cpus), 1, 1023, NULL, NULL, false,
	 "where they run, a CPU for each, as 6-7,12; without it the system decides"},
	{"dataplane", "ues", OPTION_NUMBER, MEMBER(dataplane.ues), 1, 1000000000, NULL, "1000000",
	 false, "UEs, at most"},
	{"dataplane", "pushes", OPTION_NUMBER, MEMBER(dataplane.pushes), 1, 1 << 20, NULL, "65536",
	 false, "pushes running at a time, at most"},
	{"dataplane", "io", OPTION_CHOICE, MEMBER(dataplane.io), 0, 0, ios, "kernel", false,
	 "how datagrams leave"},
	{"dataplane", "sha256", OPTION_TEXT, MEMBER(dataplane.sha256), 1, 32, NULL, "best", false,
	 "SHA-256 kernel by name"},
	{"dataplane", "aead", OPTION_TEXT, MEMBER(dataplane.aead), 1, 32, NULL, "best", false,
	 "AEAD implementation by name"},
	{"dataplane", "source.ipv4", OPTION_IPV4, MEMBER(dataplane.source_ipv4), 0, 0, NULL, NULL,
	 false, "address to send from"},
	{"dataplane", "source.ipv6", OPTION_IPV6, MEMBER(dataplane.source_ipv6), 0, 0, NULL, NULL,
	 false, "address to send from"},
	{"dataplane", "source.port", OPTION_NUMBER, MEMBER(dataplane.source_port), 0, 65535, NULL,
	 "48471", false, "UDP port of the first worker, the others follow; 0: any"},
	{"dataplane", "kaf_cache", OPTION_OCTETS, MEMBER(dataplane.kaf_cache), 0, 1ull << 40, NULL,
	 "0", false, "octets in which K_AFs of hot AFs are kept; 0: none are"},
	{"dataplane", "burst", OPTION_NUMBER, MEMBER(dataplane.burst), 1, 64, NULL, "64", true,
	 "targets worked on at once"},
	{"dataplane", "rate", OPTION_NUMBER, MEMBER(dataplane.rate), 0, CONFIG_RATE_MAX, NULL, "0",
	 true, "datagrams a second in all; 0: no limit"},
	{"dataplane", "lap_pause", OPTION_NUMBER, MEMBER(dataplane.lap_pause_ms),
	 CONFIG_LAP_PAUSE_MIN_MS, CONFIG_LAP_PAUSE_LIMIT_MS, NULL, "2500", true,
	 "milliseconds before targets that did not answer are sent to again"},
	{"dataplane", "lap_pause_max", OPTION_NUMBER, MEMBER(dataplane.lap_pause_max_ms),
	 CONFIG_LAP_PAUSE_MIN_MS, CONFIG_LAP_PAUSE_MAX_LIMIT_MS, NULL, "60000", true,
	 "milliseconds to which that pause doubles"},
	{"dpdk", "eal", OPTION_ARGUMENTS, MEMBER(dpdk.eal), 0, CONFIG_EAL_MAX, NULL, NULL, false,
	 "arguments of DPDK's EAL, beside those that the ports need"},
	{"dpdk", "ports", OPTION_PORTS, MEMBER(dpdk.ports), 0, CONFIG_PORTS_MAX, NULL, NULL, false,
	 "{device, addresses, gateways, neighbours, vlan, udp_checksum} of each port of "
	 "dataplane.io "
	 "dpdk"},
	{"akma", "kaf_lifetime", OPTION_NUMBER, MEMBER(akma.kaf_lifetime_s), 60, 3650 * DAY, NULL,
	 "2592000", false, "seconds from the registration for which K_AFs are good"},
	{"akma", "require_af_registration", OPTION_TRUTH, MEMBER(akma.require_af_registration), 0,
	 0, NULL, "true", false, "retrieve-applicationkey serves registered AFs only"},
	{"akma", "mode_d_id", OPTION_UA_STAR_ID, MEMBER(akma.mode_d_id), 0, 0, NULL, "ff414b5001",
	 false, "Ua* protocol identifier of pushes sealed here"},
	{"akma", "mode_k_id", OPTION_UA_STAR_ID, MEMBER(akma.mode_k_id), 0, 0, NULL, "ff414b5002",
	 false, "Ua* protocol identifier of pushes that AFs seal"},
	{"push", "validity_max", OPTION_NUMBER, MEMBER(push.validity_max_s), 1, 365 * DAY, NULL,
	 "604800", false, "longest validityPeriod, seconds"},
	{"push", "targets_max", OPTION_NUMBER, MEMBER(push.targets_max), 1, 1000000000, NULL,
	 "50000000", false, "targets of one push, at most"},
	{"push", "strangers_max", OPTION_NUMBER, MEMBER(push.strangers_max), 0, 1000000000, NULL,
	 "10000", false,
	 "identities not known or not allowed that an AF's pushes may name in a day"},
	{"push", "idempotency_retention", OPTION_NUMBER, MEMBER(push.idempotency_retention_s), 60,
	 365 * DAY, NULL, "86400", false, "seconds for which an Idempotency-Key is remembered"},
	{"push", "results_retention", OPTION_NUMBER, MEMBER(push.results_retention_s), 0, 365 * DAY,
	 NULL, "604800", false, "seconds for which a finished push can be read"},
	{"push", "checkpoint_interval", OPTION_NUMBER, MEMBER(push.checkpoint_interval_ms), 100,
	 600000, NULL, "2000", false, "milliseconds between checkpoints of running pushes"},
	{"http", "body_max", OPTION_OCTETS, MEMBER(http.body_max), 65536, 1 << 30, NULL, "1 MiB",
	 false, "longest body of a request"},
	{"http", "streams_max", OPTION_NUMBER, MEMBER(http.streams_max), 1, 65535, NULL, "1024",
	 false, "streams of one connection at a time"},
	{"http", "connections_max", OPTION_NUMBER, MEMBER(http.connections_max), 1, 100000, NULL,
	 "1024", false, "connections at a time"},
	{"http", "requests_max", OPTION_NUMBER, MEMBER(http.requests_max), 1, 1000000, NULL,
	 "16384", false, "requests under way at a time"},
	{"log", "level", OPTION_CHOICE, MEMBER(log.level), 0, 0, levels, "info", true,
	 "error, warn, info or debug"},
	{0},
};

_Static_assert(sizeof(options) / sizeof(options[0]) <= CONFIG_OPTIONS_MAX, "room for their lines");

// ---- Names

const struct option *option_find(const char *section, const char *name, unsigned *index)
{
	for (unsigned i = 0; options[i].name; i++) {
		if (!strcmp(options[i].section, section) && !strcmp(options[i].name, name)) {
			*index = i;
			return &options[i];
		}
	}
	return NULL;
}

bool option_is_group(const char *section, const char *name)
{
	size_t len = strlen(name);

	for (const struct option *o = options; o->name; o++) {
		if (!strcmp(o->section, section) && !strncmp(o->name, name, len) &&
		    o->name[len] == '.')
			return true;
	}
	return false;
}

bool option_is_section(const char *section)
{
	for (const struct option *o = options; o->name; o++) {
		if (!strcmp(o->section, section))
			return true;
	}
	return false;
}

// Letters to change, add or leave out between two names (Levenshtein).
static unsigned distance(const char *a, const char *b)
{
	enum { NAME_MAX_LEN = 32 };
	unsigned row[NAME_MAX_LEN + 1], n = (unsigned)strlen(b);

	if (n > NAME_MAX_LEN || strlen(a) > NAME_MAX_LEN)
		return UINT32_MAX;
	for (unsigned j = 0; j <= n; j++)
		row[j] = j;
	for (unsigned i = 1; a[i - 1]; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (unsigned j = 1; j <= n; j++) {
			unsigned best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[n];
}

const char *option_nearest(const char *section, const char *name)
{
	unsigned best = (unsigned)strlen(name) / 3 + 2;
	const char *nearest = NULL;

	for (const struct option *o = options; o->name; o++) {
		const char *known = section ? o->name : o->section;
		unsigned d;

		if (section && strcmp(o->section, section))
			continue;
		d = distance(name, known);
		if (d < best) {
			best = d;
			nearest = known;
		}
	}
	return nearest;
}

// ---- Values

static void *member(const struct config *config, const struct option *option)
{
	return (char *)config + option->offset;
}

static uint64_t number_get(const struct config *config, const struct option *option)
{
	uint64_t v = 0;

	memcpy(&v, member(config, option), option->size); // little-endian, see base/bytes.h
	return v;
}

static uint64_t unit_of(const char *suffix)
{
	suffix += strspn(suffix, " ");
	if (!*suffix)
		return 1;
	if (!strcmp(suffix, "KiB"))
		return 1 << 10;
	if (!strcmp(suffix, "MiB"))
		return 1 << 20;
	return strcmp(suffix, "GiB") ? 0 : 1 << 30;
}

static int set_number(struct config *config, const struct option *option, const char *text)
{
	uint64_t v, unit = 1;
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	v = strtoull(text, &end, 10);
	if (option->kind == OPTION_OCTETS)
		unit = unit_of(end);
	else if (*end)
		return -EINVAL;
	if (errno || unit == 0 || v > option->max / unit || v * unit < option->min)
		return -EINVAL;
	v *= unit;
	memcpy(member(config, option), &v, option->size);
	return 0;
}

static int set_truth(struct config *config, const struct option *option, const char *text)
{
	bool on = !strcmp(text, "true");

	if (!on && strcmp(text, "false"))
		return -EINVAL;
	memcpy(member(config, option), &on, sizeof(on));
	return 0;
}

static bool is_address(const char *text, int family)
{
	uint8_t address[16];

	return inet_pton(family, text, address) == 1;
}

static bool is_choice(const struct option *option, const char *text)
{
	for (const char *const *c = option->choices; *c; c++) {
		if (!strcmp(*c, text))
			return true;
	}
	return false;
}

static bool is_of_form(const struct option *option, const char *text)
{
	size_t len = strlen(text);

	switch (option->kind) {
	case OPTION_ADDRESS:
		return is_address(text, AF_INET) || is_address(text, AF_INET6);
	case OPTION_IPV4:
		return is_address(text, AF_INET);
	case OPTION_IPV6:
		return is_address(text, AF_INET6);
	case OPTION_CHOICE:
		return is_choice(option, text);
	case OPTION_CPUS:
		return len <= option->max && cpu_list_is_valid(text);
	default:
		return len >= option->min && len <= option->max;
	}
}

// For the name of an implementation "best" is the same as nothing: the program chooses.
static int set_text(struct config *config, const struct option *option, const char *text)
{
	char **to = member(config, option), *copy = NULL;

	if (!is_of_form(option, text))
		return -EINVAL;
	if (option->kind != OPTION_TEXT || strcmp(text, "best")) {
		copy = strdup(text);
		if (!copy)
			return -ENOMEM;
	}
	free(*to);
	*to = copy;
	return 0;
}

int option_set(struct config *config, const struct option *option, const char *text)
{
	switch (option->kind) {
	case OPTION_NUMBER:
	case OPTION_OCTETS:
		return set_number(config, option, text);
	case OPTION_TRUTH:
		return set_truth(config, option, text);
	case OPTION_UA_STAR_ID:
		if (strlen(text) != 2 * option->size)
			return -EINVAL;
		return hex_parse(text, strlen(text), member(config, option), option->size) ? -EINVAL
											   : 0;
	case OPTION_CLIENTS:
	case OPTION_ARGUMENTS:
	case OPTION_PORTS:
		return -EINVAL;
	default:
		return set_text(config, option, text);
	}
}

static void expected_choice(const struct option *option, char *text, size_t max)
{
	size_t at = (size_t)snprintf(text, max, "one of");

	for (const char *const *c = option->choices; *c && at < max; c++)
		at += (size_t)snprintf(text + at, max - at, "%s %s",
				       c == option->choices ? "" : ",", *c);
}

void option_expected(const struct option *option, char *text, size_t max)
{
	switch (option->kind) {
	case OPTION_NUMBER:
	case OPTION_OCTETS:
		snprintf(text, max, "%s from %" PRIu64 " to %" PRIu64,
			 option->kind == OPTION_NUMBER ? "a whole number"
						       : "octets, or KiB, MiB, GiB of them,",
			 option->min, option->max);
		break;
	case OPTION_TRUTH:
		snprintf(text, max, "true or false");
		break;
	case OPTION_ADDRESS:
		snprintf(text, max, "an IPv4 or IPv6 address");
		break;
	case OPTION_IPV4:
	case OPTION_IPV6:
		snprintf(text, max, "an %s address", option->kind == OPTION_IPV4 ? "IPv4" : "IPv6");
		break;
	case OPTION_UA_STAR_ID:
		snprintf(text, max, "ten hex digits");
		break;
	case OPTION_CHOICE:
		expected_choice(option, text, max);
		break;
	case OPTION_CPUS:
		snprintf(text, max, "a list of CPUs, as 6-7,12 (none twice)");
		break;
	case OPTION_CLIENTS:
		snprintf(text, max, "a list of {name, role, af}");
		break;
	case OPTION_ARGUMENTS:
		snprintf(text, max, "a list of arguments");
		break;
	case OPTION_PORTS:
		snprintf(text, max, "a list of {device, addresses, …}");
		break;
	default:
		snprintf(text, max, "a %s of %" PRIu64 " to %" PRIu64 " characters",
			 option->kind == OPTION_PATH ? "path" : "text", option->min, option->max);
	}
}

void option_text(const struct config *config, const struct option *option, char *text, size_t max)
{
	char hex[2 * AKMA_UA_STAR_ID + 1];
	const char *value;

	switch (option->kind) {
	case OPTION_NUMBER:
	case OPTION_OCTETS:
		snprintf(text, max, "%" PRIu64, number_get(config, option));
		break;
	case OPTION_TRUTH:
		snprintf(text, max, "%s", number_get(config, option) ? "true" : "false");
		break;
	case OPTION_UA_STAR_ID:
		hex_write(hex, member(config, option), option->size);
		snprintf(text, max, "%s", hex);
		break;
	case OPTION_CLIENTS:
		snprintf(text, max, "%u clients", config->tls.n_clients);
		break;
	case OPTION_ARGUMENTS:
		snprintf(text, max, "%u arguments", config->dpdk.n_eal - config->dpdk.n_eal_added);
		break;
	case OPTION_PORTS:
		snprintf(text, max, "%u ports", config->dpdk.n_ports);
		break;
	default:
		value = *(char **)member(config, option);
		snprintf(text, max, "%s", value ? value : "(none)");
	}
}

static void clear_clients(struct config *config)
{
	for (unsigned i = 0; i < config->tls.n_clients; i++)
		free(config->tls.clients[i].name);
	free(config->tls.clients);
	config->tls.clients = NULL;
	config->tls.n_clients = 0;
}

static void clear_arguments(struct config *config)
{
	while (config->dpdk.n_eal)
		free(config->dpdk.eal[--config->dpdk.n_eal]);
}

static void clear_ports(struct config *config)
{
	for (unsigned i = 0; i < config->dpdk.n_ports; i++)
		free(config->dpdk.ports[i].device);
	free(config->dpdk.ports);
	config->dpdk.ports = NULL;
	config->dpdk.n_ports = 0;
}

void option_clear(struct config *config, const struct option *option)
{
	switch (option->kind) {
	case OPTION_TEXT:
	case OPTION_PATH:
	case OPTION_ADDRESS:
	case OPTION_IPV4:
	case OPTION_IPV6:
	case OPTION_CHOICE:
	case OPTION_CPUS:
		free(*(char **)member(config, option));
		*(char **)member(config, option) = NULL;
		break;
	case OPTION_CLIENTS:
		clear_clients(config);
		break;
	case OPTION_ARGUMENTS:
		clear_arguments(config);
		break;
	case OPTION_PORTS:
		clear_ports(config);
		break;
	default:
		break;
	}
}
