#include "tools/ctl/doctor/capability.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/ctl/doctor/checks.h"
#include "tools/ctl/doctor/device.h"
#include "tools/ctl/doctor/machine.h"

enum { N = 4, LIST_MAX = 96 };

static const struct {
	enum capability number;
	const char *name;
} known[N] = {
	{CAPABILITY_NET_ADMIN, "NET_ADMIN"},
	{CAPABILITY_NET_RAW, "NET_RAW"},
	{CAPABILITY_IPC_LOCK, "IPC_LOCK"},
	{CAPABILITY_BPF, "BPF"},
};

static uint64_t bit(enum capability capability)
{
	return 1ull << capability;
}

static uint64_t effective(const struct doctor *d)
{
	char text[MACHINE_LINE_MAX];

	machine_value(d, "/proc/self/status", "CapEff", text);
	return strtoull(text, NULL, 16);
}

bool capability_has(const struct doctor *d, enum capability capability)
{
	return effective(d) & bit(capability);
}

// What a port wants of the kernel.
static uint64_t wanted(const char *device)
{
	if (device_is_pci(device))
		return bit(CAPABILITY_IPC_LOCK);
	if (device_is(device, "net_af_xdp"))
		return bit(CAPABILITY_NET_ADMIN) | bit(CAPABILITY_NET_RAW) |
		       bit(CAPABILITY_IPC_LOCK) | bit(CAPABILITY_BPF);
	if (device_is(device, "net_af_packet"))
		return bit(CAPABILITY_NET_ADMIN) | bit(CAPABILITY_NET_RAW);
	return device_is(device, "net_tap") ? bit(CAPABILITY_NET_ADMIN) : 0;
}

static const char *list(char text[LIST_MAX], uint64_t capabilities, const char *before)
{
	size_t len = 0;

	*text = 0;
	for (unsigned i = 0; i < N; i++) {
		if (capabilities & bit(known[i].number))
			len += (size_t)snprintf(text + len, LIST_MAX - len, "%s%s%s",
						len ? " " : "", before, known[i].name);
	}
	return *text ? text : "none of them";
}

void doctor_capabilities(struct doctor *d)
{
	uint64_t has = effective(d), needs = 0;
	char mend[DOCTOR_TEXT_MAX], text[LIST_MAX], wants[LIST_MAX];

	if (has & bit(CAPABILITY_SYS_ADMIN))
		has |= bit(CAPABILITY_BPF); // it had that power before there was CAP_BPF
	for (unsigned i = 0; i < d->needs.n_devices; i++)
		needs |= wanted(d->needs.device[i]);
	if (!(needs & ~has)) {
		doctor_say(d, DOCTOR_OK, "capabilities", NULL, "%s; the ports want %s",
			   list(text, has, ""), needs ? list(wants, needs, "") : "none");
		return;
	}
	list(text, needs, "CAP_");
	snprintf(mend, sizeof(mend),
		 "systemctl edit akmapushd  # [Service] AmbientCapabilities=%s\n"
		 "systemctl edit akmapushd  # [Service] CapabilityBoundingSet=%s",
		 text, text);
	doctor_say(d, DOCTOR_FAIL, "capabilities", mend, "who asks lacks %s, which the ports want",
		   list(text, needs & ~has, ""));
}
