#include "tools/ctl/doctor/cpus.h"

#include <stdio.h>
#include <string.h>

#include "base/cpu_list.h"

#define CPU "/sys/devices/system/cpu"

struct cpus {
	bool has[CPU_LIST_CPUS];
};

// What has no room is left out.
static void write_list(const struct cpus *cpus, char *text, size_t max)
{
	size_t at = 0;

	*text = 0;
	for (unsigned first = 0, last; first < CPU_LIST_CPUS; first = last + 1) {
		char range[16];
		int n;

		last = first;
		if (!cpus->has[first])
			continue;
		while (last + 1 < CPU_LIST_CPUS && cpus->has[last + 1])
			last++;
		n = snprintf(range, sizeof(range), last > first ? "%s%u-%u" : "%s%u", at ? "," : "",
			     first, last);
		if (at + (size_t)n >= max)
			return;
		at += (size_t)snprintf(text + at, max - at, "%s", range);
	}
}

void cpus_outside(const char *list, const char *a, const char *b, char text[CPUS_TEXT_MAX])
{
	struct cpus outside;

	for (unsigned cpu = 0; cpu < CPU_LIST_CPUS; cpu++)
		outside.has[cpu] = cpu_list_has(list, cpu) &&
				   !(cpu_list_has(a, cpu) && (!b || cpu_list_has(b, cpu)));
	write_list(&outside, text, CPUS_TEXT_MAX);
}

void cpus_sorted(const char *list, char text[CPUS_TEXT_MAX])
{
	cpus_outside(list, "", NULL, text);
}

void cpus_usable(const struct doctor *d, char text[MACHINE_LINE_MAX])
{
	char online[MACHINE_LINE_MAX], allowed[MACHINE_LINE_MAX], isolated[MACHINE_LINE_MAX];
	const bool is_told = machine_value(d, "/proc/self/status", "Cpus_allowed_list", allowed);
	struct cpus usable;

	if (!machine_text(d, online, sizeof(online), CPU "/online"))
		memcpy(online, allowed, sizeof(online));
	machine_text(d, isolated, sizeof(isolated), CPU "/isolated");
	for (unsigned cpu = 0; cpu < CPU_LIST_CPUS; cpu++)
		usable.has[cpu] =
			cpu_list_has(online, cpu) &&
			(!is_told || cpu_list_has(allowed, cpu) || cpu_list_has(isolated, cpu));
	write_list(&usable, text, MACHINE_LINE_MAX);
}

// The last n of them that are in all the lists; how many are lacking.
static unsigned take(struct cpus *cpus, unsigned n, const char *const lists[], unsigned n_lists)
{
	for (unsigned cpu = CPU_LIST_CPUS; cpu-- > 0 && n;) {
		bool is_good = !cpus->has[cpu];

		for (unsigned i = 0; i < n_lists; i++)
			is_good = is_good && cpu_list_has(lists[i], cpu);
		cpus->has[cpu] |= is_good;
		n -= is_good;
	}
	return n;
}

bool cpus_propose(const struct doctor *d, unsigned n, const char *within, char text[CPUS_TEXT_MAX])
{
	char usable[MACHINE_LINE_MAX], isolated[MACHINE_LINE_MAX];
	const char *const lists[] = {usable, within ? within : usable, isolated};
	struct cpus chosen = {0};

	cpus_usable(d, usable);
	machine_text(d, isolated, sizeof(isolated), CPU "/isolated");
	n = take(&chosen, n, lists, 3);
	n = take(&chosen, n, lists, 2);
	*text = 0;
	if (!n)
		write_list(&chosen, text, CPUS_TEXT_MAX);
	return !n;
}
