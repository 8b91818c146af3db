// akmapushctl doctor: the clock, which has no file; devices' names, words. The checks themselves:
// tests/e2e/doctor.py.

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cpu_list.h"
#include "crypto/aead.h"
#include "crypto/sha256.h"
#include "tools/ctl/doctor/checks.h"
#include "tools/ctl/doctor/cpus.h"
#include "tools/ctl/doctor/device.h"
#include "tools/ctl/doctor/doctor.h"
#include "tools/ctl/doctor/machine.h"

static struct doctor d = {.root = ""};

Test(doctor, clock)
{
	doctor_time(&d);
	d.clock.is_known = true;
	doctor_time(&d);
	d.clock = (struct doctor_clock){true, true, 12345};
	doctor_time(&d);
	cr_assert_eq(d.n, 3);
	cr_expect_eq(d.line[0].state, DOCTOR_OK);
	cr_expect(strstr(d.line[0].found, "not looked at"));
	cr_expect_eq(d.line[1].state, DOCTOR_WARN);
	cr_expect(strstr(d.line[1].found, "not synchronised"));
	cr_expect_str_eq(d.line[1].mend, "timedatectl set-ntp true");
	cr_expect_eq(d.line[2].state, DOCTOR_OK);
	cr_expect_str_eq(d.line[2].found, "synchronised, wrong by 12 ms at most");
	cr_expect_str_empty(d.line[2].mend);
}

Test(doctor, lines_are_bounded)
{
	char text[2000];

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = 0;
	for (unsigned i = 0; i < DOCTOR_LINES_MAX + 3; i++)
		doctor_say(&d, i % 2 ? DOCTOR_FAIL : DOCTOR_WARN, text, text, "%s", text);
	cr_expect_eq(d.n, DOCTOR_LINES_MAX);
	cr_expect_eq(strlen(d.line[d.n - 1].name), DOCTOR_NAME_MAX - 1);
	cr_expect_eq(strlen(d.line[d.n - 1].found), DOCTOR_TEXT_MAX - 1);
	cr_expect_eq(strlen(d.line[d.n - 1].mend), DOCTOR_TEXT_MAX - 1);
	cr_expect_eq(doctor_count(&d, DOCTOR_FAIL), DOCTOR_LINES_MAX / 2);
	cr_expect_eq(doctor_count(&d, DOCTOR_OK), 0);
}

// What it reads in /proc/cpuinfo is what the kernels ask the CPU for.
Test(doctor, features_are_those_of_this_cpu)
{
	char sha[64], aes[64];

	doctor_features(&d);
	cr_assert_eq(d.n, 1);
	snprintf(sha, sizeof(sha), "SHA-256 runs as %s,", sha256_best()->name);
	snprintf(aes, sizeof(aes), "AES-GCM as %s", aead_best()->name);
	cr_expect(strstr(d.line[0].found, sha) && strstr(d.line[0].found, aes), "%s, not %s %s",
		  d.line[0].found, sha, aes);
}

// ---- CPUs

// Every other CPU, from there on.
static void every_other(unsigned from, char *list, size_t max)
{
	size_t at = 0;

	for (unsigned cpu = from; cpu < CPU_LIST_CPUS; cpu += 2)
		at += (size_t)snprintf(list + at, max - at, "%s%u", at ? "," : "", cpu);
}

Test(cpus, lists)
{
	char text[CPUS_TEXT_MAX], long_list[CPU_LIST_CPUS * 5];

	cpus_sorted("7,2-4,6", text);
	cr_expect_str_eq(text, "2-4,6-7");
	cpus_sorted("0-8191", text);
	cr_expect_str_eq(text, "0-8191");
	cpus_sorted("", text);
	cr_expect_str_empty(text);
	cpus_outside("7,2-4,6", "3,7", NULL, text);
	cr_expect_str_eq(text, "2,4,6");
	cpus_outside("7,2-4,6", "2-7", "3,7", text);
	cr_expect_str_eq(text, "2,4,6");
	cpus_outside("2-4", "2-4", "0-8191", text);
	cr_expect_str_empty(text);
	every_other(8191 - 2 * 63, long_list, sizeof(long_list));
	cpus_sorted(long_list, text);
	cr_expect_str_eq(text, long_list, "64 apart have room");
	every_other(0, long_list, sizeof(long_list));
	cpus_sorted(long_list, text);
	cr_expect(strlen(text) < CPUS_TEXT_MAX && cpu_list_is_valid(text), "cut between two: %s",
		  text);
}

// The others: tests/e2e/doctor.py.
Test(cpus, a_machine_without_any)
{
	char folder[] = "/tmp/doctor-XXXXXX", cpus[CPUS_TEXT_MAX], usable[MACHINE_LINE_MAX];

	cr_assert(mkdtemp(folder));
	d.root = folder;
	cpus_usable(&d, usable);
	cr_expect_str_empty(usable);
	cr_expect(!cpus_propose(&d, 1, NULL, cpus));
	cr_expect_str_empty(cpus);
	rmdir(folder);
}

// ---- Names

Test(device, pci)
{
	char address[DEVICE_PCI_MAX];

	cr_expect(device_pci("01:00.0", address));
	cr_expect_str_eq(address, "0000:01:00.0");
	cr_expect(device_pci("000A:1f:0b.7,mprq_en=1", address));
	cr_expect_str_eq(address, "000a:1f:0b.7");
	cr_expect(!device_is_pci("net_null0"));
	cr_expect(!device_is_pci("net_pcap0,tx_pcap=01:00.0"));
	cr_expect(!device_is_pci(""));
}

Test(device, names_and_arguments)
{
	static const char xdp[] = "net_af_xdp0,xface=no,iface=eth1,queue_count=1";
	char value[8];

	cr_expect(device_is(xdp, "net_af_xdp"));
	cr_expect(device_is("net_tap", "net_tap") && device_is("net_tap12", "net_tap"));
	cr_expect(!device_is("net_tapir0", "net_tap") && !device_is("net_ta", "net_tap"));
	cr_expect(device_argument(xdp, "iface", value, sizeof(value)));
	cr_expect_str_eq(value, "eth1");
	cr_expect(device_argument(xdp, "queue_count", value, sizeof(value)));
	cr_expect_str_eq(value, "1");
	cr_expect(!device_argument(xdp, "face", value, sizeof(value)));
	cr_expect(!device_argument("net_null0", "iface", value, sizeof(value)));
	cr_expect(!device_argument("net_x,iface=,a", "iface", value, sizeof(value)));
	cr_expect(device_argument("net_x,iface=averylongname", "iface", value, sizeof(value)));
	cr_expect_str_eq(value, "averylo");
}

Test(machine, words)
{
	static const char text[] = "quiet intel_iommu=on iommu=pt\tlast";

	cr_expect_eq(machine_word(text, "iommu=") - text, 21);
	cr_expect_eq(machine_word(text, "intel_iommu=") - text, 6);
	cr_expect_eq(machine_word(text, "last") - text, 30);
	cr_expect_eq(machine_word(text, "quiet"), text);
	cr_expect_null(machine_word(text, "qui"));
	cr_expect_null(machine_word(text, "iommu"));
	cr_expect_null(machine_word("", "x"));
}

// Files that are none, or too long.
Test(machine, what_is_not_there_is_nothing)
{
	char text[16] = "before", line[MACHINE_LINE_MAX] = "before",
	     folder[] = "/tmp/doctor-XXXXXX";
	char path[64], root[2000];
	struct doctor far = {.root = root};
	int64_t number = 7;
	FILE *file;

	cr_assert(mkdtemp(folder));
	d.root = folder;
	snprintf(path, sizeof(path), "%s/long", folder);
	file = fopen(path, "w");
	for (unsigned i = 0; i < 10000; i++)
		fputc('9', file);
	fclose(file);
	cr_expect(machine_text(&d, text, sizeof(text), "/%s", "long"));
	cr_expect_str_eq(text, "999999999999999");
	cr_expect(!machine_number(&d, &number, "/long"), "out of range");
	cr_expect(!machine_value(&d, "/long", "key", line));
	cr_expect_str_empty(line);
	cr_expect(!machine_text(&d, text, sizeof(text), "/none"));
	cr_expect_str_empty(text);
	cr_expect(!machine_text(&d, text, sizeof(text), "/."), "a folder");
	cr_expect(!machine_link(&d, text, sizeof(text), "/long"), "no link");
	cr_expect_eq(machine_list(&d, "/long", "", NULL, NULL), 0);
	cr_expect_eq(machine_list(&d, "/", "lo", NULL, NULL), 1);
	cr_expect_eq(machine_list(&d, "/", "x", NULL, NULL), 0);
	memset(root, '/', sizeof(root) - 1);
	root[sizeof(root) - 1] = 0;
	cr_expect(!machine_text(&far, text, sizeof(text), "/long"), "a path that is cut");
	remove(path);
	rmdir(folder);
}
