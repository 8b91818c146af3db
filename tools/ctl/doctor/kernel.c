// What the kernel gives to all: the time, and room in sockets.

#include <inttypes.h>
#include <stdio.h>

#include "tools/ctl/doctor/capability.h"
#include "tools/ctl/doctor/checks.h"
#include "tools/ctl/doctor/machine.h"

// What dataplane/io/io_socket.c asks for.
enum { RECEIVE = 16 << 20, SEND = 4 << 20 };

// Expiries and push_ids come from it.
void doctor_time(struct doctor *d)
{
	if (!d->clock.is_known)
		doctor_say(d, DOCTOR_OK, "clock", NULL, "not looked at: it is this machine's");
	else if (d->clock.is_synchronised)
		doctor_say(d, DOCTOR_OK, "clock", NULL,
			   "synchronised, wrong by %" PRIu64 " ms at most",
			   d->clock.error_us / 1000);
	else
		doctor_say(d, DOCTOR_WARN, "clock", "timedatectl set-ntp true",
			   "not synchronised: expiries and push_ids come from it");
}

static void say_buffer(struct doctor *d, const char *name, int64_t wanted)
{
	char line[DOCTOR_NAME_MAX], mend[DOCTOR_TEXT_MAX];
	int64_t octets = 0;

	machine_number(d, &octets, "/proc/sys/net/core/%s", name);
	snprintf(line, sizeof(line), "net.core.%s", name);
	snprintf(mend, sizeof(mend),
		 "sysctl -w net.core.%s=%" PRId64 "; echo net.core.%s=%" PRId64
		 " >>/etc/sysctl.d/akmapush.conf",
		 name, wanted, name, wanted);
	if (octets >= wanted || d->needs.is_dpdk || capability_has(d, CAPABILITY_NET_ADMIN))
		doctor_say(d, DOCTOR_OK, line, NULL, "%" PRId64 "%s", octets,
			   octets >= wanted   ? ""
			   : d->needs.is_dpdk ? "; the ports have no sockets"
					      : "; NET_ADMIN passes over it");
	else
		doctor_say(d, DOCTOR_WARN, line, mend,
			   "%" PRId64 ", less than %" PRId64
			   ": acknowledgements get lost in a burst",
			   octets, wanted);
}

void doctor_buffers(struct doctor *d)
{
	say_buffer(d, "rmem_max", RECEIVE);
	say_buffer(d, "wmem_max", SEND);
}
