// The configuration: what is told of everything that can be wrong in a file, and what holds when
// nothing is.

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control/config/config.h"

struct reports {
	char text[8192];
	unsigned n;
};

static void note(void *ctx, const char *text)
{
	struct reports *r = ctx;
	size_t len = strlen(r->text);

	r->n++;
	snprintf(r->text + len, sizeof(r->text) - len, "%s\n", text);
}

static int parse(const char *text, struct config **config, struct reports *reports)
{
	*reports = (struct reports){0};
	return config_parse(text, strlen(text), "t.yaml", config, note, reports);
}

// The text has one thing wrong with it, which is told like this.
static void expect_wrong(const char *text, const char *told)
{
	struct reports reports;
	struct config *config;

	cr_assert_eq(parse(text, &config, &reports), -EINVAL, "accepted: %s", text);
	cr_expect_eq(reports.n, 1, "told %u things: %s", reports.n, reports.text);
	cr_expect(strstr(reports.text, told), "told '%s', not '%s'", reports.text, told);
}

static struct config *expect_good(const char *text)
{
	struct reports reports;
	struct config *config;

	cr_assert_eq(parse(text, &config, &reports), 0, "%s", reports.text);
	return config;
}

Test(config, defaults)
{
	struct reports reports;
	struct config *config;

	cr_assert_eq(parse("", &config, &reports), 0, "%s", reports.text);
	cr_expect_str_eq(config->listen.address, "127.0.0.1");
	cr_expect_eq(config->listen.port, 7777);
	cr_expect_str_eq(config->admin.socket, "/run/akmapush/admin.sock");
	cr_expect_null(config->tls.certificate);
	cr_expect_eq(config->store.room_min, 256 << 20);
	cr_expect_eq(config->dataplane.ues, 1000000);
	cr_expect_null(config->dataplane.cpus);
	cr_expect_null(config->dataplane.sha256);
	cr_expect_eq(config->dataplane.source_port, 48471);
	cr_expect_eq(config->akma.kaf_lifetime_s, 30 * 86400);
	cr_expect(config->akma.require_af_registration);
	cr_expect_arr_eq(config->akma.mode_d_id, "\xff\x41\x4b\x50\x01", 5);
	cr_expect_arr_eq(config->akma.mode_k_id, "\xff\x41\x4b\x50\x02", 5);
	cr_expect_eq(config->push.validity_max_s, 7 * 86400);
	cr_expect_eq(config->http.body_max, 1 << 20);
	config_free(config);
}

Test(config, empty_texts_are_whole)
{
	static const char *const texts[] = {
		"# only words\n",         "---\n", "{}", "listen:\n", "~", "listen: {}\ntls: ~\n",
		"dataplane:\n  source:\n"};
	struct reports reports;
	struct config *config;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		cr_assert_eq(parse(texts[i], &config, &reports), 0, "%s: %s", texts[i],
			     reports.text);
		cr_expect_eq(config->listen.port, 7777);
		config_free(config);
	}
}

Test(config, values_are_taken)
{
	static const char text[] = "listen: {address: '::1', port: 80}\n"
				   "store:\n  room_min: 2 GiB\n"
				   "dataplane:\n"
				   "  source: {ipv4: 127.0.0.9, port: 0}\n"
				   "  workers: 64\n"
				   "  sha256: scalar\n"
				   "akma: {mode_d_id: 0102030405, require_af_registration: false}\n"
				   "tls:\n"
				   "  certificate: /c\n  key: /k\n  ca: /a\n"
				   "  clients:\n"
				   "    - {name: ausf.example, role: ausf}\n"
				   "    - {name: meter, role: af, af: Meter.Example.COM.}\n";
	struct reports reports;
	struct config *config;

	cr_assert_eq(parse(text, &config, &reports), 0, "%s", reports.text);
	cr_expect_str_eq(config->listen.address, "::1");
	cr_expect_eq(config->store.room_min, 2ull << 30);
	cr_expect_str_eq(config->dataplane.source_ipv4, "127.0.0.9");
	cr_expect_eq(config->dataplane.source_port, 0);
	cr_expect_str_eq(config->dataplane.sha256, "scalar");
	cr_expect_not(config->akma.require_af_registration);
	cr_expect_arr_eq(config->akma.mode_d_id, "\1\2\3\4\5", 5);
	cr_assert_eq(config->tls.n_clients, 2);
	cr_expect_eq(config->tls.clients[0].role, CONFIG_ROLE_AUSF);
	cr_expect_str_eq(config->tls.clients[1].af, "meter.example.com");
	config_free(config);
}

// "best" stands for nothing where a name of an implementation is expected, and nowhere else.
Test(config, best_is_a_name_like_others)
{
	struct reports reports;
	struct config *config;

	expect_wrong("admin: {socket: best}\n", "'best' does not start with /");
	cr_assert_eq(parse("store: {path: best, kek: best}\ndataplane: {aead: best}\n", &config,
			   &reports),
		     0, "%s", reports.text);
	cr_expect_str_eq(config->store.path, "best");
	cr_expect_str_eq(config->store.kek, "best");
	cr_expect_null(config->dataplane.aead);
	config_free(config);
}

Test(config, names)
{
	expect_wrong("lisen: {}\n", "t.yaml:1: 'lisen' is not known here; is 'listen' meant?");
	expect_wrong("\ndataplane:\n  worker: 1\n",
		     "t.yaml:3: dataplane: 'worker' is not known here; is 'workers' meant?");
	expect_wrong("quite_another: 1\n", "t.yaml:1: 'quite_another' is not known here\n");
	expect_wrong("log: {level: info, level: debug}\n", "for the second time, first in line 1");
	expect_wrong("log: {level: info}\nlog:\n  level: debug\n", "t.yaml:3: log.level stands");
	expect_wrong("{[a]: 1}", "t.yaml:1: a list is not known here");
	expect_wrong("dataplane: {source.port: 1}\n", "is not known here");
	expect_wrong("dataplane: {source: {port: 1, prt: 2}}\n", "'prt' is not known here");
}

Test(config, values)
{
	expect_wrong(
		"listen: {port: many}\n",
		"t.yaml:1: listen.port: found 'many', expected a whole number from 1 to 65535");
	expect_wrong("listen:\n  port: 65536\n", "t.yaml:2: listen.port: found '65536'");
	expect_wrong("listen: {port: 0}\n", "listen.port");
	expect_wrong("listen: {port: -1}\n", "listen.port");
	expect_wrong("listen: {port: 99999999999999999999999999}\n", "listen.port");
	expect_wrong("listen: {port: 1.5}\n", "listen.port");
	expect_wrong("listen: {port: }\n", "found nothing");
	expect_wrong("listen: {port: [1]}\n", "found a list");
	expect_wrong("listen: {address: localhost}\n", "an IPv4 or IPv6 address");
	expect_wrong("dataplane: {source: {ipv4: '::1'}}\n", "an IPv4 address");
	expect_wrong("dataplane: {source: 1.2.3.4}\n",
		     "t.yaml:1: dataplane.source: found '1.2.3.4', expected a mapping");
	expect_wrong("dataplane: {io: pigeon}\n", "one of kernel, sendmmsg, uring, dpdk");
	expect_wrong("http: {body_max: 1 KiB}\n", "http.body_max: found '1 KiB'");
	expect_wrong("http: {body_max: 100 MB}\n", "http.body_max: found '100 MB'");
	expect_wrong("akma: {mode_d_id: ff414b50}\n", "ten hex digits");
	expect_wrong("akma: {require_af_registration: maybe}\n", "true or false");
	expect_wrong("store: 5\n", "store: found '5', expected a mapping");
	expect_wrong("- a\n- b\n", "expected a mapping of sections");
	expect_wrong("store: {path: \"a\\0b\"}\n", "store.path");
	expect_wrong("dataplane: {lap_pause: 100}\n", "from 2500 to 3600000");
}

Test(config, cpus)
{
	static const struct {
		const char *yaml, *cpus;
		unsigned workers;
	} good[] = {
		{"6", "6", 1},
		{"6-7", "6-7", 2},
		{"'6,7'", "6,7", 2},
		{"\"7,6\"", "7,6", 2},
		{"6-7,0,10-11", "6-7,0,10-11", 5},
		{"8191", "8191", 1},
	};
	char text[256];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct config *config;

		snprintf(text, sizeof(text), "dataplane:\n  cpus: %s\n  workers: %u\n",
			 good[i].yaml, good[i].workers);
		config = expect_good(text);
		cr_expect_str_eq(config->dataplane.cpus, good[i].cpus);
		config_free(config);
	}
}

Test(config, cpus_that_are_wrong)
{
	static const char *const bad[] = {
		"x",     "6-",       "-7",        "'6,'",
		"',6'",  "6--7",     "7-6",       "6 7",
		"6 - 7", "+6",       "6.5",       "0x6",
		"6-7x",  "'6,,7'",   "''",        "~",
		"best",  "8192",     "0-8192",    "'6,6'",
		"6-7,7", "' 6'",     "'6 '",      "6-8,0,8",
		"0,0-1", "[6, 7]",   "{a: 6}",    "99999999999999999999999999",
		"'6;7'", "\"6\\t\"", "\"6\\07\"",
	};
	char text[2048] = "\ndataplane:\n  workers: 2\n  cpus: ";
	const size_t len = strlen(text);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text + len, sizeof(text) - len, "%s\n", bad[i]);
		expect_wrong(text, "t.yaml:4: dataplane.cpus: found ");
		expect_wrong(text, "expected a list of CPUs, as 6-7,12");
	}
	snprintf(text + len, sizeof(text) - len, "6-7\n  cpus: 8-9\n");
	expect_wrong(text, "t.yaml:5: dataplane.cpus stands here for the second time");
}

Test(config, cpus_have_a_length)
{
	char list[1026], text[2048];

	memset(list, '0', sizeof(list));
	memcpy(list + 1022, "6", 2);
	snprintf(text, sizeof(text), "dataplane: {cpus: %s}\n", list);
	config_free(expect_good(text));
	memcpy(list + 1022, "06", 3);
	snprintf(text, sizeof(text), "dataplane: {cpus: %s}\n", list);
	expect_wrong(text, "t.yaml:1: dataplane.cpus: found ");
}

#define PORTS(ports) "dataplane: {io: dpdk}\ndpdk:\n  ports: [" ports "]\n"
#define A_PORT       "{device: net_null0, addresses: [10.0.0.1/24]}"

Test(config, ports_of_dpdk)
{
	struct config *config =
		expect_good("dataplane: {io: dpdk}\ndpdk:\n  eal: [--no-huge, -m, '64']\n  ports:\n"
			    "    - device: net_tap0,iface=x\n"
			    "      addresses: [10.0.0.1/24, fd00::1/64]\n"
			    "      gateways: [fd00::2, 10.0.0.2]\n"
			    "      neighbours: [10.0.0.2=02:00:00:00:00:0f]\n"
			    "      vlan: 4094\n"
			    "      udp_checksum: false\n"
			    "    - {device: '0000:01:00.0', addresses: [192.0.2.1/32]}\n");
	const struct config_port *port = config->dpdk.ports;

	cr_assert_eq(config->dpdk.n_eal, 3);
	cr_assert_str_eq(config->dpdk.eal[2], "64");
	cr_assert_eq(config->dpdk.n_ports, 2);
	cr_assert_str_eq(port->device, "net_tap0,iface=x");
	cr_assert_eq(port->n_addresses, 2);
	cr_assert_eq(port->address[0].prefix, 120);
	cr_assert_eq(port->address[1].prefix, 64);
	cr_assert_arr_eq(port->address[0].ip + 10, "\xff\xff\x0a\x00\x00\x01", 6);
	cr_assert(port->has_gateway[0] && port->has_gateway[1]);
	cr_assert_eq(port->gateway[0][15], 2);
	cr_assert_eq(port->gateway[1][0], 0xfd);
	cr_assert_eq(port->n_neighbours, 1);
	cr_assert_arr_eq(port->neighbour[0].mac, "\x02\x00\x00\x00\x00\x0f", 6);
	cr_assert_eq(port->vlan, 4094);
	cr_assert_not(port->udp_checksum);
	cr_assert(port[1].udp_checksum && !port[1].vlan && !port[1].has_gateway[0]);
	cr_assert_eq(port[1].address[0].prefix, 128);
	config_free(config);
}

Test(config, ports_that_are_wrong)
{
	expect_wrong("dataplane: {io: dpdk}\n", "dpdk.ports: missing, while dataplane.io is dpdk");
	expect_wrong("dpdk:\n  ports: [" A_PORT "]\n", "of no use while dataplane.io is kernel");
	expect_wrong("dataplane: {io: dpdk, source: {ipv4: 10.0.0.1}}\ndpdk:\n  ports: [" A_PORT
		     "]\n",
		     "its ports have addresses");
	expect_wrong("dpdk: {ports: 5}\n", "found '5', expected a list");
	expect_wrong(PORTS("5"), "t.yaml:3: dpdk.ports: found '5', expected {device");
	expect_wrong(PORTS("{device: net_null0}"), "device and addresses are expected");
	expect_wrong(PORTS("{addresses: [10.0.0.1/24]}"), "device and addresses are expected");
	expect_wrong(PORTS("{device: a, device: b}"), "device stands here for the second time");
	expect_wrong(PORTS("{devise: a}"), "'devise' is not known here; device");
	expect_wrong(PORTS("{device: [a], addresses: [10.0.0.1/24]}"), "device: found a list");
	expect_wrong(PORTS("{device: a, addresses: 10.0.0.1/24}"),
		     "addresses: found '10.0.0.1/24'");
	for (const char *const *bad =
		     (const char *const[]){"10.0.0.1", "10.0.0.1/", "10.0.0.1/0", "10.0.0.1/33",
					   "10.0.0/24", "fd00::1/129", "10.0.0.1/2x", "/24", NULL};
	     *bad; bad++) {
		char text[200];

		snprintf(text, sizeof(text), PORTS("{device: a, addresses: ['%s']}"), *bad);
		expect_wrong(text, "expected an address with its prefix");
	}
	expect_wrong(PORTS("{device: a, addresses: [10.0.0.1/24, 10.0.0.2/24, 10.0.0.3/24, "
			   "10.0.0.4/24, 10.0.0.5/24]}"),
		     "addresses: found 5, expected at most 4");
	expect_wrong(PORTS("{device: a, addresses: [10.0.0.1/24], gateways: [10.0.0.2, 10.0.0.3]}"),
		     "one of each family");
	expect_wrong(PORTS("{device: a, addresses: [10.0.0.1/24], vlan: 4095}"), "from 1 to 4094");
	expect_wrong(PORTS("{device: a, addresses: [10.0.0.1/24], vlan: 0}"), "from 1 to 4094");
	expect_wrong(PORTS("{device: a, addresses: [10.0.0.1/24], udp_checksum: 1}"),
		     "true or false");
	for (const char *const *bad =
		     (const char *const[]){
			     "10.0.0.2", "10.0.0.2=", "10.0.0.2=02:00:00:00:00",
			     "10.0.0.2=02:00:00:00:00:00:00", "10.0.0.2=01:00:00:00:00:00",
			     "10.0.0.2=02-00-00-00-00-00", "x=02:00:00:00:00:00", NULL};
	     *bad; bad++) {
		char text[200];

		snprintf(text, sizeof(text),
			 PORTS("{device: a, addresses: [10.0.0.1/24], neighbours: ['%s']}"), *bad);
		expect_wrong(text, "expected an address and a MAC");
	}
	expect_wrong(PORTS(A_PORT ", {device: net_null0, addresses: [10.0.1.1/24]}"),
		     "device net_null0 is there twice");
	expect_wrong(PORTS(A_PORT ", {device: net_null1, addresses: [10.0.0.1/8]}"),
		     "two ports have one address");
	expect_wrong("dpdk: {eal: [[a]]}\n", "dpdk.eal: found a list, expected an argument");
	expect_wrong("dpdk: {eal: ['']}\n", "expected an argument of 1 to 255 characters");
}

// ---- Arguments of the command line

#define EAL_CONFIG "dataplane: {io: dpdk}\ndpdk: {eal: [--no-huge], ports: [" A_PORT "]}\n"

static int add(struct config *config, char *const arguments[], unsigned n, const char *told)
{
	struct reports reports = {0};
	const int error = config_add_eal(config, arguments, n, note, &reports);

	cr_expect_eq(reports.n, told ? 1 : 0, "told %u things: %s", reports.n, reports.text);
	cr_expect(!told || strstr(reports.text, told), "told '%s', not '%s'", reports.text, told);
	return error;
}

static void count_change(void *ctx, const char *option, const char *from, const char *to, bool live)
{
	(void)option, (void)from, (void)to, (void)live;
	++*(unsigned *)ctx;
}

Test(config, eal_arguments_are_added)
{
	char m[] = "-m", size[] = "256", *arguments[] = {m, size};
	struct config *config = expect_good(EAL_CONFIG), *file = expect_good(EAL_CONFIG);
	unsigned n = 0;

	cr_assert_eq(add(config, arguments, 2, NULL), 0);
	cr_assert_eq(config->dpdk.n_eal, 3);
	cr_expect_str_eq(config->dpdk.eal[0], "--no-huge");
	cr_expect_str_eq(config->dpdk.eal[1], "-m");
	cr_expect_str_eq(config->dpdk.eal[2], "256");
	config_diff(config, file, count_change, &n);
	config_diff(file, config, count_change, &n);
	cr_expect_eq(n, 0, "the file has not changed");
	config_free(file);
	file = expect_good("dataplane: {io: dpdk}\ndpdk: {eal: [-m], ports: [" A_PORT "]}\n");
	config_diff(config, file, count_change, &n);
	cr_expect_eq(n, 1, "it has");
	config_free(file);
	config_free(config);
}

Test(config, eal_arguments_have_a_length)
{
	char text[CONFIG_EAL_ARGUMENT_MAX + 2], file[512], *arguments[] = {text};
	struct config *config = expect_good(EAL_CONFIG);

	memset(text, 'x', sizeof(text));
	text[CONFIG_EAL_ARGUMENT_MAX + 1] = 0;
	cr_expect_eq(add(config, arguments, 1,
			 "argument 1 behind -- has 256 characters, expected 1 to 255"),
		     -EINVAL);
	snprintf(file, sizeof(file), "dpdk: {eal: [%s]}\n", text);
	expect_wrong(file, "expected an argument of 1 to 255 characters");
	text[CONFIG_EAL_ARGUMENT_MAX] = 0;
	cr_expect_eq(add(config, arguments, 1, NULL), 0);
	snprintf(file, sizeof(file), "dpdk: {eal: [%s]}\n", text);
	config_free(expect_good(file));
	text[0] = 0;
	cr_expect_eq(add(config, arguments, 1, "argument 1 behind -- has 0 characters"), -EINVAL);
	cr_expect_eq(config->dpdk.n_eal, 2);
	config_free(config);
}

Test(config, eal_arguments_have_a_number_and_a_use)
{
	char text[] = "x", *arguments[CONFIG_EAL_MAX];
	struct config *config = expect_good(EAL_CONFIG);

	for (unsigned i = 0; i < CONFIG_EAL_MAX; i++)
		arguments[i] = text;
	cr_expect_eq(add(config, arguments, CONFIG_EAL_MAX,
			 "32 arguments behind -- and 1 in dpdk.eal, at most 32 together"),
		     -EINVAL);
	cr_expect_eq(config->dpdk.n_eal, 1, "none is added");
	cr_expect_eq(add(config, arguments, CONFIG_EAL_MAX - 1, NULL), 0);
	cr_expect_eq(config->dpdk.n_eal, CONFIG_EAL_MAX);
	cr_expect_eq(add(config, arguments, 1, "1 arguments behind -- and 32"), -EINVAL);
	cr_expect_eq(add(config, NULL, 0, NULL), 0);
	config_free(config);
	config = expect_good("");
	cr_expect_eq(add(config, arguments, 1, "of no use while dataplane.io is kernel"), -EINVAL);
	cr_expect_eq(add(config, NULL, 0, NULL), 0);
	config_free(config);
}

Test(config, options_that_do_not_fit_together)
{
	expect_wrong("dataplane: {lap_pause: 9000, lap_pause_max: 8000}\n",
		     "t.yaml:1: dataplane.lap_pause_max: 8000 is less than lap_pause, 9000");
	expect_wrong("dataplane: {lap_pause: 70000}\n",
		     "t.yaml:1: dataplane.lap_pause: 70000 is more than lap_pause_max, 60000");
	expect_wrong("dataplane: {workers: 3, source: {port: 65534}}\n", "go beyond 65535");
	expect_wrong("dataplane:\n  workers: 3\n  cpus: 6-7\n",
		     "t.yaml:3: dataplane.cpus: found 2 for workers, 3: a CPU for each");
	expect_wrong("dataplane:\n  cpus: 6-7\n",
		     "t.yaml:2: dataplane.cpus: found 2 for workers, 1: a CPU for each");
	expect_wrong("\ndataplane: {cpus: 6-70, workers: 64}\n",
		     "t.yaml:2: dataplane.cpus: found 65 for workers, 64: a CPU for each");
	expect_wrong("akma: {mode_k_id: FF414B5001}\n", "is also mode_d_id");
	expect_wrong("\nakma: {mode_d_id: FF414B5002}\n", "t.yaml:2: akma.mode_d_id: is also");
	expect_wrong("\nlisten: {address: 0.0.0.0}\n", "t.yaml:2: listen.address: 0.0.0.0 is not");
	expect_wrong("listen: {address: '::ffff:127.0.0.1'}\n", "is not a loopback address");
	expect_wrong("admin: {socket: admin.sock}\n", "does not start with /");
	expect_wrong("tls: {certificate: /c, key: /k}\n", "tls.ca: missing");
	expect_wrong("tls: {clients: [{name: a, role: ausf}]}\n", "of no use without");
	expect_wrong("tls: {certificate: /c, key: /k, ca: /a, port: 7777}\n", "also listen.port");
	expect_wrong("tls: {certificate: /c, key: /k, ca: /a, clients: [{name: a, role: ausf}, "
		     "{name: a, role: operator}]}\n",
		     "a is listed twice");
}

Test(config, clients)
{
	expect_wrong("tls: {clients: 3}\n", "expected a list of {name, role, af}");
	expect_wrong("tls: {clients: [3]}\n", "found '3', expected {name, role, af}");
	expect_wrong("tls: {clients: [{name: a}]}\n", "name and role are expected");
	expect_wrong("tls: {clients: [{name: a, role: king}]}\n", "one of ausf, operator, af");
	expect_wrong("tls: {clients: [{name: a, role: af}]}\n", "role af, and no other");
	expect_wrong("tls: {clients: [{name: a, role: ausf, af: a.example}]}\n", "role af, and no");
	expect_wrong("tls: {clients: [{name: a, role: af, af: not_a_name}]}\n", "expected an FQDN");
	expect_wrong("tls: {clients: [{name: a, role: ausf, x: 1}]}\n", "'x' is not known here");
	expect_wrong("tls:\n  clients:\n  - name: a\n    role: ausf\n    role: operator\n",
		     "t.yaml:5: tls.clients: role stands here for the second time");
	expect_wrong("tls: {clients: [{name: a, name: b, role: ausf}]}\n", "name stands here for");
}

Test(config, yaml_itself)
{
	expect_wrong("listen: [\n", "not YAML");
	expect_wrong("listen: {port: 1}\n---\nlog: {}\n", "t.yaml:3: a second document");
	expect_wrong("a: *nobody\n", "not YAML");
	expect_wrong("\xff\xfe\x41", "not YAML");
	expect_wrong("a: &a\n  b: *a\n", "'a' is not known here"); // a circle
}

Test(config, everything_wrong_is_told_at_once)
{
	struct reports reports;
	struct config *config;

	cr_assert_eq(parse("listen: {port: x, address: y}\nstor: 1\nlog: {level: z}\n", &config,
			   &reports),
		     -EINVAL);
	cr_expect_eq(reports.n, 4, "%s", reports.text);
}

Test(config, files)
{
	char name[] = "/tmp/akmapush-test-config-XXXXXX";
	int fd = mkstemp(name);
	struct reports reports = {0};
	struct config *config;

	cr_assert(write(fd, "log: {level: debug}\n", 20) == 20);
	cr_assert_eq(config_load(name, &config, note, &reports), 0, "%s", reports.text);
	cr_expect_str_eq(config->log.level, "debug");
	config_free(config);
	unlink(name);
	close(fd);
	cr_expect_eq(config_load(name, &config, note, &reports), -ENOENT);
	cr_expect(strstr(reports.text, name), "%s", reports.text);
	cr_expect_eq(config_load("/tmp", &config, note, &reports), -EISDIR);
}

Test(config, files_it_names_are_looked_for)
{
	struct reports reports;
	struct config *config;

	cr_assert_eq(parse("tls:\n  certificate: /nowhere/c\n  key: /nowhere/k\n  ca: /dev/null\n",
			   &config, &reports),
		     0, "%s", reports.text);
	cr_expect_eq(config_check(config, "t.yaml", note, &reports), -EINVAL);
	cr_expect_eq(reports.n, 2, "%s", reports.text);
	cr_expect(strstr(reports.text, "t.yaml:2: tls.certificate: /nowhere/c: No such file"), "%s",
		  reports.text);
	config_free(config);
}

static void note_change(void *ctx, const char *option, const char *from, const char *to, bool live)
{
	char text[256];

	snprintf(text, sizeof(text), "%s %s %s %d", option, from, to, live);
	note(ctx, text);
}

Test(config, differences)
{
	struct reports reports;
	struct config *a, *b;

	cr_assert_eq(parse("", &a, &reports), 0);
	cr_assert_eq(
		parse("log: {level: debug}\ndataplane: {burst: 8, workers: 2}\n", &b, &reports), 0);
	config_diff(a, b, note_change, &reports);
	cr_expect_eq(reports.n, 3, "%s", reports.text);
	cr_expect(strstr(reports.text, "log.level info debug 1\n"), "%s", reports.text);
	cr_expect(strstr(reports.text, "dataplane.workers 1 2 0\n"), "%s", reports.text);
	reports = (struct reports){0};
	config_diff(a, a, note_change, &reports);
	cr_expect_eq(reports.n, 0);
	config_free(b);
	cr_assert_eq(parse("dataplane: {cpus: 3}\n", &b, &reports), 0);
	config_diff(a, b, note_change, &reports);
	config_diff(b, a, note_change, &reports);
	cr_expect_str_eq(reports.text, "dataplane.cpus (none) 3 0\ndataplane.cpus 3 (none) 0\n");
	config_free(a);
	config_free(b);
}

// The example is YAML when the comment signs are taken away, and says what holds anyway.
Test(config, example)
{
	char text[16384], *to = text;
	struct reports reports;
	struct config *a, *b;
	FILE *file = tmpfile();
	int c, column = 0;

	cr_assert_eq(config_print_example(fileno(file)), 0);
	rewind(file);
	for (; (c = fgetc(file)) != EOF && to < text + sizeof(text) - 1; column++) {
		if (column > 0 || c != '#')
			*to++ = (char)c;
		if (c == '\n')
			column = -1;
	}
	*to = 0;
	fclose(file);
	for (char *at = text; (at = strstr(at, ": \n")); at++)
		memcpy(at, "# \n", 3); // options without a default can't be empty
	for (char *at = text; (at = strstr(at, "    ipv")); at++)
		*at = '#';
	for (char *line = text; line && *line;
	     line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		char *end = strchr(line, '\n');

		if (end && end - line > 1 && end[-2] == '#')
			*line = '#';
	}
	cr_assert_eq(parse(text, &a, &reports), 0, "%s\n%s", reports.text, text);
	cr_assert_eq(parse("", &b, &reports), 0);
	config_diff(a, b, note_change, &reports);
	cr_expect_eq(reports.n, 0, "%s", reports.text);
	config_free(a);
	config_free(b);
}
