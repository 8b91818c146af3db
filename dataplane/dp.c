#include "dataplane/dp.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/cpu_list.h"
#include "dataplane/frame.h"
#include "dataplane/plane.h"
#include "dataplane/run.h"

_Static_assert((int)DP_ERROR_MAX == (int)IO_ERROR_MAX, "errors of back ends are passed on");
_Static_assert((int)DP_SEGMENT_MAX == (int)FRAME_MAX - (int)FRAME_MIN, "a whole datagram");

// ---- Life cycle

// What is wrong with it, or NULL.
static const char *check_tuning(const struct dp_tuning *tuning)
{
	if (!tuning->burst || tuning->burst > DP_BURST_MAX)
		return "burst: 1 to 64";
	if (!tuning->lap_pause_ms || tuning->lap_pause_max_ms < tuning->lap_pause_ms)
		return "lap pauses: at least 1 ms, the longest not below the first";
	return NULL;
}

// Says which names would have been right.
static int no_kernel(const char *what, const char *name, void (*usable)(char *, size_t),
		     char error[DP_ERROR_MAX])
{
	char names[DP_ERROR_MAX / 2];

	usable(names, sizeof(names));
	snprintf(error, DP_ERROR_MAX, "this CPU runs no %s \"%.32s\"; it runs %s", what, name,
		 names);
	return -EINVAL;
}

// Tried, for the CPUs that a thread has are not all that it may have: isolated ones are given to
// nobody who does not ask.
static bool can_run_on(unsigned cpu)
{
	cpu_set_t before, wanted;
	bool can;

	CPU_ZERO(&wanted);
	if (cpu >= CPU_SETSIZE || sched_getaffinity(0, sizeof(before), &before))
		return false;
	CPU_SET(cpu, &wanted);
	can = !sched_setaffinity(0, sizeof(wanted), &wanted);
	sched_setaffinity(0, sizeof(before), &before);
	return can;
}

static int check_cpus(const struct dp_config *config, char error[DP_ERROR_MAX])
{
	if (!cpu_list_is_valid(config->cpus) || cpu_list_count(config->cpus) != config->n_workers) {
		snprintf(error, DP_ERROR_MAX, "CPUs: a list of %u, one for each worker",
			 config->n_workers);
		return -EINVAL;
	}
	for (unsigned i = 0; i < config->n_workers; i++) {
		const unsigned cpu = cpu_list_at(config->cpus, i);

		if (can_run_on(cpu))
			continue;
		snprintf(error, DP_ERROR_MAX,
			 "worker %u cannot run on CPU %u: there is none, it is off line, or a "
			 "cpuset leaves it out (AllowedCPUs= of a unit, a container's CPUs)",
			 i, cpu);
		return -EINVAL;
	}
	return 0;
}

static int check(const struct dp_config *config, char error[DP_ERROR_MAX])
{
	const char *wrong = NULL;

	if (!config->n_workers || config->n_workers > DP_WORKERS_MAX)
		wrong = "workers: 1 to 64";
	else if (!config->ue_max || config->ue_max > DP_UE_MAX)
		wrong = "UEs: 1 to 1000000000";
	else if (!config->push_max || config->push_max > 1 << 24)
		wrong = "pushes: 1 to 16777216";
	else if (config->port && config->port + config->n_workers - 1 > UINT16_MAX)
		wrong = "port: those of all workers are below 65536";
	else if (!io_find(config->io))
		wrong = "no such back end is built in";
	else if (config->sha256 && !sha256_find(config->sha256))
		return no_kernel("SHA-256 kernel", config->sha256, sha256_usable, error);
	else if (config->aead && !aead_find(config->aead))
		return no_kernel("AEAD implementation", config->aead, aead_usable, error);
	else
		wrong = check_tuning(&config->tuning);
	if (!wrong)
		return config->cpus ? check_cpus(config, error) : 0;
	snprintf(error, DP_ERROR_MAX, "%s", wrong);
	return -EINVAL;
}

static int take_worker_memory(struct dp *dp, char error[DP_ERROR_MAX])
{
	const struct dp_config *c = &dp->config;

	if (c->kaf_cache)
		snprintf(error, DP_ERROR_MAX,
			 "locked memory for K_AFs of hot AFs, %" PRIu64 " octets: raise "
			 "RLIMIT_MEMLOCK, give CAP_IPC_LOCK, or lower dataplane.kaf_cache",
			 c->kaf_cache);
	return arena_init(&dp->workers_arena, c->n_workers * worker_size(c),
			  c->kaf_cache ? ARENA_PAGES_HUGE : ARENA_PAGES_SMALL);
}

static int take_tables(struct dp *dp, char error[DP_ERROR_MAX])
{
	const struct dp_config *c = &dp->config;
	int status;

	snprintf(error, DP_ERROR_MAX,
		 "locked memory for %u UEs: raise RLIMIT_MEMLOCK, give CAP_IPC_LOCK, or lower the "
		 "number of UEs",
		 c->ue_max);
	status = directory_init(&dp->directory, dp->sha, c->ue_max);
	if (status)
		return status;
	status = arena_init(&dp->contexts_arena, (size_t)c->ue_max * sizeof(struct context),
			    ARENA_PAGES_HUGE);
	if (status)
		goto no_contexts;
	status = take_worker_memory(dp, error);
	if (status)
		goto no_workers;
	dp->contexts = arena_take(&dp->contexts_arena, (size_t)c->ue_max * sizeof(struct context),
				  sizeof(struct context));
	snprintf(error, DP_ERROR_MAX, "out of memory");
	return 0;

no_workers:
	arena_fini(&dp->contexts_arena);
no_contexts:
	directory_fini(&dp->directory);
	return status;
}

static void give_tables(struct dp *dp)
{
	arena_fini(&dp->workers_arena);
	arena_fini(&dp->contexts_arena);
	directory_fini(&dp->directory);
}

static int open_workers(struct dp *dp, char error[DP_ERROR_MAX])
{
	unsigned i;
	int status;

	for (i = 0; i < dp->config.n_workers; i++) {
		struct worker_config config = {&dp->config, i, dp->sha, dp->aead, dp->contexts};

		status = worker_open(&dp->workers[i], &config, &dp->workers_arena, error);
		if (status)
			goto unwind;
	}
	return 0;

unwind:
	while (i-- > 0)
		worker_close(&dp->workers[i]);
	return status;
}

// Octets of a datagram that every worker can send.
static unsigned datagram_max(const struct dp *dp)
{
	unsigned max = FRAME_MAX;

	for (unsigned i = 0; i < dp->config.n_workers; i++) {
		const struct worker *const worker = &dp->workers[i];
		const unsigned n = worker->io_ops->datagram_max(worker->io);

		max = n < max ? n : max;
	}
	return max;
}

static int check_datagrams(const struct dp *dp, char error[DP_ERROR_MAX])
{
	if (datagram_max(dp) > FRAME_MIN)
		return 0;
	snprintf(error, DP_ERROR_MAX,
		 "the back end sends datagrams of %u octets at most, which leave no room for a "
		 "payload",
		 datagram_max(dp));
	return -EMSGSIZE;
}

int dp_open(const struct dp_config *config, struct dp **out, char error[DP_ERROR_MAX])
{
	int status = check(config, error);
	struct dp *dp;
	size_t size;

	if (status)
		return status;
	size = (sizeof(*dp) + config->n_workers * sizeof(struct worker) + 63) & ~(size_t)63;
	dp = aligned_alloc(64, size);
	if (!dp) {
		snprintf(error, DP_ERROR_MAX, "out of memory");
		return -ENOMEM;
	}
	memset(dp, 0, size);
	dp->config = *config;
	dp->tuning = config->tuning;
	dp->sha = config->sha256 ? sha256_find(config->sha256) : sha256_best();
	dp->aead = config->aead ? aead_find(config->aead) : aead_best();
	status = take_tables(dp, error);
	if (status)
		goto no_tables;
	status = open_workers(dp, error);
	if (status)
		goto no_io;
	status = check_datagrams(dp, error);
	if (status)
		goto too_short;
	*out = dp;
	return 0;

too_short:
	for (unsigned i = 0; i < config->n_workers; i++)
		worker_close(&dp->workers[i]);
no_io:
	give_tables(dp);
no_tables:
	free(dp);
	return status;
}

int dp_start(struct dp *dp)
{
	int status = 0;

	dp->started = true;
	for (unsigned i = 0; i < dp->config.n_workers && !status; i++)
		status = run_start(&dp->workers[i]);
	if (status)
		dp_stop(dp);
	return status;
}

void dp_stop(struct dp *dp)
{
	for (unsigned i = 0; i < dp->config.n_workers; i++)
		run_stop(&dp->workers[i]);
}

void dp_close(struct dp *dp)
{
	if (!dp)
		return;
	for (unsigned i = 0; i < dp->config.n_workers; i++)
		worker_close(&dp->workers[i]);
	give_tables(dp);
	free(dp);
}

bool dp_turn(struct dp *dp, unsigned worker)
{
	dp->started = true;
	return run_round(&dp->workers[worker]);
}

const char *dp_io_name(const struct dp *dp)
{
	return dp->workers[0].io_ops->chosen(dp->workers[0].io);
}

const char *dp_sha256_name(const struct dp *dp)
{
	return dp->sha->name;
}

unsigned dp_segment_max(const struct dp *dp)
{
	const unsigned max = datagram_max(dp);

	return max > FRAME_MIN ? max - FRAME_MIN : 0;
}

uint16_t dp_port(const struct dp *dp, unsigned worker)
{
	return dp->workers[worker].io_ops->port(dp->workers[worker].io);
}

unsigned dp_workers(const struct dp *dp)
{
	return dp->config.n_workers;
}

// ---- Commands

bool dp_tune(struct dp *dp, const struct dp_tuning *tuning)
{
	struct command command = {COMMAND_TUNE, .tuning = *tuning};

	assert(!check_tuning(tuning));
	if (!plane_give_all(dp, &command))
		return false;
	dp->tuning = *tuning;
	return true;
}

void dp_tuning(const struct dp *dp, struct dp_tuning *tuning)
{
	*tuning = dp->tuning;
}

bool dp_af_rate(struct dp *dp, unsigned af, uint64_t rate)
{
	struct command command = {COMMAND_AF_RATE, af, .rate = rate};

	assert(af < DP_AF_MAX);
	return plane_give_all(dp, &command);
}

bool dp_af_hot(struct dp *dp, unsigned af, bool hot)
{
	struct command command = {COMMAND_AF_HOT, af, .hot = hot};

	assert(af < DP_AF_MAX);
	return plane_give_all(dp, &command);
}

uint64_t dp_kaf_cache(const struct dp *dp)
{
	return dp->config.kaf_cache;
}

const char *dp_pages(const struct dp *dp)
{
	static const char *const names[] = {
		[ARENA_PAGES_SMALL] = "small",
		[ARENA_PAGES_HUGE] = "reserved",
		[ARENA_PAGES_TRANSPARENT] = "transparent",
	};

	return names[dp->contexts_arena.pages];
}

const char *dp_aead_name(const struct dp *dp)
{
	return dp->aead->name;
}

// ---- Counters

void dp_counters(const struct dp *dp, unsigned worker, uint64_t counts[REASON_COUNT])
{
	memset(counts, 0, REASON_COUNT * sizeof(counts[0]));
	for (unsigned i = 0; i < dp->config.n_workers; i++) {
		for (unsigned reason = 0;
		     reason < REASON_COUNT && (worker == DP_NONE || worker == i); reason++)
			counts[reason] += atomic_load_explicit(&dp->workers[i].counts[reason],
							       memory_order_relaxed);
	}
}

unsigned dp_ports(const struct dp *dp)
{
	const struct worker *const w = &dp->workers[0];

	return w->io_ops->ports ? w->io_ops->ports(w->io) : 0;
}

void dp_port_counters(const struct dp *dp, unsigned port, unsigned worker,
		      uint64_t counts[PORT_COUNT_COUNT])
{
	memset(counts, 0, PORT_COUNT_COUNT * sizeof(counts[0]));
	for (unsigned i = 0; i < dp->config.n_workers; i++) {
		const struct worker *const w = &dp->workers[i];
		uint64_t of_worker[PORT_COUNT_COUNT];

		if (worker != DP_NONE && worker != i)
			continue;
		w->io_ops->port_counts(w->io, port, of_worker);
		for (unsigned k = 0; k < PORT_COUNT_COUNT; k++)
			counts[k] += of_worker[k];
	}
}

void dp_port_status(const struct dp *dp, unsigned port, struct port_status *status)
{
	dp->workers[0].io_ops->port_status(dp->workers[0].io, port, status);
}
