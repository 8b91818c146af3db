// How pushes scale with workers: threads on CPUs of their own, a queue each of one port, which
// takes all and does nothing unless asked otherwise. The workers of a plane share nothing, so those
// of fewer are the same plane's whose pushes reach only UEs of its first ones; the others have
// nothing to do meanwhile. The reference is one worker: a rate is how many times as fast. Beside
// them stand chains, by as many threads without ports: what the machine gives at that time.

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cpu_list.h"
#include "bench/chains.h"
#include "bench/io_port.h"
#include "dataplane/dp.h"

struct crew;

struct team {
	struct crew *crew;
	char name[16];
	unsigned n;
	struct bench_variant *pushes; // NULL: chains
	struct bench_variant chains;
};

struct crew {
	struct io_dpdk_config ports;
	struct io_sink sink;
	char cpus[32];
	struct chains *chains;
	struct bench_variant *all;
	struct team team[BENCH_VARIANTS_MAX];
	unsigned n;
};

// All that there are, as far as a plane can have workers.
static const char *all_cpus(struct crew *crew)
{
	const long n = sysconf(_SC_NPROCESSORS_ONLN);

	snprintf(crew->cpus, sizeof(crew->cpus), "0-%ld",
		 n > DP_WORKERS_MAX ? DP_WORKERS_MAX - 1L : n - 1);
	return crew->cpus;
}

static unsigned run_chains(void *state, uint64_t *ns)
{
	const struct team *const team = state;

	return chains_run(team->crew->chains, team->n, ns);
}

// The next team, if it is wanted.
static struct team *add(struct crew *crew, const struct bench_options *options, unsigned n,
			const char *what)
{
	struct team *const team = &crew->team[crew->n];

	team->crew = crew;
	team->n = n;
	snprintf(team->name, sizeof(team->name), "%u-%s%s", n, what, n > 1 ? "s" : "");
	if (crew->n && options->only && !strstr(team->name, options->only))
		return NULL;
	crew->n++;
	return team;
}

static int add_workers(struct crew *crew, const struct bench_options *options, unsigned n)
{
	struct team *const team = add(crew, options, n, "worker");

	if (!team)
		return 0;
	team->pushes = io_protected_part(crew->all, n);
	if (!team->pushes)
		return -ENOMEM;
	team->pushes->name = team->name;
	return 0;
}

static void add_chains(struct crew *crew, const struct bench_options *options, unsigned n)
{
	struct team *const team = add(crew, options, n, "chain");

	if (team)
		team->chains = (struct bench_variant){
			.name = team->name, .state = team, .run = run_chains};
}

static int add_teams(struct crew *crew, const struct bench_options *options, unsigned n)
{
	int status = 0;

	for (unsigned k = 1; k < n && !status; k *= 2)
		status = add_workers(crew, options, k);
	if (!status)
		status = add_workers(crew, options, n);
	for (unsigned k = 1; k < n; k *= 2)
		add_chains(crew, options, k);
	add_chains(crew, options, n);
	return status;
}

static int open_crew(struct crew *crew, const struct bench_options *options)
{
	const char *const cpus = options->cpus ? options->cpus : all_cpus(crew);
	const unsigned n = cpu_list_count(cpus);

	if (!cpu_list_is_valid(cpus) || n > DP_WORKERS_MAX) {
		fprintf(stderr,
			"akmapush-bench: --cpus: %s is not a list of 1 to %d CPUs, as "
			"0-3,8\n",
			cpus, DP_WORKERS_MAX);
		return -EINVAL;
	}
	io_port_init(&crew->ports, options->device, n);
	io_port_sink(&crew->sink, options, &crew->ports);
	crew->sink.threads = n;
	crew->sink.cpus = cpus;
	crew->all = io_protected_open(&crew->sink, "dpdk");
	if (!crew->all)
		return -ENODEV;
	crew->chains = chains_open(options, cpus, n);
	return crew->chains ? add_teams(crew, options, n) : -ENODEV;
}

static void close_crew(struct crew *crew)
{
	for (unsigned i = 0; i < crew->n; i++) {
		if (crew->team[i].pushes)
			io_protected_close(crew->team[i].pushes);
	}
	if (crew->chains)
		chains_close(crew->chains);
	if (crew->all)
		io_protected_close(crew->all);
}

static int run_crew(struct crew *crew, const struct bench_options *options)
{
	struct bench_variant *variant[BENCH_VARIANTS_MAX];
	unsigned rounds;
	char what[96];

	for (unsigned i = 0; i < crew->n; i++) {
		struct team *const team = &crew->team[i];

		variant[i] = team->pushes ? team->pushes : &team->chains;
	}
	rounds = bench_rounds(variant, crew->n, options);
	if (!rounds)
		return -EIO;
	snprintf(what, sizeof(what), "\"payload\":%u,\"destinations\":%u", options->payload,
		 options->destinations);
	bench_print("workers", what, variant, crew->n, rounds, options->json);
	return 0;
}

static int workers_run(const struct bench_options *options)
{
	static struct crew crew;
	int status = open_crew(&crew, options);

	if (!status)
		status = run_crew(&crew, options);
	close_crew(&crew);
	return status;
}

const struct bench bench_workers = {
	.name = "workers",
	.help = "pushes by one worker, two, four …, a CPU each, into a port of DPDK",
	.run = workers_run,
};
