#include "dataplane/io/dpdk/dpdk_eal.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "dataplane/io/dpdk/dpdk_shared.h"

enum {
	ARG_ROOM = IO_DPDK_ARG_MAX + 1,
	OWN_ARGS = 10,
	ARGS_MAX = IO_DPDK_ARGS_MAX + IO_DPDK_PORTS_MAX + OWN_ARGS
};

#define SMALL_PAGES_MB "512"

struct arguments {
	char text[ARGS_MAX][ARG_ROOM];
	char *at[ARGS_MAX + 1];
	int n;
	const char *cut; // one that did not fit
};

__attribute__((format(printf, 2, 3))) static void add(struct arguments *args, const char *format,
						      ...)
{
	va_list list;
	int len;

	assert(args->n < ARGS_MAX);
	va_start(list, format);
	len = vsnprintf(args->text[args->n], ARG_ROOM, format, list);
	va_end(list);
	if (len >= ARG_ROOM)
		args->cut = args->text[args->n];
	args->at[args->n] = args->text[args->n];
	args->n++;
}

static bool is_given(const struct io_dpdk_config *config, const char *const options[])
{
	for (unsigned i = 0; i < config->n_args; i++) {
		for (const char *const *option = options; *option; option++) {
			if (!strncmp(config->arg[i], *option, strlen(*option)))
				return true;
		}
	}
	return false;
}

// ---- Memory

static unsigned long free_pages(const char *size)
{
	char path[2 * ARG_ROOM];
	unsigned long n = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/%s/free_hugepages", size);
	file = fopen(path, "r");
	if (!file)
		return 0;
	if (fscanf(file, "%lu", &n) != 1)
		n = 0;
	fclose(file);
	return n;
}

static bool have_huge_pages(void)
{
	DIR *const sizes = opendir("/sys/kernel/mm/hugepages");
	bool have = false;

	for (struct dirent *entry; sizes && (entry = readdir(sizes));)
		have |= entry->d_name[0] != '.' && free_pages(entry->d_name) > 0;
	if (sizes)
		closedir(sizes);
	return have;
}

static void add_memory(struct arguments *args, const struct io_dpdk_config *config)
{
	static const char *const options[] = {
		"--no-huge",    "--in-memory", "--huge-dir",    "--socket-mem",
		"--legacy-mem", "-m",          "--file-prefix", NULL};

	if (is_given(config, options))
		return;
	if (have_huge_pages()) {
		add(args, "--in-memory");
		log_info("dpdk", "memory in huge pages");
		return;
	}
	add(args, "--no-huge");
	add(args, "--no-shconf"); // other processes of DPDK may run: no files of theirs are ours
	add(args, "-m");
	add(args, SMALL_PAGES_MB);
	log_warn("dpdk", "no huge page is free: " SMALL_PAGES_MB " MiB in small ones, slower; "
			 "for more speed: echo 512 >/proc/sys/vm/nr_hugepages");
}

// ---- Devices

static bool is_pci(const char *device)
{
	unsigned domain, bus, slot, function;

	return sscanf(device, "%x:%x:%x.%x", &domain, &bus, &slot, &function) == 4 ||
	       sscanf(device, "%x:%x.%x", &bus, &slot, &function) == 3;
}

static void add_devices(struct arguments *args, const struct io_dpdk_config *config,
			int xdp_program)
{
	bool any_pci = false;

	for (unsigned i = 0; i < config->n_ports; i++) {
		const char *const device = config->port[i].device;

		if (dpdk_shared_wants_program(device))
			add(args, "--vdev=%s,xdp_prog=/proc/self/fd/%d", device, xdp_program);
		else
			add(args, is_pci(device) ? "--allow=%s" : "--vdev=%s", device);
		any_pci |= is_pci(device);
	}
	if (!any_pci && !is_given(config, (const char *const[]){"--no-pci", NULL}))
		add(args, "--no-pci");
}

// EAL binds its caller to the first lcore: it gets one that the caller may run on anyway.
static void add_lcore(struct arguments *args, const struct io_dpdk_config *config,
		      const cpu_set_t *allowed)
{
	static const char *const options[] = {"-l", "-c", "--lcores", "-S", NULL};
	unsigned cpu = 0;

	if (is_given(config, options))
		return;
	while (cpu < CPU_SETSIZE - 1 && !CPU_ISSET(cpu, allowed))
		cpu++;
	add(args, "--lcores=0@%u", cpu);
}

static const char *advice(int error)
{
	switch (error) {
	case EACCES:
	case EPERM:
		return "run as root, or with CAP_NET_ADMIN, CAP_NET_RAW and CAP_IPC_LOCK";
	case ENOMEM:
		return "free memory, or reserve huge pages: echo 512 >/proc/sys/vm/nr_hugepages";
	case EALREADY:
		return "it can be started once in a process";
	case EINVAL:
	case ENODEV:
		return "look at the arguments of EAL and the devices; the lines above say more";
	default:
		return "the lines above say more";
	}
}

int dpdk_eal_start(const struct io_dpdk_config *config, int xdp_program, char error[IO_ERROR_MAX])
{
	static bool started;
	struct arguments args = {.n = 0};
	cpu_set_t allowed;
	int status;

	if (started) {
		snprintf(error, IO_ERROR_MAX, "DPDK starts once in a process");
		return -EALREADY;
	}
	sched_getaffinity(0, sizeof(allowed), &allowed);
	add(&args, "akmapushd");
	add_lcore(&args, config, &allowed);
	add_memory(&args, config);
	add_devices(&args, config, xdp_program);
	add(&args, "--log-level=*:warning");
	for (unsigned i = 0; i < config->n_args; i++)
		add(&args, "%s", config->arg[i]);
	if (args.cut) {
		snprintf(error, IO_ERROR_MAX,
			 "an argument for DPDK is longer than %d characters: %.120s…",
			 IO_DPDK_ARG_MAX, args.cut);
		return -EINVAL;
	}
	started = true;
	status = rte_eal_init(args.n, args.at);
	sched_setaffinity(0, sizeof(allowed), &allowed);
	if (status >= 0)
		return 0;
	snprintf(error, IO_ERROR_MAX, "DPDK does not start: %s; %s", rte_strerror(rte_errno),
		 advice(rte_errno));
	return rte_errno ? -rte_errno : -EIO;
}

void dpdk_eal_stop(void)
{
	rte_eal_cleanup();
}
