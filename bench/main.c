#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "bench/bench.h"
#include "bench/table.h"

enum { CPU_LAST = -1, CPU_ANY = -2 };

static const struct bench *const benches[] = {
	&bench_chain, &bench_kaf,     &bench_seal, &bench_open, &bench_ack, &bench_table, &bench_io,
#ifdef HAVE_DPDK
	&bench_dpdk,  &bench_workers,
#endif
	NULL,
};

static void usage(FILE *to)
{
	fputs("usage: akmapush-bench BENCH [options]\n\nbenches:\n", to);
	for (const struct bench *const *b = benches; *b; b++)
		fprintf(to, "  %-10s %s\n", (*b)->name, (*b)->help);
	fputs("\noptions:\n"
	      "  --json              one line of JSON a variant\n"
	      "  --rounds N          rounds of every variant; 0: as many as --seconds allow (0)\n"
	      "  --seconds S         time for the rounds of one bench (10)\n"
	      "  --cpu N             the processor to run on; any: not pinned (the last one)\n"
	      "  --payload N         octets of payload, 0 to 1184 (64)\n"
	      "  --destinations N    dpdk, io, workers: how many, 1 to 65536 (65536)\n"
	      "  --ues N             UEs in the table, 1000 to 100000000 (1000000)\n"
	      "  --device DEVICE     dpdk, workers: the port (net_null0,no-rx=1)\n"
	      "  --cpus LIST         workers: a CPU for each, as 0-3,8 (all)\n"
	      "  --only TEXT         the reference and the variants with TEXT in their name\n"
	      "  --help\n",
	      to);
}

static const struct bench *find(const char *name)
{
	for (const struct bench *const *b = benches; *b; b++) {
		if (!strcmp((*b)->name, name))
			return *b;
	}
	return NULL;
}

// ---- Options

static bool number(const char *name, const char *text, unsigned long min, unsigned long max,
		   unsigned *value)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno || end == text || *end || text[0] == '-' || n < min || n > max) {
		fprintf(stderr, "akmapush-bench: --%s: %s is not a number from %lu to %lu\n", name,
			text, min, max);
		return false;
	}
	*value = (unsigned)n;
	return true;
}

static bool seconds(const char *text, double *value)
{
	char *end;

	*value = strtod(text, &end);
	if (end != text && !*end && *value > 0 && *value <= 3600)
		return true;
	fprintf(stderr, "akmapush-bench: --seconds: %s is not above 0 and at most 3600\n", text);
	return false;
}

static bool cpu(const char *text, int *value)
{
	unsigned n;

	if (!strcmp(text, "any")) {
		*value = CPU_ANY;
		return true;
	}
	if (!number("cpu", text, 0, CPU_SETSIZE - 1, &n))
		return false;
	*value = (int)n;
	return true;
}

static bool take_option(int option, struct bench_options *o, int *on_cpu)
{
	switch (option) {
	case 'j':
		o->json = true;
		return true;
	case 'r':
		return number("rounds", optarg, 0, BENCH_ROUNDS_MAX, &o->rounds);
	case 's':
		return seconds(optarg, &o->seconds);
	case 'c':
		return cpu(optarg, on_cpu);
	case 'p':
		return number("payload", optarg, 0, 1184, &o->payload);
	case 'd':
		return number("destinations", optarg, 1, 65536, &o->destinations);
	case 'u':
		return number("ues", optarg, TABLE_UES_MIN, TABLE_UES_MAX, &o->ues);
	case 'D':
		o->device = optarg;
		return true;
	case 'C':
		o->cpus = optarg;
		return true;
	case 'o':
		o->only = optarg;
		return true;
	case 'h':
		usage(stdout);
		exit(0);
	default:
		return false;
	}
}

static bool take_options(int argc, char *argv[], struct bench_options *o, int *on_cpu)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{"rounds", required_argument, NULL, 'r'},
		{"seconds", required_argument, NULL, 's'},
		{"cpu", required_argument, NULL, 'c'},
		{"payload", required_argument, NULL, 'p'},
		{"destinations", required_argument, NULL, 'd'},
		{"ues", required_argument, NULL, 'u'},
		{"device", required_argument, NULL, 'D'},
		{"cpus", required_argument, NULL, 'C'},
		{"only", required_argument, NULL, 'o'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (!take_option(option, o, on_cpu))
			return false;
	}
	return true;
}

// ---- Where it runs

static int last_cpu(void)
{
	cpu_set_t set;
	int last = CPU_ANY;

	if (sched_getaffinity(0, sizeof(set), &set))
		return CPU_ANY;
	for (int i = 0; i < CPU_SETSIZE; i++) {
		if (CPU_ISSET(i, &set))
			last = i;
	}
	return last;
}

static bool pin(int on_cpu)
{
	cpu_set_t set;

	if (on_cpu == CPU_LAST)
		on_cpu = last_cpu();
	if (on_cpu == CPU_ANY)
		return true;
	CPU_ZERO(&set);
	CPU_SET(on_cpu, &set);
	if (!sched_setaffinity(0, sizeof(set), &set))
		return true;
	fprintf(stderr, "akmapush-bench: --cpu %d: %s\n", on_cpu, strerror(errno));
	return false;
}

int main(int argc, char *argv[])
{
	struct bench_options options = {
		.seconds = 10, .payload = 64, .destinations = 65536, .ues = 1000000};
	const struct bench *bench;
	int on_cpu = CPU_LAST;

	if (!take_options(argc, argv, &options, &on_cpu)) {
		usage(stderr);
		return 2;
	}
	bench = optind == argc - 1 ? find(argv[optind]) : NULL;
	if (!bench) {
		usage(stderr);
		return 2;
	}
	log_set_level("warn");
	return pin(on_cpu) && !bench->run(&options) ? 0 : 1;
}
