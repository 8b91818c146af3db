// akmapush-ue: options, and what the main thread does while the workers work.
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "tools/args.h"
#include "tools/fleet/fleet.h"
#include "tools/port.h"
#include "tools/progress.h"

enum {
	TICK_MS = 20,
	REPORT_MS = 1000,
	HOST_MAX = 64,
	BUFFER = 256 << 20,
	BUFFER_OF_ONE = 64 << 10
};

static struct fleet fleet = {
	.options =
		{
			.count = 1000,
			.port = SUBSCRIBER_PORT,
			.threads = 1,
			.status = 1,
			.list_max = 8,
			.segment_buffers = 4096,
			.socket_buffer = BUFFER,
			.random = 1,
		},
};
static struct arg_texts af_names, push_functions;
static const char *seed = "akmapush", *ua_star_id = "ff414b5001", *crypto_name = "openssl",
		  *clock_kind = "trusted", *report_to, *first;
static uint64_t expect, n_pushes = 1;
static double seconds_max, linger, reregister_after;
static bool is_v6, json, quiet;
static struct port_options port;
static struct io_dpdk_config port_of_fleet;

static const struct arg args[] = {
	{ARG_TITLE, 0, "Which UEs", NULL, NULL, NULL, 0, 0},
	{ARG_TEXT, 0, "seed", "TEXT", "that akmapush-load was given (default akmapush)", &seed, 0,
	 0},
	{ARG_UINT, 0, "from", "N", "first subscriber (default 0)", &fleet.options.from, 0,
	 SUBSCRIBER_MAX - 1},
	{ARG_UINT, 'n', "count", "N", "how many (default 1000); 100k and 2M are understood",
	 &fleet.options.count, 1, 100000000},
	{ARG_UINT, 0, "port", "N", "their UDP port (default 48470)", &fleet.options.port, 1,
	 UINT16_MAX},
	{ARG_FLAG, 0, "ipv6", NULL,
	 "on ::1, a port and a socket each from --port on, so\n"
	 "subscribers 0 to 9,999; else on 127.1.0.0 and up",
	 &is_v6, 0, 0},
	{ARG_TEXT, 0, "first", "ADDRESS",
	 "of the first; the others' follow, of IPv6 too. A route of\n"
	 "kind local leads them here: ip -6 route add local\n"
	 "fd09::/64 dev lo",
	 &first, 0, 0},
	{ARG_TITLE, 0, "What they are provisioned with", NULL, NULL, NULL, 0, 0},
	{ARG_TEXTS, 0, "af", "FQDN",
	 "accept pushes of this AF (default utility.example);\n"
	 "may be repeated",
	 &af_names, 0, 0},
	{ARG_TEXT, 0, "ua", "HEX", "Ua* protocol identifier of pushes (default ff414b5001)",
	 &ua_star_id, 0, 0},
	{ARG_TEXTS, 0, "push-function", "ADDRESS[:PORT]",
	 "acknowledge to this address only (default 127.0.0.1\n"
	 "and ::1, any port); may be repeated",
	 &push_functions, 0, 0},
	{ARG_UINT, 0, "again", "K", "registration number of their keys (default 0)",
	 &fleet.options.registration, 0, UINT32_MAX - 2},
	{ARG_TITLE, 0, "How they behave", NULL, NULL, NULL, 0, 0},
	{ARG_REAL, 0, "reregister", "S",
	 "after S seconds all take the keys of the next\n"
	 "registration number; SIGUSR1 does the same",
	 &reregister_after, 0, 0},
	{ARG_TEXT, 0, "clock", "KIND", "trusted (default) or untrusted", &clock_kind, 0, 0},
	{ARG_UINT, 0, "status", "N",
	 "the application's answer: 1 acted upon (default),\n"
	 "2 refused, 0 none",
	 &fleet.options.status, 0, 2},
	{ARG_REAL, 0, "lose", "PERCENT", "lose datagrams and acknowledgements at random",
	 &fleet.options.lose, 0, 100},
	{ARG_REAL, 0, "duplicate", "PERCENT", "send acknowledgements twice",
	 &fleet.options.duplicate, 0, 100},
	{ARG_UINT, 0, "random", "N", "another N, another randomness (default 1)",
	 &fleet.options.random, 0, INT64_MAX},
	{ARG_UINT, 0, "list", "N",
	 "pushes that a UE remembers for an AF and a key\n"
	 "(default 8; a device has 64): 48 octets each and UE",
	 &fleet.options.list_max, 1, 64},
	{ARG_UINT, 0, "segment-buffers", "N",
	 "for pushes of several datagrams, shared by the UEs of\n"
	 "a thread (default 4096)",
	 &fleet.options.segment_buffers, 0, 65534},
	{ARG_TITLE, 0, "How it runs", NULL, NULL, NULL, 0, 0},
	{ARG_TEXT, 0, "crypto", "NAME", "openssl (default) or builtin", &crypto_name, 0, 0},
	{ARG_UINT, 't', "threads", "N", "default 1; each has the UEs of its addresses",
	 &fleet.options.threads, 1, FLEET_THREADS_MAX},
	{ARG_FLAG, 0, "warm", NULL,
	 "derive all keys before it is ready; else a UE's when\n"
	 "its first datagram comes",
	 &fleet.options.warm, 0, 0},
	{ARG_UINT, 0, "buffer", "OCTETS",
	 "receive buffer of a socket (default 256 MiB; with a\n"
	 "socket for each UE 64 KiB)",
	 &fleet.options.socket_buffer, 4096, INT32_MAX},
	{ARG_TITLE, 0, "Past the kernel", NULL, NULL, NULL, 0, 0},
	PORT_ARG_DEVICE(&port),
	PORT_ARG_ADDRESS(&port),
	PORT_ARG_EAL(&port),
	{ARG_TITLE, 0, "When it ends (SIGTERM and SIGINT end it orderly, too)", NULL, NULL, NULL, 0,
	 0},
	{ARG_UINT, 0, "expect", "N", "when a push was delivered to N UEs", &expect, 1, INT64_MAX},
	{ARG_UINT, 0, "pushes", "N", "when that has happened for N pushes (default 1)", &n_pushes,
	 1, INT64_MAX},
	{ARG_REAL, 0, "linger", "S", "go on for S seconds then, to acknowledge repetitions",
	 &linger, 0, 0},
	{ARG_REAL, 0, "seconds", "S", "after S seconds anyhow; exit code 1 then with --expect",
	 &seconds_max, 0, 0},
	{ARG_TITLE, 0, "Output", NULL, NULL, NULL, 0, 0},
	{ARG_TEXT, 0, "report", "FILE",
	 "a JSON line each second into a file, or to a file\n"
	 "descriptor when FILE is a number",
	 &report_to, 0, 0},
	{ARG_FLAG, 0, "json", NULL, "the summary at the end as one JSON object", &json, 0, 0},
	{ARG_FLAG, 'q', "quiet", NULL, "no progress", &quiet, 0, 0},
	{0},
};

static const struct args_command command = {
	"akmapush-ue [OPTION...]",
	"A fleet of simulated devices: the subscribers of akmapush-load with the same --seed, each "
	"at\n"
	"its own address. They verify pushes with libakmapush-ue, \"deliver\" them, and "
	"acknowledge.\n"
	"Says \"ready\" on standard output when it listens, and sums up at the end. Exit code: 0; "
	"1\n"
	"when what was expected did not come, or an application was given a push twice; 2 wrong "
	"usage.",
	"  akmapush-ue --count 100k --af utility.example --expect 100k --linger 5\n"
	"  akmapush-ue --count 100k --lose 10 --duplicate 5     a bad network\n"
	"  akmapush-ue --count 1M --threads 2 --json --report progress.json\n"
	"Behind a port of DPDK, as the network of a daemon whose port is the other end of a memif\n"
	"(device \"net_memif0,role=server,socket=/tmp/m.sock,socket-abstract=no\", addresses\n"
	"[10.0.0.1/24], gateways [10.0.0.2]) and that was told of --first 10.8.0.0, too:\n"
	"  akmapush-ue --count 1M --first 10.8.0.0 --push-function 10.0.0.1 --address 10.0.0.2/24\n"
	"      --dpdk net_memif0,role=client,socket=/tmp/m.sock,socket-abstract=no",
	args,
	NULL,
};

static volatile sig_atomic_t ended, reregistered;

static void on_signal(int number)
{
	if (number == SIGUSR1)
		reregistered++;
	else
		ended = 1;
}

static int wrong(const char *option, const char *value, const char *what)
{
	fprintf(stderr, "--%s: \"%s\": %s; see akmapush-ue --help\n", option, value, what);
	return -EINVAL;
}

static int parse_push_function(const char *text, struct akmapush_ue_address *address)
{
	char host[HOST_MAX] = "";

	*address = (struct akmapush_ue_address){.octets = {[10] = 0xff, [11] = 0xff}};
	if (args_host(text, host, sizeof(host), &address->port))
		return -EINVAL;
	if (inet_pton(AF_INET, host, address->octets + 12) == 1 ||
	    inet_pton(AF_INET6, host, address->octets) == 1)
		return 0;
	return -EINVAL;
}

static int fill_push_functions(struct akmapush_ue_address addresses[])
{
	if (push_functions.n == 0) {
		push_functions.text[push_functions.n++] = "127.0.0.1";
		push_functions.text[push_functions.n++] = "::1";
	}
	if (push_functions.n > FLEET_PUSH_FUNCTIONS_MAX)
		return wrong("push-function", push_functions.text[FLEET_PUSH_FUNCTIONS_MAX],
			     "too many");
	for (unsigned i = 0; i < push_functions.n; i++) {
		if (parse_push_function(push_functions.text[i], &addresses[i]))
			return wrong("push-function", push_functions.text[i],
				     "no address, or address:port");
	}
	return 0;
}

static int fill_afs(void)
{
	static struct akmapush_ue_af afs[ARG_TEXTS_MAX];
	static struct akmapush_ue_address addresses[FLEET_PUSH_FUNCTIONS_MAX];
	static char names[ARG_TEXTS_MAX][AKMA_FQDN_MAX + 1];
	uint8_t ua[AKMAPUSH_UE_UA_STAR_ID];

	if (af_names.n == 0)
		af_names.text[af_names.n++] = "utility.example";
	if (hex_parse(ua_star_id, strlen(ua_star_id), ua, sizeof(ua)))
		return wrong("ua", ua_star_id, "ten hexadecimal digits are needed");
	if (fill_push_functions(addresses))
		return -EINVAL;
	for (unsigned i = 0; i < af_names.n; i++) {
		const char *name = af_names.text[i];

		if (akma_fqdn_parse(name, strlen(name), names[i]) < 0)
			return wrong("af", name, "no full name of an AF");
		afs[i] = (struct akmapush_ue_af){
			.fqdn = names[i],
			.push_functions = addresses,
			.n_push_functions = (uint8_t)push_functions.n,
		};
		memcpy(afs[i].ua_star_id, ua, sizeof(ua));
	}
	fleet.afs = afs;
	fleet.n_afs = af_names.n;
	return 0;
}

// On loopback there is no way to them from a port.
static int fill_port(void)
{
	if (!port.device)
		return port.eal || port.addresses.n
			       ? wrong("dpdk", "", "a device is needed for --eal and --address")
			       : 0;
	if (!first)
		return wrong("dpdk", port.device, "--first is needed too: 10.8.0.0, say");
	fleet.options.dpdk = &port_of_fleet;
	return port_config(&port, (unsigned)fleet.options.threads, &port_of_fleet);
}

static int fill_options(void)
{
	struct subscriber_address last;

	fleet.options.clock_untrusted = strcmp(clock_kind, "untrusted") == 0;
	if (!fleet.options.clock_untrusted && strcmp(clock_kind, "trusted") != 0)
		return wrong("clock", clock_kind, "trusted or untrusted");
	if (strcmp(crypto_name, "openssl") == 0)
		fleet.crypto = &akmapush_ue_crypto_openssl;
	else if (strcmp(crypto_name, "builtin") == 0)
		fleet.crypto = &akmapush_ue_crypto_builtin;
	else
		return wrong("crypto", crypto_name, "openssl or builtin");
	if (is_v6 && !first && fleet.options.socket_buffer == BUFFER)
		fleet.options.socket_buffer = BUFFER_OF_ONE;
	if (subscriber_net_init(&fleet.options.net, is_v6 ? SUBSCRIBER_V6 : SUBSCRIBER_V4,
				(uint16_t)fleet.options.port, first))
		return wrong("first", first,
			     is_v6 ? "no IPv6 address that 9,999,999,999 others follow"
				   : "no IPv4 address that 16,711,679 others follow");
	if (subscriber_address(&fleet.options.net, fleet.options.from + fleet.options.count - 1,
			       &last)) {
		fputs("--count: there are not so many addresses and ports\n", stderr);
		return -EINVAL;
	}
	atomic_store(&fleet.registration, (uint32_t)fleet.options.registration);
	subscribers_init(&fleet.subscribers, seed);
	return fill_port() ? -EINVAL : fill_afs();
}

static FILE *open_report(void)
{
	uint64_t fd;

	if (args_uint(report_to, 0, 65535, &fd) == 0)
		return fdopen((int)fd, "w");
	return fopen(report_to, "w");
}

static double seconds_since(uint64_t start_ns)
{
	return (double)(clock_mono_ns(&clock_system) - start_ns) / 1e9;
}

static void nap(void)
{
	const struct timespec tick = {.tv_nsec = TICK_MS * 1000000};

	nanosleep(&tick, NULL);
}

static void wait_warm(void)
{
	struct progress progress;

	progress_begin(&progress, "keys", fleet.options.count, quiet);
	while (!ended && fleet_sum(&fleet, FLEET_made) + fleet_sum(&fleet, FLEET_failed) <
				 fleet.options.count) {
		progress_update(&progress, fleet_sum(&fleet, FLEET_made), NULL);
		nap();
	}
	progress_end(&progress, fleet_sum(&fleet, FLEET_made), NULL);
}

// New keys when the time or a signal says so.
static void watch_registration(double seconds)
{
	static bool is_timed_done;
	static int n_signals;
	const int signals = reregistered;

	if (reregister_after > 0 && seconds >= reregister_after && !is_timed_done) {
		is_timed_done = true;
		atomic_fetch_add(&fleet.registration, 1);
	}
	if (signals != n_signals) {
		atomic_fetch_add(&fleet.registration, (uint32_t)(signals - n_signals));
		n_signals = signals;
	}
}

// Until what was expected has come, the time is over, or a signal ends it.
static void watch(FILE *report, uint64_t start_ns)
{
	const bool is_shown = !quiet && expect;
	uint64_t reported_ms = 0;
	double complete_at = -1;
	struct progress progress;

	progress_begin(&progress, "delivered", expect * n_pushes, !is_shown);
	while (!ended) {
		const double seconds = seconds_since(start_ns);
		const struct deliveries_sums sums = deliveries_sums(&fleet.deliveries);

		watch_registration(seconds);
		progress_update(&progress, sums.distinct, NULL);
		if (report && (uint64_t)(seconds * 1000) >= reported_ms + REPORT_MS) {
			reported_ms = (uint64_t)(seconds * 1000);
			fleet_report_line(&fleet, report, seconds);
		}
		if (expect && complete_at < 0 && sums.complete >= n_pushes)
			complete_at = seconds;
		if ((complete_at >= 0 && seconds >= complete_at + linger) ||
		    (seconds_max > 0 && seconds >= seconds_max))
			break;
		nap();
	}
	progress_end(&progress, deliveries_sums(&fleet.deliveries).distinct, NULL);
}

static void catch_signals(void)
{
	const struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGUSR1, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static int run(FILE *report)
{
	uint64_t start_ns;
	struct deliveries_sums sums;

	catch_signals();
	if (fleet_start(&fleet)) {
		fputs("akmapush-ue: no threads\n", stderr);
		return 1;
	}
	if (fleet.options.warm)
		wait_warm();
	puts("ready");
	fflush(stdout);
	start_ns = clock_mono_ns(&clock_system);
	watch(report, start_ns);
	fleet_stop(&fleet);
	if (report)
		fleet_report_line(&fleet, report, seconds_since(start_ns));
	fleet_summary(&fleet, stdout, json, seconds_since(start_ns));
	sums = deliveries_sums(&fleet.deliveries);
	return sums.again || (expect && sums.complete < n_pushes) ? 1 : 0;
}

int main(int argc, char **argv)
{
	FILE *report = NULL;
	int r = args_parse(&command, argc, argv);

	if (r > 0)
		fprintf(stderr, "akmapush-ue: what is \"%s\"? See akmapush-ue --help\n", argv[1]);
	if (r || fill_options())
		return 2;
	if (report_to && !(report = open_report())) {
		fprintf(stderr, "--report: %s: %s\n", report_to, strerror(errno));
		return 2;
	}
	r = fleet_open(&fleet, expect);
	if (r == 0)
		r = run(report);
	else
		r = 1;
	fleet_close(&fleet);
	if (report)
		fclose(report);
	return r;
}
