#pragma once
// A look at the machine: what the data plane needs of it, check by check. A check reads files of
// the kernel below `root`, and says lines: how it stands, what was found, and the command that
// mends it. What the configuration wants is told in `struct doctor_needs`, so that checks know
// nothing of its form. One thread.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	DOCTOR_NAME_MAX = 64,
	DOCTOR_TEXT_MAX = 1280, // of a command with three lists of 64 CPUs too
	DOCTOR_LINES_MAX = 64,
	DOCTOR_DEVICES_MAX = 8,
};

enum doctor_state { DOCTOR_OK, DOCTOR_WARN, DOCTOR_FAIL, DOCTOR_STATES };
extern const char *const doctor_state_names[DOCTOR_STATES]; // "ok", "warn", "fail"

struct doctor_line {
	enum doctor_state state;
	char name[DOCTOR_NAME_MAX]; // of what was looked at
	char found[DOCTOR_TEXT_MAX];
	char mend[DOCTOR_TEXT_MAX]; // commands, one a line; empty: none
};

struct doctor_needs {
	bool is_dpdk;
	bool no_huge; // EAL is told to do without huge pages
	unsigned workers;
	const char *cpus; // of the workers, a list of as many; NULL: the system decides
	uint64_t ues;
	const char *device[DOCTOR_DEVICES_MAX]; // of dpdk.ports
	unsigned n_devices;
};

// The clock as adjtimex(2) tells it; it has no file.
struct doctor_clock {
	bool is_known;
	bool is_synchronised;
	uint64_t error_us; // at most
};

struct doctor {
	const char *root; // of /proc, /sys and /dev; "" is this machine's
	struct doctor_needs needs;
	struct doctor_clock clock;
	unsigned n;
	struct doctor_line line[DOCTOR_LINES_MAX];
};

// A line more; mend NULL: there is nothing to mend. Lines that have no room are left out.
void doctor_say(struct doctor *d, enum doctor_state state, const char *name, const char *mend,
		const char *format, ...) __attribute__((format(printf, 5, 6)));
unsigned doctor_count(const struct doctor *d, enum doctor_state state);
