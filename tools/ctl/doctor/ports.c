// The ports that the configuration names: cards, by their place on the PCI bus, and interfaces of
// the kernel's under virtual devices; and what vfio needs.

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu_list.h"
#include "tools/ctl/doctor/checks.h"
#include "tools/ctl/doctor/cpus.h"
#include "tools/ctl/doctor/device.h"
#include "tools/ctl/doctor/machine.h"

enum { IFF_UP_BIT = 1, MTU_MIN = 1280 };

#define PCI "/sys/bus/pci/devices/%s"

// These are DPDK's beside the kernel's driver, which keeps the card.
static bool shares_card(const char *driver)
{
	return !strncmp(driver, "mlx4_", 5) || !strncmp(driver, "mlx5_", 5);
}

static bool wants_vfio(const struct doctor *d)
{
	char address[DEVICE_PCI_MAX], driver[64];

	for (unsigned i = 0; i < d->needs.n_devices; i++) {
		if (!device_pci(d->needs.device[i], address))
			continue;
		machine_link(d, driver, sizeof(driver), PCI "/driver", address);
		if (!shares_card(driver))
			return true;
	}
	return false;
}

// ---- IOMMU, vfio

// What of it the kernel was told.
static void told(const struct doctor *d, char *text, size_t max)
{
	static const char *const words[] = {"intel_iommu=", "amd_iommu=", "iommu="};
	char line[MACHINE_LINE_MAX];

	*text = 0;
	machine_text(d, line, sizeof(line), "/proc/cmdline");
	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const size_t len = strlen(text);
		const char *const at = machine_word(line, words[i]);

		if (at)
			snprintf(text + len, max - len, ", %.*s", (int)strcspn(at, " "), at);
	}
}

static void say_vfio(struct doctor *d, bool is_wanted)
{
	if (machine_has(d, "/sys/module/vfio_pci") ||
	    machine_has(d, "/sys/bus/pci/drivers/vfio-pci"))
		doctor_say(d, DOCTOR_OK, "vfio", NULL, "vfio-pci is there");
	else if (is_wanted)
		doctor_say(d, DOCTOR_FAIL, "vfio",
			   "modprobe vfio-pci; echo vfio-pci >/etc/modules-load.d/akmapush.conf",
			   "vfio-pci is not loaded");
	else
		doctor_say(d, DOCTOR_OK, "vfio", NULL, "not loaded; no port wants it");
}

void doctor_iommu(struct doctor *d)
{
	const unsigned groups = machine_list(d, "/sys/kernel/iommu_groups", "", NULL, NULL);
	const bool is_wanted = wants_vfio(d);
	char words[128], mode[8];

	told(d, words, sizeof(words));
	machine_text(d, mode, sizeof(mode),
		     "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode");
	if (groups)
		doctor_say(d, DOCTOR_OK, "IOMMU", NULL, "%u groups%s", groups, words);
	else if (!is_wanted)
		doctor_say(d, DOCTOR_OK, "IOMMU", NULL, "none%s; no port wants it", words);
	else if (*mode == 'Y' || *mode == '1')
		doctor_say(d, DOCTOR_WARN, "IOMMU", NULL,
			   "none, and vfio does without: a card can write to any memory, keys "
			   "included");
	else
		doctor_say(d, DOCTOR_FAIL, "IOMMU",
			   "sed -i 's/^GRUB_CMDLINE_LINUX=\"/&intel_iommu=on iommu=pt /' "
			   "/etc/default/grub; update-grub; reboot  # AMD: iommu=pt\n"
			   "echo 1 >/sys/module/vfio/parameters/enable_unsafe_noiommu_mode  # a "
			   "virtual machine without one",
			   "none%s: turn it on in the firmware and for the kernel", words);
	say_vfio(d, is_wanted);
}

// ---- Cards

// Whether workers run on CPUs of the card's node, as far as can be told; else it is said.
static bool runs_near(struct doctor *d, const char *name, const char *driver, int64_t node,
		      const char *near)
{
	char far[CPUS_TEXT_MAX], better[CPUS_TEXT_MAX], allowed[MACHINE_LINE_MAX];
	char mend[DOCTOR_TEXT_MAX] = "";

	if (d->needs.cpus) {
		cpus_outside(d->needs.cpus, near, NULL, far);
		if (!*far)
			return true;
		if (cpus_propose(d, d->needs.workers, near, better))
			snprintf(mend, sizeof(mend),
				 "dataplane: {cpus: \"%s\"}  # in the configuration", better);
		doctor_say(d, DOCTOR_WARN, name, mend,
			   "%s, on node %" PRId64
			   ", CPUs %.60s; of the workers' these are not: %.60s",
			   driver, node, near, far);
		return false;
	}
	if (!machine_value(d, "/proc/self/status", "Cpus_allowed_list", allowed) ||
	    cpu_list_meet(near, allowed))
		return true;
	snprintf(mend, sizeof(mend), "systemctl edit akmapushd  # [Service] CPUAffinity=%.200s",
		 near);
	doctor_say(d, DOCTOR_WARN, name, mend,
		   "%s, on node %" PRId64
		   "; who asks may not run on its CPUs (%.60s), only on %.60s",
		   driver, node, near, allowed);
	return false;
}

// Huge pages and CPUs near it: what comes from another node costs a way across.
static void say_node(struct doctor *d, const char *name, const char *driver, int64_t node)
{
	char near[MACHINE_LINE_MAX], mend[DOCTOR_TEXT_MAX];
	int64_t pages = 0;

	machine_text(d, near, sizeof(near), "/sys/devices/system/node/node%" PRId64 "/cpulist",
		     node);
	if (*near && !runs_near(d, name, driver, node, near))
		return;
	machine_number(d, &pages,
		       "/sys/devices/system/node/node%" PRId64
		       "/hugepages/hugepages-2048kB/free_hugepages",
		       node);
	if (!pages && !d->needs.no_huge) {
		snprintf(mend, sizeof(mend),
			 "echo 512 >/sys/devices/system/node/node%" PRId64
			 "/hugepages/hugepages-2048kB/nr_hugepages",
			 node);
		doctor_say(d, DOCTOR_WARN, name, mend,
			   "%s, on node %" PRId64 ", which has no free page of 2 MiB", driver,
			   node);
	} else {
		doctor_say(d, DOCTOR_OK, name, NULL, "%s, on node %" PRId64 ", CPUs %.100s", driver,
			   node, near);
	}
}

static void say_card(struct doctor *d, const char *name, const char *address)
{
	char driver[64], mend[DOCTOR_TEXT_MAX];
	int64_t node = -1;

	if (!machine_has(d, PCI, address)) {
		doctor_say(d, DOCTOR_FAIL, name,
			   "lspci -D | grep -i ether  # and correct dpdk.ports",
			   "there is no such card");
		return;
	}
	machine_number(d, &node, PCI "/numa_node", address);
	machine_link(d, driver, sizeof(driver), PCI "/driver", address);
	if (strcmp(driver, "vfio-pci") && strcmp(driver, "uio_pci_generic") &&
	    strcmp(driver, "igb_uio") && !shares_card(driver)) {
		snprintf(mend, sizeof(mend), "dpdk-devbind.py --bind=vfio-pci %s", address);
		doctor_say(d, DOCTOR_FAIL, name, mend, "%s%s: not DPDK's",
			   *driver ? "the kernel has it, with " : "no driver has it", driver);
	} else if (node >= 0) {
		say_node(d, name, driver, node);
	} else {
		doctor_say(d, DOCTOR_OK, name, NULL, "%s, on no node of its own", driver);
	}
}

// ---- Interfaces

static void say_interface(struct doctor *d, const char *name, const char *interface)
{
	int64_t flags = 0, mtu = 0;
	char mend[DOCTOR_TEXT_MAX];

	if (strchr(interface, '/') || *interface == '.' ||
	    !machine_has(d, "/sys/class/net/%s", interface)) {
		doctor_say(d, DOCTOR_FAIL, name, "ip -br link  # and correct iface= in dpdk.ports",
			   "there is no interface %s", interface);
		return;
	}
	machine_number(d, &flags, "/sys/class/net/%s/flags", interface);
	machine_number(d, &mtu, "/sys/class/net/%s/mtu", interface);
	if (!(flags & IFF_UP_BIT)) {
		snprintf(mend, sizeof(mend), "ip link set %s up", interface);
		doctor_say(d, DOCTOR_FAIL, name, mend, "interface %s is down", interface);
	} else if (mtu < MTU_MIN) {
		snprintf(mend, sizeof(mend), "ip link set %s mtu 1500", interface);
		doctor_say(d, DOCTOR_WARN, name, mend,
			   "interface %s is up, with an MTU of %" PRId64
			   ", less than %d: segments are shorter",
			   interface, mtu, MTU_MIN);
	} else {
		doctor_say(d, DOCTOR_OK, name, NULL, "interface %s is up, with an MTU of %" PRId64,
			   interface, mtu);
	}
}

static void say_tap(struct doctor *d, const char *name)
{
	if (machine_has(d, "/dev/net/tun"))
		doctor_say(d, DOCTOR_OK, name, NULL, "a tap, made when the daemon starts");
	else
		doctor_say(d, DOCTOR_FAIL, name, "modprobe tun", "there is no /dev/net/tun");
}

static void say_port(struct doctor *d, const char *device)
{
	char name[DOCTOR_NAME_MAX], address[DEVICE_PCI_MAX], interface[64];

	snprintf(name, sizeof(name), "port %.*s", (int)strcspn(device, ","), device);
	if (device_pci(device, address))
		say_card(d, name, address);
	else if (device_is(device, "net_tap"))
		say_tap(d, name);
	else if (device_argument(device, "iface", interface, sizeof(interface)))
		say_interface(d, name, interface);
	else
		doctor_say(d, DOCTOR_OK, name, NULL, "a virtual device without an interface");
}

void doctor_ports(struct doctor *d)
{
	for (unsigned i = 0; i < d->needs.n_devices; i++)
		say_port(d, d->needs.device[i]);
}
