// Memory: huge pages, those of contexts and those of DPDK, and how much may be locked.

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/ctl/doctor/capability.h"
#include "tools/ctl/doctor/checks.h"
#include "tools/ctl/doctor/machine.h"

enum { MIB = 1 << 20, PAGE_2M = 2 * MIB, CONTEXT = 128 };

// What DPDK takes at the least: itself, and buffers for the queue pairs of each port.
enum { DPDK_ITSELF = 64 * MIB, DPDK_QUEUES = 8 * MIB };

#define HUGE "/sys/kernel/mm/hugepages"
#define MEND_HUGE                                                                                  \
	"echo %" PRIu64 " >/proc/sys/vm/nr_hugepages\n"                                            \
	"echo vm.nr_hugepages=%" PRIu64 " >/etc/sysctl.d/akmapush.conf"

struct pages {
	struct doctor *d;
	const char *size;   // the folder of a size, while nodes are listed
	uint64_t free;      // octets, of all sizes
	uint64_t free_2mib; // pages
	char nodes[160];
};

static void add_node(void *ctx, const char *node)
{
	struct pages *const p = ctx;
	const size_t len = strlen(p->nodes);
	int64_t n = 0, free_pages = 0;

	if (!machine_number(p->d, &n, "/sys/devices/system/node/%s/hugepages/%s/nr_hugepages", node,
			    p->size))
		return;
	machine_number(p->d, &free_pages, "/sys/devices/system/node/%s/hugepages/%s/free_hugepages",
		       node, p->size);
	snprintf(p->nodes + len, sizeof(p->nodes) - len, "; %s: %" PRId64 ", %" PRId64 " free",
		 node, n, free_pages);
}

static void say_size(void *ctx, const char *size)
{
	struct pages *const p = ctx;
	const uint64_t kib = strtoull(size + strlen("hugepages-"), NULL, 10);
	int64_t n = 0, free_pages = 0;
	char name[DOCTOR_NAME_MAX];

	machine_number(p->d, &n, HUGE "/%s/nr_hugepages", size);
	machine_number(p->d, &free_pages, HUGE "/%s/free_hugepages", size);
	if (free_pages > 0) {
		p->free += (uint64_t)free_pages * (kib << 10);
		p->free_2mib += kib << 10 == PAGE_2M ? (uint64_t)free_pages : 0;
	}
	p->size = size;
	p->nodes[0] = 0;
	machine_list(p->d, "/sys/devices/system/node", "node", add_node, p);
	snprintf(name, sizeof(name), "pages of %" PRIu64 " MiB", kib >> 10);
	doctor_say(p->d, DOCTOR_OK, name, NULL, "%" PRId64 " reserved, %" PRId64 " free%s", n,
		   free_pages, p->nodes);
}

// Pages of 2 MiB.
static uint64_t contexts(const struct doctor *d)
{
	return (d->needs.ues * CONTEXT + PAGE_2M - 1) / PAGE_2M;
}

// Contexts take reserved pages, if there are enough for all, else transparent ones.
static void say_contexts(struct doctor *d, const struct pages *p)
{
	const uint64_t wanted = contexts(d);
	char text[128];

	machine_text(d, text, sizeof(text), "/sys/kernel/mm/transparent_hugepage/enabled");
	if (p->free_2mib >= wanted)
		doctor_say(d, DOCTOR_OK, "pages for contexts", NULL,
			   "reserved ones: %" PRIu64 " of 2 MiB for %" PRIu64 " UEs", wanted,
			   d->needs.ues);
	else if (strstr(text, "[madvise]") || strstr(text, "[always]"))
		doctor_say(d, DOCTOR_OK, "pages for contexts", NULL,
			   "transparent ones, as memory is used, for %" PRIu64 " UEs",
			   d->needs.ues);
	else
		doctor_say(d, DOCTOR_WARN, "pages for contexts",
			   "echo madvise >/sys/kernel/mm/transparent_hugepage/enabled",
			   "small ones, which make look-ups slow: %" PRIu64
			   " of 2 MiB are free where %" PRIu64 " would do, and none are made",
			   p->free_2mib, wanted);
}

// What contexts leave.
static uint64_t left(const struct doctor *d, const struct pages *p)
{
	const uint64_t wanted = contexts(d);

	return p->free_2mib >= wanted ? p->free - wanted * PAGE_2M : p->free;
}

static void say_dpdk(struct doctor *d, const struct pages *p)
{
	const uint64_t wanted =
		DPDK_ITSELF + (uint64_t)DPDK_QUEUES * d->needs.n_devices * d->needs.workers;
	const uint64_t pages = contexts(d) + (wanted + PAGE_2M - 1) / PAGE_2M;
	const uint64_t free = left(d, p);
	char mend[DOCTOR_TEXT_MAX];

	if (!d->needs.is_dpdk)
		return;
	snprintf(mend, sizeof(mend), MEND_HUGE, pages, pages);
	if (d->needs.no_huge)
		doctor_say(d, DOCTOR_OK, "pages for DPDK", NULL,
			   "none wanted: EAL is told --no-huge");
	else if (!free)
		doctor_say(d, DOCTOR_WARN, "pages for DPDK", mend,
			   "none is free: it takes 512 MiB in small ones, which is slower");
	else
		doctor_say(d, free < wanted ? DOCTOR_FAIL : DOCTOR_OK, "pages for DPDK",
			   free < wanted ? mend : NULL,
			   "%" PRIu64 " MiB beside contexts, about %" PRIu64 " are wanted%s",
			   free / MIB, wanted / MIB, free < wanted ? ": it may not start" : "");
}

void doctor_pages(struct doctor *d)
{
	struct pages p = {.d = d};

	if (!machine_list(d, HUGE, "hugepages-", say_size, &p))
		doctor_say(d, DOCTOR_OK, "huge pages", NULL, "this kernel has none");
	say_contexts(d, &p);
	say_dpdk(d, &p);
}

// The daemon raises its limit where it may; here is what holds where it may not.
void doctor_locked(struct doctor *d)
{
	const uint64_t wanted = d->needs.ues * CONTEXT;
	static const char mend[] = "systemctl edit akmapushd  # [Service] LimitMEMLOCK=infinity\n"
				   "ulimit -l unlimited  # in a shell, as root";
	char text[MACHINE_LINE_MAX];
	uint64_t limit;

	if (!machine_value(d, "/proc/self/limits", "Max locked memory", text)) {
		doctor_say(d, DOCTOR_WARN, "locked memory", mend, "the limit can't be read");
		return;
	}
	limit = strtoull(text, NULL, 10);
	if (!strncmp(text, "unlimited", 9) || capability_has(d, CAPABILITY_IPC_LOCK))
		doctor_say(d, DOCTOR_OK, "locked memory", NULL, "as much as there is");
	else if (limit >= wanted)
		doctor_say(d, DOCTOR_WARN, "locked memory", mend,
			   "%" PRIu64 " KiB for who asks, enough for the contexts; requests with "
			   "keys may be swapped out",
			   limit >> 10);
	else
		doctor_say(d, DOCTOR_FAIL, "locked memory", mend,
			   "%" PRIu64 " KiB for who asks; the contexts of %" PRIu64
			   " UEs take %" PRIu64,
			   limit >> 10, d->needs.ues, wanted >> 10);
}
