// CPUs: how many, which of them workers have, which are kept free, how fast they may run.

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cpu_list.h"
#include "tools/ctl/doctor/checks.h"
#include "tools/ctl/doctor/cpus.h"
#include "tools/ctl/doctor/machine.h"

#define CPU "/sys/devices/system/cpu"

// ---- Number

// A core each, and one for control.
static void say_number(struct doctor *d)
{
	char usable[MACHINE_LINE_MAX], mend[DOCTOR_TEXT_MAX];
	const unsigned wanted = d->needs.workers + 1;
	unsigned n;

	cpus_usable(d, usable);
	n = cpu_list_count(usable);
	snprintf(mend, sizeof(mend), "dataplane: {workers: %u}  # in the configuration",
		 n > 1 ? n - 1 : 1);
	if (n >= wanted || n == 1)
		doctor_say(d, n >= wanted ? DOCTOR_OK : DOCTOR_WARN, "CPUs", NULL,
			   "%u (%.60s), for control and %u workers", n, usable, d->needs.workers);
	else
		doctor_say(d, DOCTOR_WARN, "CPUs", mend,
			   "%u (%.60s), fewer than control and %u workers want", n, usable,
			   d->needs.workers);
}

// ---- Those of workers

// A line for the configuration, if there are as many as workers.
static void propose(const struct doctor *d, char mend[DOCTOR_TEXT_MAX])
{
	char cpus[CPUS_TEXT_MAX];

	*mend = 0;
	if (cpus_propose(d, d->needs.workers, NULL, cpus))
		snprintf(mend, DOCTOR_TEXT_MAX, "dataplane: {cpus: \"%s\"}  # in the configuration",
			 cpus);
}

static void say_given(struct doctor *d, const char *name)
{
	char online[MACHINE_LINE_MAX], usable[MACHINE_LINE_MAX], lacking[CPUS_TEXT_MAX];
	char mend[DOCTOR_TEXT_MAX];

	machine_text(d, online, sizeof(online), CPU "/online");
	cpus_outside(d->needs.cpus, online, NULL, lacking);
	if (*lacking) {
		propose(d, mend);
		doctor_say(d, DOCTOR_FAIL, name, mend,
			   "%.60s; not there, or off line: %.60s; on line: %.60s", d->needs.cpus,
			   lacking, online);
		return;
	}
	cpus_usable(d, usable);
	cpus_outside(d->needs.cpus, usable, NULL, lacking);
	snprintf(mend, sizeof(mend),
		 "taskset -c %s true  # fails where a cpuset leaves them out, as the daemon does",
		 lacking);
	if (*lacking)
		doctor_say(d, DOCTOR_WARN, name, mend, "%.60s; who asks may not run on %.60s",
			   d->needs.cpus, lacking);
	else
		doctor_say(d, DOCTOR_OK, name, NULL, "%.60s, one for each of %u", d->needs.cpus,
			   d->needs.workers);
}

static void say_workers(struct doctor *d)
{
	static const char name[] = "CPUs of workers";
	char mend[DOCTOR_TEXT_MAX];

	if (d->needs.cpus) {
		say_given(d, name);
	} else if (d->needs.is_dpdk && d->needs.workers > 1) {
		propose(d, mend);
		doctor_say(d, DOCTOR_WARN, name, mend,
			   "dataplane.cpus gives none: the system puts two workers on one now and "
			   "then");
	} else {
		doctor_say(d, DOCTOR_OK, name, NULL, "the system decides");
	}
}

// ---- Isolation

// What isolates those that are given, or as many as there are beside one for control.
static void isolate(const struct doctor *d, char mend[DOCTOR_TEXT_MAX])
{
	char usable[MACHINE_LINE_MAX], cpus[CPUS_TEXT_MAX];
	unsigned n;

	cpus_usable(d, usable);
	n = cpu_list_count(usable);
	if (d->needs.cpus)
		cpus_sorted(d->needs.cpus, cpus);
	else
		cpus_propose(d, n > d->needs.workers ? d->needs.workers : n - (n > 1), NULL, cpus);
	*mend = 0;
	if (*cpus)
		snprintf(mend, DOCTOR_TEXT_MAX,
			 "sed -i 's/^GRUB_CMDLINE_LINUX=\"/&isolcpus=%s nohz_full=%s rcu_nocbs=%s "
			 "/' /etc/default/grub; update-grub; reboot",
			 cpus, cpus, cpus);
}

static void say_isolated(struct doctor *d)
{
	char isolated[MACHINE_LINE_MAX], full[MACHINE_LINE_MAX], lacking[CPUS_TEXT_MAX] = "";
	char mend[DOCTOR_TEXT_MAX];
	const char *what = d->needs.is_dpdk ? "; one for each worker is wanted" : "";
	unsigned n, n_full;
	bool is_good;

	machine_text(d, isolated, sizeof(isolated), CPU "/isolated");
	machine_text(d, full, sizeof(full), CPU "/nohz_full");
	n = cpu_list_count(isolated);
	n_full = cpu_list_count(full);
	if (d->needs.cpus)
		cpus_outside(d->needs.cpus, isolated, full, lacking);
	if (*lacking)
		what = "; of the workers' not in both: ";
	is_good = d->needs.cpus ? !*lacking : n >= d->needs.workers && n_full >= d->needs.workers;
	is_good |= !d->needs.is_dpdk;
	isolate(d, mend);
	doctor_say(d, is_good ? DOCTOR_OK : DOCTOR_WARN, "isolated CPUs", is_good ? NULL : mend,
		   "isolcpus %.60s, nohz_full %.60s%s%.60s", n ? isolated : "none",
		   n_full ? full : "none", what, lacking);
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

// Of the workers' CPUs where they are known, else of all.
static void look_at_governors(struct governors *g)
{
	const char *const cpus = g->d->needs.cpus;
	char name[16];

	if (!cpus)
		machine_list(g->d, CPU, "cpu", add_governor, g);
	for (unsigned i = 0; cpus && i < cpu_list_count(cpus); i++) {
		snprintf(name, sizeof(name), "cpu%u", cpu_list_at(cpus, i));
		add_governor(g, name);
	}
}

static void say_governor(struct doctor *d)
{
	const char *const whose = d->needs.cpus ? " of workers" : "";
	struct governors g = {.d = d};
	char cpus[CPUS_TEXT_MAX] = "", mend[DOCTOR_TEXT_MAX];

	look_at_governors(&g);
	if (d->needs.cpus)
		cpus_sorted(d->needs.cpus, cpus);
	snprintf(mend, sizeof(mend), "cpupower %s%s%sfrequency-set -g performance",
		 *cpus ? "-c " : "", cpus, *cpus ? " " : "");
	if (!g.n)
		doctor_say(d, DOCTOR_OK, "CPU governor", NULL,
			   "none to be seen: the firmware decides, or the host of a virtual "
			   "machine");
	else if (g.n_slow)
		doctor_say(d, DOCTOR_WARN, "CPU governor", mend, "%s on %u of %u CPUs%s", g.slow,
			   g.n_slow, g.n, whose);
	else
		doctor_say(d, DOCTOR_OK, "CPU governor", NULL, "performance on %u CPUs%s", g.n,
			   whose);
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
	say_workers(d);
	say_isolated(d);
	say_governor(d);
	say_turbo(d);
}
