#pragma once
// Capabilities of who asks: CapEff of /proc/self/status.

#include "tools/ctl/doctor/doctor.h"

// Their numbers are the kernel's (linux/capability.h).
enum capability {
	CAPABILITY_NET_ADMIN = 12,
	CAPABILITY_NET_RAW = 13,
	CAPABILITY_IPC_LOCK = 14,
	CAPABILITY_SYS_ADMIN = 21,
	CAPABILITY_BPF = 39,
};

bool capability_has(const struct doctor *d, enum capability capability);
