// CPUs: how many, which are kept free, how fast they may run.

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cpu_list.h"
#include "tools/ctl/doctor/machine.h"

#define CPU "/sys/devices/system/cpu"

// ---- Number, isolation

// A core each, and one for control.
static void say_number(struct doctor *d)
{
	char allowed[MACHINE_LINE_MAX], mend[DOCTOR_TEXT_MAX];
	const unsigned wanted = d->needs.workers + 1;
	unsigned n;

	if (!machine_value(d, "/proc/self/status", "Cpus_allowed_list", allowed))
		machine_text(d, allowed, sizeof(allowed), CPU "/online");
	n = cpu_list_count(allowed);
	snprintf(mend, sizeof(mend), "dataplane: {workers: %u}  # in the configuration",
		 n > 1 ? n - 1 : 1);
	if (n >= wanted || n == 1)
		doctor_say(d, n >= wanted ? DOCTOR_OK : DOCTOR_WARN, "CPUs", NULL,
			   "%u (%.60s), for control and %u workers", n, allowed, d->needs.workers);
	else
		doctor_say(d, DOCTOR_WARN, "CPUs", mend,
			   "%u (%.60s), fewer than control and %u workers want", n, allowed,
			   d->needs.workers);
}

// The last CPUs, one for each worker.
static void propose(const struct doctor *d, char cpus[64])
{
	char online[MACHINE_LINE_MAX];
	unsigned n, last = d->needs.workers;

	machine_text(d, online, sizeof(online), CPU "/online");
	n = cpu_list_count(online);
	last = n ? n - 1 : last;
	if (d->needs.workers == 1 || last < d->needs.workers)
		snprintf(cpus, 64, "%u", last);
	else
		snprintf(cpus, 64, "%u-%u", last + 1 - d->needs.workers, last);
}

static void say_isolated(struct doctor *d)
{
	char isolated[MACHINE_LINE_MAX], full[MACHINE_LINE_MAX], cpus[64], mend[DOCTOR_TEXT_MAX];
	const unsigned n = (machine_text(d, isolated, sizeof(isolated), CPU "/isolated"),
			    cpu_list_count(isolated));
	const unsigned n_full =
		(machine_text(d, full, sizeof(full), CPU "/nohz_full"), cpu_list_count(full));
	const bool is_enough = n >= d->needs.workers && n_full >= d->needs.workers;

	propose(d, cpus);
	snprintf(mend, sizeof(mend),
		 "sed -i 's/^GRUB_CMDLINE_LINUX=\"/&isolcpus=%s nohz_full=%s rcu_nocbs=%s /' "
		 "/etc/default/grub; update-grub; reboot",
		 cpus, cpus, cpus);
	doctor_say(d, is_enough || !d->needs.is_dpdk ? DOCTOR_OK : DOCTOR_WARN, "isolated CPUs",
		   is_enough || !d->needs.is_dpdk ? NULL : mend,
		   "isolcpus %.60s, nohz_full %.60s%s", n ? isolated : "none",
		   n_full ? full : "none",
		   d->needs.is_dpdk ? "; one for each worker is wanted" : "");
}

// ---- Frequency

struct governors {
	struct doctor *d;
	unsigned n, n_slow;
	char slow[32];
};

static void add_governor(void *ctx, const char *cpu)
{
	struct governors *const g = ctx;
	char text[32];

	if (!machine_text(g->d, text, sizeof(text), CPU "/%s/cpufreq/scaling_governor", cpu))
		return;
	g->n++;
	if (!strcmp(text, "performance"))
		return;
	g->n_slow++;
	memcpy(g->slow, text, sizeof(g->slow));
}

static void say_governor(struct doctor *d)
{
	struct governors g = {.d = d};

	machine_list(d, CPU, "cpu", add_governor, &g);
	if (!g.n)
		doctor_say(d, DOCTOR_OK, "CPU governor", NULL,
			   "none to be seen: the firmware decides, or the host of a virtual "
			   "machine");
	else if (g.n_slow)
		doctor_say(d, DOCTOR_WARN, "CPU governor", "cpupower frequency-set -g performance",
			   "%s on %u of %u CPUs", g.slow, g.n_slow, g.n);
	else
		doctor_say(d, DOCTOR_OK, "CPU governor", NULL, "performance on %u CPUs", g.n);
}

static void say_turbo(struct doctor *d)
{
	int64_t value;

	if (machine_number(d, &value, CPU "/intel_pstate/no_turbo"))
		value = !value;
	else if (!machine_number(d, &value, CPU "/cpufreq/boost"))
		return;
	doctor_say(d, DOCTOR_OK, "turbo", NULL,
		   value ? "on: figures vary with heat and load" : "off");
}

void doctor_cores(struct doctor *d)
{
	say_number(d);
	say_isolated(d);
	say_governor(d);
	say_turbo(d);
}
